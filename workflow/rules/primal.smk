rule train:
    input:
        stage("train"),
        data="<results>/data/{setting}/{batch}.npz",
    output:
        "<results>/primal/{setting}/{batch}.npz",
    log:
        "<logs>/train/{setting}/{batch}.log",
    benchmark:
        "<benchmarks>/train/{setting}/{batch}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    shell:
        "python -m zerogap.replication.stages train --data {input.data} --output {output} > {log} 2>&1"
