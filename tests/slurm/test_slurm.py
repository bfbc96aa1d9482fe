"""The replication on a real Slurm cluster: the bytes of a local run, whatever fails on the way."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.slurm.cluster import Cluster, wait
from tests.workflow.conftest import TABLES, copy_of, snakemake

pytestmark = pytest.mark.slurm

TINY = {
    "claims": ["relu-parallel-3"],
    "tolerance": 1e-6,
    "batch_size": 10,
    "restarts": {"default": 2},
    "instances": {"default": 1},
    "search": [],
    "audits": [],
    "depth_study": [],
    "cases": {"relu-parallel-3": ["generic-n3-d2", "generic-n4-d2"]},
}
CONFIG = ("--configfile", "config/tiny.yaml")
GAPS = ("results/tables/gaps.csv", *CONFIG)


def prepared(folder: Path) -> Path:
    """A copy of the repository with the tiny configuration."""
    copy_of(folder)
    (folder / "config/tiny.yaml").write_text(yaml.safe_dump(TINY))
    return folder


def finished(folder: Path) -> Path:
    """Such a copy in which the tiny configuration has run, locally."""
    done = snakemake(prepared(folder), *GAPS, "--cores", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def on_slurm(
    cluster: Cluster, folder: Path, *arguments: str, **own: str
) -> subprocess.CompletedProcess[str]:
    """A run through the profile by a user whose environment has `own` variables as well.

    The profile looks at jobs every ten seconds, twenty after the first; this looks more often.
    """
    look = ("--slurm-init-seconds-before-status-checks", "2", "--max-status-checks-per-second", "1")
    extra = cluster.environment | own
    return snakemake(folder, *arguments, "--profile", "profiles/slurm", *look, extra=extra)


def made(folder: Path, results: str = "results") -> dict[str, bytes]:
    """Every table, certificate and verdict of a run."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("tables", "certificates", "verdicts")
        for path in sorted((folder / results / part).rglob("[!.]*"))
        if path.is_file()
    }


def test_a_run_that_loses_jobs_a_node_and_the_controller_gives_the_files_of_a_local_run(
    cluster: Cluster, tmp_path: Path
) -> None:
    config = ("--configfile", "config/smoke.yaml")
    results = "results/smoke"
    targets = [f"{results}/tables/{name}" for name in TABLES]
    local = copy_of(tmp_path / "local")
    done = snakemake(local, *targets, "--cores", "2", *config)
    assert done.returncode == 0, done.stderr[-3000:]

    remote = copy_of(tmp_path / "remote")
    with ThreadPoolExecutor() as pool:
        run = pool.submit(on_slurm, cluster, remote, *targets, *config)
        cancelled, _ = cluster.wait_for("train")
        cluster.command("scancel", cancelled)

        lost, node = cluster.wait_for("train", besides=cancelled)
        cluster.command("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        wait(lambda: cluster.restarts(lost) == 1, "the job of the lost node is requeued", 60)

        cluster.wait_for("train", besides=cancelled)
        cluster.stop_controller()
        time.sleep(3)
        cluster.start_controller()
        done = run.result()
    cluster.resume(node)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"SLURM-job '{cancelled}' failed, SLURM status is: 'CANCELLED'" in done.stderr
    assert made(remote, results) == made(local, results)


def test_a_job_over_its_memory_is_named_and_a_rerun_that_may_grow_finishes(
    cluster: Cluster, tmp_path: Path
) -> None:
    local, remote = finished(tmp_path / "local"), prepared(tmp_path / "remote")
    too_little = on_slurm(
        cluster, remote, *GAPS, "--set-resources", "train:mem_mb=200", "--retries", "0"
    )
    assert too_little.returncode == 1
    assert "Error in rule train" in too_little.stderr
    assert "output: results/primal/relu-parallel-3/0.npz" in too_little.stderr
    (kept,) = (remote / "logs/slurm/rule_train/relu-parallel-3_0").iterdir()
    assert str(kept) in too_little.stderr
    assert "exceeded memory limit" in kept.read_text()

    growing = on_slurm(cluster, remote, *GAPS, "--set-resources", "train:mem_mb=200*attempt**3")
    assert growing.returncode == 0, growing.stderr[-3000:]
    assert "Error in rule train" in growing.stderr
    assert made(remote) == made(local)


# What Python runs at its start in a repository whose src has it: the first training never ends.
STUCK = """
import sys, time
from pathlib import Path
first = Path(__file__).with_name("stuck-once")
stage = "zerogap.replication.stages"
if {stage, "train"} <= set(sys.orig_argv) and not first.exists():
    first.touch()
    time.sleep(900)
"""


def test_a_job_over_its_time_is_ended_and_tried_again_with_more(
    cluster: Cluster, tmp_path: Path
) -> None:
    local, remote = finished(tmp_path / "local"), prepared(tmp_path / "remote")
    (remote / "src/sitecustomize.py").write_text(STUCK)
    done = on_slurm(cluster, remote, *GAPS, "--set-resources", "train:runtime=5*attempt-4")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "failed, SLURM status is: 'TIMEOUT'" in done.stderr
    assert made(remote) == made(local)


def test_jobs_go_to_the_partition_that_the_user_has_set(cluster: Cluster, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "repository")
    target = "results/data/relu-parallel-3/0.npz"
    done = on_slurm(cluster, folder, target, *CONFIG, SBATCH_PARTITION="spare")
    assert done.returncode == 0, done.stderr[-3000:]
    jobs = cluster.command("squeue", "-h", "--states=all", "-p", "spare", "-o", "%k %T")
    assert jobs.split() == ["rule_generate_wildcards_relu-parallel-3_0", "COMPLETED"]
