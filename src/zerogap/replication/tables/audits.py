"""The proved distances of trained networks as a table."""

import math
from pathlib import Path
from typing import Any

from zerogap.checker.check import Verdict
from zerogap.model.bounds import relative
from zerogap.replication.tables import frames


def write(
    rows: list[dict[str, Any]], verdicts: dict[tuple[str, str], list[Verdict]], output: Path
) -> int:
    """Write audits.csv; verdicts: on the certificates, by problem and what each is called in it.

    certified: the checker proved the network's objective and, of that very problem, the bracket.
    There are no numbers without.
    """
    values = [_values(row, verdicts) for row in rows]
    best: dict[str, float] = {}
    for row, found in zip(rows, values, strict=True):
        known = [found[name] for name in ("objective", "bracket") if found]
        best[row["problem"]] = min([*known, best.get(row["problem"], math.inf)])
    merged = [
        row | _shares(found, best[row["problem"]]) for row, found in zip(rows, values, strict=True)
    ]
    frames.write(output, merged, frames.AUDIT_COLUMNS, "audits-table")
    return len(merged)


def _values(
    row: dict[str, Any], verdicts: dict[tuple[str, str], list[Verdict]]
) -> dict[str, float]:
    """Objective, lower bound and that of the bracket's network in torch's units, where proved."""
    found = []
    for name in (row["network"], row["bracket"]):
        proved = verdicts.get((row["problem"], name), [])
        # Two certificates under one name say nothing of which is meant.
        if len(proved) != 1 or not proved[0].accepted or proved[0].problem != row["digest"]:
            return {}
        found.append(proved[0])
    own, bound = found
    scale, charge = row["scale"], row["charge"]
    return {
        "objective": scale * own.primal - charge,
        "lower": max(scale * bound.dual - charge, 0.0),
        "bracket": scale * bound.primal,
    }


def _shares(values: dict[str, float], best: float) -> dict[str, Any]:
    """What a row says of its distance: what is the network's for certain, and what is not known."""
    if not values:
        return {"certified": False}
    objective, lower = values["objective"], values["lower"]
    return {
        "objective": objective,
        "lower": lower,
        "best": best,
        "relative_gap": relative(objective - lower, objective),
        "excess": relative(objective - best, objective),
        "unknown": relative(best - lower, objective),
        "certified": True,
    }
