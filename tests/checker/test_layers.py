"""Forms of layered moments hold of every branch, and the checker takes no others."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from tests.checker.examples import Array, solved
from tests.checker.test_golden import golden
from zerogap.checker import verify
from zerogap.checker.balls import PRECISION, balls, floats
from zerogap.checker.kinds.kind import Piece
from zerogap.checker.kinds.layers import Frame, Valid, features, valid
from zerogap.convex.nodes import Node, Split, frames_of, lengths_of
from zerogap.solving.certificates import _encode, matrix
from zerogap.solving.evidence.layers import _stored

NONE = np.zeros(0, dtype=int)


@pytest.fixture(autouse=True)
def precision() -> None:
    ctx.prec = PRECISION


def vectors(X: Array, depth: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The vector τ of a random unit branch of a path network, and its outputs."""
    if depth == 2:
        u = rng.normal(size=X.shape[1])
        u /= np.linalg.norm(u)
        outputs = np.maximum(X @ u, 0)
        return np.concatenate([[1.0], u, outputs]), outputs
    count = int(rng.integers(1, 5))
    below = [vectors(X, depth - 1, rng) for _ in range(count)]
    a = rng.dirichlet(np.ones(count)) * rng.choice([-1, 1], count)
    plus, minus = np.maximum(a, 0), np.maximum(-a, 0)
    taus, outs = (np.array(list(parts)).T for parts in zip(*below, strict=True))
    g, h = outs @ plus, outs @ minus
    return np.concatenate([taus @ plus, taus @ minus, np.minimum(g, h)]), np.maximum(g - h, 0)


def random_node(frames: list[Frame], n: int, rng: np.random.Generator) -> Node:
    """Multipliers of any sign; below a mixture mostly large ones that make it negative."""
    frame = frames[-1]
    m = len(frame.signed)
    pairs = rng.normal(size=(m, m)) * rng.choice([0.01, 1.0])
    pairs += pairs.T
    i = np.arange(n)
    pairs[i, n + i] = pairs[n + i, i] = -rng.choice([0.0, 30.0])
    heads = None if frame.heads is None else len(frame.heads)
    below = tuple(random_node(frames[:-1], n, rng) for _ in range(2)) if frames[1:] else ()
    order = len(frames[-2].one) if below else 0
    return Node(
        pairs,
        cones=None if heads is None else rng.normal(size=(heads, m)),
        trace=None if heads is None else 30.0 * rng.normal(),
        cross=rng.normal(size=(order, order)) if below else None,
        below=below,
    )


def random_split(frames: list[Frame], n: int, rng: np.random.Generator) -> Split:
    """Cells of either sign of one sample, and a form near theirs."""
    cells = tuple(random_node(frames, n, rng) for _ in range(2))
    sides = np.zeros((2, n))
    sides[:, rng.integers(n)] = 1, -1
    order = len(frames[-1].one)
    whole = rng.normal(size=(order, order)) * rng.choice([0.1, 10.0])
    return Split(cells[0].form(frames)[0] + whole + whole.T, sides, cells)


def proved(node: Node, X: Array, frames: list[Frame], zero: Array = NONE) -> Valid:
    fields = _encode(_stored(node))
    piece = Piece(X, np.zeros((len(X), 1)), len(frames) + 1, fields, "lower")
    longest = [arb(x) for x in lengths_of(X, 1, len(frames) + 1)]
    return valid(piece, frames, longest, zero)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("cells", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_every_branch_satisfies_every_valid_form(depth: int, cells: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3, 2))
    frames, longest = frames_of(X, 1, depth), lengths_of(X, 1, depth)
    for _ in range(6):
        node = random_node(frames, 3, rng)
        if cells and node.below:
            node = replace(node, below=(node.below[0], random_split(frames[:-1], 3, rng)))
        form = proved(node, X, frames)
        for _ in range(60):
            tau, v = vectors(X, depth, rng)
            assert frames[-1].one @ tau == pytest.approx(1)
            assert frames[-1].signed[:3] @ tau == pytest.approx(v, abs=1e-12)
            assert (frames[-1].signed @ tau).min() >= -1e-12
            assert tau @ tau <= longest[-1] * (1 + 1e-12)
            size = np.abs(tau) @ form.sizes @ np.abs(tau)
            assert tau @ form.form @ tau >= -float(form.defect) - 1e-12 * size


