"""A critic with given scores, to test how a loss uses them."""

from ganzoo.training.critic import Critic


class StandIn(Critic):
    """Stands in for the critic of an update. Its scores are given, and its other outputs come from the discriminator.

    Args:
        model: `AdversarialModel`.
        scores: Function, samples -> scores.
        condition: Batch of conditions, or `None`.
    """

    def __init__(self, model, scores, condition=None):
        super().__init__(model, condition, training=False)
        self.scores = scores

    def __call__(self, samples):
        return self.scores(samples)
