"""Files of a run, sealed by the stage that made them: damage is noticed and the maker named.

Beside every file that a stage reads stands a hidden one with its SHA-256 and the stage's name.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zerogap.model.errors import DataError
from zerogap.model.files import replacing, write_text


@contextmanager
def sealing(path: Path, stage: str) -> Iterator[Path]:
    """A temporary name that takes the place of `path` only if the block succeeds; sealed."""
    with replacing(path) as temporary:
        yield temporary
        # Before the file itself: killed in between, its job is incomplete and runs again.
        write_text(_seal(path), f"{_digest(temporary)} {stage}\n")


def require_intact(path: Path) -> None:
    """Raise DataError where a sealed file is not what was written; it is set aside.

    A file without a seal, such as one's own copy, passes.
    """
    seal = _read(path)
    if seal is not None and path.is_file() and seal[0] != _digest(path):
        raise damaged(path, "its checksum is not that of what was written")


def damaged(path: Path, why: str) -> DataError:
    """The error for a damaged file; a stage's own is set aside, so that a run remakes it."""
    seal = _read(path)
    if seal is None:
        return DataError(f"{path} is damaged: {why}")
    message = f"{path} is damaged: {why}; the stage {seal[1]} makes it again on the next run"
    aside = path.with_name(f"{path.name}.damaged")
    with suppress(OSError):
        path.replace(aside)
        return DataError(f"{message}, what is left of it is {aside.name}")
    return DataError(f"{message} once it is removed")


def _seal(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def _read(path: Path) -> tuple[str, str] | None:
    """Digest and stage of a file's seal, None where there is none."""
    try:
        digest, stage = _seal(path).read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return None
    return digest, stage


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
