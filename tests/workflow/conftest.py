"""A copy of the repository in a temporary folder, and a way to run Snakemake there."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "Snakefile",
    "config",
    "profiles",
    "workflow",
    "src",
    "paper",
    "results/reference",
    "pyproject.toml",
    "environment.yml",
    "requirements.lock",
    "CITATION.cff",
    "LICENSE",
)

TABLES = (
    *("gaps.csv", "training.csv", "details.csv", "curves.csv", "claims.csv", "claims.md"),
    *("depth.csv", "search.csv", "audits.csv"),
    *("table1.csv", "table1.md", "table1.tex"),
)

Run = Callable[..., subprocess.CompletedProcess[str]]


def copy_of(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "replication.pdf")
            shutil.copytree(source, folder / part, ignore=ignore)
        elif source.exists():
            shutil.copy2(source, folder / part)
    return folder


def start(
    folder: Path,
    *arguments: str,
    extra: Mapping[str, str] | None = None,
    streams: int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Start Snakemake in a copy of the repository, with `extra` environment variables.

    streams: where its output goes; a pipe that nobody reads stops the run when it is full.
    """
    environment = os.environ | (extra or {})
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "XDG_CACHE_HOME": str(folder / ".cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment,
        stdout=streams,
        stderr=streams,
        text=True,
        # A shell starts background jobs with interrupts ignored, and children inherit it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def snakemake(
    folder: Path, *arguments: str, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake like `start`, to its end."""
    with start(folder, *arguments, extra=extra) as running:
        try:
            said, complained = running.communicate(timeout=3600)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
    return subprocess.CompletedProcess(running.args, running.returncode, said, complained)


# Python runs a module of this name, found beside the package, when it starts.
REPORT = """
import atexit, json, os, sys, threading, time
from pathlib import Path

@atexit.register
def report():
    loaded = [(n, getattr(m, "__file__", None)) for n, m in list(sys.modules.items())]
    own = str(Path(__file__).parent / "zerogap") + os.sep
    files = [f for _, f in loaded if f and f.startswith(own)]
    if files:
        text = json.dumps([sys.orig_argv, files])
        (Path(__file__).parents[1] / f"traces/{os.getpid()}.json").write_text(text)

def keep_reporting():
    while True:
        time.sleep(1)
        report()

# A kernel is killed at its end.
if any("ipykernel" in argument for argument in sys.orig_argv):
    threading.Thread(target=keep_reporting, daemon=True).start()
"""


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished smoke run, shared by the tests that only look at it or dry-run on it.

    Every Python process of the run has left a report of the package files that it had loaded.
    """
    folder = copy_of(tmp_path_factory.mktemp("smoke") / "repository")
    (folder / "src/sitecustomize.py").write_text(REPORT)
    (folder / "traces").mkdir()
    done = snakemake(folder, "all", "crate", "--cores", "2", "--configfile", "config/smoke.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def dry_run(folder: Path, *arguments: str) -> list[dict[str, str]]:
    """The jobs that a run would have: their rule, wildcards and inputs."""
    done = snakemake(folder, "-n", *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    jobs = []
    for block in re.split(r"\n(?=\[)", done.stdout + done.stderr):
        if rule := re.search(r"^(?:local)?rule (\w+):", block, re.M):
            fields = dict(re.findall(r"^    (input|wildcards): (.*)$", block, re.M))
            jobs.append({"rule": rule[1], **fields})
    return jobs


def planned(folder: Path, *arguments: str) -> dict[str, list[str]]:
    """What a dry run would do: rule → wildcards of its jobs."""
    jobs: dict[str, list[str]] = {}
    for job in dry_run(folder, *arguments):
        jobs.setdefault(job["rule"], []).append(job.get("wildcards", ""))
    return jobs


@contextmanager
def edited(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """A file with other contents, for a while."""
    kept = path.read_text()
    assert change(kept) != kept, path
    path.write_text(change(kept))
    try:
        yield
    finally:
        path.write_text(kept)


def remarked(text: str) -> str:
    return text + "\n# a remark\n"
