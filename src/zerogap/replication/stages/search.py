"""Bounds on the primal by branch and bound over the weights."""

from pathlib import Path

from zerogap.replication.sealed import sealing
from zerogap.replication.studies.search import certificate
from zerogap.solving.certificates import write_jsonl


def run(cases: list[str], output: Path) -> int:
    """Write the certificates of some of the study's cases, of none if there are none."""
    with sealing(output, "search") as temporary:
        write_jsonl(temporary, map(certificate, cases))
    return len(cases)
