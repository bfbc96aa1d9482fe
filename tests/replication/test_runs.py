"""Runs of different configurations do not mix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zerogap.model.errors import ConfigError
from zerogap.replication.runs import folder, occupy


def test_a_run_with_a_name_has_a_folder_of_its_own() -> None:
    assert folder("results", "") == "results"
    assert folder("results", "mine") == "results/mine"


def test_runs_of_one_configuration_share_a_folder_and_others_are_refused(tmp_path: Path) -> None:
    first = occupy(tmp_path, "one")
    second = occupy(tmp_path, "one")
    with pytest.raises(ConfigError, match="is in use by a run of another configuration"):
        occupy(tmp_path, "another")
    os.close(first)
    with pytest.raises(ConfigError, match="in use"):
        occupy(tmp_path, "another")
    os.close(second)
    os.close(occupy(tmp_path, "another"))


def test_a_run_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from zerogap.replication.runs import occupy
occupy(Path({str(tmp_path)!r}), "one")
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    os.close(occupy(tmp_path, "another"))
