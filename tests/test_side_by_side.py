"""Work that is done two at a time: its order, its errors, and what the caller has set."""

import threading
import time
import warnings
from contextvars import ContextVar

import pytest

from experiments.kit import side_by_side

SET = ContextVar("set", default=None)


def test_answers_come_in_order_after_a_first_that_is_alone():
    begun, both = [], threading.Barrier(2, timeout=10)

    def work(number):
        begun.append(number)
        if number:
            both.wait()  # two are at work at once, or this breaks
        else:
            assert begun == [0]
        return number**2

    assert list(side_by_side.each(work, range(5))) == [0, 1, 4, 9, 16]


def test_an_error_is_the_callers_and_ends_what_has_not_begun():
    begun = []

    def work(number):
        begun.append(number)
        if number == 1:
            raise ValueError("the second")
        return number

    found = side_by_side.each(work, range(100))
    assert next(found) == 0
    with pytest.raises(ValueError, match="the second"):
        list(found)
    assert len(begun) < 100


def test_threads_see_what_the_caller_has_set():
    token = SET.set("here")
    try:
        assert list(side_by_side.each(lambda _: SET.get(), range(3))) == ["here"] * 3
    finally:
        SET.reset(token)


def test_work_that_nobody_waits_for_is_told_so_also_within_work():
    told, begun = [], threading.Event()

    def waits(_):
        begun.set()
        try:
            while time.perf_counter() < end:
                side_by_side.go_on()
                time.sleep(0.01)
        except KeyboardInterrupt:
            told.append("left")
            raise

    def work(number):
        if number == 1:
            list(side_by_side.each(lambda inner: inner and waits(inner), range(3)))
        if number == 2:
            begun.wait(10)
            raise ValueError("the third")

    end = time.perf_counter() + 10
    found = side_by_side.each(work, [0, 2, 1])
    with pytest.raises(ValueError, match="the third"):
        list(found)
    while len(told) < 2 and time.perf_counter() < end:
        time.sleep(0.01)
    assert told == ["left"] * 2
    side_by_side.go_on()  # and the caller itself goes on


def test_filters_of_warnings_are_as_before_whoever_is_quiet_beside():
    second_is_in, first_is_out = threading.Event(), threading.Event()

    def work(number):
        with side_by_side.quiet():
            if number == 1:  # two at once, and the second would put back the first's filters
                second_is_in.wait(0.2)
            if number == 2:
                second_is_in.set()
                first_is_out.wait(1)
            warnings.warn("unheard", stacklevel=1)
        if number == 1:
            first_is_out.set()

    before = list(warnings.filters)
    list(side_by_side.each(work, range(3)))
    assert warnings.filters == before
