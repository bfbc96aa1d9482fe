# Name: caption, tables that it reads.
DESCRIBED = described()
FIGURES = (
    [f"{RESULTS}/figures/{name}.png" for name in DESCRIBED] if CONFIG.claims else []
)


rule figure:
    input:
        lambda wildcards: stage(
            "figure", f"replication.figures.{wildcards.figure.replace('-', '_')}"
        ),
        lambda wildcards: tables(*DESCRIBED[wildcards.figure][1]),
    output:
        report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda wildcards: {"figure": subject(wildcards)},
        ),
        "<results>/figures/{figure}.pdf",
    log:
        "<logs>/figure/{figure}.log",
    benchmark:
        "<benchmarks>/figure/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(DESCRIBED),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        results=subpath(output[0], ancestor=2),
        base=subpath(output[0], strip_suffix=".png"),
        caption=lambda wildcards: DESCRIBED[wildcards.figure][0],
    shell:
        "python -m zerogap.replication.stages figure --name {wildcards.figure}"
        " --tables {params.results}/tables --output {params.base}"
        " > {log} 2>&1"


# What flows between the rules, as a diagram that GitHub and many editors draw.
rule rulegraph:
    input:
        stage("rulegraph"),
        lambda wildcards: included(),
    output:
        "<results>/rulegraph.mmd",
    log:
        "<logs>/rulegraph.log",
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
