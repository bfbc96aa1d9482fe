"""The problem that a certificate is about, exactly as written."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, fmpq

from zerogap.checker.balls import Array, Refused, balls, frobenius
from zerogap.checker.limits import MAX_DEPTH, MAX_EPSILON, MAX_ROWS, MAX_SIDE
from zerogap.checker.losses import LOSSES, Loss
from zerogap.checker.reading import get, matrix, number

FORMAT, VERSION = "zerogap-certificate", 1
REGULARIZERS = ("weight_decay", "power")
BIASES, NO_BIAS = ("none", "decayed", "free"), ("none", "none")
_KEYS = {"X", "Y", "activation", "architecture", "depth", "regularizer", "beta", "loss", "bias"}


@dataclass(frozen=True)
class Statement:
    """Data, targets Y (n, k) and what is asked of the network; beta None: interpolation
    up to ‖f(X) − Y‖_F ≤ epsilon, for the squared loss alone.

    bias: "none", "decayed" or "free", of the first layer and of the outputs. X: what the first
    layer is given: the data as stated, and a column of ones where it has a bias.
    """

    stated: Array
    Y: Array
    activation: str
    architecture: str
    depth: int
    regularizer: str
    beta: arb | None
    epsilon: arb
    loss: Loss
    bias: tuple[str, str] = NO_BIAS

    @cached_property
    def X(self) -> Array:
        if self.bias[0] == "none":
            return self.stated
        return np.hstack([self.stated, np.ones((len(self.stated), 1))])

    @property
    def free(self) -> bool:
        """Whether the last row of W₁, the biases, is not charged."""
        return self.bias[0] == "free"

    @property
    def rho(self) -> arb | None:
        """What ½‖b‖² of an output bias b is charged, 0 where it is free; None: there is none."""
        if self.bias[1] == "none":
            return None
        return arb(0) if self.bias[1] == "free" or self.beta is None else self.beta

    @property
    def power(self) -> bool:
        """Whether totals are (L/2)·scaled (the power regulariser) or (L/2)·scaled^{2/L}."""
        return self.regularizer == "power"

    def scaled_total(self, scaled: arb) -> arb:
        """(L/2) D or (L/2) D^{2/L} of a scaled value D."""
        if not scaled > 0:
            return arb(0)
        return arb(self.depth) / 2 * (scaled if self.power else scaled ** arb(fmpq(2, self.depth)))


def digest(problem: Any) -> str:
    """SHA-256 of a problem, bit for bit: what binds a row of a table to its certificate.

    problem: anything with X, Y, activation, architecture, depth, regularizer, beta, loss and bias.
    """
    p, X = problem, problem.stated if isinstance(problem, Statement) else problem.X
    regularizer = "weight_decay" if p.depth == 2 else p.regularizer  # the same at L = 2
    beta = None if p.beta is None else float(p.beta).hex()
    names = [p.activation, p.architecture, p.depth, regularizer, beta, X.shape, p.Y.shape]
    if str(p.loss) != "squared":
        names.append(str(p.loss))
    if tuple(p.bias) != NO_BIAS:
        names.append(["bias", *p.bias])
    hashed = hashlib.sha256(json.dumps(names).encode())
    for A in (X, p.Y):
        hashed.update(np.ascontiguousarray(A, dtype="<f8").tobytes())
    return hashed.hexdigest()


def statement_of(certificate: Any) -> Statement:
    problem = get(certificate, "problem", "certificate")
    # A key that this version does not know may change what the problem is.
    unknown = set(problem) - _KEYS if isinstance(problem, dict) else set()
    if unknown:
        raise Refused(f"problem has the key {min(unknown)!r}; accepted are {sorted(_KEYS)}")
    names = {key: get(problem, key, "problem") for key in ("activation", "architecture", "depth")}
    regularizer = get(problem, "regularizer", "problem")
    depth, beta = names["depth"], get(problem, "beta", "problem")
    X, Y = (matrix(get(problem, key, "problem"), f"problem.{key}") for key in ("X", "Y"))
    epsilon = number(get(certificate, "epsilon", "certificate"), "epsilon")
    if names["activation"] not in ("linear", "relu"):
        raise Refused(f"problem.activation is {names['activation']!r}")
    if names["architecture"] not in ("standard", "parallel"):
        raise Refused(f"problem.architecture is {names['architecture']!r}")
    if regularizer not in REGULARIZERS:
        raise Refused(f"problem.regularizer is {regularizer!r}")
    if type(depth) is not int or not 2 <= depth <= MAX_DEPTH:
        raise Refused(f"problem.depth is {depth!r}; accepted is 2 to {MAX_DEPTH}")
    if names["architecture"] == "standard" and regularizer == "power" and depth > 2:
        raise Refused("problem: 'power' is defined on the branches of a parallel network")
    if len(X) != len(Y) or len(X) > MAX_ROWS or max(X.shape[1], Y.shape[1]) > MAX_SIDE:
        raise Refused(
            f"problem: X is {X.shape}, Y {Y.shape}; accepted are equally many rows, up to "
            f"{MAX_ROWS}, and up to {MAX_SIDE} columns"
        )
    strength = None if beta is None else number(beta, "problem.beta")
    if strength is not None and not strength > 0:
        raise Refused("problem.beta: accepted is null or a positive number")
    loss = _loss(problem.get("loss"))
    if (wrong := loss.refuse(Y)) is not None:
        raise Refused(f"problem.Y: loss {loss} takes other targets: {wrong}")
    if strength is None and loss.name != "squared":
        raise Refused(f"problem.beta: interpolation is for the squared loss, not for {loss}")
    bias = _bias(problem.get("bias"), strength is None)
    allowed = _near(Y, bias) if strength is None else arb(0)
    if epsilon < 0 or not arb(epsilon) <= allowed:
        raise Refused(
            f"epsilon is {epsilon!r}; accepted is 0 to 1e-6 ‖Y‖, less constants where biases are "
            "free, and 0 where beta is set"
        )
    return Statement(
        stated=X,
        Y=Y,
        regularizer="weight_decay" if depth == 2 else regularizer,  # the same at L = 2
        beta=None if strength is None else arb(strength),
        epsilon=arb(epsilon),
        loss=loss,
        bias=bias,
        **names,
    )


def _near(Y: Array, bias: tuple[str, str]) -> arb:
    """The largest ε: a share of what the weights must reach, and at least the rounding of Y."""
    norm = frobenius(balls(Y))
    if bias[1] != "free":
        return arb(MAX_EPSILON) * norm
    centred = frobenius(balls(Y - Y.mean(axis=0)))
    return (arb(MAX_EPSILON) * centred).max(arb(2.0**-40) * norm)


def _bias(stated: Any, interpolates: bool) -> tuple[str, str]:
    """Which biases there are; none where none are stated."""
    if stated is None:
        return NO_BIAS
    if not isinstance(stated, list) or len(stated) != 2 or not all(x in BIASES for x in stated):
        raise Refused(f"problem.bias is {stated!r}; accepted are two of {', '.join(BIASES)}")
    first, last = stated
    if first == "free" and last != "free":
        raise Refused("problem.bias: a free one in the first layer makes that of the outputs free")
    if interpolates and last != "none" and first != "free":
        raise Refused("problem.bias: interpolation takes none of the outputs, or free ones in all")
    return first, last


def _loss(stated: Any) -> Loss:
    """The loss that is stated; squares where none is."""
    if stated is None:
        return LOSSES["squared"](None)
    name, place = get(stated, "kind", "problem.loss"), "problem.loss.parameter"
    kind = LOSSES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Refused(f"problem.loss.kind is {name!r}; accepted is one of {', '.join(LOSSES)}")
    if unknown := set(stated) - {"kind", "parameter"}:
        raise Refused(f"problem.loss has the key {min(unknown)!r}")
    return kind(number(stated["parameter"], place) if "parameter" in stated else None)
