"""Table 1 of the paper, measured."""

from pathlib import Path

from zerogap.replication.tables.table1 import write


def run(tables: Path) -> int:
    """Write table1.csv, table1.md and table1.tex beside the tables that they are read from."""
    return len(write(tables))
