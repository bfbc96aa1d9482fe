"""The same configuration gives the same bytes, however many cores and problems a batch.

All of it; some of it test_smoke.py compares with the run that it has.
"""

import itertools
import shutil
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import ROOT, copy_of, snakemake

TABLES = (
    *("gaps.csv", "training.csv", "details.csv", "curves.csv", "claims.csv", "claims.md"),
    *("table1.csv", "table1.md", "table1.tex", "depth.csv", "audits.csv"),
)
TARGETS = [f"results/tables/{name}" for name in TABLES]
TINY = {
    "claims": ["two-layer", "relu-parallel-3"],
    "tolerance": 1e-6,
    "restarts": {"default": 2},
    "instances": {"default": 1},
    "cases": {
        "two-layer-linear": ["linear-d2-k1", "linear-d2-k2"],
        "two-layer-relu": ["relu-n3-d2", "relu-n4-d2"],
        "relu-parallel-3": ["generic-n3-d2", "generic-n4-d2"],
    },
    "search": ["smallest"],
    "audits": ["linnerud"],
    "depth_study": [
        {"d": 2, "n": [6], "random": 1, "ascents": 1, "steps": 2},
        {"d": 3, "n": [4], "random": 1, "ascents": 0, "steps": 0},
    ],
}


def made(folder: Path, cores: int, batch_size: int, values: dict, *others: str) -> dict[str, str]:
    """Tables, certificates and other targets of a run, by name; the run's folder is removed."""
    if not folder.exists():
        copy_of(folder)
    (folder / "config/tiny.yaml").write_text(yaml.safe_dump(values | {"batch_size": batch_size}))
    targets = [*TARGETS, *others]
    run = (*targets, "--cores", str(cores), "--configfile", "config/tiny.yaml")
    done = snakemake(folder, *run)
    assert done.returncode == 0, done.stderr[-3000:]
    contents = {target: (folder / target).read_text() for target in targets}
    proofs = sorted((folder / "results/certificates").rglob("*.jsonl"))
    # Batches cut the certificates into files; the lines are the same.
    lines = sorted(line for path in proofs for line in path.read_text().splitlines())
    shutil.rmtree(folder)
    return contents | {"certificates": "\n".join(lines)}


@pytest.mark.faults
def test_tables_and_certificates_are_the_same_at_every_core_count_and_batch_size(
    tmp_path: Path,
) -> None:
    # Eight problems in two settings, so that batches of one, seven and all differ.
    values = TINY | {"instances": {"default": 4}}
    one = made(tmp_path / "one", 1, 400, values)
    for cores, size in itertools.product((1, 2, 8), (1, 7, 400)):
        if (cores, size) != (1, 400):
            assert one == made(tmp_path / f"{cores}-{size}", cores, size, values), (cores, size)


def unnamed(name: str) -> dict:
    """A configuration of the repository, for a run whose results stand where `made` looks."""
    values = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    return {key: value for key, value in values.items() if key != "name"}


@pytest.mark.faults
def test_so_are_notebooks(tmp_path: Path) -> None:
    smoke = unnamed("smoke")
    names = ("table1", "rank_one", "inside", "audit")
    notebooks = [f"results/notebooks/{name}.ipynb" for name in names]
    one, *others = (
        made(tmp_path / str(cores), cores, size, smoke, *notebooks)
        for cores, size in ((1, 400), (2, 7), (8, 1))
    )
    for other in others:
        for name in one:
            assert one[name] == other[name], name
