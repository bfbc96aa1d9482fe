"""What gradient descent reaches on every problem of a batch."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from zerogap.model.errors import what_failed
from zerogap.replication.records import read_batch, write_batch
from zerogap.replication.rows import Given, Trained
from zerogap.training import TrainingOptions, train


def run(data: Path, output: Path) -> int:
    """Train every problem of a batch; problems of one shape and effort share a tensor program."""
    given = read_batch(data, Given)
    groups: dict[TrainingOptions, list[int]] = {}
    for i, one in enumerate(given):
        effort = TrainingOptions(
            restarts=one.restarts, branches=one.branches, polish_steps=one.polish_steps
        )
        groups.setdefault(effort, []).append(i)
    results: dict[int, Trained] = {}
    for effort, members in groups.items():
        started = time.perf_counter()
        trained = _trained([given[i] for i in members], effort)
        seconds = (time.perf_counter() - started) / len(members)
        for i, result in zip(members, trained, strict=True):
            results[i] = replace(result, seconds=seconds if given[i].timings else None)
    write_batch(output, [results[i] for i in range(len(given))], "train")
    return len(given)


def _trained(given: list[Given], effort: TrainingOptions) -> list[Trained]:
    """One result per problem; where the group fails, each of its problems by itself."""
    if not effort.restarts:
        untrained = Trained("", np.inf, np.inf, np.zeros(0), None, None, None)
        return [replace(untrained, instance=one.name) for one in given]
    try:
        reached = train([one.problem for one in given], [one.seed for one in given], effort)
    except Exception as error:  # one problem must not cost the others
        if len(given) > 1:
            return [result for one in given for result in _trained([one], effort)]
        nothing = np.full(effort.restarts, np.inf)
        failure = what_failed("training", error)
        return [Trained(given[0].name, np.inf, np.inf, nothing, None, failure, None)]
    lost = f"training: none of {effort.restarts} runs "
    lost += "interpolates" if given[0].beta is None else "stays finite"
    return [
        Trained(
            instance=one.name,
            value=training.value,
            error=training.error,
            values=training.values,
            curve=training.curve,
            failure=None if np.isfinite(training.value) else lost,
            network=training.network.record(),
        )
        for one, training in zip(given, reached, strict=True)
    ]
