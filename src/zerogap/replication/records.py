"""Files between stages, written whole and sealed: batches of records, JSON, certificates."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from zerogap.model.errors import DataError
from zerogap.model.files import plain
from zerogap.replication.sealed import damaged, require_intact, sealing

R = TypeVar("R")
_SKELETON = "skeleton"
_ARRAY = "__array__"


def write_json(path: Path, value: Any, stage: str) -> None:
    """Write JSON, with NaN and infinities as null, sealed by the stage that made it."""
    with sealing(path, stage) as temporary:
        text = json.dumps(plain(value), indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON. Raises DataError naming the file if it is missing or damaged."""
    require_intact(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    except ValueError as error:
        raise damaged(path, str(error)) from None


def write_batch(path: Path, records: Iterable[Any], stage: str) -> None:
    """Write dataclasses of numbers, strings, arrays, lists and dicts as one .npz file, sealed.

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

    skeleton = json.dumps([strip(vars(record)) for record in records])
    arrays[_SKELETON] = np.frombuffer(skeleton.encode(), dtype=np.uint8)
    with sealing(path, stage) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)


def read_batch(path: Path, kind: Callable[..., R]) -> list[R]:
    """The records of a kind that `write_batch` wrote. Raises DataError on a damaged file."""
    require_intact(path)
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            skeleton = json.loads(arrays[_SKELETON].tobytes().decode())
            loaded = {name: arrays[name] for name in arrays.files}
    except FileNotFoundError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    except Exception as error:  # damage to a zip archive shows in many ways
        raise damaged(path, f"{type(error).__name__}: {error}") from None

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return (
                loaded[value[_ARRAY]] if _ARRAY in value else {k: fill(v) for k, v in value.items()}
            )
        return [fill(v) for v in value] if isinstance(value, list) else value

    return [kind(**fill(record)) for record in skeleton]
