"""All figures, drawn from the tables by one process: what they import takes as long as they do."""

from pathlib import Path

from zerogap.replication.figures import described, draw


def run(tables: Path, output: Path) -> int:
    """Draw every figure into the folder `output`, as NAME.png and NAME.pdf."""
    for name in described():
        draw(name, tables, output / name)
    return len(described())
