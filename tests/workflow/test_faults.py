"""Killed, out of space, unreadable, damaged: one plain rerun completes with the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.workflow.conftest import copy_of, snakemake, start
from tests.workflow.test_determinism import TARGETS, unnamed
from zerogap.checker.files import files_of

RUN = ("tables", "--cores", "2", "--configfile", "config/fault.yaml")
VICTIMS = ("snakemake", "worker", "everything")
SMALL = {
    "claims": ["two-layer"],
    "tolerance": 1e-6,
    "batch_size": 2,
    "restarts": {"default": 2},
    "instances": {"default": 1},
    "cases": {
        "two-layer-linear": ["linear-d2-k1", "linear-d2-k2"],
        "two-layer-relu": ["relu-n3-d2", "relu-n4-d2"],
    },
    "search": [],
    "audits": [],
    "depth_study": [],
}


def prepared(folder: Path, values: dict[str, Any]) -> Path:
    copy_of(folder)
    (folder / "config/fault.yaml").write_text(yaml.safe_dump(values))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Tables and certificates of a run; hidden files are nobody's."""
    found = {target: (folder / target).read_bytes() for target in TARGETS}
    proofs = files_of([folder / "results/certificates"])
    return found | {str(path.relative_to(folder)): path.read_bytes() for path in proofs}


def completed(folder: Path) -> dict[str, bytes]:
    """What one plain run makes of a folder in any state."""
    done = snakemake(folder, *RUN)
    assert done.returncode == 0, done.stderr[-3000:]
    return contents(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run."""
    folder = prepared(tmp_path_factory.mktemp("whole") / "repository", SMALL)
    completed(folder)
    return folder


# --- killed -------------------------------------------------------------------------------------


def outputs(folder: Path) -> int:
    return sum(file.is_file() for file in (folder / "results").rglob("[!.]*"))


def kill_at(folder: Path, files: int, delay: float, victim: str) -> None:
    """Start the run, and kill a victim when so many files are there and a little later."""
    with start(folder, *RUN, streams=subprocess.DEVNULL) as running:
        while running.poll() is None and outputs(folder) < files:
            time.sleep(0.02)
        time.sleep(delay)
        if running.poll() is None:
            process = psutil.Process(running.pid)
            below = process.children(recursive=True)
            workers = [
                p for p in below if "zerogap.replication.stages" in " ".join(arguments_of(p))
            ]
            chosen = {
                "snakemake": [process],
                "worker": workers[-1:] or [process],
                "everything": [process, *below],
            }[victim]
            for one in chosen:
                if one.is_running():
                    one.kill()
        running.wait(timeout=600)


def arguments_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_after_three_kills_one_run_completes_with_the_same_bytes(
    whole: Path, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "repository", SMALL)
    for files, victim in zip((2, 8, 16), VICTIMS, strict=True):
        kill_at(folder, files, 0.3, victim)
    assert completed(folder) == contents(whole)


@pytest.fixture(scope="module")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    folder = prepared(tmp_path_factory.mktemp("smoke") / "repository", smoke())
    found = completed(folder)
    made = outputs(folder)
    shutil.rmtree(folder)
    return found, made


def smoke() -> dict[str, Any]:
    return unnamed("smoke")


@pytest.mark.faults
@pytest.mark.parametrize("moment", range(30))
def test_a_smoke_run_killed_at_a_random_moment_completes(
    moment: int, smoke_run: tuple[dict[str, bytes], int], tmp_path: Path
) -> None:
    expected, made = smoke_run
    draw = random.Random(moment)
    folder = prepared(tmp_path / "repository", smoke())
    kill_at(folder, draw.randrange(made), draw.uniform(0, 2), VICTIMS[moment % 3])
    assert completed(folder) == expected
    shutil.rmtree(folder)


# --- no space, no permission --------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A repository whose results lie on a file system of their own, of 64 KiB."""
    folder = prepared(tmp_path / "repository", SMALL)
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder / "results")]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder / "results")], check=True)


def remount(folder: Path, options: str) -> None:
    command = ["mount", "-o", f"remount,{options}", str(folder / "results")]
    subprocess.run(command, check=True)


@pytest.mark.faults
def test_a_run_that_filled_the_disk_completes_when_there_is_space(
    whole: Path, small_disk: Path
) -> None:
    full = snakemake(small_disk, *RUN)
    assert full.returncode != 0
    assert "No space left on device" in full.stdout + full.stderr
    remount(small_disk, "size=64m")
    assert completed(small_disk) == contents(whole)


@pytest.mark.faults
def test_a_run_that_could_not_write_completes_when_it_can(whole: Path, small_disk: Path) -> None:
    remount(small_disk, "size=64m,ro")
    refused = snakemake(small_disk, *RUN)
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stdout + refused.stderr
    remount(small_disk, "size=64m,rw")
    assert completed(small_disk) == contents(whole)


# --- damaged ------------------------------------------------------------------------------------

INTERMEDIATE = {
    "data": "generate",
    "primal": "train",
    "dual": "solve-dual",
    "certificates": "certify",
    "gaps": "certify",
    "verdicts": "verify",
}


def damage(path: Path, kind: str) -> None:
    content = path.read_bytes()
    half = len(content) // 2
    flipped = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
    path.write_bytes(content[:half] if kind == "truncated" else flipped)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(
            kind, name, marks=() if (kind, name) == ("truncated", "primal") else pytest.mark.faults
        )
        for kind in ("truncated", "flipped")
        for name in INTERMEDIATE
    ],
)
def test_a_damaged_file_is_named_with_its_stage_and_made_again(
    kind: str, name: str, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    shutil.copytree(whole, folder, symlinks=True)
    path = min((folder / "results" / name / "two-layer-relu").glob("[!.]*"))
    damage(path, kind)
    noticed = snakemake(folder, *RUN)
    assert noticed.returncode != 0
    said = f"results/{name}/two-layer-relu/{path.name} is damaged"
    assert said in noticed.stdout + noticed.stderr
    assert f"the stage {INTERMEDIATE[name]} makes it again" in noticed.stdout + noticed.stderr
    assert completed(folder) == contents(whole)
    # Tables themselves: whoever reads them notices.
    damage(folder / "results/tables/gaps.csv", kind)
    (folder / "results/tables/claims.csv").unlink()
    again = snakemake(folder, *RUN)
    assert again.returncode != 0
    assert "gaps.csv is damaged" in again.stdout + again.stderr
    assert completed(folder) == contents(whole)


@pytest.mark.faults
def test_an_interrupted_run_keeps_what_it_finished_and_the_next_completes_it(
    whole: Path, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "repository", SMALL)
    with start(folder, *RUN) as running:
        while running.poll() is None and not list((folder / "results").glob("gaps/*/*.json")):
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=600)
    assert running.returncode != 0
    assert "Traceback" not in said
    assert list(folder.glob("results/gaps/*/*.json"))
    assert not list(folder.glob("results/**/.*.tmp*"))
    assert completed(folder) == contents(whole)
