"""Weight decay with β > 0 at three or more layers: the least cost over the gauge γ of outputs (§1).

The dual value is min_γ β(L/2)γ^{2/L} + E(γ), E(γ) the least loss of outputs of gauge γ, which is
convex. Every Λ is a cut, E(γ) ≥ g(Λ) − c(Λ)γ. Where the cuts so far leave the least cost, the slope
of the first term is the next level τ to solve for, until the bound is tight.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from zerogap.convex.descent import descent
from zerogap.model import clock
from zerogap.solving.evidence import Levels
from zerogap.solving.methods.base import Given, Piece

# Duals that are solved if the bracket does not close before.
_MAX_DUALS = 40
# Share of the time for one dual; for the first at a level that two layers say is near the best.
_SHARE, _LARGEST = 0.5, 0.75
# The relative distance of two levels at which the search ends.
_SAME = 1e-10
# The search ends, too, after so many duals in a row that were left open by more than is asked for,
# and gained less than this share of the bracket; and at this multiple of what the last left open,
# if that is little.
_PATIENCE, _GAIN, _EXPLAINED = 2, 0.01, 1.1
# What leaving out evidence may take off, as a share of what is asked for, relative.
_SPARED = 0.1
# Cuts that are added at most, and the relative gain below which none is.
_MAX_CUTS, _CUT_LOSS = 200, 1e-12
# Levels of the two-layer networks that say where to begin, as shares of that of constant outputs;
# how well each is fitted, and its share of the time.
_LEVELS, _ROUGH, _SHALLOW = np.geomspace(0.3, 1e-4, 8), 1e-2, 0.02
# A level of Λ = 0, which may be divided by.
_NONE = 2.0**-500

# (c, g): outputs of gauge γ have a loss of at least g − cγ.
Cut = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Solved:
    """The piece at a level τ ≥ c(Λ), and the dual along the multiples of its Λ."""

    tau: float
    piece: Piece
    along: Callable[[float], tuple[float, float]]

    def cut(self, gamma: float) -> Cut:
        """That of the multiple of Λ which is best at γ."""
        theta, value = self.along(self.tau * gamma)
        return theta * self.tau, value


def least_over_gauges(
    given: Given, solve: Callable[[float], Piece]
) -> tuple[float, float, Piece, Levels]:
    """A lower and an upper bound on the dual value, the piece of the upper one, all evidence.

    solve: the bracket of the dual at an allowed level τ.
    """
    search, fit = _Search(given), given.fit
    upper = fit.value(np.zeros_like(fit.Y), given.constant[1])  # of the best constant outputs
    best: Piece | None = None
    # At this level they are proved to be the best of all.
    tau, part, lower, stalled = given.reach or _NONE, _SHARE, 0.0, 0
    for _ in range(_MAX_DUALS):
        # What bounds one dual bounds nothing for all γ.
        share = clock.within(part * clock.left())
        with share, clock.units(attained=False, proved=False):
            piece = solve(tau)
        search.add(tau, piece)
        # Its network, at the cost of its own gauge.
        spent = sum(float(np.linalg.norm(w)) for w in piece.weights)
        value = piece.upper - tau * spent + search.cost(spent)
        if best is None or value < upper:
            best, upper = piece, min(upper, value)
        before, (lower, gamma) = lower, search.least(search.solved)
        clock.tell(lower, np.inf)
        # Pieces that do not close themselves leave a gap that no further τ narrows.
        loose, gain = piece.relative_gap > given.effort.exact, lower - before
        stalled = stalled + 1 if loose and gain <= _GAIN * (upper - lower) else 0
        left = piece.upper - piece.lower if piece.relative_gap <= given.effort.relaxed else 0.0
        closed = upper - lower <= max(given.effort.exact * upper, _EXPLAINED * left)
        if closed or gamma == 0 or stalled == _PATIENCE or clock.late():
            break
        # Where time has a limit no dual is spent far from the best level.
        early = len(search.solved) == 1 and clock.left() < np.inf
        tau = search.price(_shallow(given, search, gamma) if early else gamma)
        part = _LARGEST if early else _SHARE
        if any(abs(tau / other.tau - 1) < _SAME for other in search.solved):
            break
    assert best is not None
    kept, enough = search.solved, lower - _SPARED * given.effort.exact * abs(lower)
    for one in search.solved:
        fewer = [other for other in kept if other is not one]
        if fewer and (value := search.least(fewer)[0]) >= enough:
            kept, lower = fewer, value
    return lower, upper, best, Levels(tuple(one.piece.evidence for one in kept))


def _shallow(given: Given, search: "_Search", gamma: float) -> float:
    """The γ of the two-layer ReLU network that would cost least, γ where there is none."""
    best = (np.inf, gamma)
    for tau in given.reach * _LEVELS if given.problem.activation == "relu" else ():
        share = clock.within(_SHALLOW * clock.left())
        with share, clock.units(attained=False, proved=False):
            found = descent(given.problem.X, given.fit, tau, _ROUGH)
        spent = float(np.linalg.norm(found.weights, axis=1).sum())
        if spent > 0:
            best = min(best, (found.upper - tau * spent + search.cost(spent), spent))
    return best[1]


class _Search:
    """What is solved, the lower bound that it proves, and the price at which to go on."""

    def __init__(self, given: Given) -> None:
        problem, self.fit = given.problem, given.fit
        assert problem.beta is not None
        self.beta, self.depth = problem.beta, problem.depth
        self.solved: list[Solved] = []

    def add(self, tau: float, piece: Piece) -> None:
        """Join what was found at τ."""
        self.solved.append(Solved(tau, piece, self.fit.along(piece.evidence.Lambda)))

    def cost(self, gamma: float) -> float:
        """β times the least weight decay of outputs of gauge γ."""
        return self.beta * self.depth / 2 * gamma ** (2 / self.depth)

    def price(self, gamma: float) -> float:
        """Its slope."""
        return self.beta * gamma ** (2 / self.depth - 1)

    def least(self, solved: Collection[Solved]) -> tuple[float, float]:
        """The lower bound that they prove and its γ: where it is least, the best cut is added."""
        cuts = [one.cut(0.0) for one in solved]
        bound, gamma = self._corners(cuts)
        for _ in range(_MAX_CUTS):
            c, g = max((one.cut(gamma) for one in solved), key=lambda cut: cut[1] - cut[0] * gamma)
            if self.cost(gamma) + g - c * gamma <= bound * (1 + _CUT_LOSS):
                break
            cuts.append((c, g))
            bound, gamma = self._corners(cuts)
        return bound, gamma

    def _corners(self, cuts: list[Cut]) -> tuple[float, float]:
        """min over γ ≥ 0 of the cost and max(0, g_i − c_i γ), and its γ.

        Between the corners of the maximum, a sum of lines and a concave function is least at an
        end.
        """
        hull: list[Cut] = [(0.0, 0.0)]
        corners: list[float] = []
        for c, g in sorted(cuts, key=lambda cut: (cut[0], -cut[1])):
            if g <= hull[-1][1]:
                continue
            while corners and _corner(hull[-1], (c, g)) >= corners[-1]:
                hull.pop()
                corners.pop()
            corners.append(_corner(hull[-1], (c, g)))
            hull.append((c, g))
        ends = zip(corners, hull[1:], strict=True)
        values = [(self.cost(gamma) + g - c * gamma, gamma) for gamma, (c, g) in ends]
        return min([(hull[-1][1], 0.0), *values])


def _corner(one: Cut, other: Cut) -> float:
    """The γ where two cuts meet."""
    return (other[1] - one[1]) / (other[0] - one[0])
