"""The table of the search over the weights."""

from pathlib import Path

from zerogap.replication.proofs import proved
from zerogap.replication.tables.search import write


def run(certificates: Path, tolerance: float, verdicts: Path, output: Path) -> int:
    """Re-prove the certificates of the search, write verdicts and its table."""
    return write(proved(certificates, verdicts, "search-table", tolerance), output)
