# The documentation, with what this run found: `make docs`. Its examples run the library, and its
# pages of names read all of it. Own data has neither claims nor a paper.
rule site:
    input:
        sorted(
            str(path)
            for kept in (
                "src/zerogap/**/*.py",
                "docs/**/*.*",
                "benchmarks/*.py",
                "results/reference/**/*.*",
            )
            for path in ROOT.glob(kept)
        ),
        "README.md",
        "config/README.md",
        TABLES,
        FIGURES,
        NOTEBOOKS,
        "<results>/provenance.json",
        paper=PAPER if CONFIG.claims else [],
    output:
        directory("<results>/site"),
    log:
        "<logs>/site.log",
    benchmark:
        "<benchmarks>/site.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
    params:
        results=subpath(output[0], parent=True),
        paper=PAPER if CONFIG.claims else "",
    shell:
        "python -m zerogap.replication.stages site --results {params.results}"
        " --paper {params.paper:q} --output {output} > {log} 2>&1"
