rule generate:
    input:
        # The registry enters as the digest, so that a reworded claim reruns nothing here.
        [path for path in stage("generate") if "/claims/" not in path],
        lambda wildcards: CONFIG.own_file(wildcards.setting),
    output:
        "<results>/data/{setting}/{batch}.npz",
    log:
        "<logs>/generate/{setting}/{batch}.log",
    benchmark:
        "<benchmarks>/generate/{setting}/{batch}.tsv"
    # All that solve_dual waits for.
    priority: 3
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        options=lambda wildcards: CONFIG.slice(wildcards.setting),
        batch_size=CONFIG.batch_size,
        digest=planned,
    shell:
        "python -m zerogap.replication.stages generate --setting {wildcards.setting} --options {params.options:q}"
        " --batch {wildcards.batch} --batch-size {params.batch_size} --digest {params.digest}"
        " --output {output} > {log} 2>&1"
