"""The burn-in of the critic in the WGAN authors' code."""

import keras
import tensorflow as tf

from ganzoo import checks


class CriticBurnIn(keras.callbacks.Callback):
    """Trains the critic nearly to optimality before some of the generator's updates.

    The WGAN authors' code makes 100 critic updates, instead of n_critic, before each of the first 25 generator updates
    and before every 500th. The paper does not mention it. Without it, a generator that follows an untrained critic
    walks off.

    The extra updates see their own stream of the training data, in another order. (A dataset from outside `ganzoo.data`
    comes in its own order, half an epoch ahead.) They depend only on the step, so a resumed run makes the same updates.
    The log leaves them out.

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), the authors' main.py.

    Args:
        steps: Integer, critic updates before such a generator update, including its usual `discriminator_steps`.
            Defaults to `100`.
        first: Integer, number of generator updates at the start that get a burn-in. Defaults to `25`.
        every: Integer, generator updates between later burn-ins. Defaults to `500`.
    """

    def __init__(self, steps=100, first=25, every=500):
        super().__init__()
        self.steps = checks.integer("steps", steps, least=1)
        self.first = checks.integer("first", first, least=0)
        self.every = checks.integer("every", every, least=1)
        self._batches = None

    def extra_updates(self, step):
        """The number of extra critic updates before the generator's update number `step`, counted from 0."""
        due = step < self.first or step % self.every == 0
        return max(0, self.steps - self.model.discriminator_steps) if due else 0

    def on_train_begin(self, logs=None):
        if self.model.steps_per_execution != 1:
            raise ValueError(
                "CriticBurnIn works between single steps, and steps_per_execution="
                f"{self.model.steps_per_execution} leaves no place for it. Compile with steps_per_execution=1."
            )
        strategy = self.model.distribute_strategy
        # A resumed run continues after the batches that earlier burn-ins have used.
        done = sum(self.extra_updates(step) for step in range(self.model.steps_done))
        batches = self.model.feed.batches(done, apart=True).prefetch(tf.data.AUTOTUNE)
        self._batches = iter(strategy.experimental_distribute_dataset(batches))
        self._update = tf.function(lambda batch: strategy.run(self.model.critic_step, args=(batch,)), autograph=False)

    def on_train_batch_begin(self, batch, logs=None):
        for _ in range(self.extra_updates(self.model.steps_done)):
            self._update(next(self._batches))
