rule generate:
    input:
        modules("data.py", "problem.py"),
        lambda wildcards: CONFIG.own_file(wildcards.setting),
    output:
        "results/data/{setting}/{batch}.npz",
    log:
        "logs/generate/{setting}/{batch}.log",
    benchmark:
        "benchmarks/generate/{setting}/{batch}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        options=lambda wildcards: CONFIG.slice(wildcards.setting),
        batch_size=CONFIG.batch_size,
    shell:
        "python -m zerogap.replication.stages generate --setting {wildcards.setting} --options {params.options:q}"
        " --batch {wildcards.batch} --batch-size {params.batch_size} --output {output} > {log} 2>&1"
