"""Does depth help beyond three layers? D₁(3) against D₁^path(4), on random and worst data (§5).

D₁^path(4) ≤ D₁(4) ≤ D₁(3), and both ends are solved. Where they meet, D₁(4) is known. Where they
do not, a certificate proves that the path program is strictly below; on `EXAMPLE` an actual
network of four layers is, so depth does help beyond three.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zerogap.checker.statement import digest
from zerogap.convex.columns import gauge
from zerogap.convex.oracles import Features
from zerogap.convex.path import Branch, PathGauge, path_gauge
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.replication.families import generate, seed_of
from zerogap.solving.certificates import build

# The two values differ if they are proved to, by more than this relative amount.
DIFFERS = 1e-6
# Relative width to which brackets are closed, where they can be.
_TOLERANCE = 1e-7
# Draws of normal data among which an ascent looks for a start where the values differ.
_DRAWS = 12
# Length of the first step of an ascent, relative to the data.
_FIRST_STEP = 0.3

# One branch of widths 3-2-1, in integers, on six points of the plane. Its outputs y cost it
# ‖W₁‖‖W₂‖‖w₃‖ = √(75·83·41) ≥ D₁(4); three layers need 2.8 % more. Found by alternating between
# branch and dual multipliers from a path network, and rounding; the certificate is the proof.
EXAMPLE_X, _ = generate({"kind": "six-points"})
EXAMPLE = Network(
    (
        (
            np.array([[2.0, 3, -3], [-4, 6, 1]]),
            np.array([[-3.0, 3], [6, -4], [-2, 3]]),
            np.array([[-5.0], [4]]),
            np.array([[1.0]]),
        ),
    ),
    "relu",
)

# A branch and data found by ascending D₁(3) over the cost of the branch in both, and rounded.
STEEP_X = np.array([[-785.0, 620], [-789, 614], [798, 602], [976, -217], [754, -657], [972, -236]])
STEEP = Network(
    (
        (
            np.array([[99.0, 196, -112], [-280, 300, 24]]),
            np.array([[132.0, -221], [-102, 300], [52, -86]]),
            np.array([[138.0], [-300]]),
            np.array([[1.0]]),
        ),
    ),
    "relu",
)
EXAMPLES = {"four-layers": (EXAMPLE_X, EXAMPLE), "four-layers-steep": (STEEP_X, STEEP)}


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


def compare(X: Array, y: Array, beyond: float = -np.inf) -> Comparison:
    """Bracket both values; the second only until the difference is known not to be `beyond`."""
    features, fit = Features(X), Fit(y[:, None])
    two = gauge(features, fit, tolerance=1e-6)
    three = path_gauge(features, fit, 3, signs=two.multipliers[:, 0], tolerance=_TOLERANCE)
    signs, enough = three.multipliers[:, 0], (1 - beyond) * three.upper
    four = path_gauge(features, fit, 4, signs=signs, tolerance=_TOLERANCE, enough=enough)
    if three.upper < four.upper:
        # A three-layer branch is a path network of any depth: φ leaves its outputs as they are.
        four = replace(four, upper=three.upper, atoms=three.atoms, weights=three.weights)
    return Comparison(X, y, three, four)


def example(name: str = "four-layers") -> Comparison:
    """D₁(3) and, between the path program and the network's cost, D₁(4) of an example."""
    X, network = EXAMPLES[name]
    comparison = compare(X, network.outputs(X)[:, 0])
    cost = float(np.prod([np.linalg.norm(W) for W in network.branches[0]]))
    return replace(comparison, four=replace(comparison.four, upper=cost))


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
            trial = compare(X, y, best.lower)
        except MethodError:
            continue
        success = trial.lower > best.lower
        best = trial if success else best
        length *= np.exp(0.4) if success else np.exp(-0.1)
    return best


def certificate(
    comparison: Comparison, name: str, network: Network | None = None
) -> dict[str, Any]:
    """The proof of a difference: both sides of D₁(3), and a deeper network that costs less.

    Without `network` it is the path network of four layers, with it a parallel one.
    """
    three, four = comparison.three, comparison.four
    problem = _problem(comparison)
    pairs = zip(three.atoms.branches(), three.weights, strict=True)
    shallow = Network(tuple((*inner, w[None]) for inner, w in pairs), "relu").balanced()
    if network is None:
        inputs = [_nested(branch) for branch in four.atoms.U[0]]
        deeper: dict[str, Any] = {"path": {"inputs": inputs, "mixture": four.weights}}
    else:
        deeper = {"branches": network.branches}
    return build(
        problem,
        shallow,
        {"kind": "tree", "multipliers": three.multipliers, "mu": three.mu},
        deeper={"depth": 4, **deeper},
        claimed={
            "primal": problem.total(three.upper),
            "dual": problem.total(three.lower),
            "deeper_upper": problem.total(four.upper),
        },
        id={"claim": "depth", "setting": "depth-study", "instance": name},
    )


def _problem(comparison: Comparison) -> Problem:
    """The problem of three layers that the certificate of a comparison states."""
    return Problem(
        comparison.X,
        comparison.y[:, None],
        activation="relu",
        architecture="parallel",
        depth=3,
        regularizer="power",
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
    some draws where the values differ, or from the last of them. Examples join their size. A row
    has the columns of results/tables/depth.csv but the last, and the digest of its problem; a
    certificate is made where the values
    differ.
    """
    rows, proofs = [], []

    def add(kind: str, name: str, seed: int | None, comparison: Comparison) -> None:
        rows.append(
            {
                "id": name,
                "n": n,
                "d": d,
                "seed": seed,
                "problem": digest(_problem(comparison)),
                "kind": kind,
                "three_lower": comparison.three.lower,
                "three_upper": comparison.three.upper,
                "four_lower": comparison.four.lower,
                "four_upper": comparison.four.upper,
                "relative_lower": comparison.lower,
                "relative_upper": comparison.upper,
            }
        )
        if comparison.lower > DIFFERS:
            _, network = EXAMPLES.get(name, (None, None))
            proofs.append(certificate(comparison, name, network))

    for name, (X, _) in EXAMPLES.items():
        if (n, d) == X.shape:
            add("network", name, None, example(name))
    for kind, count in (("random", random), ("adversarial", ascents)):
        for replicate in range(count):
            seed = seed_of("depth-study", kind, n, d, replicate)
            rng = np.random.default_rng(seed)
            comparison = compare(rng.normal(size=(n, d)), rng.normal(size=n))
            if kind == "adversarial":
                for _ in range(_DRAWS - 1):
                    if comparison.lower > DIFFERS:
                        break
                    comparison = compare(rng.normal(size=(n, d)), rng.normal(size=n))
                comparison = ascend(comparison, rng, steps)
            add(kind, f"{kind}-n{n}-d{d}-{replicate}", seed, comparison)
    return rows, proofs
