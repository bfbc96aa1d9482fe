"""One measurement in one fresh process: its answer, its seconds and its peak memory."""

import math
import multiprocessing
import os
import resource
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
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


def installed(module: str) -> bool:
    """Whether an optional tool is there; if not, says in one line that its rows are left out."""
    found = find_spec(module) is not None
    if not found:
        print(
            f"{module} is not installed (pip install zerogap[bench]): its rows are left out",
            file=sys.stderr,
        )
    return found


def pace(sample: float = 0.5) -> float:
    """Seconds of the clock for one of the processor, as busy as the machine is now."""
    clock, processor = time.perf_counter(), time.process_time()
    while time.process_time() - processor < sample:
        pass
    return (time.perf_counter() - clock) / sample


def measure(
    function: Callable[..., dict[str, Any]],
    *arguments: Any,
    limit: float,
    busy: float = 1.0,
    gigabytes: float = math.inf,
) -> Run:
    """Run function(*arguments) alone, with one thread, for at most `limit` seconds.

    The function must be importable by name. If its answer holds "seconds", they are taken instead
    of the time of the call, which leaves imports out. Memory is the peak of the whole process, of
    whose addresses it gets so many gigabytes. busy: the limit is one of processor time, and the
    clock may show this many times more.
    """
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    allowed = (limit, gigabytes)
    process = context.Process(target=_child, args=(sender, allowed, function, arguments))
    process.start()
    sender.close()
    late = Run(None, limit, float("nan"), f"{LATE} {limit:.0f} s")
    try:
        if not receiver.poll(limit * busy):
            return late
        return receiver.recv()
    except EOFError:
        process.join()
        if process.exitcode == -signal.SIGXCPU:
            return late
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


def _child(
    sender: Connection,
    allowed: tuple[float, float],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    limit, gigabytes = allowed
    # What remains after the soft limit is the time in which the signal ends the process.
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit) + 5))
    if math.isfinite(gigabytes):
        resource.setrlimit(resource.RLIMIT_AS, (int(gigabytes * 2**30),) * 2)
    try:
        started = time.perf_counter()
        answer = function(*arguments)
        seconds = answer.pop("seconds", time.perf_counter() - started)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sender.send(Run(answer, seconds, peak))
    except Exception as error:  # a baseline may fail in any way; that is a result too
        sender.send(Run(None, float("nan"), float("nan"), f"{type(error).__name__}: {error}"[:200]))
