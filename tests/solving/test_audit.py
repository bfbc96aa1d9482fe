"""Audits of trained networks: true bounds, the same for every layout, and nothing executed."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from zerogap import Problem, solve, verify
from zerogap.checker.files import read_jsonl
from zerogap.model.errors import DataError
from zerogap.model.network import Network
from zerogap.solving.audit import audit
from zerogap.solving.weights import read_weights

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 2)), RNG.normal(size=(8, 1))
BETA = 0.3


def problem(depth: int, architecture: str = "standard", **options: Any) -> Problem:
    chosen = {"activation": "relu", "beta": BETA} | options
    return Problem(X, Y, architecture=architecture, depth=depth, **chosen)


def trained(depth: int, bias: bool = False) -> nn.Sequential:
    """A small torch network, trained a little."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for size in [2] + [6] * (depth - 2):
        layers += [nn.Linear(size, 6, bias=bias), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(6, 1, bias=bias)).double()
    inputs, targets = torch.from_numpy(X), torch.from_numpy(Y)
    descent = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(300):
        penalty = sum((W**2).sum() for W in net.parameters()) / 2
        loss = ((net(inputs) - targets) ** 2).sum() / 2 + BETA * penalty
        descent.zero_grad()
        loss.backward()
        descent.step()
    return net


@pytest.mark.parametrize("depth", [2, 3])
def test_a_torch_network_is_bounded_and_the_certificate_proves_it(
    depth: int, tmp_path: Path
) -> None:
    net = trained(depth)
    np.savez(tmp_path / "data.npz", X=X, Y=Y)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    command = [sys.executable, "-m", "zerogap.cli", "audit", "data.npz", "net.pt", "--beta"]
    done = subprocess.run(
        [*command, str(BETA), "--json", "--certificate", "proof.jsonl"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    with torch.no_grad():
        error = net(torch.from_numpy(X)).numpy() - Y
        penalty = sum(float((W**2).sum()) for W in net.parameters()) / 2
    objective = 0.5 * float(np.sum(error**2)) + BETA * penalty
    assert found["objective"] == pytest.approx(objective, rel=1e-12)
    assert 0 < found["lower"] <= found["best"] * (1 + 1e-9)
    assert found["best"] <= found["objective"]
    verdict = verify(read_jsonl(tmp_path / "proof.jsonl")[0])
    assert verdict.accepted, verdict.reason
    assert verdict.primal == pytest.approx(objective, rel=1e-6)
    assert verdict.dual == pytest.approx(found["lower"], rel=1e-6)


def test_an_optimal_network_is_found_to_be_optimal(tmp_path: Path) -> None:
    best = solve(problem(2), restarts=0).network
    assert best is not None
    torch.save(best.state_dict(), tmp_path / "best.pt")
    found = audit(problem(2), read_weights(tmp_path / "best.pt", "relu"))
    assert abs(found.relative_gap) <= 1e-6


@pytest.mark.parametrize(
    "asked",
    [
        problem(3, "parallel", regularizer="power"),
        problem(3, activation="linear"),
        problem(2, "parallel"),
    ],
)
def test_every_kind_of_network_gets_a_bound(asked: Problem) -> None:
    rng = np.random.default_rng(1)
    width = [1, 1] if asked.architecture == "parallel" and asked.depth == 2 else [3, 1]
    sizes = [2, *width[-(asked.depth - 1) :], 1]
    branch = tuple(rng.normal(size=pair) for pair in itertools.pairwise(sizes))
    network = Network((branch, branch) if asked.architecture == "parallel" else (branch,), "relu")
    network = Network(network.branches, asked.activation)
    found = audit(asked, network)
    assert found.objective == pytest.approx(network.objective(asked))
    assert 0 < found.lower <= found.best <= found.objective
    assert verify(found.certificate).accepted


def test_layouts_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    W = [rng.normal(size=(2, 3)), rng.normal(size=(3, 1))]
    np.savez(tmp_path / "a.npz", W1=W[0], W2=W[1])
    np.savez(tmp_path / "b.npz", **{"0.0": W[0], "0.1": W[1]})
    names = {"net.0.weight": W[0].T, "net.2.weight": W[1].T, "net.0.bias": np.zeros(3)}
    torch.save({k: torch.tensor(v) for k, v in names.items()}, tmp_path / "c.pt")
    for file in ("a.npz", "b.npz", "c.pt"):
        (branch,) = read_weights(tmp_path / file, "relu").branches
        assert all(np.array_equal(a, b) for a, b in zip(branch, W, strict=True)), file


class Evil:
    def __reduce__(self) -> tuple:
        return os.system, ("touch executed",)


def test_nothing_in_a_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"0.weight": Evil()}))
    torch.save({"0.weight": Evil()}, tmp_path / "evil.pth")
    np.savez(tmp_path / "evil.npz", W1=np.array([Evil()], dtype=object))
    for name in ("evil.pt", "evil.pth", "evil.npz"):
        with pytest.raises(DataError, match="is not a plain"):
            read_weights(tmp_path / name, "relu")
    assert not (tmp_path / "executed").exists()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"W1": np.ones((2, 3)), "W2": np.ones((2, 1))}, r"layer 2 of branch 0 has shape \(2, 1\)"),
    ({"W1": np.ones((3, 2)), "W2": np.ones((3, 1))}, r"layer 1 of branch 0 has shape \(3, 2\)"),
    ({"W1": np.ones((2, 1))}, "branches of 1 layers"),
    ({"W1": np.full((2, 3), np.nan), "W2": np.ones((3, 1))}, "matrices of finite numbers"),
    ({"W1": np.ones((2, 3)), "W2": np.ones((3, 1)), "bias1": np.ones(3)}, "no biases"),
    ({"W1": np.ones((2, 3)), "readout": np.ones((3, 1))}, "'readout' names no layer"),
    ({"0.0": np.ones((2, 3)), "0.1": np.ones((3, 1)), "1.0": np.ones((2, 1))}, "1, 2 layers"),
    (
        {f"{j}.{i}": np.ones(s) for j in (0, 1) for i, s in enumerate(((2, 3), (3, 1)))},
        "a standard network has one",
    ),
    ({"W1": np.ones(2), "W2": np.ones((3, 1))}, r"W1 has shape \(2,\)"),
    ({}, "holds no weights"),
]


@pytest.mark.parametrize(("arrays", "said"), BAD, ids=[said for _, said in BAD])
def test_what_does_not_fit_is_refused(arrays: dict, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(DataError, match=said) as raised:
        audit(problem(2), read_weights(tmp_path / "w.npz", "relu"))
    assert "\n" not in str(raised.value)


def test_biases_other_files_and_interpolation_are_refused(tmp_path: Path) -> None:
    torch.save(trained(2, bias=True).state_dict(), tmp_path / "biased.pt")
    with pytest.raises(DataError, match="no biases"):
        read_weights(tmp_path / "biased.pt", "relu")
    with pytest.raises(DataError, match=r"accepted are \.npz, \.pt and \.pth"):
        read_weights(tmp_path / "net.onnx", "relu")
    with pytest.raises(DataError, match="not a plain"):
        read_weights(tmp_path / "missing.pt", "relu")
    network = Network(((np.ones((2, 1)), np.ones((1, 1))),), "relu")
    with pytest.raises(DataError, match="needs beta"):
        audit(problem(2, beta=None), network)
    with pytest.raises(DataError, match="has 2 layers"):
        audit(problem(3), network)
    wide = Network(((np.ones((2, 2)), np.ones((2, 1))),), "relu")
    with pytest.raises(DataError, match="ends in 2 neurons"):
        audit(problem(2, "parallel"), wide)
