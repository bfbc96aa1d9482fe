GATHERED = [
    f"results/tables/{name}.csv" for name in ("gaps", "training", "details", "curves")
]
TABLE1 = multiext("results/tables/table1", ".csv", ".md", ".tex")
SCOREBOARD = multiext("results/tables/claims", ".csv", ".md")
DEPTH_TABLE = "results/tables/depth.csv"
SEARCH_TABLE = "results/tables/search.csv"
TABLES = [*GATHERED, *TABLE1, *SCOREBOARD, DEPTH_TABLE, SEARCH_TABLE]


rule collect:
    input:
        modules("tables.py"),
        gaps=batch_files("results/gaps/{setting}/{batch}.json"),
        verdicts=batch_files("results/verdicts/{setting}/{batch}.json"),
    output:
        GATHERED,
        lists=temp("results/tables/batches.txt"),
    log:
        "logs/collect.log",
    benchmark:
        "benchmarks/collect.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
    params:
        batches="\n".join(f"{s}/{b}" for s, b in BATCHES),
    shell:
        "printf '%s\\n' {params.batches:q} > {output.lists};"
        " python -m zerogap.replication.stages collect --batches {output.lists} --results results > {log} 2>&1"


rule table1:
    input:
        modules("tables.py"),
        GATHERED,
    output:
        TABLE1,
    log:
        "logs/table1.log",
    benchmark:
        "benchmarks/table1.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    shell:
        "python -m zerogap.replication.stages table1 --tables results/tables --output results/tables > {log} 2>&1"


rule scoreboard:
    input:
        modules("tables.py"),
        GATHERED,
    output:
        SCOREBOARD,
    log:
        "logs/scoreboard.log",
    benchmark:
        "benchmarks/scoreboard.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    shell:
        "python -m zerogap.replication.stages scoreboard --tables results/tables --output results/tables > {log} 2>&1"


rule provenance:
    input:
        TABLES,
    output:
        "results/provenance.json",
    log:
        "logs/provenance.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    shell:
        "python -m zerogap.replication.stages provenance --output {output} > {log} 2>&1"
