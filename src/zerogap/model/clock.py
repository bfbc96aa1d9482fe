"""How long a computation may still take, and who is told how far it is.

Loops that can end with what they have ask `late`; passes that have nothing until they are through
call `check`, which raises Late. Scopes of time nest, and the first to end counts. Outside of all
scopes nothing is ever late, so that what is computed does not depend on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf

from zerogap.model.bounds import relative
from zerogap.model.errors import MethodError


class Late(MethodError):
    """The time is up, and there is no result yet."""


@dataclass(frozen=True)
class Progress:
    """Seconds since the start, and the bracket so far in total values; either end may be missing.

    primal is infinite, and dual 0, where nothing is known yet.
    """

    seconds: float
    primal: float
    dual: float

    @property
    def relative_gap(self) -> float:
        """(primal − dual) / primal."""
        return relative(self.primal - self.dual, self.primal) if self.primal < inf else 1.0


@dataclass(eq=False)
class _Watch:
    """One computation: since when it runs, its listener, its best bracket, whether to end it."""

    tell: Callable[[Progress], object] | None
    began: float
    primal: float = inf
    dual: float = 0.0
    stopped: bool = False


_end: ContextVar[float] = ContextVar("end", default=inf)
_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)
_total: ContextVar[Callable[[float], float]] = ContextVar("total", default=float)
_attained: ContextVar[bool] = ContextVar("attained", default=True)
_proved: ContextVar[bool] = ContextVar("proved", default=True)


@contextmanager
def watched(tell: Callable[[Progress], object] | None) -> Iterator[None]:
    """A computation from here on, which tells of its bracket and may be stopped."""
    token = _watch.set(_Watch(tell, now()))
    try:
        yield
    finally:
        _watch.reset(token)


def stop() -> bool:
    """Make the computation late at once; False where none is watched, or it was stopped before."""
    watch = _watch.get()
    if watch is None or watch.stopped:
        return False
    watch.stopped = True
    return True


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """At most so many seconds for what follows; None for no limit of its own."""
    token = _end.set(_end.get() if seconds is None else min(_end.get(), now() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


@contextmanager
def units(
    total: Callable[[float], float] = float, attained: bool = True, proved: bool = True
) -> Iterator[None]:
    """What is told inside is v where the value outside is total(v).

    attained, proved: whether upper and lower bounds inside are bounds of the problem outside.
    """
    outer = _total.get()
    token = _total.set(lambda value: outer(total(value)))
    above, below = (
        _attained.set(_attained.get() and attained),
        _proved.set(_proved.get() and proved),
    )
    try:
        yield
    finally:
        _total.reset(token)
        _attained.reset(above)
        _proved.reset(below)


def now() -> float:
    """Seconds on a clock that only runs forward."""
    return time.monotonic()


def left() -> float:
    """Seconds that are left, infinitely many outside of all scopes; 0 when late."""
    watch = _watch.get()
    if watch is not None and watch.stopped:
        return 0.0
    end = _end.get()
    return inf if end == inf else max(0.0, end - now())


def late() -> bool:
    """Whether the time is up."""
    return left() <= 0


def check(needed: float = 0.0) -> None:
    """Raise Late when the time is up, or what is left is less than the seconds needed next."""
    if left() <= needed:
        raise Late("the time was up")


def tell(lower: float, upper: float) -> None:
    """Report a bracket, in the units of the scope."""
    watch, total = _watch.get(), _total.get()
    if watch is None or watch.tell is None:
        return
    if upper < inf and _attained.get():
        watch.primal = min(watch.primal, total(upper))
    if lower > 0 and _proved.get():
        watch.dual = max(watch.dual, total(lower))
    watch.tell(Progress(now() - watch.began, watch.primal, watch.dual))
