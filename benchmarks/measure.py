"""One measurement in one fresh process: its answer, its seconds and its peak memory."""

import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

# Libraries read these when they load: a spawned process has one thread.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

LATE = "no answer after"


@dataclass(frozen=True)
class Run:
    """answer: what the function returned; None with the reason if it failed or took too long."""

    answer: dict[str, Any] | None
    seconds: float
    megabytes: float
    reason: str = ""


def measure(function: Callable[..., dict[str, Any]], *arguments: Any, limit: float) -> Run:
    """Run function(*arguments) alone, with one thread, for at most `limit` seconds.

    The function must be importable by name. If its answer holds "seconds", they are taken instead
    of the time of the call, which leaves imports out. Memory is the peak of the whole process.
    """
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        if not receiver.poll(limit):
            return Run(None, limit, float("nan"), f"{LATE} {limit:.0f} s")
        return receiver.recv()
    except EOFError:
        return Run(None, float("nan"), float("nan"), "the process died")
    finally:
        process.kill()
        process.join()


def medians(
    methods: dict[str, Callable[..., dict[str, Any]]], *arguments: Any, runs: int, limit: float
) -> dict[str, Run]:
    """Every method `runs` times in turn, so that a slow spell of the machine hits them alike.

    Medians of seconds and memory, the last answer. What fails or takes too long is not repeated.
    """
    found: dict[str, list[Run]] = {name: [] for name in methods}
    for _ in range(runs):
        for name, function in methods.items():
            if all(run.answer is not None for run in found[name]):
                found[name].append(measure(function, *arguments, limit=limit))
    return {name: _median(own) for name, own in found.items()}


def _median(runs: Iterable[Run]) -> Run:
    runs = list(runs)
    return Run(
        runs[-1].answer,
        statistics.median(run.seconds for run in runs),
        statistics.median(run.megabytes for run in runs),
        runs[-1].reason,
    )


def _child(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        started = time.perf_counter()
        answer = function(*arguments)
        seconds = answer.pop("seconds", time.perf_counter() - started)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sender.send(Run(answer, seconds, peak))
    except Exception as error:  # a baseline may fail in any way; that is a result too
        sender.send(Run(None, float("nan"), float("nan"), f"{type(error).__name__}: {error}"[:200]))
