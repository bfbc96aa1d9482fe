"""What gradient descent reaches: batched multi-restart training of the non-convex problem."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from zerogap.networks import Network
from zerogap.problem import RANK_TOLERANCE, Array, Problem

# Largest ‖f(X) − Y‖_F / ‖Y‖_F with which a restart counts as interpolating.
INTERPOLATION_TOLERANCE = 1e-9
# μ at the start of the descent and, for the best restarts, of its slow second half, which some
# problems want tight and others tighter; and by how many decades μ and the rate fall in each.
_LOOSE = 0.005
_TIGHT = (5e-3, 5e-4)
_TIGHTENING = 1.5
_DECAY = 2.0
# Share of the largest eigenvalue of JJᵀ below which the metric treats directions alike: linear
# networks must hold tiny singular values, and at kinks the small eigenvalues mislead.
_RIDGE = {"linear": 1e-7, "relu": 1e-4}
# Learning rates of the restarts, two by two, and of the slow half, as shares of the option: deep
# networks want less than shallow ones.
_PACES = (1.0, 0.3)
_SLOW = 0.15
# Passes of the slow half, and the relative gain that is worth another one.
_PASSES = 4
_PAYS = 3e-4
# Largest growth of R that a return to interpolation may cost.
_RISE = 1.1
# Stiffness of the walls around an activation pattern, and rounds of multipliers.
_STIFFNESS = 10.0
# Gauss–Newton steps towards interpolation, and the error that needs no further one.
_CORRECTIONS = 6
_CORRECTED = 1e-14
_INTERPOLATED = 1e-2 * INTERPOLATION_TOLERANCE
_ROUNDS = 8


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how wide to train; the defaults serve every problem of the theory.

    restarts: random starts per problem. width: hidden width of a standard network, or inner
    width of a branch. branches: number of branches m. None chooses both from n, d, k so that an
    optimum fits with room to spare (theory §8). steps, learning_rate: Adam on every restart.
    refresh: steps between two returns to exact interpolation. polished: how many of the best
    restarts go on, for polish_steps of slow Adam (ReLU: the kinks need it) and lbfgs_steps of
    L-BFGS in each of eight rounds of multipliers.
    """

    restarts: int = 32
    width: int | None = None
    branches: int | None = None
    steps: int = 2000
    learning_rate: float = 0.1
    refresh: int = 20
    polished: int = 4
    polish_steps: int = 4000
    lbfgs_steps: int = 60


@dataclass(frozen=True, eq=False)
class Training:
    """What training reached on one problem.

    network: the best restart, balanced; value, error: its objective and ‖f(X) − Y‖_F. Where no
    restart interpolates, the network is the one nearest to it and the value is infinite.
    values: the objective of every restart, ascending, infinite where it diverged or misses
    interpolation. curve (T, 2): step, and the best upper bound known by then.
    """

    network: Network
    value: float
    error: float
    values: Array
    curve: Array


