"""Torch's training objective as the theory's: loss, reduction, weight decay (theory §10).

Torch minimises s Σ ℓ(f(x_i), y_i) + (w/2) Σ‖W‖², with a factor s from the reduction and from how
the loss is defined; s times the theory's objective with beta = w / s is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zerogap.model.errors import DataError
from zerogap.model.losses import LOSSES, loss_of
from zerogap.model.matrices import Array

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zerogap.trained.layers import Layers

REDUCTIONS = ("mean", "sum")
# Losses of the labels −1 and 1.
LABELS = ("logistic", "hinge")


@dataclass(frozen=True)
class Criterion:
    """A loss of the theory, and by how much torch's is larger in a sum over samples."""

    loss: str
    factor: float = 1.0
    reduction: str = "mean"
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise DataError(
                f"reduction is {self.reduction!r}; accepted is one of {', '.join(REDUCTIONS)}"
            )

    @classmethod
    def of(cls, loss: str | nn.Module, reduction: str | None = None) -> Criterion:
        """The criterion of a name or of a torch loss, whose own reduction counts.

        Names are the theory's (`model/losses`) and mean torch's losses: "squared" is MSELoss,
        without ½; "huber:δ" HuberLoss(delta=δ), "quantile:q" the pinball loss, "logistic"
        BCEWithLogitsLoss. Raises DataError on a loss whose conjugate is not known.
        """
        if not isinstance(loss, str):
            return _of_module(loss, reduction)
        name = str(loss_of(loss))
        return cls(name, 2.0 if name == "squared" else 1.0, reduction or "mean")

    def targets(self, Y: Any, n: int, outputs: int) -> Array:
        """Targets (n, k) as the theory has them, of targets as torch's loss takes them.

        Classes become one-hot rows, 0 and 1 become −1 and 1. Raises DataError.
        """
        Y = _numbers(Y)
        if len(Y) != n:
            raise DataError(f"X has {n} rows and Y has {len(Y)}; they must be equal")
        if self.loss == "cross-entropy":
            if outputs == 1:
                raise DataError(
                    "the network has one output; cross-entropy takes one for each class"
                )
            one_hot = Y.ndim == 2 and Y.shape[1] == outputs > 1
            Y = Y.astype(float) if one_hot else _classes(Y, outputs)
            if len(np.unique(Y.argmax(axis=1))) < 2:
                raise DataError("Y has one class only; accepted are at least two")
            return Y * (1 - self.smoothing) + self.smoothing / outputs
        Y = (Y[:, None] if Y.ndim == 1 else Y).astype(float)
        if Y.shape[1] == 2 and outputs == 1 and self.loss in LABELS and (Y.sum(axis=1) == 1).all():
            Y = Y[:, 1:]  # of two classes, the second
        if Y.shape[1] != outputs:
            raise DataError(f"Y has {Y.shape[1]} columns and the network {outputs} outputs")
        if self.loss in LABELS:
            labels = np.unique(Y)
            if set(labels) <= {0.0, 1.0}:
                Y = 2 * Y - 1
            if len(labels) < 2:
                raise DataError(f"Y has one class only ({labels[0]:g}); accepted are two")
        return Y

    def scale(self, Y: Array) -> float:
        """s for targets (n, k): a mean is over samples, and over outputs where terms are."""
        if self.reduction == "sum":
            return self.factor
        return self.factor / (len(Y) if self.loss == "cross-entropy" else Y.size)


def _of_module(loss: Any, reduction: str | None) -> Criterion:
    from torch import nn

    if not isinstance(loss, nn.Module):
        raise DataError(f"loss is {loss!r}; accepted is a torch loss or one of {', '.join(LOSSES)}")
    own = str(getattr(loss, "reduction", None))
    if reduction not in (None, own):
        raise DataError(f"reduction is {reduction!r}, and that of {loss} {own!r}; give it once")
    weight = getattr(loss, "weight", None)
    if weight is None:
        weight = getattr(loss, "pos_weight", None)
    if weight is not None:
        raise DataError(f"{_kind(loss)} has class weights; accepted are losses without weights")
    if isinstance(loss, nn.MSELoss):
        return Criterion("squared", 2.0, own)
    if isinstance(loss, nn.L1Loss):
        return Criterion("quantile:0.5", 2.0, own)
    if isinstance(loss, nn.HuberLoss):
        return Criterion(f"huber:{loss.delta!r}", 1.0, own)
    if isinstance(loss, nn.SmoothL1Loss) and loss.beta > 0:
        return Criterion(f"huber:{loss.beta!r}", 1 / loss.beta, own)
    if isinstance(loss, nn.CrossEntropyLoss):
        return Criterion("cross-entropy", 1.0, own, float(loss.label_smoothing))
    if isinstance(loss, nn.BCEWithLogitsLoss | nn.SoftMarginLoss):
        return Criterion("logistic", 1.0, own)
    raise DataError(
        f"loss is {_kind(loss)}, whose conjugate is not known here; accepted are MSELoss, L1Loss, "
        "HuberLoss, SmoothL1Loss, CrossEntropyLoss, BCEWithLogitsLoss, SoftMarginLoss, or one of "
        f"{', '.join(LOSSES)}"
    )


