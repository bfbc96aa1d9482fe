"""A checker in Go, written from docs/certificates.md, and ours: verdict by verdict."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.judges.damage import damaged
from tests.judges.second import Judge, compared

pytestmark = pytest.mark.checkers

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "docs" / "golden"
RUN = ROOT / "results" / "certificates"
DAMAGED, OF_A_RUN, SMALL = 10_000, 2_000, 20_000


def lines(folder: Path) -> list[str]:
    files = sorted(folder.rglob("*.jsonl"))
    return [line for file in files for line in file.read_text("utf-8").splitlines() if line]


def report(capsys: pytest.CaptureFixture[str], what: str, said: object) -> None:
    with capsys.disabled():
        print(f"\n{what}: {said}")


@pytest.mark.parametrize("folder", ["accepted", "refused"])
def test_golden(second: Judge, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = compared(second, lines(GOLDEN / folder))
    report(capsys, f"golden, {folder}", comparison)
    assert not comparison.differ
    assert set(comparison.counts) <= {f"{folder} by both", "not judged here"}


def test_a_run(second: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    certificates = lines(RUN)
    if not certificates:
        pytest.skip("no run here: make writes results/certificates")
    comparison = compared(second, certificates)
    report(capsys, "a run", comparison)
    assert not comparison.differ
    assert set(comparison.counts) <= {"accepted by both", "not judged here"}


def test_damage(second: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = compared(second, damaged(lines(GOLDEN / "accepted"), DAMAGED, seed=0))
    report(capsys, "damaged golden ones", comparison)
    assert not comparison.differ
    assert comparison.counts["refused by both"] > DAMAGED / 2
    assert comparison.counts["accepted by both"] > DAMAGED / 10


def test_damage_to_a_run(second: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    small = [line for line in lines(RUN) if len(line) < SMALL]
    if not small:
        pytest.skip("no run here: make writes results/certificates")
    comparison = compared(second, damaged(small, OF_A_RUN, seed=1))
    report(capsys, "damaged ones of a run", comparison)
    assert not comparison.differ
    assert comparison.counts["refused by both"] > OF_A_RUN / 2


def test_bad_input_ends_with_one_line(second: Judge, tmp_path: Path) -> None:
    good = lines(GOLDEN / "accepted")[0]
    cases = {"no JSON": "{", "comes twice": '{"a": 1, "a": 2}', "behind": good + " 1"}
    for said, text in cases.items():
        file = tmp_path / "bad.jsonl"
        file.write_text(text + "\n", encoding="utf-8")
        done = subprocess.run([second.program, file], capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, said
        assert said in done.stderr
