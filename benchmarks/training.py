"""Training throughput: our batches against batched autograd, and one torch network at a time.

    python -m benchmarks.training OUT.csv [--quick]

Every method gets the same regularised problems and the same random starts. A start counts as
solved when its objective is within `TOLERANCE` of the lowest value known for its problem; many
starts end in worse local minima with any method. Throughput is the number of starts solved per
second of one thread. A network trained alone stops at the step that solves it; batched L-BFGS
drops solved starts between rounds, and batched Adam runs all its steps, in numpy with gradients in
closed form, and in torch with those of autograd. Runs of the methods alternate; medians are
written.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from zerogap.model.files import replacing
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.training.batch import Batch
from zerogap.training.descent import descend
from zerogap.training.interpolation import fit
from zerogap.training.lbfgs import lbfgs
from zerogap.training.options import TrainingOptions
from zerogap.training.scaling import scale
from zerogap.training.shape import Shape
from zerogap.training.starts import initial

COLUMNS = [
    "benchmark", "case", "n", "d", "k", "depth", "restarts", "method", "accuracy",
    "seconds", "throughput", "ratio",
]  # fmt: skip
# Relative distance from the lowest value known that counts as solved.
TOLERANCE = 1e-3
# Steps and first learning rate of Adam, evaluations of L-BFGS: enough for the tolerance.
_ADAM = 400
_RATE = 0.2
_LBFGS = 150
_ROUND = 30
_INSTANCES = 4


@dataclass(frozen=True)
class Case:
    """Random problems of one size; restarts: networks in the batch, over all instances."""

    name: str
    activation: str
    n: int
    d: int
    k: int
    depth: int
    width: int
    restarts: int


CASES = (
    *(Case("relu-small", "relu", 5, 2, 1, 2, 8, restarts) for restarts in (16, 256, 4096)),
    Case("relu-medium", "relu", 8, 3, 1, 2, 24, 1024),
    Case("relu-three-layer", "relu", 6, 3, 1, 3, 8, 2048),
    Case("linear-three-layer", "linear", 12, 6, 4, 3, 6, 1024),
)
QUICK = (Case("relu-small", "relu", 4, 2, 1, 2, 6, 16),)


@dataclass(frozen=True, eq=False)
class Starts:
    """The networks of a case: data and weights of all starts, instance after instance."""

    shape: Shape
    batch: Batch
    weights: Array

    @staticmethod
    def of(case: Case) -> Starts:
        rng = np.random.default_rng([case.n, case.d, case.k, case.depth])
        problems = [
            Problem(
                rng.normal(size=(case.n, case.d)), rng.normal(size=(case.n, case.k)),
                activation=case.activation, architecture="standard", depth=case.depth, beta=0.1,
            )
            for _ in range(_INSTANCES)
        ]  # fmt: skip
        scaled = [scale(problem) for problem in problems]
        shape = Shape.of(problems[0], scaled[0], TrainingOptions(width=case.width))
        each = case.restarts // _INSTANCES

        def spread(arrays: list[Array]) -> Array:
            return np.stack(arrays).repeat(each, 0)

        batch = Batch(
            shape, False, spread([s.X for s in scaled])[:, None], spread([s.Y for s in scaled]),
            spread([np.array(s.penalty) for s in scaled]),
        )  # fmt: skip
        weights = np.concatenate([initial(shape, s.X, each, i) for i, s in enumerate(scaled)])
        return Starts(shape, batch, weights)

    def values(self, weights: Array) -> Array:
        """R + ½‖f(X) − Y‖²/β (B,)."""
        return self.batch.at(weights).value(fit(self.batch))

    def chosen(self, index: Array) -> Starts:
        return Starts(self.shape, self.batch.rows(index), self.weights[index])


def batched_adam(starts: Starts, targets: Array) -> Array:
    """The lowest value of every start."""
    rates = np.full_like(targets, _RATE)
    return descend(starts.batch, starts.weights, targets, 1, _ADAM, rates, 20)[1]


def batched_lbfgs(starts: Starts, targets: Array) -> Array:
    """The last value of every start; those that are solved leave the batch between rounds."""
    lowest = np.full_like(targets, np.inf)
    going = np.arange(len(targets))
    for _ in range(_LBFGS // _ROUND):
        weights = lbfgs(starts.batch, starts.weights, fit(starts.batch), None, _ROUND)
        lowest[going] = values = starts.values(weights)
        left = np.flatnonzero(values > targets[going])
        if not len(left):
            break
        going = going[left]
        starts = replace(starts, weights=weights).chosen(left)
    return lowest


def batched_autograd(starts: Starts, targets: Array) -> Array:
    """The lowest value of every start by torch's Adam, the gradient of all losses at once."""
    layers = [nn.Parameter(torch.tensor(W)) for W in starts.shape.views(starts.weights)]
    X, Y = torch.from_numpy(starts.batch.X), torch.from_numpy(starts.batch.Y)
    beta = torch.from_numpy(starts.batch.penalty)
    lowest = torch.full_like(beta, torch.inf)

    def loss() -> Tensor:
        A = X
        for W in layers[:-1]:
            A = torch.relu(A @ W) if starts.shape.activation == "relu" else A @ W
        residual = (A @ layers[-1]).sum(1) - Y
        decay = torch.stack([(W**2).sum((1, 2, 3)) for W in layers]).sum(0)
        values = 0.5 * decay + 0.5 * (residual**2).sum((1, 2)) / beta
        torch.minimum(lowest, values.detach(), out=lowest)
        return values.sum()

    _adam(layers, loss)
    return lowest.numpy()


