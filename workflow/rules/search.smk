# Primal bounds by branch and bound over the weights.
rule search:
    input:
        stage("search"),
    output:
        "<results>/certificates/search/0.jsonl",
    log:
        "<logs>/search.log",
    benchmark:
        "<benchmarks>/search.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        cases=json.dumps(CONFIG.search),
    shell:
        "python -m zerogap.replication.stages search --cases {params.cases:q} --output {output} > {log} 2>&1"


# A fresh process that loads the checker and no solver.
rule search_table:
    input:
        stage("search_table"),
        certificates=rules.search.output,
    output:
        table="<results>/tables/search.csv",
        verdicts="<results>/verdicts/search/0.json",
    log:
        "<logs>/search_table.log",
    benchmark:
        "<benchmarks>/search_table.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        tolerance=CONFIG.tolerance,
    shell:
        "python -m zerogap.replication.stages search-table --certificates {input.certificates}"
        " --tolerance {params.tolerance} --verdicts {output.verdicts} --output {output.table}"
        " > {log} 2>&1"
