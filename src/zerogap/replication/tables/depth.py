"""The depth study as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zerogap.replication.tables import frames


def write(rows: list[dict[str, Any]], proved: set[str], output: Path) -> int:
    """Write depth.csv; certified: the checker proved that the values differ."""
    merged = [row | {"certified": row["id"] in proved} for row in rows]
    merged.sort(key=lambda row: (row["d"], row["n"], row["kind"]))
    frames.write(output, merged, frames.DEPTH_COLUMNS, "depth-table")
    return len(merged)
