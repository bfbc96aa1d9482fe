"""Bounds on the primal by branch and bound over the weights."""

from __future__ import annotations

from pathlib import Path

from zerogap.replication.sealed import sealing
from zerogap.replication.studies.search import certificate
from zerogap.solving.certificates import write_jsonl


def run(cases: str, output: Path) -> int:
    """Write the certificates of a few problems, comma-separated."""
    chosen = [name for name in cases.split(",") if name]
    with sealing(output, "search") as temporary:
        write_jsonl(temporary, map(certificate, chosen))
    return len(chosen)
