"""A context for looking at a model without changing its training."""

import contextlib

from ganzoo.networks import graph


@contextlib.contextmanager
def no_trace(model):
    """Leaves the training unchanged, to the bit, whatever is computed inside.

    The log takes no values. Random numbers come from the stream for evaluations, which restarts. Afterwards this stream
    and the random states of layers such as `Dropout` are restored.

    Args:
        model: `GenerativeModel`.
    """
    states = [model.evaluation_random.state, *(source.state for source in graph.seed_generators(model))]
    before = [state.numpy() for state in states]
    model.evaluation_random.restart()
    try:
        with model.without_trace():
            yield
    finally:
        for state, value in zip(states, before, strict=True):
            state.assign(value)
