"""Scopes of time, and who is told what."""

import pytest

from zerogap.model import clock
from zerogap.model.clock import Late, Progress


def test_nothing_is_late_without_a_scope() -> None:
    assert not clock.late()
    clock.check()
    assert clock.left() == float("inf")


def test_the_first_scope_to_end_counts() -> None:
    with clock.within(1e9):
        with clock.within(0.0):
            assert clock.late()
            with clock.within(1e6), pytest.raises(Late):
                clock.check()
        assert not clock.late()


def test_a_watched_computation_is_stopped_once() -> None:
    assert not clock.stop()
    with clock.watched(None):
        assert not clock.late()
        assert clock.stop()
        assert clock.late()
        assert not clock.stop()
    assert not clock.late()


def test_brackets_are_told_in_total_values_and_only_narrow() -> None:
    told: list[Progress] = []
    with clock.watched(told.append):
        with clock.units(lambda value: 10 * value), clock.units(lambda value: value + 1):
            clock.tell(1.0, 4.0)
            clock.tell(0.5, 5.0)
        with clock.units(attained=False):
            clock.tell(30.0, 1.0)
        with clock.units(proved=False):
            clock.tell(45.0, 49.0)
    bounds = [(now.dual, now.primal) for now in told]
    assert bounds == [(20, 50), (20, 50), (30, 50), (30, 49)]
    assert told[2].relative_gap == pytest.approx(0.4)
    clock.tell(1.0, 2.0)
    assert len(told) == 4
