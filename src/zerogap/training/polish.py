"""Polishing the best restarts: across the last kinks, then on a fixed activation pattern."""

from dataclasses import replace

import numpy as np

from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.training.batch import Batch, Walls
from zerogap.training.descent import LOOSE, best, descend
from zerogap.training.interpolation import feasible, hold
from zerogap.training.lbfgs import lbfgs
from zerogap.training.options import TrainingOptions

# μ of the slow descent, which some problems want tight and others tighter.
_TIGHT = (5e-3, 5e-4)
# Its learning rate, as a share of the option.
_SLOW = 0.15
# Its passes, and the relative gain that is worth another one.
_PASSES = 4
_PAYS = 3e-4
# Stiffness of the walls around an activation pattern, and rounds of multipliers.
_STIFFNESS = 10.0
_ROUNDS = 8


def polish(
    batch: Batch, weights: Array, count: int, start: int, options: TrainingOptions
) -> tuple[Array, Array, list[list[list[float]]]]:
    """Slow Adam across the last kinks (ReLU), then L-BFGS on the pattern that it found.

    start: the step at which the curves (step, best value) go on.
    """
    weights, values = feasible(batch, weights)
    reached = values.reshape(count, -1).min(1)
    curves: list[list[list[float]]] = [[] for _ in range(count)]
    going = np.arange(count)
    slow = batch.shape.activation == "relu" and options.polish_steps > 0
    for done in range(_PASSES if slow else 0):
        own = np.arange(len(weights)).reshape(count, -1)[going].ravel()
        every = own.repeat(len(_TIGHT))
        tight = np.tile(_TIGHT, len(own))
        moved, found, rows = descend(
            batch.rows(every),
            weights[every],
            tight,
            len(going),
            options.polish_steps,
            np.full_like(tight, _SLOW * options.learning_rate),
            2 * options.refresh,
        )
        pick = best(found, len(own), 1)
        weights[own], values[own] = moved[pick], found[pick]
        rows[:, :, 0] += start + done * options.polish_steps
        for i, own_rows in zip(going.tolist(), rows, strict=True):
            curves[i].extend(own_rows[:, :2].tolist())
        now = values.reshape(count, -1).min(1)
        # Hard problems, with samples on almost one line, go on while it pays.
        going = np.flatnonzero(now < (1 - _PAYS) * reached)
        reached = now
        if not len(going) or clock.late():
            break
    refined, better = feasible(batch, refine(batch, weights, options.lbfgs_steps))
    weights = np.where((better < values)[:, None], refined, weights)
    values = np.minimum(values, better)
    for curve, last in zip(curves, values.reshape(count, -1).min(1).tolist(), strict=True):
        curve.append([curve[-1][0] if curve else start, last])
    return weights, values, curves


def refine(batch: Batch, weights: Array, steps: int) -> Array:
    """L-BFGS on the augmented Lagrangian, with the activation pattern held by walls."""
    walls = None
    if batch.shape.activation == "relu":
        before = batch.at(weights).before
        signs = [np.where(Z > 0, 1.0, -1.0) for Z in before]
        walls = Walls(signs, [np.zeros_like(Z) for Z in before], _STIFFNESS)
    pull = hold(batch, weights, np.full(len(weights), LOOSE), walls)
    for _ in range(_ROUNDS):
        if clock.late():
            break
        weights = lbfgs(batch, weights, pull, walls, steps)
        here = batch.at(weights, walls)
        if batch.exact:
            force = pull.force(here.residual)
            pull = replace(pull, multipliers=pull.multipliers + force)
        if walls is not None:
            pushed = [walls.push(i, Z) for i, Z in enumerate(here.before)]
            walls = replace(walls, multipliers=pushed)
    return weights
