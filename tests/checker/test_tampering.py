"""Damage to certificates of every kind, seeded: no false statement passes, nothing runs away."""

from __future__ import annotations

import copy
import gzip
import json
import math
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.checker.examples import EVERY_KIND, Array, example, relu, solved
from zerogap.checker import verify
from zerogap.checker.files import Unreadable
from zerogap.checker.kinds import KINDS, cones
from zerogap.checker.workers import verify_file
from zerogap.model.network import Network
from zerogap.solving.certificates import matrix

ORDINARY, FAULTS = 150, 600
# What one statement may take beyond what the process has: far more than any needs.
BYTES, SECONDS = 2**31, 120

JUNK = [None, True, -1, 0, 10**30, 1e308, "", "zz", "nan", "inf", "0x1.0p-1080", [], [[]], {}, [{}]]


class TooLongError(BaseException):
    """Not an Exception, which the checker would turn into a refusal."""


@pytest.fixture(autouse=True)
def little_memory_and_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Cones that do not end, as of damaged data, end sooner here.
    monkeypatch.setattr(cones, "MAX_CONES", 3000)

    def stop(*_: Any) -> None:
        raise TooLongError

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES, hard))
    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


# --- mutations --------------------------------------------------------------------------------


def leaves(node: Any, path: tuple = ()) -> list[tuple]:
    """Paths of all entries of a JSON value, containers included."""
    children: Any = ()
    if isinstance(node, dict):
        children = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    return [path, *(leaf for key, child in children for leaf in leaves(child, (*path, key)))]


def at(certificate: Any, path: tuple) -> Any:
    for key in path:
        certificate = certificate[key]
    return certificate


def replaced(certificate: Any, path: tuple, value: Any) -> Any:
    if not path:
        return value
    out = copy.deepcopy(certificate)
    at(out, path[:-1])[path[-1]] = value
    return out


def decoded(stored: dict[str, Any]) -> Array:
    return np.frombuffer(bytes.fromhex(stored["data"])).reshape(stored["shape"])


def is_matrix(node: Any) -> bool:
    return isinstance(node, dict) and set(node) == {"shape", "data"}


