"""The clock of a competitor: it counts from the start of the process, and stands still while samples are written."""

import time


def moments(budget, points):
    """The seconds at which samples are due: `points` of them, each a constant factor after the other, up to `budget`.

    The first lies at a thirty-second of the budget, so half of the points lie in its first fifth.
    """
    if points == 1:
        return [budget]
    return [budget * 32 ** (index / (points - 1) - 1) for index in range(points)]


class Clock:
    """Says after each update whether to go on, and writes samples when they are due.

    Args:
        started: Float, the time when the process was started, before the interpreter and all imports.
        due: List of seconds, rising.
        write: Function of `(seconds, updates)` that draws and writes samples. Its time does not count.
        now: Function that returns the time. Defaults to `time.time`, which all processes share.
    """

    def __init__(self, started, due, write, now=time.time):
        self.started, self.due, self.write, self.now = started, list(due), write, now
        self.paused = 0.0
        self.updates = 0

    def seconds(self):
        return self.now() - self.started - self.paused

    def go_on(self):
        """Call it after each update. Returns `False` when the budget is spent.

        If an update takes longer than the time between two moments, its samples count for both.
        """
        self.updates += 1
        seconds = self.seconds()
        if self.due and seconds >= self.due[0]:
            self.due = [moment for moment in self.due if moment > seconds]
            before = self.now()
            self.write(seconds, self.updates)
            self.paused += self.now() - before
        return bool(self.due)
