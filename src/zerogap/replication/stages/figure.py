"""One figure, drawn from the tables."""

from __future__ import annotations

from pathlib import Path

from zerogap.replication.figures import draw


def run(name: str, tables: Path, output: Path) -> int:
    """Draw a figure as output.png and output.pdf."""
    draw(name, tables, output)
    return 1