def flip(node: str, rng: np.random.Generator) -> str:
    """One bit of a matrix flipped, or its first entry made extreme."""
    raw = bytearray(bytes.fromhex(node))
    bit = int(rng.integers(8 * len(raw)))
    raw[bit // 8] ^= 1 << bit % 8
    if rng.random() < 0.2:
        raw[:8] = np.array([rng.choice([np.nan, np.inf, -np.inf, 1e308, 5e-324])]).tobytes()
    return raw.hex()


def reshaped(stored: dict[str, Any], rng: np.random.Generator) -> Any:
    """A matrix scaled, with a row dropped, doubled or moved, an entry changed, a false shape."""
    M = decoded(stored)
    row, column = int(rng.integers(len(M))), int(rng.integers(M.shape[1]))
    zeroed, negated, turned = M.copy(), M.copy(), M.copy()
    zeroed[row, column] = 0
    negated[row] *= -1
    turned[row, column] *= -1
    changes = [
        np.delete(M, row, 0) if len(M) > 1 else M[:, :1],
        np.insert(M, row, M[row], 0),
        np.roll(M, 1, 0),
        -M,
        M.T,
        zeroed,
        negated,
        turned,
        0.5 * M,
        2 * M,
        1e150 * M,
    ]
    choice = int(rng.integers(len(changes) + 2))
    if choice < len(changes):
        return matrix(changes[choice])
    shape = [[10**9, 10**9], [len(M), 10**9], [0, 0], [-1, -1], [1.5, 2]][rng.integers(5)]
    return {**stored, "shape": shape}


def shuffled(node: list[Any], rng: np.random.Generator) -> list[Any]:
    """A list with an entry dropped, doubled, or exchanged for its neighbour."""
    i, choice = int(rng.integers(len(node))), int(rng.integers(3))
    if choice == 0:
        return node[:i] + node[i + 1 :]
    if choice == 1:
        return [*node, node[i]]
    return node[i:] + node[:i]


def nested(node: Any) -> Any:
    for _ in range(400):
        node = [node]
    return node


def mutate(certificate: dict[str, Any], rng: np.random.Generator) -> Any:
    paths = leaves(certificate)
    path = paths[rng.integers(1, len(paths))]
    node = at(certificate, path)
    if rng.random() < 0.05:
        return replaced(certificate, path, nested(node))
    if rng.random() < 0.05:
        # Evidence may argue about nearby data, at the cost of their distance.
        X = decoded(certificate["problem"]["X"])
        return replaced(certificate, ("lower", "X"), matrix(rng.choice([0, 0.5, 1 - 1e-3]) * X))
    if rng.random() < 0.15:
        return replaced(certificate, path, JUNK[rng.integers(len(JUNK))])
    if path[-1] == "data" and isinstance(node, str):
        stored = at(certificate, path[:-1])
        if rng.random() < 0.5 or not is_matrix(stored):
            return replaced(certificate, path, flip(node, rng))
        return replaced(certificate, path[:-1], reshaped(stored, rng))
    if is_matrix(node):
        return replaced(certificate, path, reshaped(node, rng))
    if isinstance(node, list) and node:
        return replaced(certificate, path, shuffled(node, rng))
    if isinstance(node, str) and node.startswith(("0x", "-0x")):
        factor = rng.choice([-1, 0, 0.5, 1 - 1e-6, 1 + 1e-6, 1.01, 2, 1e300])
        return replaced(certificate, path, (float.fromhex(node) * factor).hex())
    if path[-1] in ("depth", "sign"):
        return replaced(certificate, path, int(rng.integers(-1, 6)))
    if isinstance(node, dict) and node and rng.random() < 0.5:
        out = copy.deepcopy(certificate)
        del at(out, path)[rng.choice(sorted(node))]
        return out
    return replaced(certificate, path, JUNK[rng.integers(len(JUNK))])


def overstated(certificate: Any, rng: np.random.Generator) -> Any:
    """A claim stronger by a thousandth: what damaged evidence must not be able to prove."""
    claimed = certificate.get("claimed") if isinstance(certificate, dict) else None
    if not isinstance(claimed, dict):
        return certificate
    sign = {"primal": -1, "dual": 1, "primal_lower": 1, "dual_upper": -1, "deeper_upper": -1}
    names = sorted(name for name in sign if isinstance(claimed.get(name), str))
    if not names:
        return certificate
    name = names[rng.integers(len(names))]
    try:
        value = float.fromhex(claimed[name])
    except (ValueError, OverflowError):
        return certificate
    return replaced(certificate, ("claimed", name), (value * (1 + sign[name] * 1e-3)).hex())


# --- what is true -----------------------------------------------------------------------------


def claims_of(certificate: Any) -> dict[str, float]:
    claimed = certificate["claimed"]
    return {key: float.fromhex(value) for key, value in claimed.items() if value is not None}


def attained(certificate: Any) -> float:
    """The objective of the certificate's own network in float64, inf if it is not a solution."""
    stated = certificate["problem"]
    layers = [[decoded(W) for W in branch] for branch in certificate["upper"]["branches"]]
    first, last = stated.get("bias") or ("none", "none")
    b = decoded(certificate["upper"]["bias"])[0] if certificate["upper"].get("bias") else None
    network = Network(tuple(map(tuple, layers)), stated["activation"], b)
    X, Y = decoded(stated["X"]), decoded(stated["Y"])
    if network.depth != stated["depth"]:
        return math.inf
    cost = network.regularizer(stated["regularizer"], free=first == "free")
    cost += 0.5 * float(b @ b) if b is not None and last == "decayed" else 0.0
    error = np.linalg.norm(network.outputs(X) - Y)
    if stated["beta"] is not None:
        return float(error**2 / 2 + float.fromhex(stated["beta"]) * cost)
    return cost if error <= 2e-6 * np.linalg.norm(Y) else math.inf


def path_cost(certificate: Any) -> float:
    """The total value of a certificate's un-shared deeper network, inf if it does not fit."""
    X, Y = (decoded(certificate["problem"][key]) for key in ("X", "Y"))

    def mixture(node: Any) -> tuple[Array, float]:
        m, inputs = decoded(node["mixture"])[:, 0], node["inputs"]
        if is_matrix(inputs):
            U = decoded(inputs)
            V, gains = relu(X @ U), np.linalg.norm(U, axis=0)
        else:
            below = [mixture(entry) for entry in inputs]
            V, gains = relu(np.array([z for z, _ in below]).T), np.array([g for _, g in below])
        return V @ m, float(np.abs(m) @ gains)

    fitted, gain = mixture(certificate["deeper"]["path"])
    fits = np.linalg.norm(fitted[:, None] - Y) <= 2e-6 * np.linalg.norm(Y)
    return certificate["problem"]["depth"] / 2 * gain if fits else math.inf


def falsehoods(mutant: Any, original: Any) -> list[str]:
    """What an accepted mutant claims that an independent float64 computation contradicts.

    Its own network bounds the optimum from above, whatever became of the data; where the problem
    is untouched, so do the original's bounds on either side.
    """
    claimed, value = claims_of(mutant), attained(mutant)
    room = 1 + 1e-9
    false = ["primal is not attained"] * (value > claimed["primal"] * room)
    lows = [claimed["dual"], claimed.get("primal_lower", 0.0)]
    false += ["a lower bound is above a network"] * (max(lows) > value * room)
    upper = claimed.get("dual_upper", math.inf)
    false += ["the dual is above its bound"] * (claimed["dual"] > upper * room)
    if "deeper_upper" in claimed:
        false += ["deeper is not attained"] * (path_cost(mutant) > claimed["deeper_upper"] * room)
    if all(mutant[key] == original[key] for key in ("problem", "epsilon")):
        known = {"primal_lower": 0.0, "dual_upper": math.inf} | claims_of(original)
        below = max(known["dual"], known["primal_lower"])
        false += ["primal is below the optimum"] * (claimed["primal"] * room < below)
        above = min(known["primal"], known["dual_upper"])
        false += ["the dual is above the optimum"] * (claimed["dual"] > above * room)
        false += ["dual_upper is below the dual"] * (upper * room < known["dual"])
    return false


# --- tests ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "count", [ORDINARY, pytest.param(FAULTS, marks=pytest.mark.faults)], ids=["some", "many"]
)
@pytest.mark.parametrize("name", EVERY_KIND)
def test_no_mutation_crashes_or_makes_a_false_statement_pass(name: str, count: int) -> None:
    original = example(name)
    assert verify(original).accepted
    rng = np.random.default_rng(EVERY_KIND.index(name))
    refused = 0
    for i in range(count):
        mutant = mutate(original, rng)
        if i % 2:
            mutant = overstated(mutant, rng)
        signal.alarm(SECONDS)
        verdict = verify(mutant)
        assert verdict.reason and "\n" not in verdict.reason
        assert "MemoryError" not in verdict.reason
        if verdict.accepted:
            assert not falsehoods(mutant, original), verdict
        else:
            refused += 1
            assert verdict.dual == -math.inf and verdict.primal == math.inf
    # Much damage leaves a true statement: a free string, a looser claim, another valid multiplier.
    assert refused > count / 4


