"""Writing and reading certificates: what they claim is computed here, and proved in check.py."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zerogap.certificates.balls import Refused
from zerogap.certificates.check import interpolation_error
from zerogap.certificates.reading import FORMAT, MAX_DEPTH, MAX_SIDE, VERSION
from zerogap.errors import DataError, MethodError, ProblemError
from zerogap.files import replacing
from zerogap.networks import Network
from zerogap.problem import Array, Problem

# Files of certificates, plain and compressed. No line may be longer once unpacked, nor hold more
# entries: a few bytes of JSON can take a hundred of memory, a matrix is one entry.
SUFFIXES = (".jsonl", ".jsonl.gz")
_MAX_LINE = 2**28
_MAX_ENTRIES = 2_000_000
# Claims are rounded outward by this much: an order below the tolerance of verdicts, and more than
# rounding and the networks' interpolation error move the values.
_SLACK = 1e-7


def matrix(A: Array) -> dict[str, Any]:
    """A matrix as its shape and the bytes of its little-endian float64 entries; 1-D is a column."""
    A = np.asarray(A, dtype="<f8")
    A = A[:, None] if A.ndim == 1 else A
    return {"shape": list(A.shape), "data": np.ascontiguousarray(A).tobytes().hex()}


def require_provable(problem: Problem) -> None:
    """Raise ProblemError, before anything is computed, where no certificate holds the problem."""
    if problem.depth > MAX_DEPTH:
        raise ProblemError(f"depth is {problem.depth}; accepted is up to {MAX_DEPTH}")
    for name, A in (("X", problem.X), ("Y", problem.Y)):
        if max(A.shape) > MAX_SIDE:
            raise ProblemError(
                f"{name} has shape {A.shape}; accepted are up to {MAX_SIDE} rows and columns"
            )


def build(
    problem: Problem,
    network: Network,
    lower: Mapping[str, Any] | None,
    *,
    claimed: Mapping[str, float | None],
    gap: Mapping[str, Any] | None = None,
    deeper: Mapping[str, Any] | None = None,
    id: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The certificate of a problem, JSON-ready.

    network: attains claimed["primal"]. lower: the evidence for claimed["dual"] as nested dicts of
    arrays (docs/certificates.md), None for no bound (dual 0). gap: {"theorem": name} or
    {"search": dict of arrays}, and "bidual": a parallel Network, with claimed["primal_lower"] and
    claimed["dual_upper"]. deeper: {"depth": L′} with "path" (nested dicts of arrays) or "branches"
    (of a parallel network), with claimed["deeper_upper"]. claimed values are total ones, as
    computed in float64; they are rounded outward by 1e-7 relative. For interpolation, epsilon is
    what the networks need. Raises DataError on unknown claims, and MethodError on a network that
    no certificate can hold.
    """
    outward = {"primal": 1, "dual": -1, "primal_lower": -1, "dual_upper": 1, "deeper_upper": 1}
    unknown = set(claimed) - set(outward)
    if unknown or not {"primal", "dual"} <= set(claimed):
        raise DataError(f"claimed has {sorted(claimed)}; accepted are {', '.join(outward)}")
    values = {name: claimed.get(name) for name in outward}
    certificate: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "id": dict(id or {}),
        "problem": {
            "X": matrix(problem.X),
            "Y": matrix(problem.Y),
            "activation": problem.activation,
            "architecture": problem.architecture,
            "depth": problem.depth,
            "regularizer": problem.regularizer,
            "beta": None if problem.beta is None else problem.beta.hex(),
        },
        "epsilon": (0.0).hex(),
        "upper": _encode(network),
        "lower": _encode(lower),
        "gap": _encode(gap),
        "deeper": _encode(deeper),
        "claimed": {
            name: None if value is None else _outward(value, outward[name]).hex()
            for name, value in values.items()
        },
    }
    if problem.beta is None:
        try:
            certificate["epsilon"] = interpolation_error(certificate).hex()
        except Refused as refusal:
            raise MethodError(f"no certificate holds this network: {refusal}") from None
    return certificate


def write_jsonl(
    path: str | Path, certificates: Iterable[Mapping[str, Any]], *, sealed: bool = False
) -> None:
    """Write one certificate per line, under a temporary name until complete.

    Compressed where the name ends in .gz; the bytes depend on the certificates alone. sealed: with
    its checksum beside it (files.py).
    """
    with replacing(Path(path), sealed=sealed) as temporary, temporary.open("wb") as raw:
        packed = str(path).endswith(".gz")
        target = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        for certificate in certificates:
            line = json.dumps(certificate, allow_nan=False, separators=(",", ":")) + "\n"
            target.write(line.encode())
        if target is not raw:
            target.close()


def read_jsonl(path: str | Path) -> list[Any]:
    """The certificates of a file. Raises DataError that names the bad line."""
    return list(iterate_jsonl(path))


def iterate_jsonl(path: str | Path) -> Iterator[Any]:
    """The certificates of a file, one at a time. Raises DataError that names the bad line."""
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rb") as file:
            number = 0
            while line := file.readline(_MAX_LINE):
                number += 1
                if len(line) == _MAX_LINE:
                    raise DataError(
                        f"{path}, line {number} is longer than the {_MAX_LINE} bytes accepted"
                    )
                if line.count(b",") > _MAX_ENTRIES:
                    raise DataError(
                        f"{path}, line {number} has more than the {_MAX_ENTRIES} entries accepted"
                    )
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise DataError(f"{path}, line {number} is not JSON: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from None


def _outward(value: float, sign: int) -> float:
    return float(value) + sign * _SLACK * abs(float(value))


def _encode(value: Any) -> Any:
    """Networks, mappings, lists, arrays and floats as JSON; the rest is kept."""
    if isinstance(value, Network):
        return {"branches": [[matrix(W) for W in branch] for branch in value.branches]}
    if isinstance(value, np.ndarray):
        return matrix(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, Mapping):
        return {name: _encode(entry) for name, entry in value.items()}
    return [_encode(entry) for entry in value] if isinstance(value, list | tuple) else value
