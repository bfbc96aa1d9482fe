"""Weight decay with β > 0 at three or more layers: the least value over the layers' norm t (§1).

The dual value is min_t β(L−2)/2·t² + D_β(t), D_β(t) the dual at the allowed level τ = β/t^{L−2}.
Every Λ, scaled to what t allows, bounds D_β(t) from below for all t at once. The minimiser of the
best of these bounds is the next t to solve for, until the bound is tight there.
"""

from collections.abc import Callable

import numpy as np

from zerogap.convex.columns import constant
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.solving.evidence import Levels
from zerogap.solving.methods.base import Piece

# Duals that are solved, one for each t, if the bracket does not close before.
_MAX_DUALS = {"linear": 120, "relu": 40}
_GRID = 4000
# Cells of a grid that are refined, into so many points each, and how often.
_LOWEST, _POINTS, _ROUNDS = 300, 20, 4
# Share of the time for one dual.
_SHARE = 0.5
# The bracket, relative, and the relative distance of two t's, at which the search ends.
_CLOSED, _SAME = 1e-9, 1e-10
# The search ends, too, after so many duals in a row that were left open by more than a relative
# gap, and gained less than this share of the bracket's.
_PATIENCE, _LOOSE, _GAIN = 2, 1e-6, 0.01


def least_over_norms(
    problem: Problem, fit: Fit, solve: Callable[[float], Piece]
) -> tuple[float, float, Piece, Levels]:
    """A lower and an upper bound on the dual value, the piece of the upper one, all evidence.

    solve: the bracket of the dual at an allowed level τ.
    """
    bound = _Bound(problem, fit)
    multipliers, bias = constant(fit)
    # The best constant network's value: beyond `end` none is less.
    most = fit.dual(multipliers) if bias is None else fit.value(np.zeros_like(fit.Y), bias)
    end = float(np.sqrt(most / bound.half)) if most > 0 else 1.0
    grid = end * np.geomspace(1e-6, 1, _GRID)
    best: Piece | None = None
    t, lower, upper, stalled = end, 0.0, most, 0
    for _ in range(_MAX_DUALS[problem.activation]):
        # What bounds one dual bounds nothing for all t.
        with clock.within(_SHARE * clock.left()), clock.units(lambda value: 0.0, attained=False):
            piece = solve(bound.beta / t**bound.power)
        bound.add(t, piece)
        if best is None or bound.half * t**2 + piece.upper < upper:
            best, upper = piece, min(upper, bound.half * t**2 + piece.upper)
        value, t = bound.least(grid)
        before, lower = lower, min(value, most)
        # Pieces that do not close themselves leave a gap that no further t narrows.
        loose = piece.relative_gap > _LOOSE and lower - before <= _GAIN * (upper - lower)
        stalled = stalled + 1 if loose else 0
        clock.tell(lower, np.inf)
        again = any(abs(t / at - 1) < _SAME for at, _ in bound.solved)
        if again or stalled == _PATIENCE or relative(upper - lower, upper) <= _CLOSED:
            break
        if clock.late():
            break
    assert best is not None
    return lower, upper, best, Levels(tuple(piece.evidence for _, piece in bound.solved))


class _Bound:
    """The lower bound on β(L−2)/2·t² + D_β(t) that the Λ's of the t's solved for prove."""

    def __init__(self, problem: Problem, fit: Fit) -> None:
        assert problem.beta is not None
        self.fit, self.beta, self.power = fit, problem.beta, problem.depth - 2
        self.half = self.beta * self.power / 2
        self.solved: list[tuple[float, Piece]] = []
        self._rays: list[Callable[[Array], Array]] = []

    def add(self, t: float, piece: Piece) -> None:
        """Join the Λ that was found at t."""
        self.solved.append((t, piece))
        self._rays.append(self.fit.along(piece.evidence.Lambda))

    def __call__(self, t: Array) -> Array:
        """The bound at every t (m,)."""
        best = np.zeros_like(t)
        for (at, _), ray in zip(self.solved, self._rays, strict=True):
            # Λ was scaled to c(Λ) ≤ β/at^{L−2}; at t it may be longer or must be shorter.
            best = np.maximum(best, ray((at / t) ** self.power))
        return self.half * t**2 + best

    def least(self, grid: Array) -> tuple[float, float]:
        """The global minimum and its t: the lowest cells of the grid, refined a few times.

        The bound is a maximum of smooth pieces with kinks, so cells hold several minima.
        """
        for _ in range(_ROUNDS):
            low = np.argsort(self(grid), kind="stable")[:_LOWEST]
            left, right = grid[np.maximum(low - 1, 0)], grid[np.minimum(low + 1, len(grid) - 1)]
            grid = np.unique(np.linspace(left, right, _POINTS))
        values = self(grid)
        return float(values.min()), float(grid[values.argmin()])
