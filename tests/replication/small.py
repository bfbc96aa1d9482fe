"""The files of a small run, made by the stages themselves, with little training."""

from pathlib import Path
from unittest.mock import patch

from zerogap.replication.claims import batch as expanded
from zerogap.replication.stages import certify, collect, generate, solve_dual, train, verify
from zerogap.training import TrainingOptions
from zerogap.training import train as trained

SETTING = "two-layer-relu"
OPTIONS = {"replicates": 1, "restarts": 2, "cases": ["relu-n3-d2", "relu-n4-d2"]}


def run(folder: Path) -> Path:
    """Data, bounds, certificates, verdicts and the tables of `collect`, of two problems."""

    def quick(problems: list, seeds: list[int], _: TrainingOptions) -> list:
        return trained(problems, seeds, TrainingOptions(restarts=2, steps=40, polish_steps=0))

    data, primal, dual = (folder / f"{name}/0.npz" for name in ("data", "primal", "dual"))
    proofs, place = folder / f"certificates/{SETTING}/0.jsonl", f"{SETTING}/0"
    generate.run(SETTING, OPTIONS, 0, 10, expanded(SETTING, OPTIONS, 0, 10)[1], data)
    with patch("zerogap.replication.stages.train.train", quick):
        train.run(data, primal)
    solve_dual.run(data, dual)
    certify.run(data, primal, dual, 1e-6, proofs, folder / f"gaps/{place}.json")
    verify.run(proofs, 1e-6, folder / f"verdicts/{place}.json")
    (folder / "batches.txt").write_text(place)
    collect.run(folder / "batches.txt", folder)
    return folder