class _Solved(Exception):
    """The network trained alone has reached its target."""


def _alone(train: Callable[[list[nn.Parameter], Callable[[], Tensor]], None]) -> Method:
    """Train one torch.nn network after another."""

    def run(starts: Starts, targets: Array) -> Array:
        lowest = np.full_like(targets, np.inf)
        for i, target in enumerate(targets.tolist()):
            X, Y = map(torch.from_numpy, (starts.batch.X[i, 0], starts.batch.Y[i]))
            beta = float(starts.batch.penalty[i])
            network = _module(starts, i)

            def loss(
                i: int = i, X: Tensor = X, Y: Tensor = Y, beta: float = beta,
                network: nn.Module = network, target: float = target,
            ) -> Tensor:  # fmt: skip
                decay = sum((W**2).sum() for W in network.parameters())
                value = 0.5 * decay + 0.5 * ((network(X) - Y) ** 2).sum() / beta
                lowest[i] = min(float(lowest[i]), float(value.detach()))
                if lowest[i] <= target:
                    raise _Solved
                return value

            try:
                train(list(network.parameters()), loss)
            except _Solved:
                continue
        return lowest

    return run


def _module(starts: Starts, i: int) -> nn.Module:
    """Start i as a torch module."""
    layers: list[nn.Module] = []
    for W in starts.shape.views(starts.weights[i]):
        linear = nn.Linear(W.shape[1], W.shape[2], bias=False, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W[0].T))
        layers += [linear, nn.ReLU()] if starts.shape.activation == "relu" else [linear]
    return nn.Sequential(*(layers[:-1] if starts.shape.activation == "relu" else layers))


def _adam(parameters: list[nn.Parameter], loss: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.Adam(parameters, lr=_RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 10 ** (-2 / _ADAM))
    for _ in range(_ADAM):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        schedule.step()


def _lbfgs(parameters: list[nn.Parameter], loss: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=_LBFGS, max_eval=_LBFGS, history_size=12,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return float(value.detach())

    optimizer.step(closure)


Method = Callable[[Starts, Array], Array]
METHODS: dict[str, Method] = {
    "batched adam": batched_adam,
    "batched lbfgs": batched_lbfgs,
    "batched autograd": batched_autograd,
    "torch adam": _alone(_adam),
    "torch lbfgs": _alone(_lbfgs),
}


def measure(case: Case, runs: int, sample: int) -> list[dict[str, object]]:
    """One row per method: medians over interleaved runs.

    Networks trained alone are too slow for all starts: every run takes `sample` of them, evenly
    spread over instances and sizes of start, other ones each time.
    """
    starts = Starts.of(case)
    each = case.restarts // _INSTANCES
    lowest = np.minimum(*(_in_pieces(m, starts, None) for m in (batched_adam, batched_lbfgs)))
    best = lowest.reshape(_INSTANCES, each).min(1).repeat(each)
    targets = (1 + TOLERANCE) * best
    records: dict[str, list[tuple[float, float, float]]] = {name: [] for name in METHODS}
    for run in range(runs):
        for name, method in METHODS.items():
            some = np.arange(case.restarts)
            if name.startswith("torch"):
                stride = max(1, case.restarts // sample)
                some = some[run % stride :: stride]
            began = time.perf_counter()
            values = _in_pieces(method, starts.chosen(some), targets[some])
            seconds = time.perf_counter() - began
            solved = values <= targets[some]
            excess = (values / best[some] - 1)[solved]
            accuracy = float(excess.max()) if len(excess) else float("nan")
            records[name].append((accuracy, seconds, float(solved.sum()) / seconds))
    medians = {name: np.median(record, axis=0) for name, record in records.items()}
    alone = max(medians[name][2] for name in METHODS if name.startswith("torch"))
    sizes = {key: getattr(case, key) for key in ("n", "d", "k", "depth", "restarts")}
    return [
        {
            "benchmark": "training", "case": case.name, **sizes, "method": name,
            "accuracy": accuracy, "seconds": seconds, "throughput": throughput,
            "ratio": throughput / alone if alone else float("inf"),
        }
        for name, (accuracy, seconds, throughput) in medians.items()
    ]  # fmt: skip


def _in_pieces(method: Method, starts: Starts, targets: Array | None) -> Array:
    """A method's values, for as many networks at a time as the cache likes."""
    count = len(starts.weights)
    if targets is None:
        targets = np.zeros(count)
    pieces = np.split(np.arange(count), range(starts.shape.chunk, count, starts.shape.chunk))
    return np.concatenate([method(starts.chosen(piece), targets[piece]) for piece in pieces])


def main(arguments: list[str] | None = None) -> int:
    """Measure every case and write the CSV."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("output", type=Path)
    parser.add_argument("--quick", action="store_true", help="one tiny case")
    given = parser.parse_args(arguments)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for case in QUICK if given.quick else CASES:
        rows += measure(case, *((1, 16) if given.quick else (3, 24)))
    torch.set_num_threads(before)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(given.output) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
