"""Looking at a model without changing its training."""

import contextlib

from ganzoo.networks import graph


@contextlib.contextmanager
def no_trace(model):
    """Whatever is computed inside leaves the training as it was, to the bit.

    The log takes no values, the numbers come from the stream of evaluations, which begins anew, and afterwards this
    stream and the random states of layers such as `Dropout` are what they were.

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
