"""The scoreboard: what the judges say of a claim, from small tables made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zerogap.replication.claims import CLAIMS, Claim
from zerogap.replication.tables.frames import COLUMNS
from zerogap.replication.tables.scoreboard import scoreboard

REPLICATED, NOT = "replicated", "not replicated"
CONDITION = "replicated under a condition"
MEASURED = "replicated under a measured condition"
CLOSES = "where the bracket closes: "
Row = dict[str, Any]


def _claim(test: str, condition: bool = False) -> Claim:
    return next(
        c for c in CLAIMS if c.test == test and (test != "gap" or condition == bool(c.condition))
    )


PLAIN, SOMETIMES = _claim("gap"), _claim("gap", condition=True)
FORMULA, SHRINKAGE = _claim("formula"), _claim("shrinkage")
BRANCHES, BRACKET = _claim("branches"), _claim("bracket")


def _board(folder: Path, rows: dict[str, list[Row]], tolerance: float = 1e-6) -> pd.DataFrame:
    """The scoreboard of tables with these rows, by claim."""
    whole = [
        {
            "claim": claim,
            "setting": f"{claim}-setting",
            "instance": f"problem-{number}",
            "status": "solved",
            "certified": True,
            "holds": True,
            "depth": 3,
            "relative_gap": 0.1,
            **row,
        }
        for claim, given in rows.items()
        for number, row in enumerate(given)
    ]
    for name in ("gaps.csv", "details.csv", "training.csv"):
        pd.DataFrame(whole, columns=COLUMNS[name]).to_csv(folder / name, index=False)
    return scoreboard(folder, tolerance)


def _judged(folder: Path, claim: Claim, *rows: Row) -> tuple[str, str]:
    (judged,) = _board(folder, {claim.id: list(rows)}).to_dict("records")
    return judged["verdict"], judged["evidence"]


def _stated(paper: str, verdict: str, **more: Any) -> Row:
    return {"paper": paper, "verdict": verdict, **more}


ZERO = _stated("zero", "zero", relative_gap=2e-9)
EXACT = ZERO | {"relative_gap": 0.0}
POSITIVE = _stated("positive", "positive")
OPEN = _stated("zero", "open")
WRONG = _stated("zero", "positive")
FAILED = {"status": "failed", "certified": False, "paper": "zero", "verdict": "open"}
REFUSED = FAILED | {"status": "refused"}


# --- claims on gaps -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "evidence"),
    [
        ((ZERO, ZERO), "2 of 2 problems proved as stated, zero gaps below 1e-06"),
        ((EXACT,), "1 of 1 problems proved as stated, zero gaps below 1e-12"),
        ((POSITIVE,), "1 of 1 problems proved as stated"),
        (
            (ZERO, POSITIVE, _stated("any", "positive"), _stated("any", "open")),
            "2 of 2 problems proved as stated, zero gaps below 1e-06",
        ),
    ],
    ids=["zero", "exactly zero", "positive", "the paper says nothing of the others"],
)
def test_a_sentence_is_replicated_where_every_problem_is_decided_as_it_says(
    rows: tuple[Row, ...], evidence: str, tmp_path: Path
) -> None:
    assert _judged(tmp_path, PLAIN, *rows) == (REPLICATED, evidence)


@pytest.mark.parametrize(
    ("gap", "tolerance", "said"),
    [
        (9.9e-10, 1e-6, "1e-09"),
        (1.1e-13, 1e-6, "1e-12"),
        (-3e-17, 1e-6, "1e-12"),
        (2e-4, 1e-3, "1e-03"),
        (1e-3, 1e-3, "1e-03"),
    ],
)
def test_widths_of_zero_gaps_are_said_coarsely_and_never_above_the_tolerance(
    gap: float, tolerance: float, said: str, tmp_path: Path
) -> None:
    board = _board(tmp_path, {PLAIN.id: [ZERO | {"relative_gap": gap}]}, tolerance)
    assert board["evidence"][0].endswith(f"zero gaps below {said}")


def test_a_sentence_needs_its_condition_where_it_fails_without(tmp_path: Path) -> None:
    rows = (POSITIVE, _stated("positive", "zero", holds=False), OPEN | {"holds": False})
    said = "1 of 3 problems proved as stated, 1 proved otherwise, 1 open"
    expected = (CONDITION, f"holds when {SOMETIMES.condition}: {said}")
    assert _judged(tmp_path, SOMETIMES, *rows) == expected


def test_open_problems_leave_a_condition(tmp_path: Path) -> None:
    said = "1 of 2 problems proved as stated, zero gaps below 1e-06, 1 open"
    assert _judged(tmp_path, PLAIN, ZERO, OPEN) == (MEASURED, CLOSES + said)


@pytest.mark.parametrize(
    ("rows", "evidence"),
    [
        ((WRONG,), "0 of 1 problems proved as stated, 1 proved otherwise"),
        ((POSITIVE, WRONG), "1 of 2 problems proved as stated, 1 proved otherwise"),
        (
            (ZERO | {"holds": False}, WRONG | {"holds": False}),
            "1 of 2 problems proved as stated, zero gaps below 1e-06, 1 proved otherwise",
        ),
        ((OPEN, OPEN), "0 of 2 problems proved as stated, 2 open"),
    ],
    ids=["never true", "false where its condition holds", "no problem meets its condition", "open"],
)
def test_a_sentence_is_not_replicated_where_it_fails_or_nothing_is_decided(
    rows: tuple[Row, ...], evidence: str, tmp_path: Path
) -> None:
    assert _judged(tmp_path, SOMETIMES, *rows) == (NOT, evidence)


# --- the orthogonal formula -----------------------------------------------------------------------


def _fitted(sizes: str, depth: int, primal: float | None, **more: Any) -> Row:
    return {"sizes": sizes, "depth": depth, "primal": primal, **more}


# (L/2) Σ n_k^{1/L}: 3 for classes of one and one at L = 3, 7.5 for three such at L = 5.
MET = (_fitted("1-1", 3, 3.0), _fitted("1-1-1", 5, 7.5))


@pytest.mark.parametrize(
    "row",
    [
        _fitted("1-1-1", 5, 7.6),
        _fitted("1-1-1", 5, 7.5 * (1 - 1e-7)),
        _fitted("1-1-1", 5, 7.0, certified=False),
        _fitted("8-1", 3, 4.5),
    ],
    ids=["above", "equal to rounding", "below, unproved", "unequal classes"],
)
def test_the_formula_stands_until_a_certified_network_beats_it(row: Row, tmp_path: Path) -> None:
    said = "0 of 3 beaten by a certified network; optimality itself is proved for two classes"
    assert _judged(tmp_path, FORMULA, *MET, row) == (REPLICATED, said)


@pytest.mark.parametrize("holds", [False, True])
def test_the_formula_falls_where_a_certified_network_beats_it(holds: bool, tmp_path: Path) -> None:
    beaten = _fitted("1-1-1", 5, 7.35, holds=holds)
    unproved = _fitted("1-1-1", 5, 7.0, certified=False)
    said = "1 of 4 beaten by a certified network, by up to 2.0%"
    under = (MEASURED, f"never beaten with {FORMULA.condition}; {said}")
    assert _judged(tmp_path, FORMULA, *MET, beaten, unproved) == ((NOT, said) if holds else under)


def test_the_formula_is_not_asked_of_problems_without_a_network(tmp_path: Path) -> None:
    lost = _fitted("1-1", 3, None, status="failed", certified=False)
    verdict, said = _judged(tmp_path, FORMULA, *MET, lost)
    assert verdict == MEASURED
    assert said.startswith(f"{CLOSES}0 of 2 beaten by a certified network; ")
    assert said.endswith(", 1 failed")


# --- shrinkage ------------------------------------------------------------------------------------


def _path(*ranks: float, excess: float | None = 1e-4, **more: Any) -> list[Row]:
    """Ranks at growing β, given in the order of falling β."""
    rows = [
        {"data": "a", "beta": 2.0**step, "rank_map": rank, "excess": excess, **more}
        for step, rank in enumerate(ranks)
    ]
    return rows[::-1]


MEETS = "training meets the closed form to 1e-3 on {} of problems; rank falls from {} as β grows"


def test_shrinkage_is_replicated_where_training_meets_it_and_ranks_fall(tmp_path: Path) -> None:
    rows = [*_path(4, 2, 2, 1), *_path(3, 3, depth=4), *_path(3, 4, data="b")[:1]]
    rows.append({"data": "a", "beta": 9.0, "rank_map": None, "excess": 5.0})
    assert _judged(tmp_path, SHRINKAGE, *rows) == (REPLICATED, MEETS.format("100%", "4 to 1"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (_path(3, 1, 2), MEETS.format("100%", "3 to 1")),
        ([*_path(3, 1), *_path(2, excess=-0.1, data="b")], MEETS.format("67%", "3 to 1")),
        ([*_path(3, 1), *_path(2, excess=None, data="b")], MEETS.format("67%", "3 to 1")),
    ],
    ids=["rank grows with β", "training misses", "training found nothing"],
)
def test_shrinkage_is_not_replicated_otherwise(rows: list[Row], said: str, tmp_path: Path) -> None:
    assert _judged(tmp_path, SHRINKAGE, *rows) == (NOT, said)


# --- branches -------------------------------------------------------------------------------------


def _allowed(verdicts: dict[int, str], **more: Any) -> list[Row]:
    """Three samples and two outputs: KN + 1 = 7."""
    return [
        {"data": "a", "n": 3, "k": 2, "branches_allowed": m, "verdict": verdict, **more}
        for m, verdict in verdicts.items()
    ]


def _left(count: int) -> str:
    """Why problems of this claim stay open, as the registry has it."""
    assert BRANCHES.unproved
    return f", {count} open ({BRANCHES.unproved})"


def test_the_least_number_of_branches_that_closes_the_gap_is_found(tmp_path: Path) -> None:
    rows = [
        *_allowed({5: "zero", 1: "open", 3: "zero"}, depth=2),
        *_allowed({2: "positive", 7: "zero"}, data="b", depth=4),
    ]
    said = "gaps below 1e-06 at m* ≤ 3 of KN + 1 = 7 (L = 2); m* ≤ 7 of KN + 1 = 7 (L = 4)"
    assert _judged(tmp_path, BRANCHES, *rows) == (REPLICATED, said + _left(1))
    assert _judged(tmp_path, BRANCHES, *rows[:1], *rows[2:]) == (REPLICATED, said)


@pytest.mark.parametrize("late", [{1: "open"}, {7: "positive", 8: "zero"}], ids=["open", "late"])
def test_more_branches_than_the_bound_do_not_count(late: dict[int, str], tmp_path: Path) -> None:
    rows = [*_allowed({3: "zero"}), *_allowed(late, data="b")]
    said = "gaps below 1e-06 at m* ≤ 3 of KN + 1 = 7 (L = 3); open or late on 1 of 2"
    said += _left(1) if "open" in late.values() else ""
    assert _judged(tmp_path, BRANCHES, *rows) == (NOT, said)


def test_no_network_with_too_few_branches_is_no_objection(tmp_path: Path) -> None:
    rows = [*_allowed({1: "open"}, status="failed", certified=False), *_allowed({3: "zero"})]
    said = f"gaps below 1e-06 at m* ≤ 3 of KN + 1 = 7 (L = 3), 1 failed{_left(1)}"
    assert _judged(tmp_path, BRANCHES, *rows) == (REPLICATED, said)


# --- brackets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("positive", "zero", "zero"), (REPLICATED, "2 zero, 1 positive")),
        (("zero", "open"), (MEASURED, f"{CLOSES}1 zero, 1 open")),
        (("open", "open"), (NOT, "2 open")),
    ],
)
def test_brackets_are_asked_to_be_decided_either_way(
    verdicts: tuple[str, ...], expected: tuple[str, str], tmp_path: Path
) -> None:
    rows = [_stated("any", verdict) for verdict in verdicts]
    assert _judged(tmp_path, BRACKET, *rows) == expected


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim", [PLAIN, FORMULA, SHRINKAGE, BRANCHES, BRACKET], ids=lambda c: c.test
)
def test_a_claim_of_which_every_problem_is_lost_is_not_replicated(
    claim: Claim, tmp_path: Path
) -> None:
    assert _judged(tmp_path, claim, FAILED, REFUSED, FAILED) == (NOT, "2 failed, 1 refused")


def test_a_lost_problem_leaves_a_condition_and_a_retried_one_does_not(tmp_path: Path) -> None:
    retried, silent = ZERO | {"status": "retried"}, REFUSED | {"paper": "any"}
    said = "1 of 1 problems proved as stated, zero gaps below 1e-06"
    assert _judged(tmp_path, PLAIN, retried) == (REPLICATED, f"{said}, 1 retried")
    assert _judged(tmp_path, PLAIN, ZERO, silent) == (MEASURED, f"{CLOSES}{said}, 1 refused")


def test_the_board_has_a_row_for_every_claim_that_ran_in_the_registry_s_order(
    tmp_path: Path,
) -> None:
    rows = {BRACKET.id: [_stated("any", "zero")], PLAIN.id: [ZERO, ZERO, FAILED]}
    board = _board(tmp_path, rows)
    order = [claim.id for claim in CLAIMS if claim.id in rows]
    assert board["claim"].tolist() == order
    by_claim = board.set_index("claim")
    assert by_claim.loc[PLAIN.id, "statement"] == PLAIN.statement
    assert by_claim["instances"].to_dict() == {PLAIN.id: 3, BRACKET.id: 1}
    assert by_claim["certified_share"].to_dict() == {PLAIN.id: 0.6667, BRACKET.id: 1.0}


def test_every_judge_has_a_claim() -> None:
    assert {c.test for c in CLAIMS} == {"gap", "formula", "shrinkage", "branches", "bracket"}