def _kind(module: Any) -> str:
    return type(module).__name__


def as_array(values: Any) -> Array:
    """An array of a tensor on any device, or of what numpy reads."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.double() if values.is_floating_point() else values
        values = values.numpy()
    return np.asarray(values)


def _numbers(values: Any) -> Array:
    """A vector or matrix of numbers."""
    array = as_array(values)
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufb":
        raise DataError(
            f"data of shape {array.shape} and type {array.dtype}; accepted are vectors and "
            "matrices of numbers"
        )
    return array


def _classes(labels: Array, outputs: int) -> Array:
    """One-hot rows of whole numbers from 0."""
    flat = labels.reshape(-1)
    if len(flat) != len(labels):
        raise DataError(
            f"Y has {labels.shape[1]} columns and the network {outputs} outputs; accepted are "
            "classes, or as many columns as outputs"
        )
    wrong = flat[(flat != np.floor(flat)) | (flat < 0) | (flat >= outputs)]
    if len(wrong):
        raise DataError(
            f"Y holds {wrong[0]:g}, which is no class; accepted are whole numbers from 0 to "
            f"{outputs - 1}"
        )
    return np.eye(outputs)[flat.astype(int)]


@dataclass(frozen=True)
class Decay:
    """Which weight decay each parameter has, by name, and what is to be said about it."""

    rates: Mapping[str, float]
    note: str = ""

    @classmethod
    def constant(cls, layers: Layers, rate: Any, biases: bool = True) -> Decay:
        """One rate for all weights, and for all biases or none. Raises DataError."""
        if not isinstance(rate, float | int) or isinstance(rate, bool):
            raise DataError(f"weight_decay is {rate!r}; accepted is a positive number")
        weights = {layer.name: float(rate) for layer in layers.all}
        rates = {layer.bias_name: float(rate) * biases for layer in layers.all}
        return cls({**weights, **rates})

    @classmethod
    def of(cls, model: nn.Module, optimizer: torch.optim.Optimizer) -> Decay:
        """The rates of the optimiser's parameter groups. Raises DataError on one that has none."""
        rates = {}
        for group in optimizer.param_groups:
            if "weight_decay" not in group:
                raise DataError(f"{_kind(optimizer)} has no weight decay; give weight_decay=")
            if group.get("maximize"):
                raise DataError(f"{_kind(optimizer)} maximises; accepted is minimising")
            rates.update({id(one): float(group["weight_decay"]) for one in group["params"]})
        missing = [name for name, one in model.named_parameters() if id(one) not in rates]
        if missing:
            raise DataError(
                f"{missing[0]} is not in the optimizer; accepted are models trained as a whole"
            )
        decoupled = _kind(optimizer) in ("AdamW", "NAdamW", "Lion") or any(
            group.get("decoupled_weight_decay") for group in optimizer.param_groups
        )
        note = (
            f"{_kind(optimizer)} decouples its weight decay, which is then part of no objective; "
            "the one reported adds w/2 times the sum of squares to the loss, which SGD and Adam "
            "with the same weight_decay minimise"
        )
        named = {name: rates[id(one)] for name, one in model.named_parameters()}
        return cls(named, note if decoupled else "")

    def rate(self, weights: list[str]) -> float:
        """The rate w > 0 that all weights share. Raises DataError."""
        different = {self.rates[name]: name for name in weights}
        if len(different) > 1:
            said = " and ".join(f"{name} {rate:g}" for rate, name in different.items())
            raise DataError(f"weight decays differ: {said}; accepted is one for all weights")
        (rate,) = different
        if not (np.isfinite(rate) and rate > 0):
            raise DataError(
                f"weight_decay is {rate:g}; accepted is a positive number: without decay there is "
                "no best network to compare with"
            )
        return rate

    def kind(self, biases: list[str], rate: float) -> str:
        """ "none" where there are no biases, "decayed" like the weights, or "free"."""
        kinds = {self.rates[name] for name in biases}
        if not kinds:
            return "none"
        if kinds == {rate}:
            return "decayed"
        if kinds == {0.0}:
            return "free"
        said = ", ".join(f"{name} {self.rates[name]:g}" for name in biases)
        raise DataError(
            f"biases have weight decay {said}; accepted is that of the weights, {rate:g}, or zero"
        )
