"""The table of the search over the weights."""

from pathlib import Path

from zerogap.replication.proofs import proved
from zerogap.replication.tables.search import write


def run(certificates: Path, tolerance: float, output: Path) -> int:
    """Re-prove the certificates of the search and write its table."""
    return write(list(proved(certificates, tolerance)), output)
