"""The search over the weights as a table."""

from pathlib import Path
from typing import Any

from zerogap.checker.check import Verdict
from zerogap.replication.tables import frames


def write(proved: list[tuple[Any, Verdict]], output: Path) -> int:
    """Write search.csv from certificates of kind `search` and their verdicts."""
    rows = []
    for proof, verdict in proved:
        n, d = proof["problem"]["X"]["shape"]
        rows.append(
            {
                "id": proof["id"]["instance"],
                "n": n,
                "d": d,
                "k": proof["problem"]["Y"]["shape"][1],
                "leaves": proof["gap"]["search"]["leaves"]["shape"][0],
                "primal_lower": verdict.primal_lower,
                "primal": verdict.primal,
                "dual_upper": verdict.dual_upper,
                "verdict": verdict.verdict,
                "certified": verdict.accepted,
            }
        )
    frames.write(output, rows, frames.SEARCH_COLUMNS, "search-table")
    return len(rows)
