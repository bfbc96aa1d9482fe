# Trained networks of one problem, and the bracket of its optimum.
rule audits:
    input:
        stage("audits"),
    output:
        certificates="<results>/certificates/audits/{problem}.jsonl",
        rows="<results>/audits/{problem}.json",
    log:
        "<logs>/audits/{problem}.log",
    benchmark:
        "<benchmarks>/audits/{problem}.tsv"
    wildcard_constraints:
        problem="[a-z0-9-]+",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
    shell:
        "python -m zerogap.replication.stages audits --problem {wildcards.problem}"
        " --certificates {output.certificates} --output {output.rows} > {log} 2>&1"


# A fresh process that loads the checker and no solver.
rule audits_table:
    input:
        stage("audits_table"),
        expand(rules.audits.output, problem=CONFIG.audits),
    output:
        table="<results>/tables/audits.csv",
        verdicts=expand(
            "<results>/verdicts/audits/{problem}.json", problem=CONFIG.audits
        ),
    log:
        "<logs>/audits_table.log",
    benchmark:
        "<benchmarks>/audits_table.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        results=subpath(output[0], ancestor=2),
        problems=json.dumps(CONFIG.audits),
    shell:
        "python -m zerogap.replication.stages audits-table --results {params.results}"
        " --problems {params.problems:q} --output {output.table} > {log} 2>&1"
