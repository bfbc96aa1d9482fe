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
        read_by,
        modules("replication.pages.notebook"),
        source=source_of,
    output:
        ipynb="<results>/notebooks/{notebook}.ipynb",
        html=report(
            "<results>/notebooks/{notebook}.html",
            caption="../report/notebook.rst",
            category="Notebooks",
            labels=lambda wildcards: {"notebook": heading(wildcards)},
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
        " jupyter nbconvert --to notebook --execute {input.source}"
        " --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.coalesce_streams=True"
        " --output-dir $folder --output {wildcards.notebook};"
        " jupyter nbconvert --to zerogap.replication.pages.notebook.Offline"
        " $folder/{wildcards.notebook}.ipynb --output-dir $folder;"
        " mv $folder/{wildcards.notebook}.ipynb {output.ipynb};"
        " mv $folder/{wildcards.notebook}.html {output.html}) > {log} 2>&1"
