"""A sign of life of whatever takes longer than a few seconds."""

import sys
import time

# Seconds without a word, and between two words.
PATIENCE, PAUSE = 3.0, 1.0


class Progress:
    """Counts what is done. After a few seconds a line on stderr tells how much that is.

    Args:
        doing: String, what is being done, and what is counted: `"Reading images"`.
        total: Integer, how many there are, or `None`.
    """

    def __init__(self, doing, total=None):
        self.doing, self.total, self.done = doing, total, 0
        self._started = self._shown = time.monotonic()

    def advance(self, count=1):
        """One more is done, or `count` more."""
        self.done += count
        now = time.monotonic()
        is_last = self.done == self.total
        if now - self._started > PATIENCE and (is_last or now - self._shown > PAUSE):
            self._shown = now
            of_all = "" if self.total is None else f" of {self.total:,}"
            print(f"\r{self.doing}: {self.done:,}{of_all}", end="\n" if is_last else "", file=sys.stderr, flush=True)


def track(items, total, doing):
    """Yields `items`, and counts them as `Progress` does."""
    progress = Progress(doing, total)
    for item in items:
        yield item
        progress.advance()
