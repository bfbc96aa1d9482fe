"""Parallel ReLU networks of three and more layers (theory §4, §5)."""

from zerogap.replication.claims.registry import (
    Claim,
    Setting,
    gaussian,
    generic,
    one_hot,
    parallel,
    rank_one_data,
    spec,
)

_SPECIAL = (
    ("rank-one-k1", rank_one_data(k=1, angle=180)),
    ("rank-one-k2", rank_one_data(angle=120)),
    ("whitened-signed", spec("whitened", n=5, d=7, k=1)),
    *(
        (f"whitened-n{n}-k{k}", spec("whitened", n=n, d=n + 1, k=k))
        for n, k in ((3, 2), (4, 3), (5, 2))
    ),
    *((f"one-hot-{label}", data) for label, data in map(one_hot, ((3, 2), (2, 2, 1)))),
)
_PARALLEL_RELU_SPECIAL = (
    *(parallel(label, data, "relu", (3, 4, 5), "zero") for label, data in _SPECIAL),
    parallel("regularised-n5-d2", gaussian(5, 2), "relu", (3, 4), "zero", betas=(0.1,)),
)

# Draws of six normal points of the plane where the path program of four layers is below three by
# more than 0.2 %, so that depth might help.
_APART_DRAWS = (2, 13, 20, 27, 32, 38, 59, 60, 61, 65)
_APART = (
    parallel("six-points", spec("six-points"), "relu", (4,), "zero"),
    *(
        parallel(f"apart-{draw}", {**gaussian(6, 2), "draw": draw}, "relu", (4,), "zero")
        for draw in _APART_DRAWS
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "relu-parallel-3",
        "Three-layer parallel ReLU networks have no duality gap.",
        "Table 1, column L = 3",
        (Setting("relu-parallel-3", generic("generic", 3), replicates=2, restarts=48),),
        known=True,
    ),
    Claim(
        "relu-parallel",
        "Parallel ReLU networks of any depth with the modified regulariser have no duality gap.",
        "abstract; Section 5; Table 1",
        (
            Setting(
                "relu-parallel",
                (*generic("generic", 4), *generic("deeper", 5, largest=5)),
                restarts=12,
            ),
            Setting("relu-parallel-apart", _APART, restarts=0, gap=2e-3),
            Setting("relu-parallel-special", _PARALLEL_RELU_SPECIAL, restarts=12, polish_steps=500),
        ),
    ),
)
