GATHERED = tables("gaps.csv", "training.csv", "details.csv", "curves.csv")
TABLE1 = tables("table1.csv", "table1.md", "table1.tex")
SCOREBOARD = tables("claims.csv", "claims.md")
# Own data has no claims, and no studies beside it.
TABLES = [
    *GATHERED,
    *(
        [*TABLE1, *SCOREBOARD, *tables("depth.csv", "search.csv", "audits.csv")]
        if CONFIG.claims
        else []
    ),
]


rule collect:
    input:
        stage("collect"),
        gaps=batch_files("gaps/{setting}/{batch}.json"),
        verdicts=batch_files("verdicts/{setting}/{batch}.json"),
    output:
        GATHERED,
        lists=temp("<results>/tables/batches.txt"),
    log:
        "<logs>/collect.log",
    benchmark:
        "<benchmarks>/collect.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
    params:
        batches="\n".join(f"{s}/{b}" for s, b in BATCHES),
        results=subpath(output[0], ancestor=2),
    shell:
        "printf '%s\\n' {params.batches:q} > {output.lists};"
        " python -m zerogap.replication.stages collect --batches {output.lists} --results {params.results} > {log} 2>&1"


rule table1:
    input:
        stage("table1"),
        tables("gaps.csv", "details.csv"),
    output:
        TABLE1,
        report(
            "<results>/tables/table1.html",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "Table 1, measured"},
        ),
    log:
        "<logs>/table1.log",
    benchmark:
        "<benchmarks>/table1.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        tables=subpath(output[0], parent=True),
    shell:
        "python -m zerogap.replication.stages table1 --tables {params.tables} > {log} 2>&1"


rule scoreboard:
    input:
        stage("scoreboard"),
        tables("gaps.csv", "details.csv", "training.csv"),
    output:
        SCOREBOARD,
        report(
            "<results>/tables/claims.html",
            caption="../report/claims.rst",
            category="Tables",
            labels={"table": "the scoreboard of the paper's claims"},
        ),
    log:
        "<logs>/scoreboard.log",
    benchmark:
        "<benchmarks>/scoreboard.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        tables=subpath(output[0], parent=True),
        tolerance=CONFIG.tolerance,
    shell:
        "python -m zerogap.replication.stages scoreboard --tables {params.tables}"
        " --tolerance {params.tolerance} > {log} 2>&1"


rule provenance:
    input:
        stage("provenance"),
        TABLES,
    output:
        "<results>/provenance.json",
    log:
        "<logs>/provenance.log",
    benchmark:
        "<benchmarks>/provenance.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        config=CONFIG.canonical,
    shell:
        "python -m zerogap.replication.stages provenance --config {params.config:q} --output {output} > {log} 2>&1"
