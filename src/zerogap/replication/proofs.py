"""Certificates of a run: re-proved by the checker, one after the other, with no solver loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zerogap.checker.check import Verdict, verify
from zerogap.checker.files import read_jsonl
from zerogap.replication.sealed import require_intact


def proved(certificates: Path, tolerance: float = 1e-6) -> Iterator[tuple[Any, Verdict]]:
    """Every certificate of a file with its verdict. Raises DataError on a damaged file."""
    require_intact(certificates)
    yield from verdicts(certificates, tolerance)


def verdicts(certificates: Path, tolerance: float) -> Iterator[tuple[Any, Verdict]]:
    """The same of a file that need not be as this run has written it."""
    for certificate in read_jsonl(certificates):
        yield certificate, verify(certificate, tolerance=tolerance)
