# What is said of every figure, by name.
DESCRIBED = described()
FIGURES = (
    [f"{RESULTS}/figures/{name}.png" for name in DESCRIBED] if CONFIG.claims else []
)


# All of them by one process.
rule figures:
    input:
        stage(
            "figures",
            *[f"replication.figures.{name.replace('-', '_')}" for name in DESCRIBED],
        ),
        tables(*sorted({name for said in DESCRIBED.values() for name in said.tables})),
    output:
        *[
            report(
                f"<results>/figures/{name}.png",
                caption="../report/figure.rst",
                category="Figures",
                labels=titles(said.caption),
            )
            for name, said in DESCRIBED.items()
        ],
        *[f"<results>/figures/{name}.pdf" for name in DESCRIBED],
    log:
        "<logs>/figures.log",
    benchmark:
        "<benchmarks>/figures.tsv"
    # The paper waits for them, nothing for the notebooks that may run at the same time.
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        results=subpath(output[0], ancestor=2),
    shell:
        "python -m zerogap.replication.stages figures --tables {params.results}/tables"
        " --output {params.results}/figures > {log} 2>&1"


# What flows between the rules, as a diagram that GitHub and many editors draw.
rule rulegraph:
    input:
        stage("rulegraph"),
        lambda wildcards: included(),
    output:
        "<results>/rulegraph.mmd",
    log:
        "<logs>/rulegraph.log",
    benchmark:
        "<benchmarks>/rulegraph.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        snakefile=os.path.relpath(workflow.main_snakefile),
        configs=[
            word
            for path in workflow.configfiles
            for word in ("--configfile", str(path))
        ],
    shell:
        "snakemake --snakefile {params.snakefile:q} --rulegraph mermaid-js {params.configs:q} --nolock"
        " 2> {log} | python -m zerogap.replication.stages rulegraph --graph /dev/stdin"
        " --output {output} >> {log} 2>&1"
