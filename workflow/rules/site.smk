# What the site is made of besides the run: its examples run the library, and its pages of names
# read all of it. Snakemake does not fetch folders from elsewhere: there it has no site.
REPOSITORY = sorted(
    near(path)
    for kept in (
        "README.md",
        "config/README.md",
        "docs/**/*.*",
        "src/zerogap/**/*.py",
        "benchmarks/*.py",
        "results/reference/**/*.*",
    )
    for path in HOME.glob(kept)
)


# The documentation, with what this run found: `make docs`.
rule site:
    input:
        REPOSITORY,
        TABLES,
        FIGURES,
        NOTEBOOKS,
        EXPLORER,
        "<results>/provenance.json",
        paper=PAPER,
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
        repository=near(HOME),
        results=subpath(output[0], parent=True),
    shell:
        "python -m zerogap.replication.stages site --repository {params.repository:q}"
        " --results {params.results} --paper '{input.paper}' --output {output} > {log} 2>&1"
