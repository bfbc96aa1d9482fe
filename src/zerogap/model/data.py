"""Data as people have it: X and Y from .npz and .csv files, nothing in which is executed."""

import csv
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zerogap.model.errors import DataError
from zerogap.model.matrices import Array

# Larger files are refused unread, so that a small compressed one cannot fill the memory.
_MAX_BYTES = 2**28


def read_file(path: Path, targets: Sequence[str] | None = None) -> tuple[Array, Array]:
    """X and Y from an .npz file with arrays X and Y, or from a .csv file with a header.

    targets: the csv's target columns; all others are features. Nothing in a file is executed:
    object arrays are refused. Raises DataError with the place of the first mistake.
    """
    if path.suffix not in (".npz", ".csv"):
        raise DataError(f"{path} ends in {path.suffix!r}; accepted are .npz and .csv files")
    try:
        regular, size = path.is_file(), path.stat().st_size
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} cannot be read: {why}") from None
    if not regular:
        raise DataError(f"{path} is not a file; accepted are .npz and .csv files")
    _require_size(path, size)
    if path.suffix == ".csv":
        return _read_csv(path, targets)
    if targets:
        raise DataError(f"{path}: targets name columns of a .csv; an .npz has its targets in Y")
    arrays = read_npz(path, ("X", "Y"))
    return arrays["X"], arrays["Y"]


def _require_size(path: Path, size: int) -> None:
    if size > _MAX_BYTES:
        raise DataError(f"{path} holds {size} bytes; accepted are up to {_MAX_BYTES}")


def read_npz(path: Path, asked: Sequence[str] = ()) -> dict[str, Array]:
    """The arrays of an .npz file, those asked for or all. Raises DataError on what is none."""
    wanted = f" with arrays {' and '.join(asked)}" if asked else ""
    accepted = f"; accepted are .npz files{wanted} of real numbers"
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
        names = [name.removesuffix(".npy") for name in sizes]
        for name in asked:
            if name not in names:
                raise DataError(
                    f"{path} has no array {name!r}, it has {', '.join(names) or 'none'}{accepted}"
                )
        _require_size(path, sum(sizes.values()))
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in asked or arrays.files}
    except DataError:
        raise
    except Exception as error:  # whatever damage makes the reader stumble over
        raise DataError(f"{path} is not a plain .npz file: {error}{accepted}") from None


def _read_csv(path: Path, targets: Sequence[str] | None) -> tuple[Array, Array]:
    if not targets:
        raise DataError(f"{path}: name the target columns (targets: [column, …])")
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.reader(handle)
            lines = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if len(lines) < 2:
        raise DataError(f"{path} is empty; accepted is a header line and at least one row")
    (_, header), *rows = lines
    for name in targets:
        if name not in header:
            raise DataError(f"{path} has no column {name!r}; it has {', '.join(header)}")
    for where, names in (("the header", header), ("targets", targets)):
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise DataError(f"{path}: {where} names {twice[0]!r} twice; names must differ")
    table = np.array([_numbers(path, line, header, row) for line, row in rows])
    is_target = np.array([name in targets for name in header])
    if is_target.all():
        raise DataError(f"{path} has only target columns; accepted is at least one feature")
    return table[:, ~is_target], table[:, [header.index(name) for name in targets]]


def _numbers(path: Path, line: int, header: list[str], row: list[str]) -> list[float]:
    if len(row) != len(header):
        raise DataError(f"{path} line {line} has {len(row)} fields; the header has {len(header)}")
    numbers = []
    for name, text in zip(header, row, strict=True):
        try:
            numbers.append(float(text) if "_" not in text else math.nan)
        except ValueError:
            numbers.append(math.nan)
        if not math.isfinite(numbers[-1]):
            shown = text if len(text) <= 40 else f"{text[:40]}…"
            raise DataError(
                f"{path} line {line}, column {name!r} is {shown!r}; accepted are finite numbers"
            )
    return numbers
