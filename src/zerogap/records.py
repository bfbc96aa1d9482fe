"""Batch files: lists of nested records with arrays, written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zerogap.errors import DataError

_SKELETON = "skeleton"
_ARRAY = "__array__"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, with NaN and infinities as null."""
    write_text(path, json.dumps(plain(value), indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises DataError naming the file if it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def write_batch(path: Path, records: list[dict[str, Any]]) -> None:
    """Write records (nested dicts and lists of numbers, strings and arrays) as one .npz file.

    The bytes depend on the records only.
    """
    arrays: dict[str, np.ndarray] = {}

    def strip(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            name = f"a{len(arrays)}"
            arrays[name] = value
            return {_ARRAY: name}
        if isinstance(value, dict):
            return {key: strip(v) for key, v in value.items()}
        if isinstance(value, list | tuple):
            return [strip(v) for v in value]
        return value.item() if isinstance(value, np.generic) else value

    skeleton = json.dumps([strip(record) for record in records])
    arrays[_SKELETON] = np.frombuffer(skeleton.encode(), dtype=np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)


def read_batch(path: Path) -> list[dict[str, Any]]:
    """Read what `write_batch` wrote. Raises DataError naming a damaged or missing file."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            skeleton = json.loads(arrays[_SKELETON].tobytes().decode())
            loaded = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged or missing: {error}; make it again") from None

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return (
                loaded[value[_ARRAY]] if _ARRAY in value else {k: fill(v) for k, v in value.items()}
            )
        return [fill(v) for v in value] if isinstance(value, list) else value

    return [fill(record) for record in skeleton]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
