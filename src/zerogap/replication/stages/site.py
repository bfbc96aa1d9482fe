"""The site of a run."""

from pathlib import Path

from zerogap.replication.pages.site import build


def run(repository: Path, results: Path, paper: Path, output: Path) -> int:
    """Build the site from a checkout of the repository and a run; the number of its pages."""
    return build(repository, results, paper, output)
