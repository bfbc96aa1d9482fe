"""The workflow as others use it: as a module of theirs, and deployed from where it is hosted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, which

import pytest
import yaml

from tests.workflow.conftest import ROOT, copy_of, dry_run, snakemake
from tests.workflow.test_reruns import TINY

MODULE = """
configfile: "config/mine.yaml"


module zerogap:
    snakefile:
        "{rules}"
    config:
        config["zerogap"]


use rule * from zerogap as gap_*


rule mine:
    default_target: True
    input:
        rules.gap_all.input,
"""


CONFIGURED = ("--configfile", "config/tiny.yaml")


def test_as_a_module_under_other_names_it_plans_the_jobs_that_it_plans_at_home(
    tmp_path: Path,
) -> None:
    home, other = copy_of(tmp_path / "home"), tmp_path / "other"
    (home / "config/tiny.yaml").write_text(yaml.safe_dump(TINY))
    (other / "config").mkdir(parents=True)
    (other / "config/mine.yaml").write_text(yaml.safe_dump({"zerogap": TINY, "theirs": 1}))
    (other / "Snakefile").write_text(MODULE.format(rules=home / "workflow/Snakefile"))
    at_home = jobs(dry_run(home, *CONFIGURED), home)
    elsewhere = jobs(dry_run(other), home)
    # Only the target is another one.
    assert {rule for rule, *_ in at_home - elsewhere} == {"all"}
    assert {"paper", "notebook", "table1", "mine"} <= {rule for rule, *_ in elsewhere}


def jobs(planned: list[dict[str, str]], home: Path) -> set[tuple[str, str, frozenset[str]]]:
    """Rule, wildcards and inputs; what is read of the repository by its whole path."""
    return {
        (
            job["rule"].removeprefix("gap_"),
            job.get("wildcards", ""),
            frozenset(
                str(home / path) if (home / path).exists() else path
                for path in job.get("input", "").split(", ")
            ),
        )
        for job in planned
    }


@pytest.mark.skipif(which("git") is None, reason="git is not installed")
def test_deployed_by_snakedeploy_it_runs_with_the_installed_package(tmp_path: Path) -> None:
    source, deployed = copy_of(tmp_path / "source"), tmp_path / "deployed"
    hosted = tmp_path / "host/someone/zerogap"
    identity = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
    for command in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*identity, "commit", "--quiet", "--message", "as it is"),
        ("tag", "v1"),
        ("clone", "--quiet", "--bare", ".", str(hosted)),
    ):
        subprocess.run(["git", *command], cwd=source, check=True)
    # git takes the host's repositories from the folder.
    hosting = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{(tmp_path / 'host').as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    deploy = ("deploy-workflow", "https://github.com/someone/zerogap", "deployed", "--tag", "v1")
    subprocess.run(
        [sys.executable, "-c", "from snakedeploy.client import main; main()", *deploy],
        cwd=tmp_path,
        env=os.environ | hosting,
        check=True,
        capture_output=True,
    )
    assert (deployed / "config/README.md").is_file()
    # Beside Snakemake, as an installed package is.
    copytree(source / "src", deployed / "src")
    (deployed / "config/tiny.yaml").write_text(yaml.safe_dump(TINY))
    targets = ("results/data/linear-scalar/0.npz", "results/rulegraph.mmd")
    done = snakemake(deployed, *targets, *CONFIGURED, "--cores", "1", extra=hosting)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (deployed / targets[0]).is_file()
    graph = (deployed / targets[1]).read_text()
    assert "notebook" in graph and "scoreboard" in graph
    # A picture of the repository would be needed for it.
    assert "paper" not in graph


def test_what_the_catalog_is_told_names_files_that_are_there() -> None:
    told = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(told) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert "config/README.md" in told["mandatory-flags"]["desc"]
    # The catalog shows these two.
    assert (ROOT / "workflow/Snakefile").is_file() and (ROOT / "config/README.md").is_file()
