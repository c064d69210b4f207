"""Shows progress on stderr for work that takes longer than a few seconds."""

import sys
import time

# Seconds before the first message, and between messages.
PATIENCE, PAUSE = 3.0, 1.0


class Progress:
    """Counts finished items. After a few seconds, a line on stderr shows the count.

    Args:
        doing: String, what is being done and counted, such as `"Reading images"`.
        total: Integer, number of items, or `None`.
    """

    def __init__(self, doing, total=None):
        self.doing, self.total, self.done = doing, total, 0
        self._started = self._shown = time.monotonic()

    def advance(self, count=1):
        """Counts `count` more items as done."""
        self.done += count
        now = time.monotonic()
        is_last = self.done == self.total
        if now - self._started > PATIENCE and (is_last or now - self._shown > PAUSE):
            self._shown = now
            of_all = "" if self.total is None else f" of {self.total:,}"
            # "\r" overwrites the line before.
            print(f"\r{self.doing}: {self.done:,}{of_all}", end="\n" if is_last else "", file=sys.stderr, flush=True)


def track(items, total, doing):
    """Yields `items` and counts them with `Progress`."""
    progress = Progress(doing, total)
    for item in items:
        yield item
        progress.advance()