def test_a_mixture_of_valid_forms_is_charged_what_it_lacks() -> None:
    """Without the charge the inequality is false: a form that is positive across the mixture."""
    X = np.array([[1.0], [-1.0]])
    frames = frames_of(X, 1, 3)
    leaf = Node(np.zeros((7, 7)), cones=np.zeros((2, 7)), trace=0.0)
    cross = np.zeros((4, 4))
    cross[1, 1] = -1.0  # −2 u⁺u⁻, which is negative where both are positive
    form = proved(Node(np.zeros((16, 16)), cross=cross, below=(leaf, leaf)), X, frames)
    rng = np.random.default_rng(0)
    taus = [vectors(X, 3, rng)[0] for _ in range(200)]
    least = min(tau @ form.form @ tau for tau in taus)
    assert -float(form.defect) <= least < -0.1


@pytest.mark.parametrize("seed", range(3))
def test_forms_are_off_by_less_than_they_charge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((4, 3)) * 10.0 ** rng.uniform(-6, 6, (4, 3))
    frames = frames_of(X, 1, 3)
    node = random_node(frames, 4, rng).map(lambda A: A * 10.0 ** rng.uniform(-6, 6, A.shape))
    node = symmetrised(node)
    computed = proved(node, X, frames)
    exact = in_balls(node, frames, 4)
    off = np.abs(floats(balls(computed.form) - exact))
    charged = computed.terms * 2.0**-53 * computed.sizes
    assert (off <= charged / 2).all() and off.max() > 0


def symmetrised(node: Node) -> Node:
    pairs = np.triu(node.pairs) + np.triu(node.pairs, 1).T
    return Node(
        pairs, node.cones, node.trace, node.cross, tuple(symmetrised(b) for b in node.below)
    )


def in_balls(node: Node, frames: list[Frame], n: int) -> Any:
    """The form of valid multipliers in balls."""
    frame, S = frames[-1], node.pairs.copy()
    m, i = len(S), np.arange(n)
    beside = S[i, n + i]
    S = np.maximum(S, 0)
    S[i, n + i] = S[n + i, i] = beside
    E = balls(frame.signed)
    F = E.transpose() * balls(S) * E
    if frame.heads is not None:
        cones = node.cones.copy()
        # As the checker moves them: any larger number is as good.
        norms = np.sqrt((cones[1:] ** 2).sum(axis=0))
        cones[0] = np.maximum(cones[0], norms * (1 + 26 * 2.0**-53) + 1e-150)
        side = balls(frame.heads).transpose() * balls(cones) * E
        F = F + side + side.transpose()
        for j in range(len(frame.heads)):
            F[j, j] += arb(node.trace) * (1 if j == 0 else -1)
    if node.below:
        half = len(frames[-2].one)
        blocks = [in_balls(inner, frames[:-1], n) for inner in node.below]
        for a in range(half):
            for b in range(half):
                F[a, b] += blocks[0][a, b]
                F[half + a, half + b] += blocks[1][a, b]
                F[a, half + b] += arb(float(node.cross[a, b]))
                F[half + b, a] += arb(float(node.cross[a, b]))
    assert F.nrows() == len(frame.one) and m == len(frame.signed)
    return F


def test_the_golden_level_holds_of_random_branches_and_is_nearly_attained() -> None:
    certificate = golden("layers")
    assert verify(certificate).accepted
    X, Lambda = (
        np.frombuffer(bytes.fromhex(stored["data"])).reshape(stored["shape"])
        for stored in (certificate["problem"]["X"], certificate["lower"]["multipliers"])
    )
    depth, rng = certificate["problem"]["depth"], np.random.default_rng(0)
    values = [abs(vectors(X, depth, rng)[1] @ Lambda[:, 0]) for _ in range(3000)]
    beta = float.fromhex(certificate["problem"]["beta"])
    # Λ was scaled to the level allowed, by what the evidence proves.
    assert 0.8 * beta * depth / 2 <= max(values) <= beta * depth / 2 * (1 + 1e-9)


def changes(lower: dict[str, Any]) -> list[dict[str, Any]]:
    """Evidence that proves less, or nothing."""
    blocks = lower["blocks"]
    first, rest = blocks[0], blocks[1:]
    n = first["sides"]["shape"][0]
    leaf = first["below"][0]
    order = first["cross"]["shape"][0]
    bent = [
        {**first, "sides": matrix(np.ones(n))},
        {**first, "sign": -first["sign"]},
        {**first, "below": first["below"][:1]},
        {**first, "below": [first["below"][1], leaf]},
        {**first, "below": [{**leaf, "trace": (1e300).hex()}, first["below"][1]]},
        {**first, "below": [{**leaf, "trace": (50.0).hex()}, first["below"][1]]},
        {**first, "cross": matrix(np.zeros((order, order)))},
        {**first, "cross": matrix(np.eye(order + 1))},
        {**first, "pairs": matrix(np.zeros((7 * n + 2, 7 * n + 2)))},
        {**first, "pairs": matrix(np.zeros((n, n)))},
    ]
    return [
        *({**lower, "blocks": [block, *rest]} for block in bent),
        *({**lower, "blocks": listed} for listed in ([], rest, None)),
        *({**lower, "scale": x.hex()} for x in (0.0, -1.0, 1e101, 2.0**-40)),
        {**lower, "level": (0.5 * float.fromhex(lower["level"])).hex()},
        {**lower, "level": (1e300).hex()},
    ]


