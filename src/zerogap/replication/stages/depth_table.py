"""The table of the depth study."""

from pathlib import Path

from zerogap.checker.check import Verdict
from zerogap.replication.proofs import proved
from zerogap.replication.records import read_json
from zerogap.replication.tables.depth import write


def run(results: Path, batches: int, output: Path) -> int:
    """Re-prove the certificates of the depth study, write verdicts and its table."""
    rows: list[dict] = []
    verdicts: dict[str, list[Verdict]] = {}
    for batch in range(batches):
        rows += read_json(results / f"depth-study/{batch}.json")
        proofs = results / f"certificates/depth-study/{batch}.jsonl"
        said = results / f"verdicts/depth-study/{batch}.json"
        for certificate, verdict in proved(proofs, said, "depth-table"):
            verdicts.setdefault(certificate["id"]["instance"], []).append(verdict)
    return write(rows, verdicts, output)
