"""The replication as its user runs it: files, reruns, determinism, bad configurations."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.replication.test_crate import violations
from tests.workflow.conftest import copy_of, snakemake
from zerogap.replication.claims import instances
from zerogap.replication.config import load


def test_own_data_runs_under_its_name_and_leaves_the_replication_alone(tmp_path: Path) -> None:
    folder = copy_of(tmp_path / "own")
    (folder / "mine.csv").write_text("a,b,y1,y2\n1,0,1,2\n0,1,2,1\n1,1,1,0\n")
    entry = {
        "id": "mine",
        "data": {"kind": "file", "path": "mine.csv", "targets": ["y1", "y2"]},
        "activation": "relu",
        "architecture": "parallel",
        "regularizer": "power",
        "depths": [2],
        "beta": 0.1,
    }
    values = {"name": "mine", "claims": [], "files": [entry], "restarts": {"default": 2}}
    (folder / "config/mine.yaml").write_text(yaml.safe_dump(values))
    done = snakemake(folder, "all", "crate", "--cores", "2", "--configfile", "config/mine.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    gaps = pd.read_csv(folder / "results/mine/tables/gaps.csv")
    assert gaps["setting"].tolist() == ["file-mine"] and gaps["certified"].all()
    assert not (folder / "results/tables").exists()
    assert (folder / "results/mine/provenance.json").is_file()
    assert violations(folder / "results/mine/crate.zip") == []


JOB = {"random": 1, "ascents": 0, "steps": 0}
BAD = [
    ({"clams": "all"}, "unknown key clams"),
    ({"claims": ["two-layers"]}, "claim 'two-layers' is unknown; accepted are two-layer"),
    ({"claims": []}, "claims is empty"),
    ({"tolerance": -1}, "tolerance"),
    ({"tolerance": "small"}, "tolerance"),
    ({"batch_size": 0}, "batch_size"),
    ({"instances": {"default": -3}}, "instances.default"),
    ({"instances": {"nowhere": 3}}, "instances.nowhere: no such setting"),
    ({"restarts": {"default": 1.5}}, "restarts.default"),
    ({"cases": {"low-rank": ["lost"]}}, "has no case 'lost'"),
    (
        {"depth_study": [{"d": 2, "n": [9], "random": 1, "ascents": 0, "steps": 0}]},
        "depth_study.0.n",
    ),
    ({"files": [{"id": "mine"}]}, "files.0"),
    ({"name": "tables"}, "name is 'tables', a folder of every run"),
    ({"name": "Mine"}, "name"),
    ({"audits": ["lost"]}, "audits: no problem 'lost'; accepted are iris, "),
    ({"search": ["lost"]}, "search: no data set 'lost'; accepted are smallest, "),
    (
        {
            "name": "mine",
            "files": [
                {
                    "id": "mine",
                    "data": {"kind": "file", "path": "missing.csv", "targets": ["y"]},
                    "activation": "relu",
                    "architecture": "parallel",
                    "depths": [3],
                }
            ],
        },
        "missing.csv cannot be read",
    ),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[said for _, said in BAD])
def test_a_bad_configuration_is_refused_in_one_line(
    tmp_path: Path, change: dict, said: str
) -> None:
    from zerogap.model.errors import ConfigError
    from zerogap.replication.config import load

    root = Path(__file__).resolve().parents[2]
    values = {"claims": "all", "tolerance": 1e-6, "batch_size": 10} | change
    with pytest.raises(ConfigError) as raised:
        load(values, root / "workflow/schemas/config.schema.json")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_snakemake_says_a_bad_configuration_without_a_traceback(tmp_path: Path) -> None:
    folder = copy_of(tmp_path / "bad")
    (folder / "config/bad.yaml").write_text("tolerance: .nan\n")
    said = "config: tolerance is nan; accepted are finite numbers"
    done = snakemake(folder, "-n", "--configfile", "config/bad.yaml")
    assert done.returncode != 0
    assert len([line for line in done.stderr.splitlines() if said in line]) == 1
    assert "Traceback" not in done.stderr


def test_names_of_data_files_are_never_run_by_a_shell(tmp_path: Path) -> None:
    folder = copy_of(tmp_path / "names")
    name = "it's $(touch ran) `touch ran`; touch ran #.npz"
    np.savez(folder / name, X=np.eye(2), Y=np.ones((2, 1)))
    entry = {
        "id": "mine",
        "data": {"kind": "file", "path": name},
        "activation": "relu",
        "architecture": "parallel",
        "depths": [2],
    }
    values = {"name": "names", "claims": [], "files": [entry]}
    (folder / "config/names.yaml").write_text(yaml.safe_dump(values))
    target = "results/names/data/file-mine/0.npz"
    done = snakemake(folder, target, "--cores", "1", "--configfile", "config/names.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    assert (folder / target).is_file()
    assert not list(folder.rglob("ran"))


def test_the_full_run_has_five_jobs_a_batch_and_few_around_them(tmp_path: Path) -> None:
    folder = copy_of(tmp_path / "full")
    values = yaml.safe_load((folder / "config/config.yaml").read_text())
    chosen = load(values, folder / "workflow/schemas/config.schema.json")
    batches = sum(len(chosen.batches(setting)) for setting in chosen.slices)
    assert jobs_of(folder) - 5 * batches - len(chosen.audits) < 45


def test_the_scale_run_puts_ten_thousand_problems_into_fewer_than_a_thousand_jobs(
    tmp_path: Path,
) -> None:
    folder = copy_of(tmp_path / "scale")
    values = yaml.safe_load((folder / "config/scale.yaml").read_text())
    chosen = load(values, folder / "workflow/schemas/config.schema.json")
    assert sum(len(instances(name, slice)) for name, slice in chosen.slices.items()) >= 10_000
    assert jobs_of(folder, "--configfile", "config/scale.yaml") < 1000


def jobs_of(folder: Path, *arguments: str) -> int:
    """How many jobs a run has."""
    done = snakemake(folder, "-n", "--quiet", "rules", *arguments)
    total = re.search(r"^total\s+(\d+)", done.stdout + done.stderr, re.M)
    assert total is not None, done.stderr[-2000:]
    return int(total[1])
