"""The depth study as a table."""

import math
from pathlib import Path
from typing import Any

from zerogap.checker.check import Verdict
from zerogap.replication.tables import frames

# The power regulariser of three layers: totals are (3/2) D₁.
_FACTOR = 1.5


def write(rows: list[dict[str, Any]], verdicts: dict[str, list[Verdict]], output: Path) -> int:
    """Write depth.csv; verdicts: on the certificates, by the id of the row that they are for.

    certified: the checker proved that the values differ, of this very data. Its numbers then stand
    in the row.
    """
    merged = [row | _proved(row, verdicts.get(row["id"], [])) for row in rows]
    merged.sort(key=lambda row: (row["d"], row["n"], row["kind"]))
    frames.write(output, merged, frames.DEPTH_COLUMNS, "depth-table")
    return len(merged)


def _proved(row: dict[str, Any], verdicts: list[Verdict]) -> dict[str, Any]:
    """What the one certificate of a row proves of its three and four layers."""
    found = verdicts[0] if len(verdicts) == 1 else None
    # A certificate without a finite value of deeper networks says nothing of depth.
    if (
        found is None
        or not found.accepted
        or found.problem != row["problem"]
        or not math.isfinite(found.deeper_upper)
    ):
        return {"certified": False}
    return {
        "certified": True,
        "three_lower": found.dual / _FACTOR,
        "three_upper": found.primal / _FACTOR,
        "four_upper": found.deeper_upper / _FACTOR,
        "relative_lower": 1 - found.deeper_upper / found.dual,
    }
