"""What a change of the registry reruns, and runs that would mix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import copy_of, dry_run, edited, planned, remarked, snakemake
from zerogap.replication.runs import occupy

PER_BATCH = {"generate", "train", "solve_dual", "certify", "verify"}


# --- edits of the registry -----------------------------------------------------------------------

TINY = {
    "claims": ["linear-scalar", "linear-equal"],
    "tolerance": 1e-6,
    "batch_size": 400,
    "restarts": {"default": 2},
    "instances": {"default": 1},
    "search": [],
    "audits": [],
    "depth_study": [],
}
RUN = ("tables", "--configfile", "config/tiny.yaml")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two claims as the registry has them."""
    folder = copy_of(tmp_path_factory.mktemp("tiny") / "repository")
    (folder / "config/tiny.yaml").write_text(yaml.safe_dump(TINY))
    done = snakemake(folder, *RUN, "--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def registry(folder: Path, name: str) -> Path:
    return folder / f"src/zerogap/replication/claims/{name}.py"


def test_a_changed_case_reruns_its_batch_and_no_other(tiny: Path) -> None:
    with edited(
        registry(tiny, "linear"), lambda text: text.replace('"over", 10, 4', '"over", 9, 4')
    ):
        jobs = planned(tiny, *RUN)
    for rule in PER_BATCH:
        assert jobs[rule] == ["setting=linear-scalar, batch=0"], rule


def test_cases_added_to_a_setting_rerun_it(tiny: Path) -> None:
    added = '(("over", 10, 4), ("under", 4, 6), ("square", 5, 5))'
    old = '(("over", 10, 4), ("under", 4, 6))'
    with edited(registry(tiny, "linear"), lambda text: text.replace(old, added)):
        jobs = planned(tiny, *RUN)
    assert jobs["generate"] == ["setting=linear-scalar, batch=0"]


def test_a_reworded_statement_reruns_nothing_but_what_prints_it(tiny: Path) -> None:
    old = "Deep linear networks with scalar output have"
    with edited(registry(tiny, "linear"), lambda text: text.replace(old, "Linear ones have")):
        jobs = planned(tiny, *RUN)
    # Table 1 prints the conditions, which stand beside the statements.
    assert set(jobs) == {"scoreboard", "table1", "tables"}


# --- two runs ------------------------------------------------------------------------------------


def test_runs_of_two_names_stand_side_by_side(tiny: Path) -> None:
    jobs = dry_run(tiny, *RUN, "--config", "name=second")
    assert {job["rule"] for job in jobs} >= PER_BATCH
    assert all("results/second/" in job["input"] for job in jobs if job["rule"] == "train")
    assert set(planned(tiny, *RUN)) <= {"tables"}


def test_two_configurations_in_one_folder_at_once_are_refused_in_one_line(tiny: Path) -> None:
    held = occupy(tiny / "results", "another configuration")
    try:
        with edited(tiny / "src/zerogap/training/lbfgs.py", remarked):
            done = snakemake(tiny, *RUN, "--cores", "1")
    finally:
        os.close(held)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "results is in use by a run" in line]
    assert len(said) == 1 and "Traceback" not in done.stderr
