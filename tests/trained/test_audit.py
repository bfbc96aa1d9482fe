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
from zerogap.model.errors import DataError, ProblemError
from zerogap.model.network import Network
from zerogap.trained.audit import audit, audit_stated, stated
from zerogap.trained.files import read_weights
from zerogap.trained.objective import Criterion, Decay

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 2)), RNG.normal(size=(8, 1))
BETA = 0.3


def problem(depth: int, architecture: str = "standard", **options: Any) -> Problem:
    chosen = {"activation": "relu", "beta": BETA} | options
    return Problem(X, Y, architecture=architecture, depth=depth, **chosen)


def read(path: Path) -> Network:
    return read_weights(path, "relu").merged()[0]


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
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    with torch.no_grad():
        error = net(torch.from_numpy(X)).numpy() - Y
        penalty = sum(float((W.detach() ** 2).sum()) for W in net.parameters()) / 2
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
    found = audit(problem(2), read(tmp_path / "best.pt"))
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
    state = {"net.0.weight": torch.tensor(W[0].T), "net.2.weight": torch.tensor(W[1].T)}
    torch.save(state, tmp_path / "c.pt")
    torch.save({"model": state, "epoch": 3, "optimizer": {"lr": 0.1}}, tmp_path / "d.ckpt")
    nested = {"0.0.weight": state["net.0.weight"], "2.weight": state["net.2.weight"]}
    torch.save(nested, tmp_path / "e.bin")
    for file in ("a.npz", "b.npz", "c.pt", "d.ckpt", "e.bin"):
        (branch,) = read(tmp_path / file).branches
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
            read(tmp_path / name)
    assert not (tmp_path / "executed").exists()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"W1": np.ones((2, 3)), "W2": np.ones((2, 1))}, "W2 takes 2 inputs and W1 before it gives 3"),
    ({"W1": np.ones((3, 4)), "W2": np.ones((4, 1))}, r"layer 1 of branch 0 has shape \(3, 4\)"),
    ({"W1": np.ones((2, 1))}, "branches of 1 layers"),
    ({"W1": np.full((2, 3), np.nan), "W2": np.ones((3, 1))}, "W1 holds nan"),
    ({"W1": np.ones((2, 3)), "W2": np.ones((3, 1)), "bias1": np.ones(3)}, "'bias1' names no layer"),
    ({"W1": np.ones((2, 3)), "readout": np.ones((3, 1))}, "'readout' names no layer"),
    ({"0.0": np.ones((2, 3)), "0.1": np.ones((3, 1)), "1.0": np.ones((2, 1))}, "1, 2 layers"),
    ({"W1": np.ones((2, 3)), "W2": np.ones((3, 1)), "b1": np.ones(2)}, r"b1 has shape \(2,\)"),
    ({"b1": np.ones(3), "W2": np.ones((3, 1))}, "layer 1 has a bias and no weights"),
    ({"W1": np.ones(2), "W2": np.ones((3, 1))}, r"W1 has shape \(2,\)"),
    ({}, "there are no weights"),
]


