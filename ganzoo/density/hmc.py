"""Hamiltonian Monte Carlo: draws from a density that is known up to a factor, using its gradient.

A chain at position q gets a random momentum p ~ N(0, I). A few leapfrog steps of size e follow the dynamics of the
energy H(q, p) = -log pi(q) + ||p||^2 / 2,

    p <- p + e/2 grad log pi(q);    q <- q + e p;    p <- p + e/2 grad log pi(q)

The end point is accepted with the probability min(1, exp(H(before) - H(after))). This corrects the error of the steps,
so the chain keeps pi for any e. All chains of a batch run at once, and each has its own test.

Reference: Neal, "MCMC using Hamiltonian dynamics", [arXiv:1206.1901](https://arxiv.org/abs/1206.1901), Sections 2
and 3.

Example:

```python
log_prob = lambda z: -0.5 * tf.reduce_sum(z**2, axis=1)  # N(0, I)
random = ganzoo.sampling.RandomStream(0)
draws = ganzoo.density.hmc.sample(log_prob, tf.zeros((100, 2)), 0.5, random.normal, random.uniform, num_samples=10)
print(draws.samples.shape)  # (10, 100, 2)
```
"""

import collections

import keras
import tensorflow as tf

from ganzoo import checks
from ganzoo.replicas import mean_over_replicas

# Limit for steps, trajectories and draws, because more would take hours for a single update.
MOST = 10_000

Draws = collections.namedtuple("Draws", ["samples", "step_size", "acceptance"])


@keras.saving.register_keras_serializable("ganzoo")
class Sampler(keras.layers.Layer):
    """A layer that keeps and saves the step size of chains that restart in each training step.

    Args:
        initial_step_size: Float.
        num_samples, burn_in, leapfrog_steps: See `sample`.

    Attributes:
        step_size, acceptance: Scalar weights with the step size and the mean acceptance of the last call.
    """

    def __init__(self, initial_step_size, num_samples=2, burn_in=2, leapfrog_steps=5, **kwargs):
        super().__init__(**kwargs)
        self.settings = {
            "num_samples": checks.integer("num_samples", num_samples, least=1, most=MOST),
            "burn_in": checks.integer("burn_in", burn_in, least=0, most=MOST),
            "leapfrog_steps": checks.integer("leapfrog_steps", leapfrog_steps, least=1, most=MOST),
        }
        self.initial_step_size = checks.number("initial_step_size", initial_step_size, above=0)
        for name, value in (("step_size", self.initial_step_size), ("acceptance", 0.67)):
            weight = self.add_weight(
                shape=(),
                dtype="float32",
                initializer=keras.initializers.Constant(value),
                trainable=False,
                autocast=False,
                aggregation="only_first_replica",
                name=name,
            )
            setattr(self, name, weight)
        self.built = True

    def draw(self, log_prob, start, normal, uniform):
        """Returns the `Draws` of `sample`, starting with the kept step size. Changes nothing."""
        step_size = tf.convert_to_tensor(self.step_size.value)
        return sample(log_prob, start, step_size, normal, uniform, **self.settings)

    def keep(self, step_size, acceptance):
        """Keeps the adapted step size for the next call of `draw`."""
        self.step_size.assign(step_size)
        self.acceptance.assign(acceptance)

    def get_config(self):
        return {**super().get_config(), "initial_step_size": self.initial_step_size, **self.settings}


