"""The networks of one problem of the study of trained networks, and their bracket."""

from pathlib import Path

from zerogap.replication.records import write_json
from zerogap.replication.sealed import sealing
from zerogap.replication.studies.audits import audit
from zerogap.solving.certificates import write_jsonl


def run(problem: str, certificates: Path, output: Path) -> int:
    """Write a problem's rows and certificates."""
    rows, proofs = audit(problem)
    with sealing(certificates, "audits") as temporary:
        write_jsonl(temporary, proofs)
    write_json(output, rows, "audits")
    return len(rows)