@pytest.mark.parametrize(("arrays", "said"), BAD, ids=[said for _, said in BAD])
def test_what_does_not_fit_is_refused(arrays: dict, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(DataError, match=said) as raised:
        audit(problem(2), read(tmp_path / "w.npz"))
    assert "\n" not in str(raised.value)


def test_other_files_and_interpolation_are_refused() -> None:
    with pytest.raises(DataError, match=r"accepted are \.npz, \.pt, \.pth, \.ckpt, \.bin"):
        read(Path("net.onnx"))
    with pytest.raises(DataError, match="not a plain"):
        read(Path("missing.pt"))
    network = Network(((np.ones((2, 1)), np.ones((1, 1))),), "relu")
    with pytest.raises(DataError, match="needs beta"):
        audit(problem(2, beta=None), network)
    with pytest.raises(DataError, match="has 2 layers"):
        audit(problem(3), network)
    wide = Network(((np.ones((2, 2)), np.ones((2, 1))),), "relu")
    with pytest.raises(DataError, match="ends in 2 neurons"):
        audit(problem(2, "parallel"), wide)


def test_a_checkpoint_of_two_models_wants_a_key(tmp_path: Path) -> None:
    state = {"0.weight": torch.ones(3, 2), "2.weight": torch.ones(1, 3)}
    torch.save({"model": state, "average": state, "epoch": 3}, tmp_path / "two.pt")
    with pytest.raises(DataError, match=r"those in it: model, average; choose one with --key"):
        read(tmp_path / "two.pt")
    assert read_weights(tmp_path / "two.pt", "relu", "average").depth == 2
    with pytest.raises(DataError, match=r"no state_dict under 'epoch'"):
        read_weights(tmp_path / "two.pt", "relu", "epoch")


LOSSES: dict[str, tuple[str | nn.Module, Any, int]] = {
    "MSELoss": (nn.MSELoss(), Y, 1),
    "a vector": (nn.MSELoss(), Y[:, 0], 1),
    "MSELoss, summed": (nn.MSELoss(reduction="sum"), Y, 1),
    "L1Loss": (nn.L1Loss(), Y, 1),
    "HuberLoss": (nn.HuberLoss(delta=0.5), Y, 1),
    "SmoothL1Loss": (nn.SmoothL1Loss(beta=0.5), Y, 1),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1]), 3),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), torch.arange(8) % 3, 3),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), (Y > 0).astype(float), 1),
    "SoftMarginLoss": (nn.SoftMarginLoss(), np.sign(Y), 1),
    "squared": ("squared", Y, 1),
    "hinge": ("hinge", Y > 0, 1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_objectives_are_those_of_torch_and_better_networks_have_the_ones_they_say(
    name: str,
) -> None:
    loss, targets, outputs = LOSSES[name]
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, outputs))
    found = audit(model, X, targets, loss=loss, weight_decay=0.1, gap=1e-3, seconds=20)
    assert found.certified and 0 < found.lower <= found.best * (1 + 1e-9)
    criterion = Criterion.of(loss)
    for module, said in ((model.double(), found.objective), (found.better, found.best)):
        with torch.no_grad():
            F = module(torch.from_numpy(X))
            given = torch.as_tensor(targets)
            if isinstance(loss, nn.CrossEntropyLoss):
                value = float(loss(F, given))
            elif isinstance(loss, nn.Module):
                value = float(loss(F, given.reshape(F.shape)))
            elif loss == "squared":
                value = float(((F - given.reshape(F.shape)) ** 2).mean())
            else:
                value = float(torch.relu(1 - F * (2 * given.double() - 1)).mean())
            penalty = 0.05 * sum(float((p.detach() ** 2).sum()) for p in module.parameters())
        assert said == pytest.approx(value + penalty, rel=1e-6)
    assert found.loss + found.penalty == pytest.approx(found.objective, rel=1e-12)
    assert criterion.scale(criterion.targets(targets, 8, outputs)) > 0


def test_an_optimizer_says_what_decays() -> None:
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))
    weights = [p for p in model.parameters() if p.ndim == 2]
    biases = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": 0.1}, {"params": biases, "weight_decay": 0.0}]
    found = audit(model, X, Y, loss=nn.MSELoss(), optimizer=torch.optim.SGD(groups), seconds=20)
    assert found.certificate["problem"]["bias"] == ["free", "free"]
    assert found.penalty == pytest.approx(
        0.05 * sum(float((p.detach() ** 2).sum()) for p in weights)
    )
    whole = torch.optim.AdamW(model.parameters(), weight_decay=0.1)
    decoupled = audit(model, X, Y, loss=nn.MSELoss(), optimizer=whole, seconds=20)
    assert "AdamW decouples" in str(decoupled)
    # More is allowed where biases are free.
    assert found.lower <= decoupled.best


