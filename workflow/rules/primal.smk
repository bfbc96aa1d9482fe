rule train:
    input:
        modules("training/__init__.py"),
        data="results/data/{setting}/{batch}.npz",
    output:
        "results/primal/{setting}/{batch}.npz",
    log:
        "logs/train/{setting}/{batch}.log",
    benchmark:
        "benchmarks/train/{setting}/{batch}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    shell:
        "python -m zerogap.stages train --data {input.data} --output {output} > {log} 2>&1"
