"""What planning a run costs as it grows: dry runs, no problem is solved.

    python -m benchmarks.planning OUT.csv

config/scale.yaml with more and fewer data sets per case, at several batch sizes. jobs: of the DAG.
files: what they write, logs and hidden checksums not counted. seconds, megabytes: of
`snakemake --dry-run`, the least of `--runs` runs, with the start of the interpreter; both grow with
the jobs, not with the problems.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from benchmarks.measure import measure
from zerogap.model.files import replacing
from zerogap.replication.config import load

COLUMNS = ["problems", "batch_size", "jobs", "files", "seconds", "megabytes"]
_ROOT = Path(__file__).parents[1]
# Data sets per case: about 1,000, 10,000 and 100,000 problems.
_REPLICATES = (2, 22, 220)
_BATCHES = (6, 60, 600)


def plan(config: str) -> dict[str, float]:
    """Jobs of a dry run, its seconds and peak memory."""
    started = time.perf_counter()
    said = _snakemake("--dry-run", "--quiet", "rules", "--configfile", config)
    seconds = time.perf_counter() - started
    jobs = re.search(r"^total\s+(\d+)", said, re.MULTILINE)
    assert jobs is not None, said
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"jobs": int(jobs[1]), "seconds": seconds, "peak": peak}


def _snakemake(*arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nolock", *arguments]
    done = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


def table(runs: int, limit: float) -> pd.DataFrame:
    """One row for each number of problems and batch size; empty where a plan takes too long."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for replicates in _REPLICATES:
            for batch_size in _BATCHES:
                values = yaml.safe_load((_ROOT / "config/scale.yaml").read_text())
                values |= {"instances": {"default": replicates}, "batch_size": batch_size}
                path = Path(name) / f"{replicates}-{batch_size}.yaml"
                path.write_text(yaml.safe_dump(values))
                config = load(values, _ROOT / "workflow/schemas/config.schema.json")
                problems = sum(map(len, config.instances.values()))
                row: dict[str, float] = {"problems": problems, "batch_size": batch_size}
                found = [measure(plan, str(path), limit=limit)]
                if found[0].answer is not None:
                    found += [measure(plan, str(path), limit=limit) for _ in range(runs - 1)]
                    listed = _snakemake("--summary", "--configfile", str(path))
                    answers = [run.answer for run in found if run.answer is not None]
                    row |= {
                        "jobs": answers[0]["jobs"],
                        "files": sum("\t" in line for line in listed.splitlines()) - 1,
                        "seconds": min(run.seconds for run in found),
                        "megabytes": min(answer["peak"] for answer in answers),
                    }
                rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("output", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300, help="seconds for one dry run")
    given = parser.parse_args()
    found = table(given.runs, given.limit)
    with replacing(given.output) as temporary:
        found.to_csv(temporary, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