def test_a_fixed_scaler_is_folded_in_and_part_of_the_better_network() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.5, -1.0]))
            self.net = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return self.net((X - self.mean) / 2).squeeze(-1)

    torch.manual_seed(0)
    model = Scaled()
    found = audit(model, X, Y, loss=nn.MSELoss(), weight_decay=0.1, gap=1e-3, seconds=20)
    outside = (X - np.array([0.5, -1.0])) / 2
    same = audit(model.net, outside, Y, loss=nn.MSELoss(), weight_decay=0.1, gap=1e-3, seconds=20)
    assert found.objective == pytest.approx(same.objective, rel=1e-12)
    assert found.lower == pytest.approx(same.lower, rel=1e-2)
    F = found.better(X).detach().numpy()  # an array will do
    squares = sum(float((p.detach() ** 2).sum()) for p in found.better.parameters())
    assert np.mean((F - Y) ** 2) + 0.05 * squares == pytest.approx(found.best, rel=1e-6)


REFUSED: dict[str, dict[str, Any]] = {
    "weight_decay is 0; accepted is a positive number": {"weight_decay": 0.0},
    "give one of weight_decay and optimizer": {"weight_decay": None},
    "Y and loss are needed": {"loss": None},
    "is KLDivLoss, whose conjugate is not known": {"loss": nn.KLDivLoss()},
    "MSELoss.. 'mean'; give it once": {"loss": nn.MSELoss(), "reduction": "sum"},
    "has class weights": {"loss": nn.CrossEntropyLoss(weight=torch.ones(1))},
    "Y holds 2, which is no class": {
        "loss": "cross-entropy", "Y": np.arange(8) % 3,
        "model": nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2)),
    },
    "the network has one output": {"loss": "cross-entropy", "Y": np.arange(8) % 3},
    "Y has one class only": {"loss": "logistic", "Y": np.ones(8)},
    "reduction is 'none'": {"loss": "squared", "reduction": "none"},
    "loss is 'cosine'; accepted is one of": {"loss": "cosine"},
    "the model does not take X of shape": {"X": np.ones((8, 3))},
    "X has 8 rows and Y has 7": {"Y": Y[:7]},
    "model is a int": {"model": 3},
    "is not in the optimizer": {
        "weight_decay": None, "optimizer": torch.optim.SGD([torch.ones(1)], weight_decay=0.1),
    },
    "X has shape": {"X": np.full((8, 2), np.nan)},
}  # fmt: skip


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_no_objective_is_refused_in_one_line(said: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))
    given = {"model": model, "X": X, "Y": Y, "loss": nn.MSELoss(), "weight_decay": 0.1}
    given |= REFUSED[said]
    with pytest.raises((ProblemError, DataError), match=said) as raised:
        audit(given.pop("model"), given.pop("X"), given.pop("Y"), **given)
    assert "\n" not in str(raised.value)


def test_middle_biases_cost_what_the_bound_is_lowered_by(tmp_path: Path) -> None:
    net = trained(3, bias=True)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    layers = read_weights(tmp_path / "net.pt", "relu")
    criterion = Criterion("squared", 1.0, "sum")
    decay = Decay.constant(layers, BETA)
    found = audit_stated(stated(layers, X, Y, criterion, decay), layers, decay, seconds=4)
    with torch.no_grad():
        error = net(torch.from_numpy(X)).numpy() - Y
        penalty = BETA * sum(float((p.detach() ** 2).sum()) for p in net.parameters()) / 2
    assert found.objective == pytest.approx(0.5 * float(np.sum(error**2)) + penalty, rel=1e-9)
    assert found.penalty == pytest.approx(penalty, rel=1e-9)
    assert found.certified and 0 < found.lower <= found.best
    verdict = verify(found.certificate)
    assert found.objective == pytest.approx(verdict.primal - BETA / 2, rel=1e-5)
    assert any("biases of middle layers" in note for note in found.notes)
    free = Decay.constant(layers, BETA, biases=False)
    with pytest.raises(DataError, match="no weight decay in a network with biases in middle"):
        stated(layers, X, Y, criterion, free)
