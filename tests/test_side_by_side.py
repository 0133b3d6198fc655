"""Work that is done two at a time: its order, its errors, and what the caller has set."""

import threading
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
