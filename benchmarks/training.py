"""Training throughput: one batched program against one torch network at a time.

    python -m benchmarks.training OUT.csv [--quick] [--device cuda]

Every method gets the same regularised problems and the same random starts. A start counts as
solved when its objective is within `TOLERANCE` of the lowest value known for its problem; many
starts end in worse local minima with any method. Throughput is the number of starts solved per
second of one thread. A network trained alone stops at the step that solves it; batched L-BFGS
drops solved starts between rounds, and batched Adam runs all its steps. Runs of the methods
alternate; medians are written.
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
    "benchmark", "case", "n", "d", "k", "depth", "restarts", "device", "method", "accuracy",
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
    weights: Tensor

    @staticmethod
    def of(case: Case, device: str) -> Starts:
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

        def spread(arrays: list[np.ndarray]) -> Tensor:
            return torch.from_numpy(np.stack(arrays)).repeat_interleave(each, 0).to(device)

        batch = Batch(
            shape, False, spread([s.X for s in scaled])[:, None], spread([s.Y for s in scaled]),
            spread([np.array(s.penalty) for s in scaled]),
        )  # fmt: skip
        weights = torch.cat([initial(shape, s.X, each, i) for i, s in enumerate(scaled)])
        return Starts(shape, batch, weights.to(device))

    def values(self, weights: Tensor) -> Tensor:
        """R + ½‖f(X) − Y‖²/β (B,)."""
        return self.batch.at(weights).value(fit(self.batch))

    def chosen(self, index: Tensor) -> Starts:
        return Starts(self.shape, self.batch.rows(index), self.weights[index])


def batched_adam(starts: Starts, targets: Tensor) -> Tensor:
    """The lowest value of every start."""
    rates = torch.full_like(targets, _RATE)
    return descend(starts.batch, starts.weights, targets, 1, _ADAM, rates, 20)[1]


def batched_lbfgs(starts: Starts, targets: Tensor) -> Tensor:
    """The last value of every start; those that are solved leave the batch between rounds."""
    lowest = torch.full_like(targets, torch.inf)
    going = torch.arange(len(targets), device=targets.device)
    for _ in range(_LBFGS // _ROUND):
        weights = lbfgs(starts.batch, starts.weights, fit(starts.batch), None, _ROUND)
        lowest[going] = values = starts.values(weights)
        left = (values > targets[going]).nonzero()[:, 0]
        if not len(left):
            break
        going = going[left]
        starts = replace(starts, weights=weights).chosen(left)
    return lowest


class _Solved(Exception):
    """The network trained alone has reached its target."""


def _alone(train: Callable[[nn.Module, Callable[[], Tensor]], None]) -> Method:
    """Train one torch.nn network after another."""

    def run(starts: Starts, targets: Tensor) -> Tensor:
        lowest = torch.full_like(targets, torch.inf)
        for i, target in enumerate(targets.tolist()):
            X, Y = starts.batch.X[i, 0], starts.batch.Y[i]
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
                train(network, loss)
            except _Solved:
                continue
        return lowest

    return run


def _module(starts: Starts, i: int) -> nn.Module:
    """Start i as a torch module."""
    layers: list[nn.Module] = []
    for W in starts.shape.views(starts.weights[i]):
        linear = nn.Linear(W.shape[1], W.shape[2], bias=False, dtype=W.dtype, device=W.device)
        with torch.no_grad():
            linear.weight.copy_(W[0].T)
        layers += [linear, nn.ReLU()] if starts.shape.activation == "relu" else [linear]
    return nn.Sequential(*(layers[:-1] if starts.shape.activation == "relu" else layers))


def _adam(network: nn.Module, loss: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 10 ** (-2 / _ADAM))
    for _ in range(_ADAM):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        schedule.step()


def _lbfgs(network: nn.Module, loss: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=_LBFGS, max_eval=_LBFGS, history_size=12,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return float(value.detach())

    optimizer.step(closure)


Method = Callable[[Starts, Tensor], Tensor]
METHODS: dict[str, Method] = {
    "batched adam": batched_adam,
    "batched lbfgs": batched_lbfgs,
    "torch adam": _alone(_adam),
    "torch lbfgs": _alone(_lbfgs),
}


def measure(case: Case, device: str, runs: int, sample: int) -> list[dict[str, object]]:
    """One row per method: medians over interleaved runs.

    Networks trained alone are too slow for all starts: every run takes `sample` of them, evenly
    spread over instances and sizes of start, other ones each time.
    """
    starts = Starts.of(case, device)
    each = case.restarts // _INSTANCES
    lowest = torch.minimum(*(_in_pieces(m, starts, None) for m in (batched_adam, batched_lbfgs)))
    best = lowest.reshape(_INSTANCES, each).amin(1).repeat_interleave(each)
    targets = (1 + TOLERANCE) * best
    records: dict[str, list[tuple[float, float, float]]] = {name: [] for name in METHODS}
    for run in range(runs):
        for name, method in METHODS.items():
            some = torch.arange(case.restarts, device=device)
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
            "benchmark": "training", "case": case.name, **sizes, "device": device, "method": name,
            "accuracy": accuracy, "seconds": seconds, "throughput": throughput,
            "ratio": throughput / alone if alone else float("inf"),
        }
        for name, (accuracy, seconds, throughput) in medians.items()
    ]  # fmt: skip


def _in_pieces(method: Method, starts: Starts, targets: Tensor | None) -> Tensor:
    """A method's values, for as many networks at a time as the cache likes (all on a device)."""
    count = len(starts.weights)
    size = starts.shape.chunk if starts.weights.device.type == "cpu" else count
    if targets is None:
        targets = torch.zeros_like(starts.weights[:, 0])
    pieces = torch.arange(count, device=starts.weights.device).split(size)
    values = torch.cat([method(starts.chosen(piece), targets[piece]) for piece in pieces])
    return values.cpu().to(starts.weights.device)


def main(arguments: list[str] | None = None) -> int:
    """Measure every case and write the CSV."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("output", type=Path)
    parser.add_argument("--quick", action="store_true", help="one tiny case")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda where there is one")
    given = parser.parse_args(arguments)
    if given.device != "cpu" and not torch.cuda.is_available():
        parser.error(f"--device {given.device}: this torch sees no CUDA device; accepted: cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for case in QUICK if given.quick else CASES:
        rows += measure(case, given.device, *((1, 16) if given.quick else (3, 24)))
    torch.set_num_threads(before)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(given.output) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
