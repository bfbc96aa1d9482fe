"""The explorer of a run."""

from pathlib import Path

from zerogap.model.files import write_text
from zerogap.replication.pages.explorer import page


def run(results: Path, certificates: Path, output: Path) -> int:
    """Write the page; certificates: a file that lists those of the run, one a line."""
    files = [Path(line) for line in certificates.read_text(encoding="utf-8").splitlines()]
    write_text(output, page(results, files))
    return len(files)
