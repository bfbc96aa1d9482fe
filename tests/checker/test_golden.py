"""Certificates that are committed: what was proved once is proved for ever, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zerogap.checker import verify
from zerogap.checker.files import read_jsonl
from zerogap.checker.kinds import KINDS
from zerogap.checker.theorems import THEOREMS

DOCS = Path(__file__).parents[2] / "docs"
GOLDEN = DOCS / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))


def golden(name: str, folder: str = "accepted") -> dict[str, Any]:
    (certificate,) = read_jsonl(GOLDEN / folder / f"{name}.jsonl")
    return certificate


@pytest.mark.parametrize("name", EXPECTED)
def test_the_recorded_numbers_are_proved_bit_for_bit(name: str) -> None:
    verdict = verify(golden(name))
    assert verdict.accepted, verdict.reason
    assert verdict.status == EXPECTED[name]["status"]
    for key in ("primal", "dual", "primal_lower", "dual_upper", "deeper_upper"):
        assert getattr(verdict, key).hex() == EXPECTED[name][key], key


@pytest.mark.parametrize("name", EXPECTED)
def test_the_sibling_is_refused_for_the_recorded_reason(name: str) -> None:
    verdict = verify(golden(name, "refused"))
    assert not verdict.accepted and verdict.reason == EXPECTED[name]["refused"]


def used() -> Iterator[str]:
    """Kinds of evidence, of gaps and of deeper networks that golden certificates use."""
    for name in EXPECTED:
        certificate = golden(name)
        waiting = [certificate["lower"]]
        while waiting:
            evidence = waiting.pop()
            yield evidence["kind"]
            waiting += evidence.get("evidence", []) + [
                evidence[k] for k in evidence if k == "inner"
            ]
        gap, deeper = certificate["gap"] or {}, certificate["deeper"] or {}
        yield from ({gap["theorem"]} if "theorem" in gap else {*gap} - {"bidual"})
        yield from {*deeper} - {"depth"}


def test_every_kind_and_theorem_has_a_golden_certificate_and_a_line_in_the_docs() -> None:
    kinds = {*KINDS, *THEOREMS, "levels", "search", "kernel", "path", "branches"}
    assert {*used()} == kinds
    files = {file.stem for file in GOLDEN.glob("*/*.jsonl")}
    assert files == {*EXPECTED}
    text = (DOCS / "certificates.md").read_text(encoding="utf-8")
    assert all(f"`{kind}`" in text for kind in kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_refuses_evidence_without_its_fields(kind: str) -> None:
    certificate = golden("linear")
    certificate["lower"] = {"kind": kind}
    assert "lower" in verify(certificate).reason


def test_a_problem_with_a_key_that_is_not_of_this_format_is_refused() -> None:
    (certificate,) = read_jsonl(GOLDEN / "accepted/linear.jsonl")
    certificate["problem"]["delta"] = (1.0).hex()
    assert "problem has the key 'delta'" in verify(certificate).reason
