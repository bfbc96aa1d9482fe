"""How far are networks that people train from the best there is, proved?

Problems on the data of scikit-learn, in torch's units, and for each of them networks of several
widths and recipes. The bound from below holds for all networks of a problem, of any width, so it is
proved once; of every network its own objective is proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch

# `solve` loads it when it returns a network: the study depends on it.
import zerogap.model.module  # noqa: F401
from zerogap.checker.statement import digest
from zerogap.model.matrices import Array
from zerogap.replication.families import Spec, generate, seed_of
from zerogap.replication.studies.models import LOSSES, RECIPES, Task, train
from zerogap.solving.certificates import build
from zerogap.solving.solver import solve
from zerogap.trained.audit import Stated, stated
from zerogap.trained.objective import Criterion, Decay

# The data (`families.real`), the loss, layers, whether these have biases, the weight decay, and the
# relative width of the bracket that is narrow enough.
PROBLEMS: dict[str, tuple[Spec, str, int, bool, float, float]] = {
    "iris": ({"name": "iris"}, "cross-entropy", 2, True, 1e-2, 1e-2),
    "wine": ({"name": "wine", "d": 10}, "cross-entropy", 2, True, 1e-2, 2e-2),
    "cancer": ({"name": "cancer", "n": 200, "d": 10}, "logistic", 2, True, 1e-2, 2e-2),
    "cancer-2": ({"name": "cancer", "n": 300, "d": 2}, "logistic", 2, True, 1e-2, 1e-2),
    "diabetes": ({"name": "diabetes"}, "squared", 2, True, 1e-1, 1e-1),
    "diabetes-4": ({"name": "diabetes", "d": 4}, "squared", 2, False, 1e-2, 1e-2),
    "diabetes-2": ({"name": "diabetes", "d": 2}, "squared", 2, True, 1e-3, 1e-2),
    "linnerud": ({"name": "linnerud"}, "squared", 2, True, 1e-4, 1e-2),
    "linnerud-deep": ({"name": "linnerud"}, "squared", 3, True, 1e-1, 1.5e-1),
    "iris-deep": ({"name": "iris"}, "cross-entropy", 3, True, 1e-2, 1e-2),
}
WIDTHS = (4, 10, 30, 80, 200)
# What the certificate of a problem's bracket is called among those of its networks.
_BRACKET = "bracket"


@dataclass(frozen=True, eq=False)
class Trained:
    """A network of the study: its recipe, its width, and what it is in the theory's terms."""

    recipe: str
    width: int
    own: Stated

    @property
    def name(self) -> str:
        return f"{self.recipe}-{self.width}"

    @property
    def objective(self) -> float:
        """What its optimiser minimised, in torch's units."""
        return self.own.scale * self.own.network.objective(self.own.problem) - self.own.charge


def task_of(problem: str) -> Task:
    """What the networks of a problem are trained for."""
    spec, loss, depth, bias, decay, _ = PROBLEMS[problem]
    return Task(*generate({"kind": "real", **spec}), loss, depth, bias, decay)


def networks(problem: str) -> list[Trained]:
    """The networks of a problem, each seeded by what it is."""
    torch.set_num_threads(1)
    task, found = task_of(problem), []
    criterion = Criterion.of(LOSSES[task.loss]())
    # Middle layers are padded on both sides: there the widest networks cost the others too much.
    together = (WIDTHS,) if task.depth == 2 else (WIDTHS[:-1], WIDTHS[-1:])
    for recipe, widths in product(RECIPES, filter(None, together)):
        seeds = [seed_of("audits", problem, recipe, width) for width in widths]
        trained = train(task, RECIPES[recipe], widths, seeds)
        for width, layers in zip(widths, trained, strict=True):
            decay = Decay.constant(layers, task.decay)
            own = stated(layers, task.X, task.Y, criterion, decay)
            found.append(Trained(recipe, width, own))
    return found


def audit(problem: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and certificates: first that of the bracket, then one for every network.

    A network's certificate has no multipliers and proves its objective alone. Both state the same
    problem, bit for bit, and together prove the row, which has the columns of
    results/tables/audits.csv that need no proof, the digest of its problem, and what turns values
    of the theory into torch's.
    """
    trained = networks(problem)
    best = min(trained, key=lambda one: one.objective).own
    bounds = solve(best.problem, gap=PROBLEMS[problem][-1], restarts=0, start=best.network)
    proofs = [bounds.certificate | {"id": _id(problem, _BRACKET)}]
    for one in trained:
        claimed = {"primal": one.own.network.objective(one.own.problem), "dual": 0.0}
        identity = _id(problem, one.name)
        proofs.append(build(one.own.problem, one.own.network, None, claimed=claimed, id=identity))
    return [_row(problem, one) | {"method": bounds.dual_method} for one in trained], proofs


def _id(problem: str, name: str) -> dict[str, str]:
    return {"claim": "audits", "setting": problem, "instance": name}


def _row(problem: str, one: Trained) -> dict[str, Any]:
    spec, loss, depth, bias, decay, _ = PROBLEMS[problem]
    asked, recipe = one.own.problem, RECIPES[one.recipe]
    notes = []
    if recipe.optimizer == "AdamW":
        notes.append("AdamW's decay is part of no objective: this is the one of Adam")
    return {
        "problem": problem,
        "network": one.name,
        "bracket": _BRACKET,
        "digest": digest(asked),
        "scale": one.own.scale,
        "charge": one.own.charge,
        "data": spec["name"],
        "n": asked.n,
        "d": asked.d,
        "k": asked.k,
        "loss": loss,
        "depth": depth,
        "bias": bias,
        "decay": decay,
        "optimiser": recipe.optimizer,
        "epochs": recipe.epochs(asked.n),
        "width": one.width,
        "error": _error(loss, one.own.network.outputs(asked.X), asked.Y),
        "note": "; ".join([*notes, *one.own.notes]),
    }


def _error(loss: str, outputs: Array, Y: Array) -> float:
    """The share of samples in another class, or the mean of squares."""
    if loss == "squared":
        return float(np.mean((outputs - Y) ** 2))
    if loss == "logistic":
        return float(np.mean((outputs > 0) != (Y > 0)))
    return float(np.mean(outputs.argmax(axis=1) != Y.argmax(axis=1)))
