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
# What stands for a missing value, and how many labels of a text column are classes.
_MISSING = ("", "na", "nan", "n/a", "null", "none", "?")
_MAX_CLASSES = 100


def read_file(
    path: Path, targets: Sequence[str] | None = None, drop: Sequence[str] = ()
) -> tuple[Array, Array]:
    """X and Y from an .npz file with arrays X and Y, or from a .csv file with a header.

    targets: the csv's target columns; all others but those of `drop` are features. One target
    column of text holds classes, which become one-hot, in sorted order. Columns may be parted by
    semicolons or tabs, with decimal commas. Nothing in a file is executed: object arrays are
    refused. Raises DataError with the place of the first mistake.
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
        return _read_csv(path, targets, drop)
    for what, names in (("targets", targets), ("drop", drop)):
        if names:
            raise DataError(f"{path}: {what} name columns of a .csv; an .npz has X and Y")
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


def _read_csv(
    path: Path, targets: Sequence[str] | None, drop: Sequence[str]
) -> tuple[Array, Array]:
    if not targets:
        raise DataError(f"{path}: name the target columns (targets: [column, …])")
    header, rows, comma = _cells(path)
    for where, names in (("targets", targets), ("drop", drop)):
        for name in names:
            if name not in header:
                raise DataError(f"{path} has no column {name!r}; it has {', '.join(header)}")
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise DataError(f"{path}: {where} names {twice[0]!r} twice; names must differ")
    for name in targets:
        if name in drop:
            raise DataError(f"{path}: {name!r} is a target and dropped; accepted is one of both")
    _require_present(path, header, rows, drop)

    def column(name: str) -> list[tuple[int, str]]:
        return [(line, row[header.index(name)]) for line, row in rows]

    features = [name for name in header if name not in (*targets, *drop)]
    if not features:
        raise DataError(f"{path} has only target columns; accepted is at least one feature")
    X = np.array([_numbers(path, name, column(name), comma) for name in features]).T
    labels = [text for _, text in column(targets[0])]
    if len(targets) == 1 and not any(_is_number(text, comma) for text in labels):
        return X, _one_hot(path, targets[0], labels)
    return X, np.array([_numbers(path, name, column(name), comma) for name in targets]).T


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], bool]:
    """The header, the rows with their lines, and whether numbers have decimal commas."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            first = handle.readline()
            handle.seek(0)
            # Where semicolons or tabs part columns, commas are decimal ones.
            delimiter = max(",;\t", key=first.count)
            reader = csv.reader(handle, delimiter=delimiter)
            lines = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if len(lines) < 2:
        raise DataError(f"{path} is empty; accepted is a header line and at least one row")
    (_, header), *rows = lines
    header = [name.strip() for name in header]
    twice = [name for i, name in enumerate(header) if name in header[:i]]
    if twice:
        raise DataError(f"{path}: the header names {twice[0]!r} twice; names must differ")
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path} line {line} has {len(row)} fields; the header has {len(header)}"
            )
    return header, rows, delimiter != ","


def _require_present(
    path: Path, header: list[str], rows: list[tuple[int, list[str]]], drop: Sequence[str]
) -> None:
    """Raise DataError where values are missing, with how many, where, and what can be done."""
    missing = [
        (line, name)
        for line, row in rows
        for name, text in zip(header, row, strict=True)
        if name not in drop and text.strip().lower() in _MISSING
    ]
    if missing:
        line, name = missing[0]
        named = ", ".join(dict.fromkeys(name for _, name in missing))
        raise DataError(
            f"{path} line {line}, column {name!r} is missing, one of {len(missing)} values in "
            f"{named}; accepted are full columns: fill them, or drop columns or rows"
        )


def _is_number(text: str, comma: bool) -> bool:
    try:
        float(text.replace(",", ".") if comma else text)
    except ValueError:
        return False
    return True


def _one_hot(path: Path, name: str, labels: list[str]) -> Array:
    """One column for every label, in sorted order."""
    classes = sorted(set(labels))
    if not 2 <= len(classes) <= _MAX_CLASSES:
        raise DataError(
            f"{path}, column {name!r} has {len(classes)} different labels, the first "
            f"{_shown(labels[0])}; accepted are numbers, or 2 to {_MAX_CLASSES} classes"
        )
    return np.eye(len(classes))[[classes.index(label) for label in labels]]


def _numbers(path: Path, name: str, column: list[tuple[int, str]], comma: bool) -> list[float]:
    numbers = []
    for line, text in column:
        plain = text.replace(",", ".") if comma else text
        # Python would take 1_0 for ten.
        value = float(plain) if _is_number(plain, False) and "_" not in text else math.nan
        if not math.isfinite(value):
            raise DataError(
                f"{path} line {line}, column {name!r} is {_shown(text)}; accepted are finite "
                "numbers"
            )
        numbers.append(value)
    return numbers


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def standardized(X: Array) -> Array:
    """Columns of mean zero and variance one, without those that are constant.

    Raises DataError where all of them are.
    """
    X = np.asarray(X, dtype=float)
    deviations = X.std(axis=0)
    varies = deviations > 1e-12 * np.abs(X).max(axis=0, initial=0)
    if not varies.any():
        raise DataError("all features are constant; accepted is at least one that is not")
    return (X[:, varies] - X[:, varies].mean(axis=0)) / deviations[varies]