def test_there_are_more_than_a_thousand_mutations_and_some_of_every_kind_of_evidence() -> None:
    assert ORDINARY * len(EVERY_KIND) >= 1000
    kinds = set()
    for name in EVERY_KIND:
        evidence = example(name)["lower"]
        kinds |= {evidence["kind"], *(e["kind"] for e in evidence.get("evidence", []))}
    assert kinds == {*KINDS, "levels"}


@pytest.mark.parametrize("name", ["cover", "moments", "shared", "tree-4"])
def test_a_subdivision_with_a_hole_is_refused(name: str) -> None:
    certificate = copy.deepcopy(solved(name))
    evidence = certificate["lower"]
    if name == "moments":
        for i in range(len(evidence["blocks"])):
            mutant = copy.deepcopy(certificate)
            del mutant["lower"]["blocks"][i]
            assert not verify(mutant).accepted
        return
    key = "splits" if name in ("cover", "shared") else "mu"
    rows = decoded(evidence[key])
    for i in range(len(rows)):
        evidence[key] = matrix(np.delete(rows, i, 0))
        assert not verify(certificate).accepted


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"nan",
        b"9" * 10_000,
        b"[" + b"1e999," * 10 + b"1]",
        b'"\\ud800"',
        b"\xff\xfe",
        b"[" + b"[]," * 3_000_000 + b"[]]",
    ],
    ids=["empty", "cut", "lists", "objects", "nan", "digits", "inf", "surrogate", "bytes", "many"],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_line_that_is_no_certificate_is_refused(line: bytes, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{suffix}"
    packed = gzip.compress(line + b"\n") if suffix.endswith("gz") else line + b"\n"
    file.write_bytes(packed)
    signal.alarm(SECONDS)
    assert refused_or_unread(file)


def refused_or_unread(file: Path) -> bool:
    """Whether a file holds nothing that is accepted; anything but Unreadable is a crash."""
    try:
        rows = [row for row in verify_file(file, 1e-6) if isinstance(row, dict)]
        return not any(row["accepted"] for row in rows)
    except Unreadable as error:
        assert "\n" not in str(error)
        return True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(sorted({str(key) for path in leaves(solved("cover")) for key in path}))
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=JSON, data=st.data())
def test_any_json_in_any_place_is_refused_or_true(value: Any, data: st.DataObject) -> None:
    original = solved("cover")
    path = data.draw(st.sampled_from(leaves(original)))
    mutant = replaced(original, path, value)
    verdict = verify(mutant)
    assert verdict.reason and "\n" not in verdict.reason
    assert not verdict.accepted or not falsehoods(mutant, original)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), suffix=st.sampled_from([".jsonl", ".jsonl.gz"]))
def test_any_bytes_are_read_or_refused(
    data: st.DataObject, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = json.dumps(solved("cover")).encode()
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, len(whole) - 1))
    file = tmp_path_factory.mktemp("bytes") / f"a{suffix}"
    file.write_bytes(data.draw(st.binary(max_size=60)) + whole[start:end])
    assert refused_or_unread(file)
