"""What a replication costs, by rule, and how much of it is starting processes.

    python -m benchmarks.pipeline OUT.csv [--config config/smoke.yaml]

Runs the workflow from nothing on one core in a temporary folder. `seconds`: wall time of the
rule's jobs, from Snakemake's benchmark files. `core_seconds`: processor time of their shells and
of all that these ran; unlike wall time it says little of what else the machine does. `startup`:
what of the wall time was imports, as every Python process reports them in its log, and the start
of the interpreter. The row `snakemake` is the rest of the run, all startup; `total` is the run.
"""

import argparse
import os
import re
import resource
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

COLUMNS = ["rule", "jobs", "seconds", "core_seconds", "startup", "share"]
_ROOT = Path(__file__).parents[1]
_FOLDERS = ("workflow", "config", "profiles", "src", "paper", "results/reference", "docs")
_FILES = ("Snakefile", "pyproject.toml", "README.md", "environment.yml", "requirements.lock")
# A line of an import report: its own microseconds, with what it imports, the module.
_IMPORT = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)
# Every shell of a job reads this first, and leaves its command and what it cost. Snakemake's own
# benchmark looks every few seconds, and misses what a job does after its last look.
_WATCH = 'trap \'{ echo "$BASH_EXECUTION_STRING"; times; } > "$SHELL_TIMES/$$.txt"\' EXIT\n'
_TIME = re.compile(r"\b(\d+)m([\d.]+)s\b")


def run(config: Path, folder: Path) -> tuple[float, float]:
    """Run the workflow in a copy of the repository; its wall and processor time."""
    for name in _FOLDERS:
        shutil.copytree(_ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(_ROOT / name, folder / name)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", str(config)]
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"} | watching(folder / "times")
    started, before = time.perf_counter(), _used()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started, _used() - before


def watching(times: Path) -> dict[str, str]:
    """The environment in which every shell leaves in a new folder what it cost."""
    times.mkdir()
    watch = times / "watch.sh"
    watch.write_text(_WATCH, encoding="utf-8")
    return {"BASH_ENV": str(watch), "SHELL_TIMES": str(times)}


def _used() -> float:
    """Processor seconds of all processes that ended under this one."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def cores(times: Path, logs: str) -> dict[str, float]:
    """Processor seconds by rule, from what the shells left; logs: the folder they wrote to."""
    found: dict[str, float] = {}
    of_rule = re.compile(rf"> {re.escape(logs)}/(\w+)\S*\.log\b")
    for file in times.glob("*.txt"):
        command, own, children = file.read_text(encoding="utf-8").rsplit("\n", 3)[:3]
        if log := of_rule.search(command):
            spent = sum(60 * int(m) + float(s) for m, s in _TIME.findall(own + " " + children))
            found[log[1]] = found.get(log[1], 0.0) + spent
    return found


def table(logs: Path, wall: float, used: float, spent: dict[str, float]) -> pd.DataFrame:
    """What every rule of a finished run took, from the folder of its logs."""
    bare = min(_seconds([sys.executable, "-c", "pass"]) for _ in range(5))
    rows: dict[str, dict[str, float]] = {}
    for file in sorted((logs / "benchmarks").rglob("*.tsv")):
        place = file.relative_to(logs / "benchmarks")
        row = rows.setdefault(place.parts[0].removesuffix(".tsv"), dict.fromkeys(COLUMNS[1:5], 0.0))
        row["jobs"] += 1
        row["seconds"] += float(pd.read_csv(file, sep="\t")["s"].iloc[0])
        log = logs / place.with_suffix(".log")
        imports = _IMPORT.findall(log.read_text(errors="replace")) if log.exists() else []
        row["startup"] += bare + 1e-6 * sum(map(int, imports))
    for rule, row in rows.items():
        row["core_seconds"] = spent[rule]
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule").reset_index()
    jobs, seconds, inside, startup = found[COLUMNS[1:5]].sum()
    between = wall - seconds
    found.loc[len(found)] = ["snakemake", 1, between, used - inside, between]
    found.loc[len(found)] = ["total", jobs, wall, used, startup + between]
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
        wall, used = run(given.config, Path(name))
        logs = of_run("logs", run_name)
        found = table(Path(name) / logs, wall, used, cores(Path(name) / "times", logs))
    with replacing(given.output) as temporary:
        found.to_csv(temporary, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
