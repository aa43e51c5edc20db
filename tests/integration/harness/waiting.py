# SPDX-License-Identifier: MIT
"""Waiting for a condition with a deadline. The only place that sleeps, and only between two looks."""

import time

from .sanitizers import SCALE

LONG = 10.0 * SCALE


def wait_until(condition, what: str, timeout: float = LONG):
    """Returns the first true value of `condition()`; fails naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.005)