def test_tampered_evidence_is_refused() -> None:
    certificate = solved("layers")
    assert verify(certificate).accepted
    for lower in changes(certificate["lower"]):
        verdict = verify({**certificate, "lower": lower})
        assert not verdict.accepted
        assert verdict.reason.startswith(("lower", "claimed.dual", "a form"))


def test_blocks_of_either_sign_of_a_sample_cover_it() -> None:
    certificate = copy.deepcopy(solved("layers"))
    blocks = certificate["lower"]["blocks"]
    n = blocks[0]["sides"]["shape"][0]
    halves = []
    for block in blocks:
        for side in (1.0, -1.0):
            sides = np.zeros(n)
            sides[0] = side
            halves.append({**block, "sides": matrix(sides)})
    certificate["lower"]["blocks"] = halves
    assert verify(certificate).accepted
    certificate["lower"]["blocks"] = halves[1:]
    assert "some signs of the last layer" in verify(certificate).reason


def test_a_form_is_charged_what_it_lacks_in_a_cell() -> None:
    """−u² is below the form 0 of either cell by ‖τ‖² at most, and is negative."""
    X = np.array([[1.0]])
    frames = frames_of(X, 1, 3)
    leaf = Node(np.zeros((4, 4)), cones=np.zeros((2, 4)), trace=0.0)
    whole = np.diag([0.0, -1.0, 0.0])
    split = Split(whole, np.array([[1.0], [-1.0]]), (leaf, leaf))
    node = Node(np.zeros((9, 9)), cross=np.zeros((3, 3)), below=(split, split))
    charged = float(proved(node, X, frames).defect)
    assert lengths_of(X, 1, 2)[0] <= charged <= 1.001 * lengths_of(X, 1, 2)[0]
    assert charged == pytest.approx(node.form(frames)[1][0] * lengths_of(X, 1, 2)[0])


def cells_of(leaf: dict[str, Any], n: int, order: int) -> dict[str, Any]:
    """A node of features as two cells with its own multipliers, and the form that these have."""
    sides = [matrix(np.eye(n)[:, [0]] * side) for side in (1.0, -1.0)]
    form = matrix(np.zeros((order, order)))
    return {"form": form, "cells": [{**leaf, "sides": side} for side in sides]}


def test_cells_cover_all_signs_and_have_a_form_each() -> None:
    certificate = copy.deepcopy(solved("layers"))
    block = certificate["lower"]["blocks"][0]
    n, order = block["sides"]["shape"][0], block["cross"]["shape"][0]
    leaf, other = block["below"]
    frames = frames_of(floats_of(certificate), 1, 3)
    split = cells_of(leaf, n, order)
    piece = Piece(floats_of(certificate), np.zeros((n, 1)), 3, leaf, "lower")
    own = valid(piece, frames[:1], [arb(1)], NONE).form
    split["form"] = matrix(np.tril(own) + np.tril(own, -1).T)
    block["below"] = [split, other]
    assert verify(certificate).accepted
    for bent in (
        {**split, "cells": split["cells"][:1]},
        {**split, "cells": []},
        {**split, "cells": None},
        {**split, "form": matrix(np.zeros((order + 1, order + 1)))},
        {**split, "form": matrix(10 * np.abs(own).max() * np.eye(order))},
        {**split, "form": matrix(-10 * np.abs(own).max() * np.eye(order))},
        {**split, "cells": [{**split["cells"][0], "trace": (1e3).hex()}, split["cells"][1]]},
        {"cells": split["cells"]},
    ):
        block["below"] = [bent, other]
        verdict = verify(certificate)
        assert not verdict.accepted
        assert verdict.reason.startswith(("lower", "claimed.dual", "a form"))


def floats_of(certificate: dict[str, Any]) -> Array:
    """s·X."""
    stored, scale = certificate["problem"]["X"], float.fromhex(certificate["lower"]["scale"])
    return scale * np.frombuffer(bytes.fromhex(stored["data"])).reshape(stored["shape"])


def test_features_have_room_for_rounding_only() -> None:
    X = np.array([[3.0, 4.0], [1.0, 1.0]])
    room = features(X).signed[-2:, 0]
    assert room == pytest.approx([5.0, np.sqrt(2)], rel=1e-14) and (room >= [5.0, 2**0.5]).all()
