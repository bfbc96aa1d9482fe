# The paper of the run without a name stands beside its source.
PAPER = f"{RESULTS}/replication.pdf" if CONFIG.name else "paper/replication.pdf"


rule paper:
    input:
        stage("paper"),
        TABLES,
        [figure.removesuffix("png") + "pdf" for figure in FIGURES],
        multiext(
            "results/reference/benchmarks/",
            "solvers.csv",
            "scaling.csv",
            "rivals.csv",
            "weights.csv",
            "cost.png",
        ),
        provenance="<results>/provenance.json",
        source="paper/replication.typ",
        format="paper/format.typ",
    output:
        report(
            PAPER,
            caption="../report/paper.rst",
            category="Paper",
        ),
    log:
        "<logs>/paper.log",
    benchmark:
        "<benchmarks>/paper.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        results=subpath(input.provenance, parent=True),
    shell:
        "python -m zerogap.replication.stages paper --source {input.source} --results {params.results}"
        " --output {output} > {log} 2>&1"
