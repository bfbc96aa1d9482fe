"""The table of trained networks."""

from pathlib import Path

from zerogap.checker.check import Verdict
from zerogap.replication.proofs import proved
from zerogap.replication.records import read_json
from zerogap.replication.tables.audits import write


def run(results: Path, problems: list[str], output: Path) -> int:
    """Re-prove the certificates of the problems, write verdicts and the table."""
    rows: list[dict] = []
    verdicts: dict[tuple[str, str], list[Verdict]] = {}
    for problem in problems:
        rows += read_json(results / f"audits/{problem}.json")
        proofs = results / f"certificates/audits/{problem}.jsonl"
        said = results / f"verdicts/audits/{problem}.json"
        for certificate, verdict in proved(proofs, said, "audits-table"):
            key = (problem, certificate["id"]["instance"])
            verdicts.setdefault(key, []).append(verdict)
    return write(rows, verdicts, output)
