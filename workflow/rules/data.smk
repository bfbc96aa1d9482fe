rule generate:
    input:
        modules("data.py", "problem.py"),
    output:
        "results/data/{setting}/{batch}.npz",
    log:
        "logs/generate/{setting}/{batch}.log",
    benchmark:
        "benchmarks/generate/{setting}/{batch}.tsv"
    threads: 1
    resources:
        mem_mb=500,
    params:
        options=lambda wildcards: CONFIG.slice(wildcards.setting),
        batch_size=CONFIG.batch_size,
    shell:
        "zerogap-stage generate --setting {wildcards.setting} --options {params.options:q}"
        " --batch {wildcards.batch} --batch-size {params.batch_size} --output {output} > {log} 2>&1"
