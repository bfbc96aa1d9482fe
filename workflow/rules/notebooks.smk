NOTEBOOK_NAMES = [
    *(["table1", "rank_one", "audit"] if CONFIG.claims else []),
    *(["inside"] if INSIDE in CONFIG.slices else []),
]
NOTEBOOKS = [
    f"{RESULTS}/notebooks/{n}.{kind}"
    for n in NOTEBOOK_NAMES
    for kind in ("ipynb", "html")
]


# Executed in the shell, not by the notebook directive, so that a failed run leaves no output.
rule notebook:
    input:
        stage("notebook"),
        read_by,
        source=source_of,
    output:
        ipynb="<results>/notebooks/{notebook}.ipynb",
        html=report(
            "<results>/notebooks/{notebook}.html",
            caption="../report/notebook.rst",
            category="Notebooks",
            labels=lambda wildcards: {"notebook": heading(Path(source_of(wildcards)))},
        ),
    log:
        "<logs>/notebook/{notebook}.log",
    benchmark:
        "<benchmarks>/notebook/{notebook}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
    params:
        results=subpath(output.ipynb, ancestor=2),
    shell:
        "(folder=$(mktemp -d); trap 'rm -rf $folder' EXIT;"
        " export IPYTHONDIR=$folder JUPYTER_RUNTIME_DIR=$folder ZEROGAP_RESULTS=$PWD/{params.results};"
        " python -m zerogap.replication.stages notebook --source {input.source}"
        " --output {output.ipynb} --page {output.html}) > {log} 2>&1"
