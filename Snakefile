"""The workflow of workflow/Snakefile, for whoever types `snakemake` at the root."""


include: "workflow/Snakefile"


# An included file does not say what is made where nothing is asked for.
workflow.default_target = "all"
