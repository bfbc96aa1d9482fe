NOTEBOOK_NAMES = ["table1", "rank_one", "inside"]
NOTEBOOKS = [
    f"results/notebooks/{n}.{kind}"
    for n in NOTEBOOK_NAMES
    for kind in ("ipynb", "html")
]


# Executed in the shell, not by the notebook directive, so that a failed run leaves no output.
rule notebook:
    input:
        modules(
            "__init__.py",
            "solver.py",
            "stages.py",
            "certificates/check.py",
            "notebooks.py",
            "tables.py",
        ),
        TABLES,
        batch_files("results/certificates/{setting}/{batch}.jsonl"),
        batch_files("results/data/{setting}/{batch}.npz"),
        batch_files("results/primal/{setting}/{batch}.npz"),
        batch_files("results/dual/{setting}/{batch}.npz"),
        source="workflow/notebooks/{notebook}.ipynb",
    output:
        ipynb="results/notebooks/{notebook}.ipynb",
        html=report(
            "results/notebooks/{notebook}.html",
            caption="../report/notebook.rst",
            category="Notebooks",
            labels={"notebook": "{notebook}"},
        ),
    log:
        "logs/notebook/{notebook}.log",
    benchmark:
        "benchmarks/notebook/{notebook}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=growing(2000),
    shell:
        "(folder=$(mktemp -d); trap 'rm -rf $folder' EXIT;"
        " export IPYTHONDIR=$folder JUPYTER_RUNTIME_DIR=$folder ZEROGAP_RESULTS=$PWD/results;"
        " jupyter nbconvert --to notebook --execute {input.source}"
        " --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.coalesce_streams=True"
        " --output-dir $folder --output {wildcards.notebook};"
        " jupyter nbconvert --to html $folder/{wildcards.notebook}.ipynb --output-dir $folder;"
        " mv $folder/{wildcards.notebook}.ipynb {output.ipynb};"
        " mv $folder/{wildcards.notebook}.html {output.html}) > {log} 2>&1"
