"""Curves of a distance over time: when they reach a level, and which levels are worth a row."""

import math


def minutes_to_reach(curve, level):
    """The minutes after which a curve first reaches a level.

    Between two points the distance is linear in the logarithm of the time, because the points are a constant factor
    apart. If the first point reaches the level already, its time is an upper bound.

    Args:
        curve: List of `(minutes, distance)`, by time.
        level: Float.

    Returns:
        Float, infinity if the level is not reached.
    """
    before = None
    for minutes, distance in curve:
        if distance <= level:  # False for NaN, too.
            if before is None or not math.isfinite(before[1]):
                return minutes
            share = (before[1] - level) / (before[1] - distance)
            return before[0] * (minutes / before[0]) ** share
        before = minutes, distance
    return math.inf


def levels(curves):
    """Round levels, 1, 2 or 5 times a power of ten, from the worst start to the best end of the curves, falling."""
    values = [distance for curve in curves for _, distance in curve if math.isfinite(distance) and distance > 0]
    if not values:
        return []
    exponents = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    rounded = [digit * 10.0**exponent for exponent in exponents for digit in (1, 2, 5)]
    return [level for level in sorted(rounded, reverse=True) if min(values) <= level < max(values)]


def in_words(minutes, budget):
    """Minutes of the seeds as a cell: the median, and the range of several seeds. `> budget` where it was not reached.

    Args:
        minutes: List of floats, infinite if a seed did not reach the level.
        budget: Float, the minutes of a run.
    """

    def word(value):
        return f"> {budget:.3g}" if math.isinf(value) else f"{value:.3g}"

    ordered = sorted(minutes)
    middle = ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1 :][:2]) / 2
    if len(ordered) == 1:
        return word(middle)
    return f"{word(middle)} ({word(ordered[0])} to {word(ordered[-1])})"
