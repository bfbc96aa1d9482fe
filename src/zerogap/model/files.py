"""Files written whole or not at all, and sealed: a checksum beside each, to notice damage later."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

# A temporary file this old (seconds) belongs to a process that was killed.
_STALE = 3600


@contextmanager
def replacing(path: Path, *, sealed: bool = False) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place only if the block succeeds.

    sealed: its SHA-256 goes into a hidden file beside it, to tell damage later.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f".{escape(path.name)}.*.tmp{escape(path.suffix)}"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE:
                old.unlink()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp{path.suffix}")
    try:
        yield temporary
        if sealed:
            # Before the file itself: killed in between, its job is incomplete and runs again.
            write_text(seal_of(path), digest_of(temporary) + "\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def seal_of(path: Path) -> Path:
    """The hidden file that holds the checksum of `path`."""
    return path.with_name(f".{path.name}.sha256")


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
