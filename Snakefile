"""Replicate "Parallel Deep Neural Networks Have Zero Duality Gap", claim by claim."""

from snakemake.utils import min_version

min_version("9.14")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


pathvars:
    results=RESULTS,
    logs=LOGS,
    benchmarks=f"{LOGS}/benchmarks",


onstart:
    start()


# One thread per job: parallelism comes from jobs, and results do not depend on it.
shell.prefix(
    "set -euo pipefail; export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 "
    f"PYTHONHASHSEED=0 PYTHONPATH={workflow.basedir}/src; "
)


include: "workflow/rules/data.smk"
include: "workflow/rules/primal.smk"
include: "workflow/rules/dual.smk"
include: "workflow/rules/certify.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/depth.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/audits.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/notebooks.smk"
include: "workflow/rules/paper.smk"


localrules:
    all,
    smoke,
    tables,


CERTIFICATES = [
    *batch_files("certificates/{setting}/{batch}.jsonl"),
    *(
        [
            *expand(rules.depth_study.output.certificates, batch=DEPTH_BATCHES),
            *rules.search.output,
            *expand(rules.audits.output.certificates, problem=CONFIG.audits),
        ]
        if CONFIG.claims
        else []
    ),
]


rule all:
    default_target: True
    input:
        TABLES,
        CERTIFICATES,
        FIGURES,
        NOTEBOOKS,
        "<results>/rulegraph.mmd",
        "<results>/provenance.json",
        PAPER if CONFIG.claims else [],


# What was computed and what proves it, without pictures.
rule tables:
    input:
        TABLES,
        CERTIFICATES,


# The same with pictures, without notebooks and paper.
rule smoke:
    input:
        TABLES,
        CERTIFICATES,
        FIGURES,
