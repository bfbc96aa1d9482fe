# The paper of the run without a name stands beside its source.
PDF = f"{RESULTS}/replication.pdf" if CONFIG.name else "paper/replication.pdf"
# It tells of claims, and needs a picture, which Snakemake does not fetch from elsewhere.
PAPER = [PDF] if CONFIG.claims and HOME.is_dir() else []


rule paper:
    input:
        stage("paper"),
        TABLES,
        [figure.removesuffix("png") + "pdf" for figure in FIGURES],
        lambda wildcards: [
            part(f"results/reference/benchmarks/{name}")
            for name in (
                *("solvers.csv", "scaling.csv", "rivals.csv", "weights.csv"),
                "cost.png",
            )
        ],
        provenance="<results>/provenance.json",
        source=lambda wildcards: part("paper/replication.typ"),
        format=lambda wildcards: part("paper/format.typ"),
    output:
        report(
            PDF,
            caption="../report/paper.rst",
            category="Paper",
            labels={"paper": "Duality gaps of neural networks, certified"},
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
