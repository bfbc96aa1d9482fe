"""Two layers, where standard and parallel networks are the same (theory §3)."""

from zerogap.replication.claims.registry import Claim, Setting, gaussian, generic, spec, standard

_TWO_LAYER_LINEAR = tuple(
    standard(
        f"linear-d{d}-k{k}",
        spec("linear-map", n=8, d=d, k=k, rank=min(d, k), spectrum="distinct"),
        "linear",
        (2,),
        "zero",
    )
    for d in (2, 3)
    for k in (1, 2, 3)
)

_TWO_LAYER_RELU = (
    *generic("relu", 2),
    *(
        standard(f"relu-n{n}-d{d}-k{k}", gaussian(n, d, k), "relu", (2,), "zero")
        for n, d, k in ((8, 2, 1), (12, 3, 1), (5, 2, 2), (6, 3, 2), (5, 2, 3), (5, 3, 3))
    ),
    *(
        standard(
            f"relu-n{n}-d{d}-k{k}-regularised",
            gaussian(n, d, k),
            "relu",
            (2,),
            "zero",
            betas=(0.2,),
        )
        for n, d, k in ((9, 2, 1), (8, 3, 2), (8, 3, 3))
    ),
)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "two-layer",
        "Two-layer networks have no duality gap.",
        "Table 1, column L = 2",
        (
            Setting("two-layer-linear", _TWO_LAYER_LINEAR, replicates=2),
            Setting("two-layer-relu", _TWO_LAYER_RELU, replicates=2, restarts=48),
        ),
        known=True,
    ),
)
