"""The study of trained networks: how they are trained, what is proved of them, and the table."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torch import nn

from zerogap import audit as audit_model
from zerogap.model.matrices import Array
from zerogap.replication.records import write_json
from zerogap.replication.stages import audits_table
from zerogap.replication.studies import audits, models
from zerogap.replication.studies.audits import PROBLEMS, audit, networks
from zerogap.replication.studies.models import RECIPES, Recipe, Task, train
from zerogap.replication.tables.frames import AUDIT_COLUMNS
from zerogap.solving.certificates import write_jsonl
from zerogap.trained.layers import Layers

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
TARGETS = {
    "squared": RNG.normal(size=(40, 2)),
    "logistic": np.where(RNG.normal(size=(40, 1)) > 0, 1.0, -1.0),
    "cross-entropy": np.eye(3)[RNG.integers(3, size=40)],
}


def weights(network: Layers) -> list[Array]:
    return [A for layer in network.all for A in (layer.W, layer.b) if A is not None]


def alone(task: Task, recipe: Recipe, width: int, seed: int) -> nn.Sequential:
    """One network by torch's own modules, optimiser and loss, batch by batch."""
    order = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    sizes = [task.X.shape[1], *[width] * (task.depth - 1), task.Y.shape[1]]
    layers = [nn.Linear(*pair, bias=task.bias) for pair in pairwise(sizes)]
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    optimizer = getattr(torch.optim, recipe.optimizer)
    descent = optimizer(model.parameters(), weight_decay=task.decay, **recipe.options)
    epochs = recipe.epochs(len(task.X))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(descent, epochs)
    loss = models.LOSSES[task.loss]()
    data, targets = torch.tensor(task.X).float(), torch.tensor(task.Y).float()
    if task.loss == "logistic":
        targets = (targets > 0).float()
    elif task.loss == "cross-entropy":
        targets = targets.argmax(dim=1)
    for _ in range(epochs):
        for rows in torch.randperm(len(data), generator=order).split(32):
            descent.zero_grad()
            loss(model(data[rows]), targets[rows]).backward()
            descent.step()
        if recipe.cosine:
            schedule.step()
    return model


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    ("loss", "depth", "bias"),
    [("squared", 3, True), ("logistic", 2, False), ("cross-entropy", 2, True)],
)
def test_networks_trained_side_by_side_are_those_that_are_trained_alone(
    recipe: str, loss: str, depth: int, bias: bool
) -> None:
    task = Task(X, TARGETS[loss], loss, depth, bias, 1e-2)
    chosen = replace(RECIPES[recipe], steps=8)
    for network, width, seed in zip(
        train(task, chosen, (3, 9), (7, 8)), (3, 9), (7, 8), strict=True
    ):
        own = [p.detach().numpy() for p in alone(task, chosen, width, seed).parameters()]
        for ours, theirs in zip(weights(network), own, strict=True):
            np.testing.assert_allclose(ours, theirs.T, atol=2e-5)


def test_a_network_depends_on_its_seed_and_on_none_beside_it() -> None:
    task = Task(X, TARGETS["squared"], "squared", 2, True, 1e-2)
    recipe = replace(RECIPES["adam"], steps=4)
    one, other = train(task, recipe, (5, 5), (1, 2))
    again = train(task, recipe, (5, 5), (1, 3))[0]
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(again), strict=True))
    assert not np.array_equal(weights(one)[0], weights(other)[0])


