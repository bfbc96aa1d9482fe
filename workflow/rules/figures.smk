FIGURE_NAMES = [
    "table1",
    "linear-depth",
    "low-rank",
    "rank-one",
    "whitened",
    "branches",
    "relu-depth",
    "depth-study",
    "training",
]
FIGURES = [f"results/figures/{name}.png" for name in FIGURE_NAMES]


rule figure:
    input:
        lambda wildcards: modules(f"figures/{wildcards.figure.replace('-', '_')}.py"),
        TABLES,
    output:
        report(
            "results/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        "results/figures/{figure}.pdf",
    log:
        "logs/figure/{figure}.log",
    benchmark:
        "benchmarks/figure/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURE_NAMES),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    shell:
        "python -m zerogap.replication.stages figure {wildcards.figure} --tables results/tables"
        " --output results/figures/{wildcards.figure} > {log} 2>&1"


# The picture of this workflow, drawn without graphviz.
rule rulegraph:
    input:
        modules("rulegraph.py"),
        workflow.snakefile,
    output:
        report(
            "results/figures/rulegraph.png",
            caption="../report/rulegraph.rst",
            category="Workflow",
        ),
    log:
        "logs/rulegraph.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        configs=lambda wildcards: " ".join(map(str, workflow.configfiles)),
    shell:
        "(snakemake --rulegraph dot --configfile {params.configs} --nolock > {output}.dot"
        " && python -m zerogap.replication.stages rulegraph --dot {output}.dot --output {output};"
        " rm -f {output}.dot) > {log} 2>&1"
