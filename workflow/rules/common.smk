"""Configuration, checked before anything runs, and what each stage depends on."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

# The repository, whoever includes these rules; no folder where Snakemake fetches them file by file.
HOME = Path(str(workflow.current_basedir)).parents[1]
# There the package stands beside the rules; elsewhere it is the installed one.
SOURCES = ""
if (HOME / "src/zerogap").is_dir():
    sys.path.insert(0, str(HOME / "src"))
    SOURCES = f" PYTHONPATH={shlex.quote(str(HOME / 'src'))}"

from zerogap.replication import runs
from zerogap.model.errors import ZerogapError
from zerogap.replication.config import check_source, load
from zerogap.replication.figures import described
from zerogap.replication.pages.markdown import heading
from zerogap.replication.tracing import PACKAGE, loaded, notebook_imports


def near(path):
    """A path as it is written from the folder of the run, if it is below it."""
    return str(
        path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    )


def part(name):
    """A file of the repository: where it stands, or the copy that Snakemake fetches of it."""
    standing = HOME / name
    return (
        near(standing) if standing.exists() else workflow.source_path(f"../../{name}")
    )


# --configfile adds to the default file; a selection in it must not mix with that of the default.
try:
    for source in workflow.configfiles:
        check_source(Path(source))
    CONFIG = load(config, Path(part("workflow/schemas/config.schema.json")))
except ZerogapError as error:
    print(f"config: {error}", file=sys.stderr)
    sys.exit(2)

# Runs of different names stand side by side.
RESULTS = runs.folder("results", CONFIG.name)
LOGS = runs.folder("logs", CONFIG.name)
BATCHES = [(s, b) for s in CONFIG.slices for b in CONFIG.batches(s)]


wildcard_constraints:
    setting="|".join(CONFIG.slices),
    batch=r"\d+",


# Called when jobs are about to run, not by a dry run.
def start():
    """Hold the folder of results, so that no other configuration writes there meanwhile."""
    try:
        globals()["HELD"] = runs.occupy(Path(RESULTS), CONFIG.canonical)
    except ZerogapError as error:
        print(f"config: {error}", file=sys.stderr)
        sys.exit(2)


def batch_files(pattern):
    """One file per batch of every chosen setting."""
    return [f"{RESULTS}/{pattern}".format(setting=s, batch=b) for s, b in BATCHES]


def growing(amount):
    """A resource of a job that grows with every attempt at it."""
    return lambda wildcards, attempt: amount * attempt


def modules(*names):
    """The package files that these modules load: what runs them depends on."""
    return sorted(near(path) for path in loaded(*(f"zerogap.{name}" for name in names)))


def stage(name, *others):
    """The package files that a stage loads."""
    return modules("replication.stages.__main__", f"replication.stages.{name}", *others)


def planned(wildcards):
    """What the registry says of a batch, as a digest: a case that changes reruns its batch."""
    return CONFIG.digest(wildcards.setting, int(wildcards.batch))


def tables(*names):
    """Tables of this run."""
    return [f"{RESULTS}/tables/{name}" for name in names]


def included():
    """The rules of this run, those of a workflow around it too, as far as they stand on disk."""
    files = (Path(str(file)) for file in workflow.included)
    return sorted(near(file) for file in files if file.is_file())


# The setting that the notebook `inside` looks into.
INSIDE = "relu-parallel-3"


def source_of(wildcards):
    """A notebook as it is stored."""
    return part(f"workflow/notebooks/{wildcards.notebook}.ipynb")


def read_by(wildcards):
    """The package files that a notebook loads, and the files of the run that it reads."""
    stored = [
        file
        for kind, end in (
            ("certificates", "jsonl"),
            ("data", "npz"),
            ("primal", "npz"),
            ("dual", "npz"),
        )
        for file in batch_files(f"{kind}/{{setting}}/{{batch}}.{end}")
        if f"/{INSIDE}/" in file
    ]
    # `solve` returns a torch module; `audit` reads one.
    late = ["model.module", "trained.modules"]
    read = {"inside": stored, "audit": tables("audits.csv")}
    return [
        *modules(*notebook_imports(Path(source_of(wildcards))), *late),
        *read.get(wildcards.notebook, TABLES),
    ]


def titles(caption):
    """What a figure is about, its caption up to the first stop, and the rest of it."""
    subject, rest = re.match("([^:,.]*)[:,.] *(.*)", caption, re.DOTALL).groups()
    return {"figure": subject, "what to see": rest}


def verdict_on(certificates):
    """Where the checker's verdicts on a file of certificates are."""
    name = Path(certificates).relative_to(Path(RESULTS, "certificates"))
    return str(Path(RESULTS, "verdicts", name).with_suffix(".json"))
