"""The site of a run."""

from pathlib import Path

from zerogap.replication.pages.site import build


def run(results: Path, paper: Path, output: Path) -> int:
    """Build the site from the repository in the working folder; the number of its pages."""
    return build(Path.cwd(), results, paper, output)
