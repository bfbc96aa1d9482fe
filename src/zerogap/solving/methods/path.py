"""One output: three layers exactly; deeper, the path program below, three layers above (§4, §5)."""

from zerogap.convex.columns import gauge
from zerogap.convex.path import leaves_of, path_gauge
from zerogap.model.fit import Fit
from zerogap.solving.evidence import Tree
from zerogap.solving.methods.base import Given, Piece

NAME = "path program"
# Worst case of the tree that is tried; convex/path.py refuses larger ones than it can hold.
MAX_LEAVES = 4_000


def accepts(given: Given, tau: float | None) -> str | None:
    return "the targets have more than one output" if given.problem.k > 1 else treeless(given)


def treeless(given: Given) -> str | None:
    """Why the path program of one output is out of reach, None where it is not."""
    n, depth = given.problem.n, given.problem.depth
    if depth == 2:
        return "the network has two layers"
    if given.faceless is None and leaves_of(n - n // 2, n // 2, depth) > MAX_LEAVES:
        return f"the path program of {n} samples has more than {MAX_LEAVES} leaves"
    return given.faceless


def solve(given: Given, tau: float | None) -> Piece:
    return one_output(given, given.fit, tau)


def one_output(given: Given, fit: Fit, tau: float | None) -> Piece:
    """The piece of a fit of one output."""
    depth, features, exact = given.problem.depth, given.features, given.effort.exact
    two = gauge(features, fit, tau, tolerance=1e-6)
    three = below = path_gauge(features, fit, 3, tau, two.multipliers[:, 0], exact)
    if depth > 3:
        below = path_gauge(features, fit, depth, tau, three.multipliers[:, 0], exact)
    above = three if three.upper <= two.upper else two
    proof, branches = Tree(below.multipliers, below.mu), above.atoms.branches()
    return Piece(below.lower, above.upper, proof, branches, above.weights, NAME, above.bias)
