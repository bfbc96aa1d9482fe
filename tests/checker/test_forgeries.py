"""False statements by every means a forger has, seeded by the thousand: all are refused.

A forgery starts from a certificate that is true and, mostly, tight. It claims a bound on the wrong
side of one that is known, so that it is false whatever its evidence, and bends that its way.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.checker.examples import EVERY_KIND, Array, example
from tests.checker.test_tampering import decoded, is_matrix
from zerogap.checker import Verdict, verify
from zerogap.checker.kinds import KINDS, cones
from zerogap.solving.certificates import matrix

ORDINARY, FAULTS = 1_000, 100_000
KNOWN: dict[str, Verdict] = {}
Rng = np.random.Generator
Node = dict[str, Any]


def pieces(evidence: Any) -> list[Node]:
    """An evidence node and those inside it, that have multipliers or blocks of their own."""
    inside = [*evidence.get("evidence", []), *([evidence["inner"]] if "inner" in evidence else [])]
    return [evidence, *(node for entry in inside for node in pieces(entry))]


def changed(node: Node, key: str, change: Callable[[Array], Array]) -> None:
    if is_matrix(node.get(key)):
        node[key] = matrix(change(decoded(node[key]).copy()))


def less(rng: Rng) -> float:
    return float(rng.choice([0.0, 0.5, 0.9, 1 - 1e-3, 1 - 1e-6]))


def more(rng: Rng) -> float:
    return float(1 + 10 ** rng.uniform(-7, 1))


# What bends a piece of evidence: (piece, certificate, rng).
def nearer_data(node: Node, certificate: Node, rng: Rng) -> None:
    """Another X′, smaller, with samples left out or of lower rank."""
    X = decoded(certificate["problem"]["X"]).copy()
    choice = rng.integers(4)
    if choice == 0:
        near: Any = matrix(less(rng) * X)
    elif choice == 1:
        X[rng.integers(len(X))] = 0
        near = matrix(X)
    elif choice == 2:
        near = [matrix(less(rng) * X), matrix(np.eye(X.shape[1]))]
    else:
        near = [matrix(X[:, :1]), matrix(np.eye(1, X.shape[1]))]
    node["X"] = near


def longer_multipliers(node: Node, certificate: Node, rng: Rng) -> None:
    """Scaled, with a row scaled, turned towards Y, or with a sign changed."""
    Y = decoded(certificate["problem"]["Y"])

    def change(M: Array) -> Array:
        choice, row = rng.integers(4), rng.integers(len(M))
        if choice == 0:
            return M * more(rng)
        if choice == 1:
            M[row] *= more(rng)
        elif choice == 2 and M.shape == Y.shape:
            M += rng.uniform(0, 1) * np.abs(M).max() * Y / np.abs(Y).max()
        else:
            M[row] *= -1
        return M

    changed(node, "multipliers", change)


def wild_mu(node: Node, certificate: Node, rng: Rng) -> None:
    """Outside of its box, on the wrong side of it, nothing, or in another order."""
    scale = rng.choice([-1e3, -1.0, 0.0, 1e3, 1e100])
    changed(node, "mu", lambda M: rng.permutation(M) if rng.random() < 0.3 else scale * M + scale)


def other_regions(node: Node, certificate: Node, rng: Rng) -> None:
    """Half-spaces moved, narrowed or left out, their multipliers longer or of the other sign."""

    def change(M: Array) -> Array:
        row, choice = rng.integers(len(M)), rng.integers(4)
        if choice == 0:
            M[row] = 0
        elif choice == 1:
            M[:, -1] += rng.normal(size=len(M)) * np.abs(M[:, -1]).max() * more(rng)
        elif choice == 2:
            M[row] *= rng.choice([-1e100, -1.0, 0.5, 1e3])
        else:
            M = rng.permutation(M)
        return M

    if "eta" in node:
        changed(node, "splits", change)
        changed(node, "eta", lambda M: M * rng.choice([-1.0, 0.0, more(rng), 1e100]))


def coarser_cover(node: Node, certificate: Node, rng: Rng) -> None:
    """A cone kept that was bisected, halves that are no halves, rows of another cone."""

    def change(M: Array) -> Array:
        row, choice = rng.integers(len(M)), rng.integers(3)
        if choice == 0:
            M[row] = [-1, -1, 0, 0]
        elif choice == 1:
            M[row, 2:] = rng.choice([-1, 0, 0.5, 2**52, 2**53, np.nan], 2)
        else:
            M[row, :2] = rng.integers(-2, 4, 2)
        return M

    if "eta" not in node:
        changed(node, "splits", change)


def bent_blocks(node: Node, certificate: Node, rng: Rng) -> None:
    """Multipliers of the wrong sign, cones too narrow, sides that do not cover."""
    blocks = node.get("blocks", [])
    for block in blocks:
        choice = rng.integers(5)
        if choice == 0:
            changed(block, "pairs", lambda M: -np.abs(M) * more(rng))
        elif choice == 1:
            changed(block, "cones", lambda M: M * np.array([[0.0]] + [[more(rng)]] * (len(M) - 1)))
        elif choice == 2:
            changed(block, "sides", lambda M: rng.integers(-1, 2, M.shape).astype(float))
        elif choice == 3 and "trace" in block:
            block["trace"] = (float.fromhex(block["trace"]) * rng.choice([-1, 0, 10])).hex()
        else:
            block["sign"] *= -1
    bend_nodes(blocks, rng)
    if blocks and rng.random() < 0.5:
        node["level"] = (float.fromhex(node["level"]) * less(rng)).hex()
    if blocks and rng.random() < 0.3:
        node["scale"] = (float.fromhex(node["scale"]) * rng.choice([-1, 0.1, 10])).hex()
    if blocks and rng.random() < 0.3:
        del blocks[rng.integers(len(blocks))]


def bend_nodes(nodes: list[Node], rng: Rng) -> None:
    """What mixes two nodes of `layers` left out, longer or of the other sign, and they as well."""
    for node in nodes:
        below = node.get("below", [])
        if below and rng.random() < 0.5:
            changed(node, "cross", lambda M: M * rng.choice([-1.0, 0.0, more(rng)]))
        for inner in below:
            if rng.random() < 0.5:
                changed(inner, "pairs", lambda M: M * rng.choice([-1.0, 0.0, more(rng)]))
            if "trace" in inner and rng.random() < 0.3:
                inner["trace"] = (float.fromhex(inner["trace"]) * rng.choice([-1, 0, 10])).hex()
        bend_nodes(below, rng)


def smaller_factors(node: Node, certificate: Node, rng: Rng) -> None:
    """c, a, q shortened, or c without one of its signs."""
    for key in ("c", "a", "direction"):
        if rng.random() < 0.5:
            changed(node, key, lambda M: np.maximum(M, 0) if rng.random() < 0.2 else M * less(rng))


def negative_split(node: Node, certificate: Node, rng: Rng) -> None:
    n = len(decoded(certificate["problem"]["X"]))
    if node["kind"] == "whitened":
        node["split"] = matrix(rng.choice([-1.0, -1e-3, 0.0, 1e-9]) * np.ones((n, n)))


def another_kind(node: Node, certificate: Node, rng: Rng) -> None:
    """The fields of one kind under the name of another, with what that one asks for."""
    n, d = decoded(certificate["problem"]["X"]).shape
    zeros = {"mu": (64, n), "c": (n, 1), "a": (d, 1), "splits": (64, 4), "direction": (n, 1)}
    zeros |= {"eta": (64, 1)}
    for key, shape in zeros.items():
        node.setdefault(key, matrix(np.zeros(shape)))
    node.setdefault("inner", {"kind": "linear", "multipliers": node.get("multipliers")})
    node["kind"] = str(rng.choice(sorted(KINDS)))


def fewer_levels(node: Node, certificate: Node, rng: Rng) -> None:
    listed = node.get("evidence", [])
    if len(listed) > 1:
        listed[:] = [listed[i] for i in rng.integers(len(listed), size=len(listed))]


def bent_gap(node: Node, certificate: Node, rng: Rng) -> None:
    """Leaves of a search say more, or fewer boxes are cut, or a theorem is named that says more."""
    gap = certificate["gap"] or {}
    if "search" in gap:
        n = len(decoded(certificate["problem"]["X"]))
        size = n * (n + 1) // 2
        columns = [slice(0, size), slice(size, 2 * size), slice(2 * size, None)][rng.integers(3)]
        factor = more(rng) if columns.start != size else less(rng)

        def change(M: Array) -> Array:
            M[:, columns] *= factor
            return M

        changed(gap["search"], "leaves", change)
        if rng.random() < 0.3:
            changed(gap["search"], "data", lambda M: M * less(rng))
    elif "kernel" in gap:
        k = decoded(certificate["problem"]["Y"]).shape[1]

        def raised(M: Array) -> Array:
            part = slice(-k, None) if rng.random() < 0.5 else slice(-k)
            M[:, part] += rng.choice([-1.0, 1.0]) * (more(rng) - 1) * np.abs(M).max()
            return M

        changed(gap["kernel"], "leaves", raised)
        if rng.random() < 0.3:
            changed(gap["kernel"], "splits", lambda M: M[-1:])
            changed(gap["kernel"], "leaves", lambda M: M[rng.integers(len(M))][None])
    elif gap:
        gap["theorem"] = str(rng.choice(["schatten", "shrinkage", "rank-one", "whitened-one-hot"]))


def lighter_networks(node: Node, certificate: Node, rng: Rng) -> None:
    """Weights shortened, branches left out, in each network that there is."""
    gap, deeper = certificate["gap"] or {}, certificate["deeper"] or {}
    for holder in (certificate["upper"], gap.get("bidual"), deeper):
        if holder and "branches" in holder and rng.random() < 0.7:
            branches = holder["branches"]
            factor = less(rng)
            holder["branches"] = [
                [matrix(decoded(W) * factor) for W in branch] for branch in branches
            ]
            changed(holder, "bias", lambda b: b * less(rng))
            if len(branches) > 1 and rng.random() < 0.3:
                holder["branches"].pop()
    mixture = deeper.get("path")
    while mixture:
        changed(mixture, "mixture", lambda M: M * less(rng))
        below = mixture["inputs"]
        mixture = below[0] if isinstance(below, list) else changed(mixture, "inputs", np.zeros_like)


def other_biases(node: Node, certificate: Node, rng: Rng) -> None:
    """Multipliers whose sums are left, a level by another kind."""
    changed(node, "multipliers", lambda M: M - rng.choice([0, 1, 2]) * M.mean(axis=0))
    if "by" in node:
        node["by"] = str(rng.choice(list(KINDS)))


MOVES = (
    nearer_data, longer_multipliers, wild_mu, other_regions, coarser_cover, bent_blocks,
    smaller_factors, negative_split, another_kind, fewer_levels, bent_gap, lighter_networks,
    other_biases,
)  # fmt: skip


def reframed(certificate: Node, rng: Rng) -> Node:
    """The same statement with branches in another order and, where nothing else scales, 2ᵃΛ."""
    out = copy.deepcopy(certificate)
    order = rng.permutation(len(out["upper"]["branches"]))
    out["upper"]["branches"] = [out["upper"]["branches"][i] for i in order]
    if out["lower"]["kind"] in ("linear", "faces", "cones", "shifts", "whitened"):
        scale = 2.0 ** rng.integers(-8, 9)
        changed(out["lower"], "multipliers", lambda M: M * scale)
    return out


def false_claim(name: str, certificate: Node, rng: Rng) -> None:
    """One bound is claimed on the wrong side of a known one."""
    verdict = KNOWN[name]
    room = 10 ** rng.uniform(-8, 0)
    claims: list[tuple[str, float]] = [
        ("dual", verdict.primal * (1 + room)),
        ("primal_lower", verdict.primal * (1 + room)),
        ("primal", verdict.primal_lower * (1 - room)),
        ("dual_upper", verdict.dual * (1 - room)),
        ("deeper_upper", verdict.deeper_upper * 1e-3),
    ]
    possible = {"dual", "primal"}
    if certificate["gap"]:
        possible |= {"primal_lower", "dual_upper"}
    if certificate["deeper"]:
        possible |= {"deeper_upper"}
    claim, value = [pair for pair in claims if pair[0] in possible][rng.integers(len(possible))]
    certificate["claimed"][claim] = value.hex()


def forged(name: str, rng: Rng) -> Node:
    certificate = reframed(example(name), rng)
    false_claim(name, certificate, rng)
    for _ in range(rng.integers(1, 4)):
        nodes = pieces(certificate["lower"])
        move = MOVES[rng.integers(len(MOVES))]
        move(nodes[rng.integers(len(nodes))], certificate, rng)
    return certificate


@pytest.mark.parametrize(
    "count", [ORDINARY, pytest.param(FAULTS, marks=pytest.mark.faults)], ids=["some", "many"]
)
def test_every_forgery_is_refused(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cones, "MAX_CONES", 3000)  # of bent data they do not end
    rng = np.random.default_rng(count)
    KNOWN.update((name, verify(example(name))) for name in EVERY_KIND if name not in KNOWN)
    reasons: set[str] = set()
    for i in range(count):
        name = EVERY_KIND[i % len(EVERY_KIND)]
        certificate = forged(name, rng)
        verdict = verify(certificate)
        assert not verdict.accepted, (i, name, certificate["claimed"], verdict)
        reasons.add(verdict.reason.split(":")[0].split(" is ")[0])
    # Claims fall, and so do the means by which they are forged.
    assert {"claimed.dual", "claimed.primal"} <= reasons and len(reasons) > 20


@pytest.mark.parametrize("name", EVERY_KIND)
def test_what_forgeries_start_from_is_accepted(name: str) -> None:
    rng = np.random.default_rng(0)
    before = verify(example(name))
    for _ in range(5):
        after = verify(reframed(example(name), rng))
        assert after.accepted, after.reason
        assert after.dual == pytest.approx(before.dual, rel=1e-9)