@pytest.fixture(scope="module")
def small() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and certificates of few networks, hardly trained."""
    with pytest.MonkeyPatch.context() as patch:
        quick = {name: replace(RECIPES[name], steps=20) for name in ("sgd", "adamw")}
        patch.setattr(audits, "RECIPES", quick)
        patch.setattr(audits, "WIDTHS", (4, 10))
        patch.setitem(PROBLEMS, "linnerud", (*PROBLEMS["linnerud"][:4], 1e-2, 1e-2))
        return audit("linnerud")


def table(folder: Path, rows: list[dict[str, Any]], proofs: list[dict[str, Any]]) -> pd.DataFrame:
    (folder / "audits").mkdir(parents=True)
    (folder / "certificates/audits").mkdir(parents=True)
    write_json(folder / "audits/linnerud.json", rows, "test")
    write_jsonl(folder / "certificates/audits/linnerud.jsonl", proofs)
    audits_table.run(folder, ["linnerud"], folder / "audits.csv")
    return pd.read_csv(folder / "audits.csv", float_precision="round_trip")


def test_the_table_holds_what_the_checker_proved(small: Any, tmp_path: Path) -> None:
    found = table(tmp_path, *small)
    assert list(found.columns) == AUDIT_COLUMNS
    assert found["network"].tolist() == ["sgd-4", "sgd-10", "adamw-4", "adamw-10"]
    assert found["certified"].all()
    assert (found["lower"] <= found["best"]).all() and (found["best"] <= found["objective"]).all()
    assert np.allclose(found["excess"] + found["unknown"], found["relative_gap"])
    assert found["note"].notna().tolist() == [False, False, True, True]


def test_the_shared_bound_is_below_what_an_audit_of_its_own_finds(
    small: Any, tmp_path: Path
) -> None:
    found = table(tmp_path, *small)
    task = replace(audits.task_of("linnerud"), decay=1e-2)
    model = alone(task, replace(RECIPES["sgd"], steps=20), 10,
                  audits.seed_of("audits", "linnerud", "sgd", 10))  # fmt: skip
    own = audit_model(model, task.X, task.Y, loss=nn.MSELoss(), weight_decay=1e-2, gap=1e-4)
    row = found[found["network"] == "sgd-10"].iloc[0]
    assert own.objective == pytest.approx(row["objective"], rel=1e-4)
    assert row["lower"] <= own.best and own.lower <= row["best"]
    assert row["lower"] == pytest.approx(own.lower, rel=1e-2)


def forged(proof: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return proof | {"claimed": proof["claimed"] | changed}


def test_a_forged_objective_costs_the_row_its_numbers(small: Any, tmp_path: Path) -> None:
    rows, proofs = small
    value = float.fromhex(proofs[1]["claimed"]["primal"])
    lower = [proofs[0], forged(proofs[1], primal=(0.99 * value).hex()), *proofs[2:]]
    found = table(tmp_path / "lower", rows, lower)
    assert found["certified"].tolist() == [False, True, True, True]
    assert np.isnan(found["objective"][0])
    # A network of another problem, with a true certificate, is none of this row.
    other = proofs[1] | {"problem": proofs[1]["problem"] | {"beta": (0.01).hex()}}
    found = table(
        tmp_path / "other", rows, [proofs[0], forged(other, primal=(1e9).hex()), *proofs[2:]]
    )
    assert found["certified"].tolist() == [False, True, True, True]
    found = table(tmp_path / "twice", rows, [*proofs, proofs[1]])
    assert found["certified"].tolist() == [False, True, True, True]


def test_a_forged_bound_costs_all_rows_theirs(small: Any, tmp_path: Path) -> None:
    rows, proofs = small
    value = float.fromhex(proofs[0]["claimed"]["dual"])
    found = table(tmp_path, rows, [forged(proofs[0], dual=(1.01 * value).hex()), *proofs[1:]])
    assert not found["certified"].any()


def test_biases_of_middle_layers_are_charged_on_both_sides() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "RECIPES", {"sgd": replace(RECIPES["sgd"], steps=2)})
        patch.setattr(audits, "WIDTHS", (4,))
        (one,) = networks("linnerud-deep")
    assert one.own.charge == PROBLEMS["linnerud-deep"][4] / 2
    assert one.own.network.branches[0][0].shape == (4, 5)


def test_the_full_run_trains_two_hundred_networks() -> None:
    whole = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert whole["audits"] == list(PROBLEMS)
    assert len(PROBLEMS) * len(RECIPES) * len(audits.WIDTHS) == 200
