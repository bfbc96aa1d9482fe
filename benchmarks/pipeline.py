"""What a replication costs, by rule, and how much of it is starting processes.

    python -m benchmarks.pipeline OUT.csv [--config config/smoke.yaml]

Runs the workflow from nothing on one core in a temporary folder. `seconds`: wall time of the
rule's jobs, from Snakemake's benchmark files. `startup`: what of it was imports, as every Python
process reports them in its log, and the start of the interpreter. The row `snakemake` is the rest
of the run's wall time, all startup; `total` is the run.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from zerogap.model.files import replacing
from zerogap.replication.runs import folder as of_run

COLUMNS = ["rule", "jobs", "seconds", "startup", "share"]
_ROOT = Path(__file__).parents[1]
_FOLDERS = ("workflow", "config", "src", "paper", "results/reference", "docs")
_FILES = ("Snakefile", "pyproject.toml", "README.md", "environment.yml", "requirements.lock")
# A line of an import report: its own microseconds, with what it imports, the module.
_IMPORT = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)


def run(config: Path, folder: Path) -> float:
    """Run the workflow in a copy of the repository; its wall time."""
    for name in _FOLDERS:
        shutil.copytree(_ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(_ROOT / name, folder / name)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", str(config)]
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def table(logs: Path, wall: float) -> pd.DataFrame:
    """Seconds and startup of every rule of a finished run, from the folder of its logs."""
    bare = min(_seconds([sys.executable, "-c", "pass"]) for _ in range(5))
    rows: dict[str, dict[str, float]] = {}
    for file in sorted((logs / "benchmarks").rglob("*.tsv")):
        place = file.relative_to(logs / "benchmarks")
        row = rows.setdefault(place.parts[0].removesuffix(".tsv"), dict.fromkeys(COLUMNS[1:4], 0.0))
        row["jobs"] += 1
        row["seconds"] += float(pd.read_csv(file, sep="\t")["s"].iloc[0])
        log = logs / place.with_suffix(".log")
        imports = _IMPORT.findall(log.read_text(errors="replace")) if log.exists() else []
        row["startup"] += bare + 1e-6 * sum(map(int, imports))
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule").reset_index()
    jobs, seconds, startup = found[COLUMNS[1:4]].sum()
    between = wall - seconds
    found.loc[len(found)] = ["snakemake", 1, between, between]
    found.loc[len(found)] = ["total", jobs, wall, startup + between]
    return found.assign(share=found["startup"] / found["seconds"], jobs=found["jobs"].astype(int))


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("output", type=Path)
    parser.add_argument("--config", type=Path, default=Path("config/smoke.yaml"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run_name = yaml.safe_load(given.config.read_text()).get("name", "")
        wall = run(given.config, Path(name))
        found = table(Path(name) / of_run("logs", run_name), wall)
    with replacing(given.output) as temporary:
        found.to_csv(temporary, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
