"""Files of certificates: read line by line, re-proved side by side."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from zerogap.checker.check import verify
from zerogap.checker.limits import MAX_ENTRIES, MAX_LINE

# Files of certificates, plain and compressed.
SUFFIXES = (".jsonl", ".jsonl.gz")


class Unreadable(Exception):
    """A file of certificates that cannot be read, in one printable line that names the place."""

    def __str__(self) -> str:
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in super().__str__())


def read_jsonl(path: str | Path) -> list[Any]:
    """The certificates of a file. Raises Unreadable that names the bad line."""
    return list(iterate_jsonl(path))


def iterate_jsonl(path: str | Path) -> Iterator[Any]:
    """The certificates of a file, one at a time. Raises Unreadable that names the bad line."""
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    raise Unreadable(
                        f"{path}, line {number} is longer than the {MAX_LINE} bytes accepted"
                    )
                if line.count(b",") > MAX_ENTRIES:
                    raise Unreadable(
                        f"{path}, line {number} has more than the {MAX_ENTRIES} entries accepted"
                    )
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise Unreadable(f"{path}, line {number} is not JSON: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"cannot read {path}: {error}") from None


def files_of(paths: list[Path]) -> list[Path]:
    """The certificate files among paths and in folders, sorted. Raises Unreadable if none."""
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise Unreadable(
                f"{path} does not exist; accepted are .jsonl files and folders of them"
            )
        # Hidden files are half-written ones of a process that was killed.
        inside = [file for suffix in SUFFIXES for file in path.rglob(f"[!.]*{suffix}")]
        found |= set(inside if path.is_dir() else [path])
        if path.is_dir() and not inside:
            raise Unreadable(f"{path} holds no .jsonl file")
    return sorted(found)


def verify_files(
    files: list[Path], tolerance: float, cores: int
) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Every file with its verdicts, in order; `cores` files at a time, one process each.

    Raises Unreadable on a file that cannot be read.
    """
    if cores == 1 or len(files) == 1:
        yield from zip(files, map(partial(verify_file, tolerance=tolerance), files), strict=True)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(cores, len(files)), mp_context=context) as pool:
        try:
            found = pool.map(partial(verify_file, tolerance=tolerance), files)
            yield from zip(files, found, strict=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def verify_file(file: Path, tolerance: float) -> list[dict[str, Any]]:
    """The verdicts of one file, certificate by certificate, with line, id and relative gap."""
    rows = []
    for line, certificate in enumerate(iterate_jsonl(file), start=1):
        verdict = asdict(verify(certificate, tolerance=tolerance))
        name = certificate.get("id") if isinstance(certificate, dict) else None
        label = "/".join(map(str, name.values())) if isinstance(name, dict) else ""
        gap = (verdict["primal"] - verdict["dual"]) / (verdict["primal"] or 1.0)
        rows.append({"line": line, "id": label, **verdict, "relative_gap": gap})
    return rows
