"""Certificates of a run: re-proved by the checker, one after the other, with no solver loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zerogap.checker.check import Verdict, verify
from zerogap.checker.files import read_jsonl
from zerogap.replication.records import write_json
from zerogap.replication.rows import Proved
from zerogap.replication.sealed import require_intact


def proved(
    certificates: Path, output: Path, stage: str, tolerance: float = 1e-6
) -> list[tuple[Any, Verdict]]:
    """Every certificate of a file with its verdict; the verdicts are written, line by line.

    Raises DataError on a damaged file.
    """
    require_intact(certificates)
    pairs = list(verdicts(certificates, tolerance))
    write_json(output, [vars(Proved.of(*pair)) for pair in pairs], stage)
    return pairs


def verdicts(certificates: Path, tolerance: float) -> Iterator[tuple[Any, Verdict]]:
    """The same of a file that need not be as this run has written it; nothing is written."""
    for certificate in read_jsonl(certificates):
        yield certificate, verify(certificate, tolerance=tolerance)
