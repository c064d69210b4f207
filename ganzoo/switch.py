"""A switch that is on inside a `with` block."""

import contextlib
import threading
from types import SimpleNamespace

import tensorflow as tf


class Switch:
    """A flag that is true inside a `with` block and false elsewhere.

    The replicas of a strategy run their steps in threads that take turns. So a block inside a step turns the switch on
    for its own replica only, and a block around the steps turns it on for all replicas.

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
        """A context that turns the switch on."""
        in_step = tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context()
        place = self._here if in_step else self._everywhere
        before = getattr(place, "on", False)
        place.on = True
        try:
            yield
        finally:
            place.on = before
