"""The batches of a run, gathered into the tables of problems."""

from pathlib import Path

from zerogap.replication.records import read_json
from zerogap.replication.rows import Proved, Row
from zerogap.replication.tables.gaps import gather


def run(batches: Path, results: Path) -> int:
    """Gather the batches that a file lists, one setting/batch a line."""
    names = batches.read_text(encoding="utf-8").split()

    def read(folder: str) -> list[dict]:
        return [r for name in names for r in read_json(results / folder / f"{name}.json")]

    rows = [Row(**record) for record in read("gaps")]
    verdicts = [Proved(**record) for record in read("verdicts")]
    return gather(rows, verdicts, results / "tables")
