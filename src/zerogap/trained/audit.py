"""How far a torch model is from the best network: one call, in the units of its training log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zerogap.model.clock import Progress
from zerogap.model.errors import DataError
from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.audit import Audit
from zerogap.solving.audit import audit as audit_network
from zerogap.trained.layers import Layers, rounding
from zerogap.trained.objective import Criterion, Decay, as_array

if TYPE_CHECKING:
    import torch
    from torch import nn

# The relative gap of bounds that tells a person all there is to know of a trained model.
_NARROW = 1e-4


def audit(
    model: Problem | nn.Module,
    X: Any,
    Y: Any = None,
    *,
    loss: str | nn.Module | None = None,
    weight_decay: float | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    reduction: str | None = None,
    gap: float | None = None,
    seconds: float | None = None,
    progress: Callable[[Progress], Any] | None = None,
) -> Audit:
    """How far a trained model provably is from the global optimum of its own training problem.

    `audit(model, X, Y, loss=…, weight_decay=…)` or `audit(model, X, Y, loss=…, optimizer=…)`.
    model: a torch module of Linear and ReLU layers. X (n, d), Y: arrays or tensors, targets as
    torch's loss takes them. loss: a torch loss or a name (`Criterion.of`). weight_decay: the one of
    all parameters; optimizer: its parameter groups say which have none. reduction: "mean" or "sum"
    where loss is a name. Values are torch's, loss + (w/2)Σ‖W‖². gap: relative, what is narrow
    enough (1e-4 for modules); seconds, progress: as in `solve`. Also `audit(problem, network)`,
    with a Problem and a Network.

    Raises DataError and ProblemError on what is not covered, in one line.
    """
    limits: dict[str, Any] = {"gap": gap, "seconds": seconds, "progress": progress}
    if isinstance(model, Problem):
        if not isinstance(X, Network):
            raise DataError(
                f"network is a {type(X).__name__}; accepted beside a Problem is a Network; "
                "for a torch module: audit(model, X, Y, loss=…, weight_decay=…)"
            )
        return audit_network(model, X, **limits)
    if loss is None or Y is None:
        raise DataError("Y and loss are needed: audit(model, X, Y, loss=…, weight_decay=…)")
    if (weight_decay is None) == (optimizer is None):
        raise DataError("give one of weight_decay and optimizer: what the weights cost")
    from zerogap.trained.modules import read_module

    reading = read_module(model, matrix(X))
    if optimizer is None:
        decay = Decay.constant(reading.layers, weight_decay)
    else:
        decay = Decay.of(model, optimizer)
    criterion = Criterion.of(loss, reduction)
    targets = criterion.targets(Y, len(reading.inputs), reading.layers.outputs)
    reading.require_objective(loss, Y, criterion, targets, decay)
    limits["gap"] = _NARROW if gap is None else gap
    own = stated(reading.layers, reading.inputs, targets, criterion, decay)
    found = audit_stated(own, reading.layers, decay, **limits)
    return replace(found, before=reading.before)


@dataclass(frozen=True, eq=False)
class Stated:
    """A trained network in the theory's terms: torch's objective is scale·(the theory's) − charge.

    charge: of biases in middle layers (`Layers.merged`), which any network of the problem may have.
    """

    problem: Problem
    network: Network
    scale: float
    charge: float

    @property
    def notes(self) -> list[str]:
        """What is to be said of the charge, if there is one."""
        if not self.charge:
            return []
        most = f"{self.charge:.3g}"
        return [f"biases of middle layers lower the bound by at most {most}, charged here"]


def stated(
    layers: Layers,
    X: Array,
    Y: Array,
    criterion: Criterion,
    decay: Decay,
    *,
    architecture: str | None = None,
    regularizer: str = "weight_decay",
) -> Stated:
    """What layers on data (n, d) and targets (n, k) of the theory are, and what they minimise.

    architecture: None for that of the layers.
    """
    rate, bias = _decays(layers, decay)
    carried = bool(layers.biases("middle"))
    if carried and regularizer == "power":
        raise DataError("regularizer 'power' takes no biases in middle layers; accepted are none")
    network, own_architecture = layers.merged()
    scale = criterion.scale(Y)
    problem = Problem(
        X, Y, activation=layers.activation, architecture=architecture or own_architecture,
        depth=layers.depth, regularizer=regularizer, beta=rate / scale, loss=criterion.loss,
        bias=bias,
    )  # fmt: skip
    return Stated(problem, network, scale, rate * (layers.depth - 2) / 2 if carried else 0.0)


def audit_stated(own: Stated, layers: Layers, decay: Decay, **limits: Any) -> Audit:
    """The audit of layers that were `stated`, in torch's units. limits: as in `audit`.

    Decayed biases of middle layers: any such network is one without them, of (L − 2)w/2 more
    (`Layers.merged`), so that the optimum is at most this much below that of networks with biases
    in the first and last layer alone.
    """
    scale, charge = own.scale, own.charge
    found = audit_network(own.problem, own.network, **limits)
    objective = scale * found.objective - charge
    kept = scale * found.best >= objective or found.best_method == "given"
    notes = [*([decay.note] if decay.note else []), *own.notes]
    return replace(
        found,
        objective=objective,
        loss=scale * found.loss,
        penalty=scale * found.penalty - charge,
        lower=max(scale * found.lower - charge, 0.0),
        best=objective if kept else scale * found.best,
        best_method="given" if kept else found.best_method,
        width=layers.width,
        weights=own.network if kept else found.weights,
        rounding=layers.unit and scale * _moved(own.problem, own.network, layers.unit),
        notes=tuple(notes),
    )


def _decays(layers: Layers, decay: Decay) -> tuple[float, tuple[str, str]]:
    """The rate of all weights, and what kind the biases are, of the first layer and the outputs."""
    rate = decay.rate([layer.name for layer in layers.all])
    first, middle, last = (
        decay.kind([layer.bias_name for layer in layers.biases(position)], rate)
        for position in ("first", "middle", "last")
    )
    if middle == "free" or (middle == "decayed" and first == "free"):
        name = layers.biases("middle" if middle == "free" else "first")[0].bias_name
        raise DataError(
            f"{name} has no weight decay in a network with biases in middle layers, where no bound "
            "is known; accepted are biases that decay like the weights"
        )
    if last == "decayed" and len(layers.biases("last")) > 1:
        raise DataError(
            f"{len(layers.biases('last'))} branches end in a bias; accepted is one for their sum, "
            "or biases without weight decay"
        )
    return rate, ("decayed" if middle == "decayed" else first, last)


def _moved(problem: Problem, network: Network, unit: float) -> float:
    """How much the loss can differ where outputs are computed with rounding `unit` at most.

    Losses are convex, of slope at most one in every output where they are not smooth, else with
    gradients g that change by at most as much as outputs do: |g|δ + ½δ² for a move of δ.
    """
    error = rounding(network, problem.X, unit)
    loss, F = problem.fit.loss, network.outputs(problem.X)
    if not loss.smooth:
        return float(error.sum())
    return float(np.sum((np.abs(loss.gradient(F, problem.Y)) + error / 2) * error))


def matrix(X: Any) -> Array:
    """Data (n, d) in float64, of an array or a tensor on any device."""
    X = np.asarray(as_array(X), dtype=np.float64)
    if X.ndim != 2 or not np.isfinite(X).all():
        raise DataError(f"X has shape {X.shape}; accepted is a matrix of finite numbers")
    return X
