rule solve_dual:
    input:
        stage("solve_dual"),
        data="<results>/data/{setting}/{batch}.npz",
    output:
        "<results>/dual/{setting}/{batch}.npz",
    log:
        "<logs>/solve_dual/{setting}/{batch}.log",
    benchmark:
        "<benchmarks>/solve_dual/{setting}/{batch}.tsv"
    # The longest jobs first, so that the last ones are short.
    priority: 2
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    shell:
        "python -m zerogap.replication.stages solve-dual --data {input.data} --output {output} > {log} 2>&1"
