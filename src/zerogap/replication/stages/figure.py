"""One figure, drawn from the tables."""

from pathlib import Path

from zerogap.replication.figures import draw


def run(name: str, tables: Path, output: Path) -> int:
    """Draw a figure as output.png and output.pdf."""
    draw(name, tables, output)
    return 1