def train(
    problems: Sequence[Problem],
    seeds: Sequence[int],
    options: TrainingOptions = TrainingOptions(),
    device: str = "cpu",
) -> list[Training]:
    """Train every problem from `restarts` random starts, one result per problem, in order.

    Problems of one shape run as one tensor program; what comes out for a problem depends on its
    own seed alone, to the last bit where at least two restarts are trained and two polished.
    """
    scaled = [_scale(problem) for problem in problems]
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, (problem, normal) in enumerate(zip(problems, scaled, strict=True)):
        key = (_Shape.of(problem, normal, options), problem.beta is None)
        groups.setdefault(key, []).append(i)
    results: dict[int, Training] = {}
    for (shape, _), members in groups.items():
        assert isinstance(shape, _Shape)
        size = max(1, shape.chunk // options.restarts)
        for start in range(0, len(members), size):
            chunk = members[start : start + size]
            trained = _train(
                [problems[i] for i in chunk],
                [scaled[i] for i in chunk],
                [seeds[i] for i in chunk],
                shape,
                options,
                torch.device(device),
            )
            results.update(zip(chunk, trained, strict=True))
    return [results[i] for i in range(len(problems))]


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A problem in coordinates of order one, with the way back.

    Weights go back as W₁ = gain·basis·Ŵ₁, W_l = gain·Ŵ_l, values as unit·value + offset; penalty
    is β in the new units (0: interpolation).
    """

    X: Array
    Y: Array
    basis: Array
    gain: float
    penalty: float
    unit: float
    offset: float


def _scale(problem: Problem) -> _Scaled:
    """Rotate the inputs to rank X coordinates and bring data and targets to order one.

    Weights of W₁ outside the row space of X cost and do nothing. Interpolation constraints may
    be multiplied from the left by anything that commutes with the network: an invertible matrix
    if it is linear, positive row scales if it is positively homogeneous. Both keep the problem
    and make it well conditioned.
    """
    X, Y = problem.X, problem.Y
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    rank = max(1, int(np.sum(s > RANK_TOLERANCE * s[0])))
    U, s, Vt = U[:, :rank], s[:rank], Vt[:rank]
    offset = 0.0
    if problem.activation == "linear":
        inner = U.T @ Y
        offset = 0.0 if problem.beta is None else 0.5 * float(np.sum((Y - U @ inner) ** 2))
        X, Y = np.diag(s), inner
        if problem.beta is None and s[0] > 0:
            X, Y = np.eye(rank), inner / s[:, None]
    else:
        X = U * s
        if problem.beta is None:
            rows = np.linalg.norm(X, axis=1, keepdims=True)
            rows[rows <= RANK_TOLERANCE * rows.max()] = 1.0
            X, Y = X / rows, Y / rows
            # Rows on one ray ask for the same thing.
            rays: list[int] = []
            for i, row in enumerate(X):
                if all(np.linalg.norm(row - X[j]) > RANK_TOLERANCE for j in rays):
                    rays.append(i)
            X, Y = X[rays], Y[rays]
    a = float(np.linalg.norm(X, 2)) or 1.0
    b = float(np.linalg.norm(Y)) or 1.0
    degree = 2 if problem.regularizer == "weight_decay" else problem.depth
    gain = (b / a) ** (1 / problem.depth)
    unit = gain**degree * (problem.beta or 1.0)
    penalty = 0.0 if problem.beta is None else unit / b**2
    return _Scaled(X / a, Y / b, Vt.T, gain, penalty, unit, offset)


@dataclass(frozen=True)
class _Shape:
    """Sizes of a batch of equal networks: m branches of layers a×b, as one vector of weights."""

    n: int
    k: int
    branches: int
    layers: tuple[tuple[int, int], ...]
    activation: str
    degree: int
    split: bool

    @staticmethod
    def of(problem: Problem, scaled: _Scaled, options: TrainingOptions) -> _Shape:
        n, d = scaled.X.shape
        k, depth = scaled.Y.shape[1], problem.depth
        relu = problem.activation == "relu"
        parallel = problem.architecture == "parallel"
        if parallel:
            branches = options.branches or (k * n + 7 if relu else 2 * min(n, k) + 2)
            width = options.width or (n + 1 if relu else 1)
            end = 1
        else:
            branches = 1
            roomy = 2 * (k * n + 1) if depth == 2 else k * n + 4
            end = width = options.width or (roomy if relu else 2 * min(n, k) + 2)
        # A branch of depth two is one neuron: side by side they are one standard network.
        split = parallel and depth == 2
        if split:
            branches, end = 1, branches
        widths = [d, *[width] * (depth - 2), end, k]
        degree = 2 if problem.regularizer == "weight_decay" else depth
        return _Shape(
            n, k, branches, tuple(pairwise(widths)), problem.activation,
            degree, split,
        )  # fmt: skip

    @property
    def sizes(self) -> list[int]:
        return [self.branches * a * b for a, b in self.layers]

    @property
    def chunk(self) -> int:
        """Networks per tensor program: few enough for their activations to stay in cache."""
        return max(1, 2**18 // (sum(self.sizes) + self.n * self.branches * len(self.layers)))

    def views(self, weights: Tensor) -> list[Tensor]:
        """The layers, (…, m, a, b), of weights (…, P)."""
        return [
            part.reshape(*part.shape[:-1], self.branches, a, b)
            for part, (a, b) in zip(weights.split(self.sizes, -1), self.layers, strict=True)
        ]

    def network(self, weights: Array, scaled: _Scaled) -> Network:
        """The network, in the problem's own coordinates, of one weight vector (P,)."""
        layers = [W.numpy() * scaled.gain for W in self.views(torch.from_numpy(weights))]
        layers[0] = scaled.basis @ layers[0]
        if self.split:
            first, last = layers[0][0], layers[1][0]
            layers = [first.T[:, :, None], last[:, None, :]]
        branches = [tuple(W[j] for W in layers) for j in range(len(layers[0]))]
        alive = [b for b in branches if all(np.any(W) for W in b)] or branches[:1]
        return Network(tuple(alive), self.activation).balanced()


@dataclass(frozen=True, eq=False)
class _Walls:
    """A fixed activation pattern per network, and multipliers that hold its inequalities.

    signs[l] (B, m, n, w) is ±1 where a pre-activation z may be positive or negative; the
    augmented Lagrangian of signs·z ≥ 0 makes the kinks of the ReLU smooth constraints.
    """

    signs: list[Tensor]
    multipliers: list[Tensor]
    stiffness: float

    def free(self) -> _Walls:
        """The pattern alone."""
        return replace(self, multipliers=[], stiffness=0.0)

    def push(self, layer: int, Z: Tensor) -> Tensor:
        """Multipliers that the constraints of one layer ask for, non-negative."""
        return (self.multipliers[layer] - self.stiffness * self.signs[layer] * Z).clamp(min=0)


@dataclass(frozen=True, eq=False)
class _Data:
    """Data of the networks of a batch, (B, 1, n, d) and (B, n, k), and their shape.

    exact: interpolation is asked. penalty (B,): beta otherwise.
    """

    shape: _Shape
    exact: bool
    X: Tensor
    Y: Tensor
    penalty: Tensor

    def rows(self, index: Tensor) -> _Data:
        """The data of some of the networks."""
        return replace(self, X=self.X[index], Y=self.Y[index], penalty=self.penalty[index])

    def forward(
        self, weights: Tensor, walls: _Walls | None = None
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Hidden outputs A₀ … A_{L-1}, pre-activations, and f(X) (B, n, k)."""
        *inner, last = self.shape.views(weights)
        hidden, before = [self.X], []
        for layer, W in enumerate(inner):
            Z = hidden[-1] @ W
            before.append(Z)
            if self.shape.activation == "relu":
                Z = Z.clamp(min=0) if walls is None else Z * (walls.signs[layer] > 0)
            hidden.append(Z)
        return hidden, before, (hidden[-1] @ last).sum(-3)

    def backward(
        self,
        weights: Tensor,
        hidden: list[Tensor],
        before: list[Tensor],
        outer: Tensor,
        walls: _Walls | None = None,
    ) -> Tensor:
        """Gradient (…, B, P) of ⟨outer, f(X)⟩, and of the walls' penalty; outer: (…, B, n, k)."""
        layers = self.shape.views(weights)
        flow = outer.unsqueeze(-3)
        gradients = []
        for layer in reversed(range(len(layers))):
            gradient = hidden[layer].mT @ flow
            gradients.append(gradient.flatten(-3))
            if layer == 0:
                break
            flow = flow @ layers[layer].mT
            if self.shape.activation == "relu":
                Z = before[layer - 1]
                if walls is None:
                    flow = flow * (Z > 0)
                else:
                    signs = walls.signs[layer - 1]
                    flow = flow * (signs > 0)
                    if walls.stiffness:
                        flow = flow - signs * walls.push(layer - 1, Z)
        return torch.cat(gradients[::-1], -1)

    def regularizer(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """R (B,) and its gradient (B, P)."""
        if self.shape.degree == 2:
            return 0.5 * (weights**2).sum(-1), weights
        total = torch.zeros_like(weights[:, 0])
        gradients = []
        for W in self.shape.views(weights):
            squares = (W**2).sum((-2, -1), keepdim=True)
            # Products, not pow: its vector and scalar code differ in the last bit, and a result
            # must not depend on where in the batch it stands.
            power = squares.sqrt() if self.shape.degree % 2 else torch.ones_like(squares)
            for _ in range((self.shape.degree - 2) // 2):
                power = power * squares
            total = total + 0.5 * (power * squares).sum((-3, -2, -1))
            gradients.append((0.5 * self.shape.degree * power * W).flatten(-3))
        return total, torch.cat(gradients, -1)

    def loss(
        self, weights: Tensor, pull: _Pull, walls: _Walls | None = None
    ) -> tuple[Tensor, Tensor]:
        """R + ⟨Λ, r⟩ + ½ rᵀMr (+ walls) with r = f(X) − Y: values (B,), gradient (B, P)."""
        hidden, before, outputs = self.forward(weights, walls)
        residual = (outputs - self.Y).flatten(1)
        force = (pull.metric @ residual[:, :, None])[..., 0]
        total, gradient = self.regularizer(weights)
        total = total + (residual * (pull.multipliers + 0.5 * force)).sum(1)
        outer = (pull.multipliers + force).reshape(outputs.shape)
        gradient = gradient + self.backward(weights, hidden, before, outer, walls)
        if walls is not None:
            for layer, Z in enumerate(before):
                push = walls.push(layer, Z)
                total = total + 0.5 * (push**2).sum((-3, -2, -1)) / walls.stiffness
        return total, gradient

    def linearized(
        self, weights: Tensor, walls: _Walls | None = None, last: bool = False
    ) -> _Linearized:
        """f around the weights, as a function of all of them or of the last layer's."""
        hidden, before, outputs = self.forward(weights, walls)
        nk = self.shape.n * self.shape.k
        unit = torch.eye(nk, dtype=weights.dtype, device=weights.device)
        unit = unit.reshape(nk, 1, *outputs.shape[1:]).expand(-1, len(weights), -1, -1)
        free = None if walls is None else walls.free()
        J = self.backward(weights, hidden, before, unit, free).transpose(0, 1)
        if last:
            J[..., : -self.shape.sizes[-1]] = 0
        gram = J @ J.mT
        finite = torch.isfinite(gram).all(-1, keepdim=True).all(-2, keepdim=True)
        values, vectors = torch.linalg.eigh(torch.where(finite, gram, 0.0))
        inverse = torch.where(values > 1e-13 * values[:, -1:], 1 / values, 0.0)
        ridge = _RIDGE[self.shape.activation]
        return _Linearized(ridge, (self.Y - outputs).flatten(1), J, values, vectors, inverse)

    def corrected(self, weights: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
        """The nearest interpolating weights by Gauss–Newton, and their ‖f(X) − Y‖ (B,).

        Of every network the best iterate counts; those that interpolate drop out.
        """
        best = weights.clone()
        least = (self.forward(weights)[2] - self.Y).flatten(1).norm(dim=1)
        active = (least > _CORRECTED).nonzero()[:, 0]
        weights = weights[active]
        for _ in range(_CORRECTIONS):
            if not len(active):
                break
            if len(active) == 1:
                # A lone matrix product is summed in another order than one of a batch.
                active, weights = active.repeat(2), weights.repeat(2, 1)
            data = self.rows(active)
            around = data.linearized(weights, last=last)
            step = around.J.mT @ around.solve(around.missing)[:, :, None]
            weights = weights + step[..., 0]
            errors = (data.forward(weights)[2] - data.Y).flatten(1).norm(dim=1)
            better = errors < least[active]
            least[active[better]] = errors[better]
            best[active[better]] = weights[better]
            going = (errors > _CORRECTED) & errors.isfinite()
            active, weights = active[going], weights[going]
        return best, least

    def feasible(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Weights made to interpolate where that is asked, and values (B,), infinite if not."""
        if self.exact:
            there, errors = self.corrected(weights)
            # Across kinks Gauss–Newton may not settle; the last layer alone meets none.
            lost = (errors > _INTERPOLATED).nonzero()[:, 0]
            if len(lost) and self.shape.activation == "relu":
                there[lost], errors[lost] = self.rows(lost).corrected(weights[lost], last=True)
            good, weights = errors <= _INTERPOLATED, there
            values = self.regularizer(weights)[0]
        else:
            values, _ = self.loss(weights, self.pull(weights, self.penalty))
            good = values.isfinite()
        return weights, torch.where(good, values, math.inf)

    def pull(self, weights: Tensor, tightness: Tensor, walls: _Walls | None = None) -> _Pull:
        """What holds interpolation with μ = tightness (B,), or the fit ½‖f(X) − Y‖²/β."""
        if self.exact:
            _, gradient = self.regularizer(weights)
            return self.linearized(weights, walls).pull(gradient, tightness)
        unit = torch.eye(self.Y[0].numel(), dtype=weights.dtype, device=weights.device)
        return _Pull(torch.zeros_like(self.Y).flatten(1), unit / self.penalty[:, None, None])


@dataclass(frozen=True, eq=False)
class _Pull:
    """What pulls f(X) to Y: multipliers Λ (B, nk) and a metric M (B, nk, nk)."""

    multipliers: Tensor
    metric: Tensor


@dataclass(frozen=True, eq=False)
class _Linearized:
    """Y − f(X) (B, nk), the Jacobian J of f (B, nk, P), and JJᵀ by its eigenvectors."""

    ridge: float
    missing: Tensor
    J: Tensor
    values: Tensor
    vectors: Tensor
    inverse: Tensor

    def solve(self, right: Tensor) -> Tensor:
        """(JJᵀ)⁺ right."""
        inner = (self.vectors.mT @ right[:, :, None])[..., 0] * self.inverse
        return (self.vectors @ inner[:, :, None])[..., 0]

    def pull(self, gradient: Tensor, tightness: Tensor) -> _Pull:
        """Least-squares multipliers for the gradient of R, and the metric (JJᵀ)⁺/μ.

        In this metric every direction of f costs what it takes in weights, so that one μ serves
        targets of very different sizes: the negative curvature that the multipliers give a small
        singular value of a deep network is bounded in weight space only.
        """
        soft = 1 / (self.values.clamp(min=0) + self.ridge * self.values[:, -1:] + 1e-300)
        tense = replace(self, inverse=soft)
        multipliers = -tense.solve((self.J @ gradient[:, :, None])[..., 0])
        metric = (self.vectors * soft[:, None]) @ self.vectors.mT
        return _Pull(multipliers, metric / tightness[:, None, None])


def _train(
    problems: list[Problem],
    scaled: list[_Scaled],
    seeds: list[int],
    shape: _Shape,
    options: TrainingOptions,
    device: torch.device,
) -> list[Training]:
    restarts, count = options.restarts, len(problems)

    def spread(values: list[Array]) -> Tensor:
        stacked = torch.from_numpy(np.stack(values)).to(device)
        return stacked.repeat_interleave(restarts, 0)

    data = _Data(
        shape,
        problems[0].beta is None,
        spread([s.X for s in scaled])[:, None],
        spread([s.Y for s in scaled]),
        spread([np.array(s.penalty) for s in scaled]),
    )
    weights = torch.cat(
        [_initial(shape, s.X, restarts, seed) for s, seed in zip(scaled, seeds, strict=True)]
    ).to(device)
    loose = torch.full_like(weights[:, 0], _LOOSE)
    paces = weights.new_tensor(_PACES).repeat_interleave(2)
    rates = options.learning_rate * paces.repeat(restarts // len(paces) + 1)[:restarts]
    kept, values, curve = _descend(
        data, weights, loose, count, options.steps, rates.repeat(count), options.refresh
    )
    chosen = _best(values, count, options.polished)
    polished, better, tails = _polish(data.rows(chosen), kept[chosen], count, options)
    # A polish that ends higher, as it may on the wrong side of a kink, is dropped.
    improved = better < values[chosen]
    kept[chosen[improved]] = polished[improved]
    results = []
    for i, (problem, normal) in enumerate(zip(problems, scaled, strict=True)):
        own = kept[i * restarts : (i + 1) * restarts].cpu().numpy()
        bounds = np.concatenate([curve[:, [0, 1 + i]], tails[i]])
        bounds[:, 1] = normal.unit * np.minimum.accumulate(bounds[:, 1]) + normal.offset
        results.append(_result(problem, [shape.network(w, normal) for w in own], bounds))
    return results


def _result(problem: Problem, networks: list[Network], curve: Array) -> Training:
    """Judge the restarts in the problem's own coordinates."""
    allowed = INTERPOLATION_TOLERANCE * np.linalg.norm(problem.Y)
    errors = np.array([network.error(problem) for network in networks])
    values = np.array([network.objective(problem) for network in networks])
    if problem.beta is None:
        values[~(errors <= allowed)] = math.inf
    order = np.lexsort((errors, values))
    first = order[0]
    return Training(
        networks[first], float(values[first]), float(errors[first]), values[order], curve
    )


def _initial(shape: _Shape, X: Array, restarts: int, seed: int) -> Tensor:
    """Random weights (restarts, P), from small outputs to large ones."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    draw = torch.randn(restarts, sum(shape.sizes), generator=generator, dtype=torch.float64)
    layers = shape.views(draw)
    depth = len(layers)
    # Output sizes from 0.1 to 3: small starts find few neurons, large ones find the fit.
    size = 10 ** torch.linspace(-1, 0.5, restarts, dtype=torch.float64)
    size = size / shape.branches**0.5
    scale = 2.0 if shape.activation == "relu" else 1.0
    for layer, W in enumerate(layers):
        fan = W.shape[-2] / (scale if layer else 1.0)
        W *= (size ** (1 / depth) / math.sqrt(fan))[:, None, None, None]
    if shape.activation == "relu":
        _lean(layers[0], torch.from_numpy(X), generator)
    widest = min(shape.n, shape.k) - 1
    if shape.branches == 1 and shape.activation == "relu" and widest >= 2:
        # Every other start of a deep network has a bottleneck, which weight decay may like better
        # than full rank (theory §7) and seldom falls into by itself; its neurons pass on what they
        # get, or few of them would live.
        for start in range(1, restarts, 2):
            width = 2 + start // 2 % (widest - 1)
            for layer in range(1, depth - 2):
                layers[layer][start].abs_()
                if layer > 1:
                    layers[layer][start] += torch.eye(layers[layer].shape[-1], dtype=draw.dtype)
                layers[layer][start, :, :, width:] = 0
                layers[layer + 1][start, :, width:] = 0
    return torch.cat([W.flatten(1) for W in layers], 1)


def _lean(W: Tensor, X: Tensor, generator: torch.Generator) -> None:
    """Turn half of the first-layer neurons towards a vertex of the arrangement of X, in place.

    An optimal neuron may sit in a cell so thin that no random direction falls into it; every cell
    touches a vertex, a direction that d − 1 samples are orthogonal to. W: (restarts, m, d, w).
    """
    n, d = X.shape
    if d == 1:
        return
    neurons = W.mT
    draw = torch.rand(*neurons.shape[:-1], n + 2, generator=generator, dtype=W.dtype)
    rows = X[draw[..., :n].argsort(-1)[..., : d - 1]]
    frame = torch.linalg.qr(rows.mT).Q
    share = torch.where(draw[..., n] < 0.5, 0.0, 1 - 10 ** (-3 * draw[..., n + 1]))
    along = (frame @ (frame.mT @ neurons[..., None]))[..., 0]
    neurons -= share[..., None] * along


def _descend(
    data: _Data,
    weights: Tensor,
    tightness: Tensor,
    count: int,
    steps: int,
    rates: Tensor,
    refresh: int,
) -> tuple[Tensor, Tensor, Array]:
    """Adam; the best weights met per network, their values, and the curve of every problem.

    Every `refresh` steps the networks return to interpolation where that costs little, and
    multipliers and metric are renewed there; in between the penalty, with μ from `tightness`
    (B,) down, holds them near it. The curve has one row per refresh: step, best values so far.
    """
    first, second = torch.zeros_like(weights), torch.zeros_like(weights)
    kept, values = weights, torch.full_like(weights[:, 0], math.inf)
    pull = data.pull(weights, tightness)
    curve = []
    for step in range(steps + 1):
        share = step / steps
        if step % refresh == 0:
            there, current = data.feasible(weights)
            size = data.regularizer(there)[0]
            better = (current < values) | (values.isinf() & size.isfinite())
            kept = torch.where(better[:, None], there, kept)
            values = torch.minimum(values, current)
            curve.append([step, *values.reshape(count, -1).amin(1).tolist()])
            # Near kinks Gauss–Newton may land far away; such a network is left where it is.
            near = current <= _RISE * data.regularizer(weights)[0]
            near = current.isfinite() if step == 0 else near
            weights = torch.where(near[:, None], there, weights)
            pull = data.pull(weights, tightness * 10 ** (-_TIGHTENING * share))
        _, gradient = data.loss(weights, pull)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        unbiased = (second / (1 - 0.99 ** (step + 1))).sqrt() + 1e-12
        length = rates * 10 ** (-_DECAY * share) / (1 - 0.9 ** (step + 1))
        weights = weights - length[:, None] * first / unbiased
    return kept, values, np.array(curve)


def _best(values: Tensor, count: int, keep: int) -> Tensor:
    """Indices into the batch of the `keep` smallest values of every problem."""
    order = values.reshape(count, -1).argsort(dim=1, stable=True)[:, :keep]
    start = len(values) // count * torch.arange(count, device=values.device)
    return (order + start[:, None]).flatten()


def _polish(
    data: _Data, weights: Tensor, count: int, options: TrainingOptions
) -> tuple[Tensor, Tensor, list[list[list[float]]]]:
    """Slow Adam across the last kinks (ReLU), then L-BFGS on the pattern that it found."""
    weights, values = data.feasible(weights)
    reached = values.reshape(count, -1).amin(1)
    curves: list[list[list[float]]] = [[] for _ in range(count)]
    going = torch.arange(count, device=weights.device)
    slow = data.shape.activation == "relu" and options.polish_steps > 0
    for done in range(_PASSES if slow else 0):
        own = torch.arange(len(weights), device=weights.device).reshape(count, -1)[going].flatten()
        every = own.repeat_interleave(len(_TIGHT))
        tight = weights.new_tensor(_TIGHT).repeat(len(own))
        moved, found, rows = _descend(
            data.rows(every),
            weights[every],
            tight,
            len(going),
            options.polish_steps,
            torch.full_like(tight, _SLOW * options.learning_rate),
            2 * options.refresh,
        )
        pick = _best(found, len(own), 1)
        weights[own], values[own] = moved[pick], found[pick]
        rows[:, 0] += options.steps + done * options.polish_steps
        for column, i in enumerate(going.tolist()):
            curves[i].extend(rows[:, [0, 1 + column]].tolist())
        now = values.reshape(count, -1).amin(1)
        # Hard problems, with samples on almost one line, go on while it pays.
        going = (now < (1 - _PAYS) * reached).nonzero()[:, 0]
        reached = now
        if not len(going):
            break
    refined, better = data.feasible(_refine(data, weights, options.lbfgs_steps))
    weights = torch.where((better < values)[:, None], refined, weights)
    values = torch.minimum(values, better)
    for curve, last in zip(curves, values.reshape(count, -1).amin(1).tolist(), strict=True):
        curve.append([curve[-1][0] if curve else options.steps, last])
    return weights, values, curves


def _refine(data: _Data, weights: Tensor, steps: int) -> Tensor:
    """L-BFGS on the augmented Lagrangian, with the activation pattern held by walls."""
    walls = None
    if data.shape.activation == "relu":
        _, before, _ = data.forward(weights)
        signs = [torch.where(Z > 0, 1.0, -1.0).to(Z) for Z in before]
        walls = _Walls(signs, [torch.zeros_like(Z) for Z in before], _STIFFNESS)
    pull = data.pull(weights, torch.full_like(weights[:, 0], _LOOSE), walls)
    for _ in range(_ROUNDS):
        weights = _lbfgs(data, weights, pull, walls, steps)
        _, before, outputs = data.forward(weights, walls)
        if data.exact:
            force = pull.metric @ (outputs - data.Y).flatten(1)[:, :, None]
            pull = replace(pull, multipliers=pull.multipliers + force[..., 0])
        if walls is not None:
            walls = replace(walls, multipliers=[walls.push(i, Z) for i, Z in enumerate(before)])
    return weights


def _lbfgs(
    data: _Data,
    weights: Tensor,
    pull: _Pull,
    walls: _Walls | None,
    steps: int,
    memory: int = 12,
) -> Tensor:
    """Batched L-BFGS; one evaluation a step, in which every network moves or halves its step."""
    value, gradient = data.loss(weights, pull, walls)
    S = weights.new_zeros(memory, *weights.shape)
    G = torch.zeros_like(S)
    inverse = weights.new_zeros(memory, len(weights))
    length = torch.ones_like(value)
    for _ in range(steps):
        direction, alphas = gradient, []
        for i in reversed(range(memory)):
            alpha = inverse[i] * (S[i] * direction).sum(1)
            alphas.append(alpha)
            direction = direction - alpha[:, None] * G[i]
        curvature = (G[-1] ** 2).sum(1) * inverse[-1]
        start = torch.where(curvature > 0, 1 / curvature, 1 / gradient.norm(dim=1).clamp(min=1.0))
        direction = direction * start[:, None]
        for i in range(memory):
            beta = inverse[i] * (G[i] * direction).sum(1)
            direction = direction + (alphas[-1 - i] - beta)[:, None] * S[i]
        slope = -(gradient * direction).sum(1)
        trial = weights - length[:, None] * direction
        ahead, slopes = data.loss(trial, pull, walls)
        good = ahead <= value + 1e-4 * length * slope
        s, y = trial - weights, slopes - gradient
        product = (s * y).sum(1)
        keep = good & (product > 1e-10 * s.norm(dim=1) * y.norm(dim=1))
        S = torch.where(keep[:, None], torch.cat([S[1:], s[None]]), S)
        G = torch.where(keep[:, None], torch.cat([G[1:], y[None]]), G)
        inverse = torch.where(keep, torch.cat([inverse[1:], 1 / product[None]]), inverse)
        weights = torch.where(good[:, None], trial, weights)
        value = torch.where(good, ahead, value)
        gradient = torch.where(good[:, None], slopes, gradient)
        length = torch.where(good, 1.0, 0.4 * length)
        # A step this short is no descent: forget the memory and start from the gradient.
        lost = length < 1e-6
        inverse = torch.where(lost, 0.0, inverse)
        length = torch.where(lost, 1.0, length)
    return weights
