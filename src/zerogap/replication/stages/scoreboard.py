"""The scoreboard of the paper's claims."""

from pathlib import Path

from zerogap.replication.tables.scoreboard import write


def run(tables: Path, tolerance: float) -> int:
    """Write claims.csv and claims.md beside the tables that they are read from."""
    return len(write(tables, tolerance))
