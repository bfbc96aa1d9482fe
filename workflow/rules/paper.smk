rule paper:
    input:
        TABLES,
        FIGURES,
        "results/provenance.json",
        multiext(
            "results/reference/benchmarks/", "solvers.csv", "scaling.csv", "cost.png"
        ),
        source="paper/replication.typ",
    output:
        report(
            "paper/replication.pdf",
            caption="../report/paper.rst",
            category="Paper",
        ),
    log:
        "logs/paper.log",
    benchmark:
        "benchmarks/paper.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    shell:
        "python -m zerogap.replication.stages paper --source {input.source} --output {output} > {log} 2>&1"