def sample(
    log_prob,
    start,
    step_size,
    normal,
    uniform,
    num_samples=1,
    burn_in=0,
    leapfrog_steps=5,
    adaptation_rate=0.02,
    target_acceptance=0.67,
):
    """Runs a Markov chain from each row of `start`.

    During burn-in, the step size adapts after each trajectory to the mean acceptance `a` of all chains:

        e <- e (1 + adaptation_rate (a - target_acceptance))

    It stays fixed while samples are taken, because a chain whose step depends on its past does not keep the density.

    No gradient flows through the chain. It needs `1 + (burn_in + num_samples) * leapfrog_steps` evaluations of
    `log_prob` with its gradient. Each step reuses the evaluation at the end of the step before.

    Args:
        log_prob: Callable, positions `(chains, dimensions)` -> `(chains,)`. The differentiable logarithm of the density
            up to a constant. Each value must depend only on its own position.
        start: Float32 tensor `(chains, dimensions)`.
        step_size: Float or scalar tensor, e.
        normal, uniform: Callables, shape -> float32 numbers from N(0, 1) and from U(0, 1). The first entry of the shape
            is the number of this replica's chains. Each is called once.
        num_samples: Integer, samples of each chain, taken after each trajectory. Defaults to `1`.
        burn_in: Integer, trajectories before the first sample. Defaults to `0`.
        leapfrog_steps: Integer, steps in a trajectory. Defaults to `5`.
        adaptation_rate: Float. Defaults to `0.02`.
        target_acceptance: Float. Defaults to `0.67`, close to the optimum of 0.651 for many dimensions.

    Returns:
        `Draws`, a named tuple of `samples` `(num_samples, chains, dimensions)`, the adapted `step_size`, and
        `acceptance`, the mean probability of acceptance, burn-in included. The last two are averages over all replicas.
    """
    start = tf.stop_gradient(tf.convert_to_tensor(start))
    chains, dimensions = start.shape[0] or tf.shape(start)[0], start.shape[1]
    trajectories = burn_in + num_samples
    # Draw all numbers at once. Drawing changes a variable, which a loop cannot do with several replicas.
    momenta = tf.reshape(normal((chains, trajectories * dimensions)), [chains, trajectories, dimensions])
    thresholds = tf.math.log(uniform((chains, trajectories)))

    def trajectory(index, position, value, gradient, step_size):
        momentum = momenta[:, index]
        proposal, end_momentum, end_value, end_gradient = leapfrog(
            log_prob, position, momentum, value, gradient, step_size, leapfrog_steps
        )
        log_ratio = end_value - value - kinetic_energy(end_momentum) + kinetic_energy(momentum)
        accepted = thresholds[:, index] < log_ratio  # False if the dynamics diverged to NaN.
        probability = tf.where(tf.math.is_nan(log_ratio), 0.0, tf.exp(tf.minimum(log_ratio, 0.0)))
        state = (
            tf.where(accepted[:, None], proposal, position),
            tf.where(accepted, end_value, value),
            tf.where(accepted[:, None], end_gradient, gradient),
        )
        return state, tf.reduce_mean(probability)

    def burn(index, position, value, gradient, step_size, acceptance):
        state, accepted = trajectory(index, position, value, gradient, step_size)
        accepted = mean_over_replicas(accepted)
        step_size *= 1.0 + adaptation_rate * (accepted - target_acceptance)
        return *state, step_size, acceptance + accepted

    def take(index, position, value, gradient, acceptance, samples):
        state, accepted = trajectory(burn_in + index, position, value, gradient, step_size)
        return *state, acceptance + accepted, samples.write(index, state[0])

    step_size = tf.convert_to_tensor(step_size, "float32")
    state = (start, *value_and_gradient(log_prob, start))
    # With several replicas, each step of the burn-in averages over them, so its loop is unrolled.
    *state, step_size, burn_in_acceptance = repeat(
        burn_in, burn, (*state, step_size, 0.0), unrolled=tf.distribute.get_strategy().num_replicas_in_sync > 1
    )
    samples = tf.TensorArray("float32", size=num_samples, element_shape=start.shape)
    *_, acceptance, samples = repeat(num_samples, take, (*state, 0.0, samples))
    acceptance = (burn_in_acceptance + mean_over_replicas(acceptance)) / trajectories
    return Draws(tf.stop_gradient(samples.stack()), step_size, acceptance)


def leapfrog(log_prob, position, momentum, value, gradient, step_size, steps):
    """Follows the dynamics from a position and a momentum.

    Two half steps of the momentum between two steps of the position are merged into a full step.

    Args:
        log_prob: As in `sample`.
        position, momentum: Tensors `(chains, dimensions)`.
        value, gradient: Result of `value_and_gradient` for `position`.
        step_size: Scalar.
        steps: Integer, at least 1.

    Returns:
        Position, momentum, value and gradient at the end.
    """

    def step(_, position, momentum, value, gradient):
        position += step_size * momentum
        value, gradient = value_and_gradient(log_prob, position)
        return position, momentum + step_size * gradient, value, gradient

    momentum += 0.5 * step_size * gradient
    position, momentum, value, gradient = repeat(steps, step, (position, momentum, value, gradient))
    # The last step of the momentum was full instead of half.
    return position, momentum - 0.5 * step_size * gradient, value, gradient


def value_and_gradient(log_prob, position):
    """`log_prob` and its gradient, for each chain."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(position)
        value = log_prob(position)
    gradient = tape.gradient(value, position)
    return tf.ensure_shape(value, position.shape[:1]), tf.ensure_shape(gradient, position.shape)


def kinetic_energy(momentum):
    """`||p||^2 / 2`, for each chain."""
    return 0.5 * tf.reduce_sum(tf.square(momentum), axis=1)


def repeat(count, body, state, unrolled=False):
    """Applies `state = body(index, *state)` `count` times. Unless `unrolled`, the graph holds only a single copy."""
    if unrolled:
        for index in range(count):
            state = body(index, *state)
        return state
    _, *state = tf.while_loop(
        lambda index, *_: index < count,
        lambda index, *state: (index + 1, *body(index, *state)),
        (0, *state),
        maximum_iterations=count,
    )
    return state
