"""The whole of training: problems of one shape as one tensor program."""

import math
from collections.abc import Sequence

import numpy as np

from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.training.batch import Batch
from zerogap.training.descent import LOOSE, best, descend
from zerogap.training.interpolation import EXACT, correct
from zerogap.training.options import INTERPOLATION_TOLERANCE, Training, TrainingOptions
from zerogap.training.polish import polish
from zerogap.training.scaling import Scaled, scale
from zerogap.training.shape import Shape
from zerogap.training.starts import initial

DEFAULTS = TrainingOptions()
# Learning rates of the restarts, two by two, as shares of the option: deep networks want less
# than shallow ones.
_PACES = (1.0, 0.3)
_STEPS = {"linear": 500, "relu": 2000}
# Steps before the first return to interpolation at which curves are looked at.
_LOOKS = (1, 2, 3, 5, 7, 10, 14)


def train(
    problems: Sequence[Problem],
    seeds: Sequence[int],
    options: TrainingOptions = DEFAULTS,
) -> list[Training]:
    """Train every problem from `restarts` random starts, one result per problem, in order.

    Problems of one shape run as one tensor program; what comes out for a problem depends on its
    own seed alone, to the last bit where at least two restarts are trained and two polished.
    """
    scaled = [scale(problem) for problem in problems]
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, (problem, normal) in enumerate(zip(problems, scaled, strict=True)):
        key = (Shape.of(problem, normal, options), problem.beta is None)
        groups.setdefault(key, []).append(i)
    results: dict[int, Training] = {}
    for (shape, _), members in groups.items():
        assert isinstance(shape, Shape)
        size = max(1, shape.chunk // options.restarts)
        for start in range(0, len(members), size):
            chunk = members[start : start + size]
            # Runs that diverge are told by their values.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                trained = _train(
                    [problems[i] for i in chunk],
                    [scaled[i] for i in chunk],
                    [seeds[i] for i in chunk],
                    shape,
                    options,
                )
            results.update(zip(chunk, trained, strict=True))
    return [results[i] for i in range(len(problems))]


def _train(
    problems: list[Problem],
    scaled: list[Scaled],
    seeds: list[int],
    shape: Shape,
    options: TrainingOptions,
) -> list[Training]:
    restarts, count = options.restarts, len(problems)
    steps = options.steps or _STEPS[shape.activation]

    def spread(values: list[Array]) -> Array:
        return np.stack(values).repeat(restarts, 0)

    batch = Batch(
        shape,
        problems[0].beta is None,
        spread([s.X for s in scaled])[:, None],
        spread([s.Y for s in scaled]),
        spread([np.array(s.penalty) for s in scaled]),
    )
    weights = np.concatenate(
        [initial(shape, s.X, restarts, seed) for s, seed in zip(scaled, seeds, strict=True)]
    )
    loose = np.full(len(weights), LOOSE)
    paces = np.repeat(_PACES, 2)
    rates = options.learning_rate * np.resize(paces, restarts)
    kept, values, curves = descend(
        batch, weights, loose, count, steps, np.tile(rates, count), options.refresh, _LOOKS
    )
    chosen = best(values, count, options.polished)
    polished, better, tails = polish(batch.rows(chosen), kept[chosen], count, steps, options)
    # A polish that ends higher, as it may on the wrong side of a kink, is dropped.
    improved = better < values[chosen]
    kept[chosen[improved]] = polished[improved]
    if batch.exact:
        kept, _ = correct(batch, kept, enough=EXACT)
    results = []
    for i, (problem, normal) in enumerate(zip(problems, scaled, strict=True)):
        own = kept[i * restarts : (i + 1) * restarts]
        # Few networks are polished: what half of them reach is not followed there.
        tail = np.pad(tails[i], ((0, 0), (0, 2)), constant_values=np.nan)
        curve = np.concatenate([curves[i], tail])
        curve[:, 1] = np.minimum.accumulate(curve[:, 1])
        curve[:, 1:] = normal.unit * curve[:, 1:] + normal.offset
        results.append(_result(problem, [shape.network(w, normal) for w in own], curve))
    return results


def _result(problem: Problem, networks: list[Network], curve: Array) -> Training:
    """Judge the restarts in the problem's own coordinates."""
    allowed = INTERPOLATION_TOLERANCE * np.linalg.norm(problem.Y)
    errors = np.array([network.error(problem) for network in networks])
    values = np.array([network.objective(problem) for network in networks])
    if problem.beta is None:
        values[~(errors <= allowed)] = math.inf
    order = np.lexsort((errors, values))
    first = order[0]
    return Training(
        networks[first], float(values[first]), float(errors[first]), values[order], curve
    )
