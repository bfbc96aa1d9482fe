EXPLORER = f"{RESULTS}/explorer.html"


# Every claim, problem, network and proof of the run on one page.
rule explorer:
    input:
        stage("explorer"),
        sorted(map(near, (PACKAGE / "replication/pages/explorer_parts").iterdir())),
        TABLES,
        lambda wildcards: [verdict_on(file) for file in CERTIFICATES],
        certificates=lambda wildcards: CERTIFICATES,
        provenance="<results>/provenance.json",
    output:
        page=report(
            EXPLORER,
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"page": "every claim, problem and proof"},
        ),
        lists=temp("<results>/certificates.txt"),
    log:
        "<logs>/explorer.log",
    benchmark:
        "<benchmarks>/explorer.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(1000),
    params:
        results=subpath(input.provenance, parent=True),
    shell:
        "printf '%s\\n' {input.certificates:q} > {output.lists};"
        " python -m zerogap.replication.stages explorer --results {params.results}"
        " --certificates {output.lists} --output {output.page} > {log} 2>&1"
