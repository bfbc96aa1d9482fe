"""Files of certificates, re-proved side by side: what `zerogap verify` and its table rest on."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from zerogap.certificates.check import verify
from zerogap.certificates.format import SUFFIXES, iterate_jsonl
from zerogap.errors import DataError
from zerogap.problem import relative


def files_of(paths: list[Path]) -> list[Path]:
    """The certificate files among paths and in folders, sorted. Raises DataError if none."""
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist; accepted are .jsonl files and folders of them")
        # Hidden files are half-written ones of a process that was killed.
        inside = [file for suffix in SUFFIXES for file in path.rglob(f"[!.]*{suffix}")]
        found |= set(inside if path.is_dir() else [path])
        if path.is_dir() and not inside:
            raise DataError(f"{path} holds no .jsonl file")
    return sorted(found)


def verify_files(
    files: list[Path], tolerance: float, cores: int
) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Every file with its verdicts, in order; `cores` files at a time, one process each.

    Raises DataError on a file that cannot be read.
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
        gap = relative(verdict["primal"] - verdict["dual"], verdict["primal"])
        rows.append({"line": line, "id": label, **verdict, "relative_gap": gap})
    return rows
