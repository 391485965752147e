"""Times of repeated calls, after warm-up, with their spread."""

from __future__ import annotations

import ctypes
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

WARM_UP_CALLS = 2
FEWEST_REPEATS = 5
MOST_REPEATS = 41
SECONDS_PER_OPERATION = 1.5


@dataclass(frozen=True)
class Rate:
    """Elements per second of repeated calls."""

    gelements_per_s: float
    """From the median time, in 10^9 elements a second."""
    spread: float
    """The distance between the quartiles of the times, relative to their median."""
    repeats: int


def measure(
    call: Callable[[], object],
    elements: int,
    *,
    warm_up: int = WARM_UP_CALLS,
    fewest: int = FEWEST_REPEATS,
    seconds: float = SECONDS_PER_OPERATION,
) -> Rate:
    """The rate of a call that works on that many elements.

    The result of a call is dropped before the next, so that its memory can be used again.
    """
    for _ in range(warm_up):
        call()
    collecting = gc.isenabled()
    gc.disable()
    try:
        times = _times(call, fewest, seconds)
    finally:
        if collecting:
            gc.enable()
    lower, median, upper = statistics.quantiles(times, n=4, method="inclusive")
    return Rate(elements / median / 1e9, (upper - lower) / median, len(times))


def _times(call: Callable[[], object], fewest: int, seconds: float) -> list[float]:
    times: list[float] = []
    while len(times) < fewest or (sum(times) < seconds and len(times) < MOST_REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def keep_freed_pages() -> bool:
    """Makes malloc hand out freed pages again instead of giving them back to the system.

    Most peers allocate their result in each call. Without this, glibc maps and clears fresh pages
    every time, and page faults, not the quantizer, would be measured. False where it has no effect.
    """
    if not sys.platform.startswith("linux"):
        return False
    trim_threshold, map_most = -1, -4
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return bool(mallopt(map_most, 0) and mallopt(trim_threshold, 2**31 - 1))
