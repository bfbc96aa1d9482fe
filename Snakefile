"""Replicate "Parallel Deep Neural Networks Have Zero Duality Gap", claim by claim."""

from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


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
include: "workflow/rules/figures.smk"
include: "workflow/rules/notebooks.smk"
include: "workflow/rules/paper.smk"


localrules:
    all,
    smoke,


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,
        NOTEBOOKS,
        "results/figures/rulegraph.png",
        "results/provenance.json",
        "paper/replication.pdf",


# What the gap tables and pictures need, without notebooks and paper.
rule smoke:
    input:
        TABLES,
        FIGURES,
