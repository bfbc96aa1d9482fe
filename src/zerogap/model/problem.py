"""What is asked: a regularised training problem, validated on construction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from zerogap.model.errors import InfeasibleError, ProblemError
from zerogap.model.fit import Fit
from zerogap.model.losses import LOSSES, Squared, loss_of
from zerogap.model.matrices import RANK_TOLERANCE, Array, numerical_rank

ACTIVATIONS = ("linear", "relu")
ARCHITECTURES = ("standard", "parallel")
REGULARIZERS = ("weight_decay", "power")
BIASES = ("none", "decayed", "free")

# Largest relative residual with which targets still count as interpolable; solvers and
# constructions reach 1e-12, wrong targets miss by far more.
FEASIBILITY_TOLERANCE = 1e-8
# Smallest and largest magnitude of data and targets, and of beta: powers of their ratios, which
# values and weights are made of, must stay far from the ends of float64.
_SMALLEST, _LARGEST = 1e-30, 1e30
_SMALLEST_BETA, _LARGEST_BETA = 1e-60, 1e60
# Smallest share that beta times the cost of a network may have of the cost of none: below it, what
# is minimised drowns in the rounding of ½‖f(X) − Y‖².
_WEAKEST = 1e-10


@dataclass(frozen=True, eq=False)
class Problem:
    """A regularised training problem, validated on construction (theory §1).

    X: (n, d) data. Y: (n, k) targets; a vector of length n is read as k = 1.
    activation: "linear" or "relu". architecture: "standard" or "parallel". depth: L ≥ 2.
    regularizer: "weight_decay" (½Σ‖W‖²) or "power" (½Σ‖W‖^L, on branches).
    beta: None for interpolation, `min R s.t. f(X) = Y`; a positive number for
    `min ℓ(f(X), Y) + beta R`. loss: ℓ, summed over samples (`model/losses`): "squared" (½‖f − y‖²),
    "huber", "quantile" (with a parameter, "huber:0.5"), "logistic", "hinge" (labels −1 and 1) or
    "cross-entropy" (one-hot rows, or probabilities); interpolation is for squares alone.
    bias: "none", "decayed" (in R like weights; ½‖b‖² for the outputs' b) or "free", of the first
    layer and of the outputs, or a pair of them, for the two apart. A free one of the first layer
    takes a free one of the outputs. Layers between have none.

    Raises ProblemError on malformed input and InfeasibleError (a ProblemError) where no network
    of the asked kind interpolates.
    """

    X: Array
    Y: Array
    activation: str = field(kw_only=True)
    architecture: str = field(kw_only=True)
    depth: int = field(kw_only=True)
    regularizer: str = field(default="weight_decay", kw_only=True)
    beta: float | None = field(default=None, kw_only=True)
    loss: str = field(default="squared", kw_only=True)
    bias: str | tuple[str, str] = field(default=("none", "none"), kw_only=True)

    def __post_init__(self) -> None:
        X, Y = _matrix("X", self.X), _matrix("Y", self.Y)
        if len(X) != len(Y):
            raise ProblemError(f"X has {len(X)} rows and Y has {len(Y)}; they must be equal")
        if not X.any():
            raise ProblemError("X is zero; accepted is a matrix with an entry that is not")
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "Y", Y)
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("architecture", self.architecture, ARCHITECTURES)
        _one_of("regularizer", self.regularizer, REGULARIZERS)
        depth = self.depth
        if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 2:
            raise ProblemError(f"depth is {depth!r}; accepted is a whole number of at least 2")
        object.__setattr__(self, "depth", int(depth))
        self._settle_loss()
        self._settle_bias()
        if self.architecture == "standard" and self.regularizer == "power" and depth > 2:
            raise ProblemError(
                "regularizer 'power' is defined on the branches of a parallel network; "
                "a standard network of depth 3 or more takes 'weight_decay'"
            )
        if self.beta is not None:
            real = isinstance(self.beta, int | float | np.integer | np.floating)
            allowed = real and _SMALLEST_BETA <= self.beta <= _LARGEST_BETA
            if not allowed or isinstance(self.beta, bool):
                raise ProblemError(
                    f"beta is {self.beta!r}; accepted is null or a positive number, "
                    f"{_SMALLEST_BETA:g} to {_LARGEST_BETA:g}"
                )
            object.__setattr__(self, "beta", float(self.beta))
            _require_strength(self)
        else:
            _require_interpolable(self)

    def _settle_loss(self) -> None:
        if not isinstance(self.loss, str):
            raise ProblemError(f"loss is {self.loss!r}; accepted is one of {', '.join(LOSSES)}")
        loss = loss_of(self.loss)
        object.__setattr__(self, "loss", str(loss))
        if self.beta is None and not isinstance(loss, Squared):
            raise ProblemError(
                f"interpolation is for the squared loss; loss {self.loss!r} takes a positive beta"
            )
        if (wrong := loss.refuse(self.Y)) is not None:
            raise ProblemError(f"loss {self.loss!r}: {wrong}")

    def _settle_bias(self) -> None:
        pair = (self.bias, self.bias) if isinstance(self.bias, str) else self.bias
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            pair = (pair, pair)
        for one in pair:
            _one_of("bias", one, BIASES)
        object.__setattr__(self, "bias", tuple(pair))
        first, last = pair
        if first == "free" and (self.depth > 2 or self.activation == "linear"):
            raise ProblemError(
                f"bias is {tuple(pair)!r}; free ones of the first layer are for ReLU networks of "
                "two layers: accepted here is 'none' or 'decayed' for the first layer"
            )
        if first == "free" and last != "free":
            raise ProblemError(
                f"bias is {tuple(pair)!r}; with a free bias in the first layer constants cost "
                "nothing, so that of the outputs is free too: accepted is 'free'"
            )
        if last == "free" and (why := loss_of(self.loss).endless(self.Y)) is not None:
            raise ProblemError(
                f"loss {self.loss!r} with a free bias of the outputs has no minimum: {why}; "
                "accepted are samples of every class, or a decayed bias"
            )
        if self.beta is None and last != "none" and first != "free":
            raise ProblemError(
                f"bias is {tuple(pair)!r}; interpolation takes 'none', 'free' or "
                "('decayed', 'none'), others take a positive beta"
            )

    @property
    def first_bias(self) -> str:
        """That of the first layer: "none", "decayed" or "free"."""
        return self.bias[0]

    @property
    def output_bias(self) -> str:
        """That of the outputs."""
        return self.bias[1]

    @cached_property
    def inputs(self) -> Array:
        """What the first layer is given: X, and a column of ones where it has a bias."""
        if self.first_bias == "none":
            return self.X
        return np.hstack([self.X, np.ones((self.n, 1))])

    @cached_property
    def reduced(self) -> Problem:
        """The problem with a decayed bias of the first layer as one more column of X (§10)."""
        if self.first_bias != "decayed":
            return self
        return replace(self, X=self.inputs, bias=("none", self.output_bias))

    @cached_property
    def fit(self) -> Fit:
        """The loss against the targets, with the output bias."""
        rho = {"none": None, "decayed": self.beta, "free": 0.0}[self.output_bias]
        return Fit(self.Y, loss_of(self.loss), rho)

    @property
    def plain(self) -> bool:
        """Whether the loss is the squared one and no bias is left but as a column of X."""
        return self.fit.plain and self.first_bias == "none"

    @property
    def n(self) -> int:
        return self.X.shape[0]

    @property
    def d(self) -> int:
        return self.X.shape[1]

    @property
    def k(self) -> int:
        return self.Y.shape[1]

    @property
    def rank(self) -> int:
        """Numerical rank of X; of the differences of its rows where first-layer biases are free."""
        return numerical_rank(self.X - self.X[0] if self.first_bias == "free" else self.X)

    def total(self, scaled: float) -> float:
        """The total value of a scaled one (P₁ or D₁), by AM–GM over the layers (theory §1)."""
        exponent = 1.0 if self.regularizer == "power" else 2 / self.depth
        return self.depth / 2 * scaled**exponent


def _matrix(name: str, value: Any) -> Array:
    if np.ma.is_masked(value):
        raise ProblemError(f"{name} has masked entries; accepted are finite numbers")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ProblemError(f"{name} is not a rectangular array: {error}") from None
    if array.dtype.kind not in "iuf":
        raise ProblemError(f"{name} has dtype {array.dtype}; accepted are real numbers")
    with np.errstate(over="ignore"):  # too large for float64 becomes infinite, refused below
        array = np.array(array, dtype=np.float64)
    if array.ndim == 1 and name == "Y":
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape:
        raise ProblemError(f"{name} has shape {array.shape}; accepted is a non-empty matrix")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ProblemError(
            f"{name}[{row}, {column}] is {array[row, column]}; accepted are finite numbers"
        )
    largest = np.abs(array).max()
    if largest > _LARGEST or 0 < largest < _SMALLEST:
        raise ProblemError(
            f"{name} has largest entry {largest:g}; accepted is {_SMALLEST:g} to {_LARGEST:g}: "
            "rescale the data"
        )
    array.setflags(write=False)
    return array


def _one_of(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in accepted:
        raise ProblemError(f"{name} is {value!r}; accepted is one of {', '.join(accepted)}")


def _require_strength(problem: Problem) -> None:
    """Raise ProblemError where beta R, R ~ (‖Y‖/‖X‖)^{2/L}, is nothing beside ½‖Y‖²."""
    X, Y, beta = (float(np.linalg.norm(A)) for A in (problem.X, problem.Y, problem.beta or 0.0))
    degree = 1.0 if problem.regularizer == "power" else 2 / problem.depth
    weakest = _WEAKEST * Y**2 * (X / Y) ** degree if Y > 0 else 0.0
    if beta < weakest:
        raise ProblemError(
            f"beta is {beta:g}; accepted on this data is a number from {weakest:.1g}, or null, "
            "which interpolates"
        )


def _require_interpolable(problem: Problem) -> None:
    """Raise InfeasibleError with the reason if no network interpolates.

    Linear: Y must lie in the column span of X. ReLU networks without biases are positively
    homogeneous, so f on a ray is fixed by one value; with that, depth ≥ 3 always interpolates.
    At depth 2, f(x) − f(−x) is moreover linear in x, since φ(t) − φ(−t) = t; even parts are
    free because |⟨x, u⟩| over distinct lines are linearly independent.
    """
    X, Y = problem.inputs, problem.Y
    if problem.output_bias == "free":  # constants cost nothing
        Y = Y - Y.mean(axis=0)
    scale = float(np.linalg.norm(Y))
    if scale == 0:
        return
    if problem.activation == "linear":
        _require_linear_fit(X, Y, scale, "Y is not in the column span of X")
        return
    ray, slopes, directions = _rays(X, Y)
    for i in range(problem.n):
        expected = slopes[ray[i]] * np.linalg.norm(X[i]) if ray[i] >= 0 else np.zeros(problem.k)
        if np.linalg.norm(Y[i] - expected) > FEASIBILITY_TOLERANCE * scale:
            have = "without" if problem.first_bias == "none" else "with these"
            why = "X has a zero row" if ray[i] < 0 else "two rows of X point the same way"
            raise InfeasibleError(
                f"no ReLU network {have} biases interpolates: {why} and row {i} of Y does not "
                "scale with it; accepted are targets that agree there, or a positive beta"
            )
    if problem.depth == 2:
        pairs = [
            (i, j)
            for i in range(len(directions))
            for j in range(i)
            if np.linalg.norm(directions[i] + directions[j]) <= RANK_TOLERANCE
        ]
        if pairs:
            first, second = (np.array(side) for side in zip(*pairs, strict=True))
            odd = slopes[first] - slopes[second]
            _require_linear_fit(
                directions[first],
                odd,
                float(max(np.linalg.norm(odd), np.linalg.norm(slopes))),
                "on opposite rows x and −x of X a two-layer ReLU network has f(x) − f(−x) linear "
                "in x, and Y has not",
            )


def _require_linear_fit(A: Array, B: Array, scale: float, why: str) -> None:
    residual = B - A @ np.linalg.lstsq(A, B, rcond=RANK_TOLERANCE)[0]
    error = np.linalg.norm(residual) / scale
    if error > FEASIBILITY_TOLERANCE:
        raise InfeasibleError(
            f"no network interpolates: {why} (relative residual {error:.1e}); accepted are such "
            "targets, or a positive beta"
        )


def _rays(X: Array, Y: Array) -> tuple[Array, Array, Array]:
    """Rows grouped by ray: (index of the ray or −1 per row, target per unit length, direction)."""
    norms = np.linalg.norm(X, axis=1)
    ray = np.full(len(X), -1)
    directions: list[Array] = []
    slopes: list[Array] = []
    # Longest rows first: they fix a ray's slope most accurately.
    for i in np.argsort(-norms, kind="stable"):
        if norms[i] <= RANK_TOLERANCE * norms.max():
            continue
        unit = X[i] / norms[i]
        for j, direction in enumerate(directions):
            if np.linalg.norm(unit - direction) <= RANK_TOLERANCE:
                ray[i] = j
                break
        else:
            ray[i] = len(directions)
            directions.append(unit)
            slopes.append(Y[i] / norms[i])
    return ray, np.array(slopes), np.array(directions)
