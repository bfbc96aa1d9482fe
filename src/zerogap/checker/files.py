"""Files of certificates: which they are, and their lines read one by one."""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zerogap.checker.limits import MAX_ENTRIES, MAX_LINE

# Files of certificates, plain and compressed.
SUFFIXES = (".jsonl", ".jsonl.gz")


def printable(text: str) -> str:
    """Text that can do nothing to a terminal: what is not printable is written as its escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Unreadable(Exception):
    """A file of certificates that cannot be read, in one printable line that names the place."""

    def __str__(self) -> str:
        return printable(super().__str__())


def read_jsonl(path: str | Path) -> list[Any]:
    """The certificates of a file. Raises Unreadable that names the bad line."""
    return list(iterate_jsonl(path))


def iterate_jsonl(path: str | Path) -> Iterator[Any]:
    """The certificates of a file, one at a time. Raises Unreadable that names the bad line."""
    for number, line in lines_of(path):
        yield parsed(line, f"{path}, line {number}")


def lines_of(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their numbers. Raises Unreadable."""
    opener = gzip.open if str(path).lower().endswith(".gz") else open
    try:
        # Opening what is no file may wait for ever.
        if not Path(path).is_file():
            raise Unreadable(f"cannot read {path}: it is not a file")
        with opener(path, "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    raise Unreadable(
                        f"{path}, line {number} is longer than the {MAX_LINE} bytes accepted"
                    )
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"cannot read {path}: {error}") from None


def parsed(line: bytes, place: str) -> Any:
    """The JSON of a line, a few bytes of which could take a hundred. Raises Unreadable."""
    if sum(line.count(mark) for mark in (b",", b"[", b"{")) > MAX_ENTRIES:
        raise Unreadable(f"{place} has more than the {MAX_ENTRIES} entries accepted")
    try:
        return json.loads(line, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{place} is not JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def files_of(paths: list[Path]) -> list[Path]:
    """The certificate files among paths and in folders, sorted. Raises Unreadable if none."""
    return scan(paths)[0]


def scan(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The certificate files among paths and in folders, sorted, and what is passed over and why.

    Raises Unreadable on a path that does not exist, and on a folder without certificate files.
    """
    found: set[Path] = set()
    skipped: list[str] = []
    for path in paths:
        if not path.exists():
            raise Unreadable(
                f"{path} does not exist; accepted are .jsonl files and folders of them"
            )
        if not path.is_dir():
            found.add(path)
            continue
        inside, passed = _inside(path)
        if not inside:
            named = "".join(f"; {reason}" for reason in passed)
            raise Unreadable(f"{path} holds no .jsonl file{named}")
        found |= inside
        skipped += passed
    return sorted(found), skipped


def _inside(folder: Path) -> tuple[set[Path], list[str]]:
    found, skipped = set(), []
    for root, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            path = Path(root, name)
            if path.is_dir() and path.is_symlink():
                skipped.append(printable(f"skipped {path}: a link to a folder"))
            elif name.lower().endswith(SUFFIXES):
                if name.startswith("."):  # half written by a process that was killed
                    skipped.append(printable(f"skipped {path}: hidden"))
                elif not path.is_file():
                    skipped.append(printable(f"skipped {path}: not a file"))
                else:
                    found.add(path)
    return found, skipped
