"""The same on data that nobody made for it."""

from typing import Any

from zerogap.replication.claims.registry import Claim, Setting, parallel, spec, standard
from zerogap.replication.families import Spec


def _real(name: str, **options: Any) -> Spec:
    return spec("real", name=name, **options)


_REAL = (
    *(
        make(f"{name}-linear-{kind}", _real(name, transform="fitted"), "linear", (2, 3, 4), "any")
        for name in ("iris", "diabetes")
        for kind, make in (("standard", standard), ("parallel", parallel))
    ),
    *(
        standard(
            f"{name}-linear-regularised",
            _real(name, transform="orthonormal"),
            "linear",
            (2, 3, 4),
            "any",
            betas=(0.5,),
        )
        for name in ("iris", "diabetes")
    ),
    *(
        standard(f"{name}-relu-two-layer", _real(name, n=12, d=3), "relu", (2,), "any")
        for name in ("iris", "diabetes")
    ),
    parallel("diabetes-relu-deep", _real("diabetes", n=6, d=3), "relu", (3, 4), "any"),
    parallel(
        "iris-relu-deep", _real("iris", n=6, d=3, target=1), "relu", (3, 4), "any", betas=(0.05,)
    ),
    standard("iris-relu-whitened", _real("iris", n=4, transform="whitened"), "relu", (2, 3), "any"),
    parallel(
        "diabetes-relu-whitened",
        _real("diabetes", n=8, transform="whitened"),
        "relu",
        (2, 3),
        "any",
    ),
)

# Whole data sets, at about 0.3, 0.1 and so on of the beta from which on nothing is best.
_WHOLE = tuple(
    standard(f"{name}-relu-whole", _real(name), "relu", (2,), "any", betas=betas)
    for name, betas in {
        "iris": (33.0, 11.0, 3.3),
        "wine": (45.0, 15.0),
        "diabetes": (90.0,),
        "cancer": (245.0,),
    }.items()
)

# Deep linear networks on them, at a tenth of ‖XᵀY‖₂: the primal is not convex.
_LINEAR = tuple(
    standard(f"{name}-linear-whole", _real(name), "linear", (3, 4), "any", betas=(beta,))
    for name, beta in {"iris": 14.0, "wine": 19.0}.items()
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "real-data",
        "The same holds on data nobody made for it (Iris, wine, Diabetes, breast cancer): whole "
        "sets for linear networks and for two ReLU layers with a penalty, 4 to 12 of their "
        "samples for other ReLU networks.",
        "not in the paper",
        (
            Setting("real-data", _REAL, restarts=12),
            Setting("real-data-whole", _WHOLE, restarts=0, gap=0.05),
            Setting("real-data-linear", _LINEAR, restarts=0),
        ),
        test="bracket",
    ),
)
