"""The whole of `solve` in a given time: its bracket, what was known when, what the checker says."""

from typing import Any

from zerogap import Problem, solve
from zerogap.model import clock
from zerogap.model.bounds import relative


def bracket(problem: Problem, limit: float, gap: float, after: tuple[int, ...]) -> dict[str, Any]:
    """Columns of a table; after: seconds by the library's clock at which the width is asked."""
    told: list[clock.Progress] = []
    started = clock.now()
    bounds = solve(problem, seconds=limit, gap=gap, progress=told.append)
    taken, verdict = clock.now() - started, bounds.verdict
    assert verdict is not None
    known = {
        f"after_{second}": min((p.relative_gap for p in told if p.seconds <= second), default=1.0)
        for second in after
    }
    return {
        "n": problem.n, "d": problem.d, "k": problem.k, "seconds": taken, "primal": bounds.primal,
        "dual": bounds.dual, "width": relative(bounds.primal - bounds.dual, bounds.primal),
        "method": bounds.dual_method, "evidence": bounds.certificate["lower"]["kind"],
        "operations": verdict.operations, "certified": bounds.certified,
        "reason": verdict.reason if not bounds.certified else "", **known,
    }  # fmt: skip
