"""Torch modules are read for what their forward pass computes, or refused by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from zerogap.model.errors import DataError
from zerogap.model.module import as_module
from zerogap.model.network import Network
from zerogap.trained.layers import rounding
from zerogap.trained.modules import read_module

X = np.random.default_rng(0).normal(size=(7, 3))


class Own(nn.Module):
    """A forward pass given as a function of the module."""

    def __init__(self, run: Callable[[Own, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(3, 4)
        self.last, self.skip = nn.Linear(4, 2, bias=False), nn.Linear(3, 2)
        self.relu, self.gelu, self.drop = nn.ReLU(), nn.GELU(), nn.Dropout(0.5)
        self.norm, self.conv = nn.BatchNorm1d(4), nn.Conv1d(1, 1, 1)
        self.U, self.v = nn.Parameter(torch.ones(3, 4)), nn.Parameter(torch.ones(4))
        self.register_buffer("mean", torch.tensor([1.0, 2.0, 3.0]))
        self.run = run

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.run(self, X)


READ: dict[str, nn.Module] = {
    "sequential": nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)),
    "nested": nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2)),
    "no biases": nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2, bias=False)),
    "linear": nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2, bias=False)),
    "dropped": nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)).eval(),
    "half": nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).half(),
    "functional": Own(lambda m, X: m.two(F.relu(m.one(X)))),
    "method": Own(lambda m, X: m.two(m.one(X).relu())),
    "scaled inputs": Own(lambda m, X: m.two(m.relu(m.one((X - m.mean) / 2)))),
    "branches": Own(lambda m, X: m.two(m.relu(m.one(X))) + m.last(m.relu(m.three(X)))),
    "a list summed": Own(lambda m, X: sum([m.two(m.relu(m.one(X))), m.last(m.relu(m.three(X)))])),
    "own parameters": Own(lambda m, X: m.two(torch.relu(X @ m.U + m.v))),
    "functional linear": Own(lambda m, X: m.last(F.relu(F.linear(X, m.one.weight, m.v)))),
    "one output": nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten()),
    "deep": nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)),
    "deeper": nn.Sequential(
        nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4), nn.ReLU(),
        nn.Linear(4, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("model", READ.values(), ids=READ)
def test_what_is_read_computes_the_same_and_costs_what_its_weights_do(model: nn.Module) -> None:
    reading = read_module(model, X)
    network, _ = reading.layers.merged()
    # The copy in float64: every number of a smaller type is one of those.
    expected = model.double()(torch.from_numpy(X)).detach().numpy()
    assert network.outputs(reading.inputs) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    layers = reading.layers
    cost = sum(
        float((W**2).sum()) for layer in layers.all for W in (layer.W, layer.b) if W is not None
    )
    cost -= sum(float((layer.b**2).sum()) for layer in layers.biases("last") if layer.b is not None)
    carried = layers.depth - 2 if layers.biases("middle") else 0
    assert 2 * network.regularizer("weight_decay") == pytest.approx(cost + carried, rel=1e-12)


REFUSED: dict[str, nn.Module] = {
    "1 is a GELU": nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 1)),
    "1 is Dropout in training mode; call model.eval": nn.Sequential(
        nn.Linear(3, 4), nn.Dropout(), nn.ReLU(), nn.Linear(4, 1)
    ),
    "norm is BatchNorm1d in training mode": Own(lambda m, X: m.two(m.norm(m.one(X)))),
    "norm is a BatchNorm1d": Own(lambda m, X: m.two(m.norm(m.one(X)))).eval(),
    "no ReLU follows 0.weight": nn.Sequential(
        nn.Linear(3, 4), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)
    ),
    "ReLU follows the last layer, 2.weight": nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.ReLU()
    ),
    "branches of 1 layers": nn.Sequential(nn.Linear(3, 1)),
    "branches of 1, 2 layers": Own(lambda m, X: m.skip(X) + m.two(m.relu(m.one(X)))),
    "one.weight is used twice": Own(
        lambda m, X: m.two(m.relu(m.one(X))) + m.last(m.relu(m.one(X)))
    ),
    "uses 'sin'": Own(lambda m, X: m.two(torch.sin(m.one(X)))),
    "uses 'mul'": Own(lambda m, X: 2 * m.two(m.relu(m.one(X)))),
    "cannot be traced": Own(lambda m, X: m.two(m.one(X)) if X.sum() > 0 else X),
    "rectifies a sum": Own(lambda m, X: m.two(m.relu(m.one(X) + m.three(X)))),
    "takes a sum": Own(lambda m, X: m.two(m.relu(m.one(X)) + m.relu(m.three(X)))),
    "different inputs": Own(lambda m, X: m.two(m.relu(m.one(X))) + m.last(m.relu(m.three(2 * X)))),
    "returns no single": Own(lambda m, X: (m.one(X), m.three(X))),
    "the model does not take X": nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1)),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_not_covered_is_named_in_one_line(said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        read_module(REFUSED[said], X)
    assert "\n" not in str(raised.value)


def test_a_weight_that_is_not_finite_is_named() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        model[2].weight[0, 1] = torch.nan
    with pytest.raises(DataError, match=r"2\.weight holds nan"):
        read_module(model, X)


def test_networks_become_modules_and_come_back() -> None:
    rng = np.random.default_rng(1)
    deep = tuple(rng.normal(size=s) for s in ((4, 5), (5, 3), (3, 2)))
    thin = tuple(rng.normal(size=s) for s in ((3, 1), (1, 2)))
    bias = rng.normal(size=2)
    for network in (Network((deep,), "relu", bias), Network((thin, thin), "linear")):
        module = as_module(network, 3)
        expected = network.outputs(X)
        for given in (X, torch.from_numpy(X), torch.from_numpy(X).float()):
            assert module(given).detach().numpy() == pytest.approx(expected, rel=1e-5, abs=1e-5)
        again, _ = read_module(module, X).layers.merged()
        assert again.outputs(X) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("model", ["sequential", "deep", "branches"])
def test_no_order_of_summation_moves_float32_outputs_further_than_said(model: str) -> None:
    reading = read_module(READ[model], X)
    network, _ = reading.layers.merged()
    allowed = rounding(network, reading.inputs, 2.0**-24)
    exact = network.outputs(reading.inputs)
    rng = np.random.default_rng(2)
    for _ in range(50):
        total = np.zeros(exact.shape, np.float32)
        for branch in network.branches:
            A = reading.inputs.astype(np.float32)
            ones = np.ones((len(A), len(branch[0]) - A.shape[1]), np.float32)
            A = np.hstack([A, ones])
            for place, W in enumerate(branch):
                order, W = rng.permutation(len(W)), W.astype(np.float32)
                Z = np.zeros((len(A), W.shape[1]), np.float32)
                for i in order:
                    Z += A[:, i : i + 1] * W[i]
                A = np.maximum(Z, 0) if place < len(branch) - 1 else Z
            total += A
        total += 0 if network.bias is None else network.bias.astype(np.float32)
        assert (np.abs(total - exact) <= allowed).all()
    assert allowed.max() <= 1e-4
