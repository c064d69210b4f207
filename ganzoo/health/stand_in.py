"""A critic whose scores somebody else makes: to ask a loss what it does with them."""

from ganzoo.training.critic import Critic


class StandIn(Critic):
    """Stands in for the critic of an update: its scores are given, its other outputs are the discriminator's.

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
