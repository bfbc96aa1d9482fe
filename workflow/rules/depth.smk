DEPTH_BATCHES = range(len(CONFIG.depth_study))


# Three layers against the path program of four; certificates where they differ.
rule depth_study:
    input:
        stage("depth_study"),
    output:
        certificates="<results>/certificates/depth-study/{batch}.jsonl",
        rows="<results>/depth-study/{batch}.json",
    log:
        "<logs>/depth_study/{batch}.log",
    benchmark:
        "<benchmarks>/depth_study/{batch}.tsv"
    # As in solve_dual: the longest jobs first.
    priority: 2
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        options=lambda wildcards: CONFIG.depth_study[int(wildcards.batch)],
    shell:
        "python -m zerogap.replication.stages depth-study --options {params.options:q}"
        " --certificates {output.certificates} --output {output.rows} > {log} 2>&1"


# A fresh process that loads the checker and no solver.
rule depth_table:
    input:
        stage("depth_table"),
        expand(rules.depth_study.output, batch=DEPTH_BATCHES),
    output:
        table="<results>/tables/depth.csv",
        verdicts=expand(
            "<results>/verdicts/depth-study/{batch}.json", batch=DEPTH_BATCHES
        ),
    log:
        "<logs>/depth_table.log",
    benchmark:
        "<benchmarks>/depth_table.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        results=subpath(output[0], ancestor=2),
        batches=len(DEPTH_BATCHES),
    shell:
        "python -m zerogap.replication.stages depth-table --results {params.results} --batches {params.batches}"
        " --output {output.table} > {log} 2>&1"
