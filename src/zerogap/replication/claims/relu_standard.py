"""Standard ReLU networks on rank-one and on whitened data (theory §6, §7)."""

from typing import Any

from zerogap.replication.claims.registry import (
    Case,
    Claim,
    Setting,
    one_hot,
    rank_one_data,
    spec,
    standard,
)

DEEP = (3, 4, 5, 6)

ANGLES = (0, 15, 30, 45, 60, 75, 90, 120, 150, 180)
RATIOS = (0.2, 0.6, 1.0)


def _rank_one(label: str, depths: tuple[int, ...], **options: Any) -> Case:
    data = rank_one_data(**options)
    tags = {key: data[key] for key in ("angle", "ratio", "sides")}
    aligned = data["angle"] == 0 or data["sides"] == "one"
    return standard(label, data, "relu", depths, "zero", holds=aligned, tags=tags)


_RANK_ONE = (
    standard(
        "smallest",
        spec("smallest"),
        "relu",
        (3,),
        "zero",
        holds=False,
        tags={"angle": 180, "ratio": 1.0, "sides": "both"},
    ),
    _rank_one("aligned", (3, 4, 5), k=1),
    _rank_one("one-sided", (3, 4, 5), k=1, sides="one"),
    _rank_one("opposed", (3, 4, 5), k=1, angle=180),
    *(_rank_one(f"deep-angle{angle}", (4, 6), angle=angle, ratio=0.6) for angle in (30, 75, 120)),
    *(
        _rank_one(f"angle{angle}-ratio{ratio:g}", (3,), angle=angle, ratio=ratio)
        for ratio in RATIOS
        for angle in ANGLES
    ),
)

_SIZES = (
    *((1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (5, 1)),
    *((1, 1, 1), (2, 1, 1), (2, 2, 1), (4, 1, 1), (1, 1, 1, 1), (2, 1, 1, 1)),
)


def _classes(label: str, sizes: tuple[int, ...], depths: tuple[int, ...], paper: str) -> Case:
    name, data = one_hot(sizes)
    tags = {"sizes": name, "classes": len(sizes)}
    # Below these numbers of classes no network is known that costs less (theory §7).
    few = len(sizes) <= {3: 170, 4: 12}.get(max(depths), 2)
    holds = few or paper != "any"
    return standard(f"{label}{name}", data, "relu", depths, paper, holds=holds, tags=tags)


_WHITENED = (
    *(_classes("shallow-", sizes, (2,), "zero") for sizes in _SIZES),
    *(_classes("", sizes, DEEP, "positive") for sizes in _SIZES),
)
_ORTHOGONAL = tuple(
    _classes(f"L{depth}-", sizes, (depth,), "any")
    for sizes in ((1, 1), (2, 1), (1, 1, 1), (2, 2, 2))
    for depth in DEEP
)
_MANY = tuple(
    _classes(f"L{depth}-", (1,) * classes, (depth,), "any")
    for classes in (3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15)
    for depth in (3, 4, 5, 6, 7)
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "relu-standard-rank-one",
        "Three-layer standard ReLU networks have no duality gap on rank-one data.",
        "abstract; Section 5",
        (Setting("relu-standard-rank-one", _RANK_ONE),),
        condition="all coordinates of X = c aᵀ have one sign, or y₊ and y₋ point the same way",
    ),
    Claim(
        "relu-standard-whitened",
        "Standard ReLU networks of three or more layers can have a duality gap (whitened data).",
        "Section 5; Table 1",
        (Setting("relu-standard-whitened", _WHITENED, restarts=8, polish_steps=200),),
    ),
    Claim(
        "whitened-orthogonal",
        "On whitened one-hot data one orthogonal direction per class is optimal at every depth.",
        "the formula suggested by the orthogonal solution",
        (
            Setting("whitened-orthogonal", _ORTHOGONAL, restarts=16, polish_steps=1500),
            Setting("whitened-bottlenecks", _MANY, restarts=0),
        ),
        test="formula",
        condition="two classes (proved), or at most 170 with L = 3 and 12 with L = 4 (measured)",
        measured=True,
    ),
)
