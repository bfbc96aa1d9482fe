"""Writing certificates: what they claim is computed here, and proved by the checker."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zerogap.checker.balls import Refused
from zerogap.checker.check import interpolation_error
from zerogap.checker.limits import MAX_DEPTH, MAX_ROWS, MAX_SIDE
from zerogap.checker.statement import FORMAT, VERSION
from zerogap.model.errors import DataError, MethodError, ProblemError
from zerogap.model.files import replacing
from zerogap.model.losses import Squared
from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem

# Claims are rounded outward by this much: an order below the tolerance of verdicts, and more than
# rounding and the networks' interpolation error move the values.
_SLACK = 1e-7


def matrix(A: Array) -> dict[str, Any]:
    """A matrix as its shape and the bytes of its little-endian float64 entries; 1-D is a column."""
    A = np.asarray(A, dtype="<f8")
    A = A[:, None] if A.ndim == 1 else A
    return {"shape": list(A.shape), "data": np.ascontiguousarray(A).tobytes().hex()}


def upper_half(A: Array) -> dict[str, Any]:
    """A symmetric matrix by the entries of its upper half that are not zero, if these are float32;
    else whole."""
    at = np.flatnonzero(np.triu(A))
    data = A.ravel()[at].astype("<f4")
    if not np.array_equal(data, A.ravel()[at]):
        return matrix(A)
    packed = {"at": at.astype("<u4"), "data": data}
    return {"shape": list(A.shape), **{name: x.tobytes().hex() for name, x in packed.items()}}


def require_provable(problem: Problem) -> None:
    """Raise ProblemError, before anything is computed, where no certificate holds the problem."""
    if problem.depth > MAX_DEPTH:
        raise ProblemError(f"depth is {problem.depth}; accepted is up to {MAX_DEPTH}")
    for name, A in (("X", problem.X), ("Y", problem.Y)):
        if A.shape[0] > MAX_ROWS or A.shape[1] > MAX_SIDE:
            raise ProblemError(
                f"{name} has shape {A.shape}; accepted are up to {MAX_ROWS} rows and "
                f"{MAX_SIDE} columns"
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
    arrays (docs/certificates.md), None for no bound (dual 0). gap: {"theorem": name}, or
    {"search": …} or {"kernel": …}, dicts of arrays, and "bidual": a parallel Network, with
    claimed["primal_lower"] and claimed["dual_upper"]. deeper: {"depth": L′} with "path" (nested
    dicts of arrays) or "branches" (of a parallel network), with claimed["deeper_upper"]. claimed
    values are total ones, as computed in float64; they are rounded outward by 1e-7 relative. For
    interpolation, epsilon is what the networks need. Raises DataError on unknown claims, and
    MethodError on a network that no certificate can hold.
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
            **_stated(problem),
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


def _stated(problem: Problem) -> dict[str, Any]:
    """What a problem states besides, where it has biases or another loss than the squared one."""
    loss, stated = problem.fit.loss, dict[str, Any]()
    if not isinstance(loss, Squared):
        parameter = {} if loss.parameter is None else {"parameter": loss.parameter.hex()}
        stated["loss"] = {"kind": loss.name, **parameter}
    pair = [problem.first_bias, problem.output_bias]
    return stated if pair == ["none", "none"] else stated | {"bias": pair}


def write_jsonl(path: str | Path, certificates: Iterable[Mapping[str, Any]]) -> None:
    """Write one certificate per line, under a temporary name until complete.

    Compressed where the name ends in .gz; the bytes depend on the certificates alone.
    """
    with replacing(Path(path)) as temporary, temporary.open("wb") as raw:
        packed = str(path).endswith(".gz")
        target = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        for certificate in certificates:
            line = json.dumps(certificate, allow_nan=False, separators=(",", ":")) + "\n"
            target.write(line.encode())
        if target is not raw:
            target.close()


def _outward(value: float, sign: int) -> float:
    return float(value) + sign * _SLACK * abs(float(value))


def _encode(value: Any) -> Any:
    """Networks, mappings, lists, arrays and floats as JSON; the rest is kept."""
    if isinstance(value, Network):
        bias = {} if value.bias is None else {"bias": matrix(value.bias[None])}
        return {"branches": [[matrix(W) for W in branch] for branch in value.branches], **bias}
    if isinstance(value, np.ndarray):
        return matrix(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, Mapping):
        return {
            name: upper_half(entry) if name == "pairs" else _encode(entry)
            for name, entry in value.items()
        }
    return [_encode(entry) for entry in value] if isinstance(value, list | tuple) else value
