"""Files written whole or not at all, and sealed: damage later is noticed and its maker named."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from zerogap.errors import DataError

# Folders under results, and the stage that fills each.
_MADE_BY = {
    "data": "generate",
    "primal": "train",
    "dual": "solve-dual",
    "gaps": "certify",
    "certificates": "certify",
    "verdicts": "verify",
    "depth-study": "depth-study",
}
_TABLES_BY = {
    "table1": "table1",
    "claims": "scoreboard",
    "depth": "depth-table",
    "search": "search-table",
}
# Studies that write certificates of their own, in a folder of their name.
_STUDIES = ("depth-study", "search")
# A temporary file this old (seconds) belongs to a process that was killed.
_STALE = 3600


@contextmanager
def replacing(path: Path, *, sealed: bool = False) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place only if the block succeeds.

    sealed: its SHA-256 goes into a hidden file beside it, which `require_intact` compares.
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
            write_text(_seal(path), _digest(temporary) + "\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_intact(path: Path) -> None:
    """Raise DataError where a sealed file is not what was written; it is set aside.

    A file without a seal, such as one's own copy, passes.
    """
    try:
        if _seal(path).read_text(encoding="utf-8").strip() == _digest(path):
            return
    except (OSError, UnicodeDecodeError):
        return  # no seal, or no file: reading it will say so
    raise damaged(path, "its checksum is not that of what was written")


def damaged(path: Path, why: str) -> DataError:
    """The error for a damaged file that the workflow made, set aside so that a run remakes it."""
    made = _TABLES_BY.get(path.stem, "collect") if path.parent.name == "tables" else None
    stage = made or next((_MADE_BY[part] for part in path.parts if part in _MADE_BY), None)
    if stage is None:
        return DataError(f"{path} is damaged: {why}")
    if path.parent.name in _STUDIES:
        stage = path.parent.name
    message = f"{path} is damaged: {why}; the stage {stage} makes it again on the next run"
    aside = path.with_name(f"{path.name}.damaged")
    with suppress(OSError):
        path.replace(aside)
        return DataError(f"{message}, what is left of it is {aside.name}")
    return DataError(f"{message} once it is removed")


def _seal(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
