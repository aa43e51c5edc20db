# SPDX-License-Identifier: MIT
"""Waiting for a condition with a deadline. The only place that sleeps, and only between two looks."""

import time

from .sanitizers import SCALE

LONG = 10.0 * SCALE


def wait_until(condition, what: str, timeout: float = LONG):
    """Returns the first true value of `condition()`; fails naming `what` after `timeout` seconds."""
    value = first_true(condition, timeout)
    if not value:
        raise AssertionError(f"not within {timeout} s: {what}")
    return value


def first_true(condition, timeout: float):
    """The first true value of `condition()`, or the false one that it had after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.005)
