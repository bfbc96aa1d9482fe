rule certify:
    input:
        stage("certify"),
        data="<results>/data/{setting}/{batch}.npz",
        primal="<results>/primal/{setting}/{batch}.npz",
        dual="<results>/dual/{setting}/{batch}.npz",
    output:
        certificates="<results>/certificates/{setting}/{batch}.jsonl",
        gaps="<results>/gaps/{setting}/{batch}.json",
    log:
        "<logs>/certify/{setting}/{batch}.log",
    benchmark:
        "<benchmarks>/certify/{setting}/{batch}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        tolerance=CONFIG.tolerance,
    shell:
        "python -m zerogap.replication.stages certify --data {input.data} --primal {input.primal}"
        " --dual {input.dual} --tolerance {params.tolerance}"
        " --certificates {output.certificates} --output {output.gaps} > {log} 2>&1"


# A fresh process that loads the checker and no solver.
rule verify:
    input:
        stage("verify"),
        certificates="<results>/certificates/{setting}/{batch}.jsonl",
    output:
        "<results>/verdicts/{setting}/{batch}.json",
    log:
        "<logs>/verify/{setting}/{batch}.log",
    benchmark:
        "<benchmarks>/verify/{setting}/{batch}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        tolerance=CONFIG.tolerance,
    shell:
        "python -m zerogap.replication.stages verify --certificates {input.certificates}"
        " --tolerance {params.tolerance} --output {output} > {log} 2>&1"
