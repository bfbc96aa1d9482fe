"""Linear networks: depth, rank and the regulariser (theory §2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zerogap.replication.claims.registry import (
    Case,
    Cases,
    Claim,
    Setting,
    parallel,
    spec,
    standard,
)

DEEP = (3, 4, 5, 6)

_LINEAR_DATA = tuple(
    (shape, rank, spectrum, spec("linear-map", n=n, d=d, k=4, rank=rank, spectrum=spectrum))
    for shape, n, d in (("over", 12, 6), ("under", 5, 7))
    for rank in (1, 2, 3, 4)
    for spectrum in ("distinct", "equal")
    if rank > 1 or spectrum == "distinct"
)


def _linear(make: Callable[..., Case], paper: str, equal: bool = True, **options: Any) -> Cases:
    """Ranks 1 to 4, over- and under-determined X: no gap at L = 2, `paper`'s word beyond."""
    cases = []
    for shape, rank, spectrum, data in _LINEAR_DATA:
        if equal or spectrum == "distinct":
            label = f"{shape}-r{rank}-{spectrum}"
            tags = {"rank": rank, "spectrum": spectrum, "shape": shape}
            holds = paper == "zero" or rank >= 2
            shallow = make(f"{label}-shallow", data, "linear", (2,), "zero", tags=tags, **options)
            deep = make(label, data, "linear", DEEP, paper, tags=tags, holds=holds, **options)
            cases += [shallow, deep]
    return tuple(cases)


_EQUAL = tuple(
    standard(f"r{rank}", data, "linear", DEEP, "zero", holds=False, tags={"rank": rank})
    for shape, rank, spectrum, data in _LINEAR_DATA
    if shape == "over" and spectrum == "equal"
)

_SCALAR = tuple(
    standard(
        shape,
        spec("linear-map", n=n, d=d, k=1, rank=1, spectrum="distinct"),
        "linear",
        (2, *DEEP),
        "zero",
    )
    for shape, n, d in (("over", 10, 4), ("under", 4, 6))
)

_SHRUNK = spec("orthonormal", n=12, d=6, k=4)
LOW_RANK_BETAS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_LOW_RANK = (standard("path", _SHRUNK, "linear", (2, *DEEP), "any", betas=LOW_RANK_BETAS),)

_LINEAR_PARALLEL_REGULARISED = (
    parallel("regularised", _SHRUNK, "linear", (2, *DEEP), "zero", betas=(0.1, 0.5)),
    parallel(
        "regularised-gaussian",
        spec("gaussian", n=10, d=4, k=3),
        "linear",
        (2, 3, 4),
        "zero",
        betas=(0.5,),
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "linear-standard",
        "Standard deep linear networks with vector outputs have a duality gap for L ≥ 3.",
        "abstract; Section 3; Table 1",
        (
            Setting(
                "linear-standard",
                _linear(standard, "positive"),
            ),
        ),
        condition="X†Y has rank at least two",
    ),
    Claim(
        "linear-equal",
        "The gap of a standard linear network vanishes when all singular values are equal.",
        "criterion met in accounts of Section 3",
        (Setting("linear-equal", _EQUAL),),
        condition="",
    ),
    Claim(
        "linear-scalar",
        "Deep linear networks with scalar output have no duality gap.",
        "Section 3",
        (Setting("linear-scalar", _SCALAR, replicates=2, restarts=16),),
    ),
    Claim(
        "low-rank",
        "Weight decay drives deep linear networks to low rank, by a closed form.",
        "abstract; Section 3",
        (Setting("low-rank", _LOW_RANK, restarts=8),),
        test="shrinkage",
    ),
    Claim(
        "linear-parallel",
        "Parallel linear networks with the modified regulariser have no duality gap at any depth.",
        "abstract; Section 4; Table 1",
        (
            Setting(
                "linear-parallel",
                (
                    *_linear(parallel, "zero"),
                    *_LINEAR_PARALLEL_REGULARISED,
                ),
                restarts=8,
            ),
        ),
    ),
    Claim(
        "linear-parallel-weight-decay",
        "With plain weight decay the parallel linear network keeps the gap for L ≥ 3.",
        "Section 4",
        (
            Setting(
                "linear-parallel-weight-decay",
                _linear(parallel, "positive", equal=False, regularizer="weight_decay"),
            ),
        ),
        condition="X†Y has rank at least two",
    ),
)
