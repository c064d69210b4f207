"""A switch that a block of code turns on."""

import contextlib
import threading
from types import SimpleNamespace

import tensorflow as tf


class Switch:
    """On inside of a block, off elsewhere.

    The replicas of a strategy run their steps in threads, and take turns in the middle of them. So a block inside of a
    step turns the switch on for its own replica, and a block around the steps for all of them.

    Example:

    >>> mute = Switch()
    >>> with mute.on():
    ...     print(bool(mute))
    True
    """

    def __init__(self):
        self._everywhere = SimpleNamespace(on=False)
        self._here = threading.local()

    def __bool__(self):
        return getattr(self._here, "on", False) or self._everywhere.on

    @contextlib.contextmanager
    def on(self):
        """Turns the switch on inside."""
        in_step = tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context()
        place = self._here if in_step else self._everywhere
        before = getattr(place, "on", False)
        place.on = True
        try:
            yield
        finally:
            place.on = before
