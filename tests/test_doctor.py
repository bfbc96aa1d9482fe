"""What zerogap doctor says of this installation, and of broken ones."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from zerogap import doctor
from zerogap.checker import check
from zerogap.cli import main
from zerogap.solving import solver


def test_here_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["healthy"] and said["cores"] >= 1
    assert [each["name"] for each in said["checks"]] == list(doctor.CASES)
    assert not any(each["fault"] for each in said["checks"])


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first problem alone, and an installation that lacks a package of an extra."""
    first = next(iter(doctor.CASES))
    monkeypatch.setattr(doctor, "CASES", {first: doctor.CASES[first]})
    declared = ["numpy", "nowhere-to-be-found; extra == 'bench'", "zerogap[bench]; extra == 'all'"]
    monkeypatch.setattr(doctor, "requires", lambda name: declared)


def said(capsys: pytest.CaptureFixture[str], code: int) -> str:
    assert main(["doctor"]) == code
    return capsys.readouterr().out


def test_what_an_extra_lacks_is_named_and_is_no_fault(
    one: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, 0)
    assert "bench        not nowhere-to-be-found\n" in text and "\nall " not in text
    assert text.endswith("healthy      yes\n")


def test_what_the_library_lacks_is_a_fault(
    one: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "requires", lambda name: ["nowhere-to-be-found>=1.0"])
    text = said(capsys, 1)
    assert "library      not nowhere-to-be-found\n" in text
    assert text.endswith("healthy      no\n")


def test_a_checker_that_believes_everything_is_found_out(
    one: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proved = check.verify
    monkeypatch.setattr(
        check, "verify", lambda certificate: replace(proved(certificate), accepted=True)
    )
    assert "a primal of 1.98 is accepted, and primal is " in said(capsys, 1)


def test_a_checker_that_believes_nothing_is_found_out(
    one: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "verify", lambda certificate: check.Verdict(False, "no"))
    assert "its certificate is refused: no" in said(capsys, 1)


def test_a_solver_that_errs_or_breaks_is_found_out(
    one: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    solved = solver.solve
    monkeypatch.setattr(solver, "solve", lambda problem: replace(solved(problem), primal=2.1))
    assert "found 2.1 where 2 is right" in said(capsys, 1)

    def broken(problem: Any) -> Any:
        raise OSError("no library")

    monkeypatch.setattr(solver, "solve", broken)
    assert "failed: OSError: no library" in said(capsys, 1)
