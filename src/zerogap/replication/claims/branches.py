"""How many branches close the gap (theory §8)."""

from zerogap.replication.claims.registry import Claim, Setting, gaussian, parallel, spec

_BRANCHES = (
    parallel(
        "linear",
        spec("orthonormal", n=8, d=5, k=3),
        "linear",
        (3,),
        "any",
        betas=(0.3,),
        branches=(1, 2, 3, 4),
    ),
    *(
        parallel(
            label,
            gaussian(6, 2),
            "relu",
            depths,
            "any",
            betas=(0.02,),
            branches=(1, 2, 3, 4, 5, 7),
        )
        for label, depths in (("relu-two-layer", (2,)), ("relu-three-layer", (3,)))
    ),
)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "branches",
        "Enough branches (m* ≤ KN + 1) close the gap of a parallel network.",
        "Section 4; Section 5",
        (Setting("branches", _BRANCHES, restarts=24),),
        test="branches",
        unproved="with fewer branches than suffice a problem stays open by design, since its bound "
        "from below is that of any number",
    ),
)
