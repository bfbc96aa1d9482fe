"""A stage runs again exactly when something that it runs or reads has changed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import copy_of, snakemake
from zerogap.replication.runs import occupy
from zerogap.replication.stages.__main__ import names

SMOKE = ("--configfile", "config/smoke.yaml")
PER_BATCH = {"generate", "train", "solve_dual", "certify", "verify"}


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


def test_a_finished_run_has_nothing_left_to_do(smoke: Path) -> None:
    assert set(planned(smoke, *SMOKE)) <= {"all"}


# --- what a stage loads is what its rule declares ------------------------------------------------


def declared(smoke: Path) -> dict[str, set[str]]:
    """The package files among the inputs of every rule that runs a stage, by stage."""
    found: dict[str, set[str]] = {}
    for job in dry_run(smoke, *SMOKE, "--forceall"):
        stage = job["rule"]
        files = {f for f in job.get("input", "").split(", ") if f.startswith("src/zerogap/")}
        if stage == "figure":
            stage += f" {job['wildcards'].removeprefix('figure=')}"
        assert found.setdefault(stage, files) == files
    return found


def loaded(smoke: Path) -> dict[str, set[str]]:
    """The package files that the process of every stage had loaded when it ended, by stage."""
    found: dict[str, set[str]] = {}
    for report in (smoke / "traces").iterdir():
        arguments, files = json.loads(report.read_text())
        if "zerogap.replication.stages" not in arguments:
            continue
        stage = arguments[arguments.index("zerogap.replication.stages") + 1].replace("-", "_")
        if stage == "figure":
            stage += f" {arguments[arguments.index('--name') + 1]}"
        own = {str(Path(f).resolve().relative_to(smoke.resolve())) for f in files}
        assert found.setdefault(stage, own) == own
    return found


def test_every_stage_loads_exactly_the_modules_that_its_rule_declares(smoke: Path) -> None:
    loads, declares = loaded(smoke), declared(smoke)
    assert {stage.split()[0] for stage in loads} == {name.replace("-", "_") for name in names()}
    for stage, files in loads.items():
        if stage == "generate":
            # The registry enters as a digest of what it says of the batch.
            files = {f for f in files if not f.startswith("src/zerogap/replication/claims/")}
        assert files == declares[stage], stage


def test_what_notebooks_load_is_declared(smoke: Path) -> None:
    rules = dry_run(smoke, *SMOKE, "--forcerun", "notebook")
    inputs = [set(job["input"].split(", ")) for job in rules if job["rule"] == "notebook"]
    kernels = [
        {str(Path(f).resolve().relative_to(smoke.resolve())) for f in files}
        for arguments, files in (
            json.loads(report.read_text()) for report in (smoke / "traces").iterdir()
        )
        if any("ipykernel" in argument for argument in arguments)
    ]
    assert len(kernels) == len(inputs) == 3
    for files in kernels:
        assert any(files <= declares for declares in inputs), files


def test_certifying_depends_on_no_training(smoke: Path) -> None:
    assert not any("training" in path for path in declared(smoke)["certify"])
    assert any("training" in path for path in declared(smoke)["train"])


# --- edits of code -------------------------------------------------------------------------------

STALE = {
    "replication/records.py": PER_BATCH - {"verify"} | {"collect", "provenance", "depth_study"},
    "replication/stages/train.py": {"train"},
    "replication/stages/certify.py": {"certify"},
    "replication/stages/verify.py": {"verify"},
    "checker/check.py": {"certify", "verify", "search", "search_table", "depth_table"},
    "replication/tables/table1.py": {"table1"},
    "training/lbfgs.py": {"train"},
}


@pytest.mark.parametrize("name", STALE)
def test_an_edit_of_a_module_reruns_every_stage_that_loads_it(smoke: Path, name: str) -> None:
    with edited(smoke / "src/zerogap" / name, remarked):
        assert STALE[name] <= set(planned(smoke, *SMOKE))


def test_an_edit_of_training_certifies_again_only_what_was_trained_again(smoke: Path) -> None:
    with edited(smoke / "src/zerogap/training/lbfgs.py", remarked):
        jobs = planned(smoke, *SMOKE)
    assert not {"generate", "solve_dual", "search", "depth_study"} & set(jobs)


def test_changing_a_figures_style_redraws_that_figure_and_what_prints_it(smoke: Path) -> None:
    with edited(smoke / "src/zerogap/replication/figures/rank_one.py", remarked):
        jobs = planned(smoke, *SMOKE)
    assert jobs["figure"] == ["figure=rank-one"]
    assert set(jobs) <= {"figure", "paper", "all"}


def test_changing_a_claims_instances_reruns_that_claim_and_what_gathers_it(
    smoke: Path, tmp_path: Path
) -> None:
    values = yaml.safe_load((smoke / "config/smoke.yaml").read_text())
    values["instances"]["two-layer-linear"] = 2
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(values))
    jobs = planned(smoke, *SMOKE, str(changed))
    for rule in PER_BATCH:
        assert jobs[rule] == ["setting=two-layer-linear, batch=0"], rule
    gathers = {"collect", "table1", "scoreboard", "figure", "notebook", "paper", "provenance"}
    assert set(jobs) <= PER_BATCH | gathers | {"rulegraph", "all"}


# --- edits of the registry -----------------------------------------------------------------------

TINY = {
    "claims": ["linear-scalar", "branches"],
    "tolerance": 1e-6,
    "batch_size": 400,
    "restarts": {"default": 2},
    "instances": {"default": 1},
    "search": [],
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
    assert set(jobs) == {"scoreboard", "tables"}


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
