# What made the run, under its names in the repository.
SOURCES_PACKED = [
    "workflow/Snakefile",
    *(
        path.relative_to(HOME).as_posix()
        for path in sorted(HOME.glob("workflow/rules/*.smk"))
    ),
    *("environment.yml", "requirements.lock", "CITATION.cff", "LICENSE"),
]


# The run and what made it in one file. Only for whoever asks: `snakemake crate`.
rule crate:
    input:
        stage("crate"),
        run=[
            *TABLES,
            *[
                table.removesuffix("md") + "html"
                for table in TABLES
                if table.endswith(".md")
            ],
            EXPLORER,
            *CERTIFICATES,
            *batch_files("data/{setting}/{batch}.npz"),
            *FIGURES,
            *[figure.removesuffix("png") + "pdf" for figure in FIGURES],
            *NOTEBOOKS,
            f"{RESULTS}/rulegraph.mmd",
            f"{RESULTS}/provenance.json",
            *PAPER,
        ],
        sources=lambda wildcards: [part(name) for name in SOURCES_PACKED],
    output:
        "<results>/crate.zip",
    log:
        "<logs>/crate.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        files=lambda wildcards, input: json.dumps(
            {path.removeprefix(f"{RESULTS}/"): path for path in input.run}
        ),
        sources=lambda wildcards, input: json.dumps(
            dict(zip(SOURCES_PACKED, input.sources))
        ),
    shell:
        "python -m zerogap.replication.stages crate --files {params.files:q} --sources {params.sources:q}"
        " --output {output} > {log} 2>&1"
