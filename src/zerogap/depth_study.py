"""Does depth help beyond three layers? D₁(3) against D₁^path(4), on random and worst data (§5).

D₁^path(4) ≤ D₁(4) ≤ D₁(3), and both ends are solved. Where they meet, D₁(4) is known; where they
do not, the path program is strictly below, which a certificate proves; whether a network that
shares its layers follows it there is another question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zerogap.certificates.format import build
from zerogap.convex.columns import gauge
from zerogap.convex.oracles import Features
from zerogap.convex.path import Branch, PathGauge, path_gauge
from zerogap.data import seed_of
from zerogap.errors import MethodError
from zerogap.networks import Network
from zerogap.problem import Array, Problem

# The two values differ if they are proved to, by more than this relative amount.
DIFFERS = 1e-6
# Relative width to which brackets are closed, where they can be.
_TOLERANCE = 1e-7
# Draws of normal data among which an ascent looks for a start where the values differ.
_DRAWS = 12
# Length of the first step of an ascent, relative to the data.
_FIRST_STEP = 0.3


@dataclass(frozen=True, eq=False)
class Comparison:
    """Brackets of D₁(3) and D₁^path(4) for data X (n, d) and scalar targets y (n,)."""

    X: Array
    y: Array
    three: PathGauge
    four: PathGauge

    @property
    def lower(self) -> float:
        """What the relative difference 1 − D₁^path(4)/D₁(3) is at least."""
        return 1 - self.four.upper / self.three.lower

    @property
    def upper(self) -> float:
        """What the relative difference is at most."""
        return 1 - self.four.lower / self.three.upper


def compare(X: Array, y: Array) -> Comparison:
    """Bracket both values."""
    features = Features(X)
    two = gauge(features, y[:, None], tolerance=1e-6)
    three = path_gauge(features, y, 3, signs=two.multipliers[:, 0], tolerance=_TOLERANCE)
    four = path_gauge(features, y, 4, signs=three.multipliers, tolerance=_TOLERANCE)
    if three.upper < four.upper:
        # A three-layer branch is a path network of any depth: φ leaves its outputs as they are.
        four = replace(four, upper=three.upper, branches=three.branches, weights=three.weights)
    return Comparison(X, y, three, four)


def ascend(start: Comparison, rng: np.random.Generator, steps: int) -> Comparison:
    """Climb the relative difference by random steps in X and y together, each kept if it is higher.

    The difference does not depend on the scale of X and y, so both are kept at unit norm. Steps
    grow with success and shrink without, such that one in five succeeding keeps their length.
    """
    best, length = start, _FIRST_STEP
    for _ in range(steps):
        X, y = (
            A / np.linalg.norm(A) + length * rng.normal(size=A.shape) / np.sqrt(A.size)
            for A in (best.X, best.y)
        )
        try:
            trial = compare(X, y)
        except MethodError:
            continue
        success = trial.lower > best.lower
        best = trial if success else best
        length *= np.exp(0.4) if success else np.exp(-0.1)
    return best


def certificate(found: Comparison, name: str) -> dict[str, Any]:
    """The proof that D₁^path(4) < D₁(3): both sides of D₁(3), and a path network of depth four."""
    problem = Problem(
        found.X,
        found.y[:, None],
        activation="relu",
        architecture="parallel",
        depth=3,
        regularizer="power",
    )
    three, four = found.three, found.four
    pairs = zip(three.branches, three.weights, strict=True)
    network = Network(tuple((*b.layers(), np.array([[w]])) for b, w in pairs), "relu").balanced()
    inputs = [_nested(branch) for branch in four.branches]
    return build(
        problem,
        network,
        {"kind": "tree", "multipliers": three.multipliers[:, None], "mu": three.mu},
        deeper={"depth": 4, "path": {"inputs": inputs, "mixture": four.weights}},
        claimed={
            "primal": problem.total(three.upper),
            "dual": problem.total(three.lower),
            "deeper_upper": problem.total(four.upper),
        },
        id={"claim": "depth", "setting": "depth-study", "instance": name},
    )


def _nested(branch: Branch) -> dict[str, Any]:
    inputs = branch.inputs
    below = [_nested(inner) for inner in inputs] if isinstance(inputs, tuple) else inputs
    return {"inputs": below, "mixture": branch.mixture}


def study(
    n: int, d: int, random: int, ascents: int, steps: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and certificates for n samples in d dimensions: random data, then ascents of `steps`.

    Every random instance is one draw of standard normal data; an ascent starts from the first of
    some draws where the values differ, or from the last of them. A row has the columns of
    results/tables/depth.csv but the last; a certificate is made where the values differ.
    """
    rows, proofs = [], []
    for kind, count in (("random", random), ("adversarial", ascents)):
        for replicate in range(count):
            seed = seed_of("depth-study", kind, n, d, replicate)
            rng = np.random.default_rng(seed)
            found = compare(rng.normal(size=(n, d)), rng.normal(size=n))
            if kind == "adversarial":
                for _ in range(_DRAWS - 1):
                    if found.lower > DIFFERS:
                        break
                    found = compare(rng.normal(size=(n, d)), rng.normal(size=n))
                found = ascend(found, rng, steps)
            name = f"{kind}-n{n}-d{d}-{replicate}"
            rows.append(
                {
                    "id": name,
                    "n": n,
                    "d": d,
                    "seed": seed,
                    "kind": kind,
                    "three_lower": found.three.lower,
                    "three_upper": found.three.upper,
                    "four_lower": found.four.lower,
                    "four_upper": found.four.upper,
                    "relative_lower": found.lower,
                    "relative_upper": found.upper,
                }
            )
            if found.lower > DIFFERS:
                proofs.append(certificate(found, name))
    return rows, proofs
