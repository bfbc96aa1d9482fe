"""Tables of problems: the gaps, what training reached, details, and training curves."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zerogap.model.bounds import relative
from zerogap.replication.rows import Proved, Row
from zerogap.replication.tables.frames import COLUMNS, DETAIL_COLUMNS, write

# A network this close to an optimum has found it (relative).
FOUND = 1e-4
# Steps of a training curve that are nearer than by this factor are one point of the table.
_APART = 1.25


def gather(rows: list[Row], verdicts: list[Proved], output: Path) -> int:
    """Write gaps.csv, training.csv, details.csv and curves.csv; returns the number of problems.

    `certified` and the verdict come from the checker alone, and so do the numbers of a row that is
    certified: a problem whose certificate was refused, or states another problem, or that has none
    or more than one, is "open". status: the row's, or "refused"; reason: what failed, and where a
    verdict holds only up to ε, its ε.
    """
    checked: dict[tuple[str, str, str], list[Proved]] = {}
    for verdict in verdicts:
        checked.setdefault(verdict.key, []).append(verdict)
    gaps, training, details, curves = [], [], [], []
    for row in sorted(rows, key=lambda row: row.key):
        proved = _proved(row, checked.get(row.key, []))
        gaps.append(_gap_row(row, proved))
        training.append(_training_row(row))
        details.append(_detail_row(row, proved))
        for step, value, median, upper in _thinned(row.curve or []):
            point = {"setting": row.setting, "instance": row.instance, "step": step}
            curves.append(point | {"value": value, "median": median, "upper": upper})
    written = {"gaps": gaps, "training": training, "details": details, "curves": curves}
    for name, table in written.items():
        write(output / f"{name}.csv", table, COLUMNS[f"{name}.csv"], "collect")
    return len(rows)


def _proved(row: Row, verdicts: list[Proved]) -> Proved | None:
    """The verdict on a row's own certificate: the only one of its id, about the very problem."""
    if not verdicts:
        return None
    found, reason = verdicts[0], ""
    if len(verdicts) > 1:
        reason = f"{len(verdicts)} certificates bear this id; accepted is one"
    elif found.accepted and found.problem != row.problem:
        reason = "it states another problem than the row's"
    return replace(found, accepted=False, reason=reason) if reason else found


def _gap_row(row: Row, proved: Proved | None) -> dict[str, Any]:
    merged = vars(row) | {"certified": False, "verdict": "open"}
    if proved is not None and proved.accepted:
        numbers = {"primal": proved.primal, "dual": proved.dual}
        merged |= {"certified": True, "verdict": proved.verdict, **numbers}
        if proved.status != proved.verdict:
            said = [row.reason, f"{proved.status} = {proved.epsilon:.1e}"]
            merged["reason"] = "; ".join(filter(None, said))
    elif proved is not None:
        merged |= {"status": "refused", "reason": f"certificate: {proved.reason}"}
    primal, dual = merged["primal"], merged["dual"]
    if primal is not None and dual is not None:
        merged |= {"gap": primal - dual, "relative_gap": relative(primal - dual, primal)}
    return merged


def _detail_row(row: Row, proved: Proved | None) -> dict[str, Any]:
    return {
        **vars(row),
        **{key: value for key, value in row.tags.items() if key in DETAIL_COLUMNS},
        "trained": row.trained["best"],
        "trained_ranks": row.trained["ranks"],
        "proved_primal": proved and proved.primal,
        "proved_dual": proved and proved.dual,
        "proved_verdict": proved and proved.verdict,
    }


def _thinned(curve: list[list[Any]]) -> list[list[Any]]:
    """The points of a curve that a logarithmic axis of steps tells apart, and its last one.

    Unthinned, the curves are the largest table by far.
    """
    kept, following = [], 0.0
    for point in curve[:-1]:
        if point[0] >= following:
            kept.append(point)
            following = _APART * point[0]
    return [*kept, *curve[-1:]]


def _training_row(row: Row) -> dict[str, Any]:
    """How close training came to the optimum, where the optimum is known."""
    trained = row.trained
    kept = {
        **{key: getattr(row, key) for key in ("claim", "setting", "instance", "depth")},
        **{key: trained[key] for key in ("best", "median", "error", "restarts")},
    }
    optimum = row.exact_primal
    if not optimum or row.branches_allowed is not None or trained["best"] is None:
        return kept
    values = np.array([np.inf if v is None else v for v in trained["values"]])
    return kept | {
        "share_optimal": float(np.mean(values <= optimum * (1 + FOUND))),
        "optimum": optimum,
        "excess": trained["best"] / optimum - 1,
    }
