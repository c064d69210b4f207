import functools

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.density import hmc
from ganzoo.sampling import RandomStream
from tests.check_model import two_replicas

MEAN = np.array([1.0, -2.0], "float32")
COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.5]], "float32")


def gaussian(position):
    """log N(MEAN, COVARIANCE) without its constant."""
    offset = position - MEAN
    return -0.5 * tf.reduce_sum(offset * tf.matmul(offset, tf.constant(np.linalg.inv(COVARIANCE))), axis=1)


def quartic(position):
    """exp(-x^4): E[x^2] = Gamma(3/4) / Gamma(1/4) = 0.3380."""
    return -tf.reduce_sum(position**4, axis=1)


def draw(log_prob, start, step_size, graph=True, seed=0, **kwargs):
    random = RandomStream(seed)
    call = functools.partial(hmc.sample, log_prob, tf.constant(start, "float32"), step_size)
    call = functools.partial(call, random.normal, random.uniform, **kwargs)
    return tf.function(call, autograph=False)() if graph else call()


@functools.cache
def gaussian_draws():
    """Chains that start far from the mean, all at the same point, with a step size that is far too small."""
    return draw(gaussian, np.full((2000, 2), 4.0), 0.05, num_samples=20, burn_in=1000)


def test_samples_a_correlated_gaussian():
    samples = gaussian_draws().samples.numpy()
    assert samples.shape == (20, 2000, 2)
    # Chains are independent: their 2000 values after each trajectory give the error of the mean and the covariance.
    np.testing.assert_allclose(samples[-1].mean(axis=0), MEAN, atol=4 / 2000**0.5)
    np.testing.assert_allclose(np.cov(samples[-1].T), COVARIANCE, atol=4 * 2**0.5 / 2000**0.5)
    everything = samples.reshape(-1, 2)
    np.testing.assert_allclose(everything.mean(axis=0), MEAN, atol=0.04)
    np.testing.assert_allclose(np.cov(everything.T), COVARIANCE, atol=0.06)


def test_the_step_size_is_adapted_to_the_target():
    draws = gaussian_draws()
    again = draw(gaussian, draws.samples[-1], draws.step_size, num_samples=50)
    np.testing.assert_allclose(again.acceptance, 0.67, atol=0.03)
    assert float(again.step_size) == float(draws.step_size)  # No burn-in, no adaptation.
    other = draw(gaussian, draws.samples[-1], 0.5, num_samples=20, burn_in=1000, target_acceptance=0.9)
    again = draw(gaussian, draws.samples[-1], other.step_size, num_samples=50)
    np.testing.assert_allclose(again.acceptance, 0.9, atol=0.03)


def test_adaptation_by_hand():
    """One chain at a flat density: all is accepted, and e grows by 1 + rate (1 - target) in each trajectory."""
    draws = draw(lambda x: 0.0 * tf.reduce_sum(x, axis=1), [[0.0]], 0.1, burn_in=3, adaptation_rate=0.2)
    np.testing.assert_allclose(draws.step_size, 0.1 * (1 + 0.2 * 0.33) ** 3, rtol=1e-6)
    np.testing.assert_allclose(draws.acceptance, 1.0, rtol=1e-6)


def leapfrog(log_prob, position, momentum, step_size, steps):
    position, momentum = tf.constant(position, "float32"), tf.constant(momentum, "float32")
    value, gradient = hmc.value_and_gradient(log_prob, position)
    return hmc.leapfrog(log_prob, position, momentum, value, gradient, step_size, steps)


def test_leapfrog_by_hand():
    """Two steps of 0.5 for N(0, 1), whose force is -q."""
    q, p = 1.0, 0.3
    for _ in range(2):
        p -= 0.25 * q
        q += 0.5 * p
        p -= 0.25 * q
    position, momentum, value, gradient = leapfrog(lambda x: -0.5 * x[:, 0] ** 2, [[1.0]], [[0.3]], 0.5, 2)
    np.testing.assert_allclose([position[0, 0], momentum[0, 0]], [q, p], rtol=1e-6)
    np.testing.assert_allclose([value[0], gradient[0, 0]], [-0.5 * q**2, -q], rtol=1e-6)


def test_leapfrog_is_reversible():
    start, momentum = [[0.3, -1.0], [2.0, 0.5]], [[1.0, 0.2], [-0.7, 0.4]]
    end, end_momentum, *_ = leapfrog(quartic, start, momentum, 0.03, 20)
    assert np.abs(end - np.array(start)).min() > 0.1
    back, back_momentum, *_ = leapfrog(quartic, end, -end_momentum, 0.03, 20)
    np.testing.assert_allclose(back, start, atol=1e-5)
    np.testing.assert_allclose(-back_momentum, momentum, atol=1e-5)


def test_the_error_of_the_energy_is_quadratic_in_the_step():
    start, momentum = [[0.9]], [[0.8]]

    def error(steps):
        position, end_momentum, value, _ = leapfrog(quartic, start, momentum, 0.8 / steps, steps)
        before = 0.9**4 + 0.5 * 0.8**2
        return float(-value[0] + 0.5 * end_momentum[0, 0] ** 2) - before

    np.testing.assert_allclose([error(8) / error(16), error(16) / error(32)], 4.0, rtol=0.1)


def test_the_metropolis_test_by_hand():
    """One coarse step on N(0, 1), with a threshold just below and just above the probability of acceptance."""
    q, p, step = 1.0, 0.9, 1.6
    middle = p - step / 2 * q
    end = q + step * middle
    end_momentum = middle - step / 2 * end
    probability = np.exp(0.5 * (q**2 + p**2 - end**2 - end_momentum**2))
    assert 0.1 < probability < 0.9
    thresholds = np.array([[probability - 1e-3], [probability + 1e-3]], "float32")
    draws = hmc.sample(
        lambda x: -0.5 * x[:, 0] ** 2,
        tf.constant([[q], [q]]),
        step,
        lambda shape: tf.fill(shape, p),
        lambda shape: tf.constant(thresholds),
        leapfrog_steps=1,
    )
    np.testing.assert_allclose(draws.samples[0, :, 0], [end, q], rtol=1e-5)
    np.testing.assert_allclose(draws.acceptance, probability, rtol=1e-5)


def test_coarse_steps_keep_the_density():
    """The test makes up for a step at which the leapfrog alone is far off."""
    start = np.random.default_rng(0).normal(0, 0.5, (4000, 1))
    draws = draw(quartic, start, 0.9, num_samples=40, leapfrog_steps=3)
    assert 0.2 < float(draws.acceptance) < 0.8
    np.testing.assert_allclose((draws.samples.numpy()[-1] ** 2).mean(), 0.3380, atol=4 * 0.29 / 4000**0.5)


def test_a_diverging_chain_stays_and_the_others_do_not_notice():
    start = np.array([[0.3], [100.0]])
    draws = draw(quartic, start, 0.5, num_samples=20, leapfrog_steps=10)
    samples = draws.samples.numpy()[..., 0]
    assert np.isfinite(samples).all()
    np.testing.assert_array_equal(samples[:, 1], 100.0)
    assert len(set(samples[:, 0])) > 3 and np.abs(samples[:, 0]).max() < 3
    assert 0 < float(draws.acceptance) <= 0.5
    benign = draw(quartic, np.array([[0.3], [0.2]]), 0.5, num_samples=20, leapfrog_steps=10)
    np.testing.assert_array_equal(benign.samples[:, 0, 0], samples[:, 0])


def test_no_gradient_through_the_chain():
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        random = RandomStream(0)
        draws = hmc.sample(
            lambda x: -scale * tf.reduce_sum(x**2, axis=1),
            scale * tf.ones((3, 2)),
            0.3,
            random.normal,
            random.uniform,
            burn_in=1,
        )
        total = tf.reduce_sum(draws.samples)
    assert tape.gradient(total, scale) is None


@pytest.mark.parametrize("jit_compile", [False, True])
def test_one_evaluation_for_each_step(jit_compile):
    """In a graph it is written three times: before the first step, and in the two loops."""
    traced = []

    def counted(position):
        traced.append(1)
        return gaussian(position)

    random = RandomStream(0)

    @tf.function(jit_compile=jit_compile, autograph=False)
    def run():
        return hmc.sample(
            counted, tf.zeros((4, 2)), 0.3, random.normal, random.uniform, num_samples=2, burn_in=2, leapfrog_steps=5
        )

    compiled = run()
    assert len(traced) == 3
    traced.clear()
    random.restart()
    eager = hmc.sample(
        counted, tf.zeros((4, 2)), 0.3, random.normal, random.uniform, num_samples=2, burn_in=2, leapfrog_steps=5
    )
    assert len(traced) == 1 + 4 * 5
    for ours, theirs in zip(compiled, eager):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_replicas_agree():
    start = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    settings = {"num_samples": 2, "burn_in": 3, "leapfrog_steps": 4, "adaptation_rate": 0.3}
    alone = draw(gaussian, start, 0.7, **settings)
    strategy = two_replicas()
    with strategy.scope():
        random = RandomStream(0)

    def part(context):
        return tf.constant(start[:3] if context.replica_id_in_sync_group == 0 else start[3:])

    @tf.function(autograph=False)
    def run(values):
        return strategy.run(
            lambda start: tuple(hmc.sample(gaussian, start, 0.7, random.normal, random.uniform, **settings)), (values,)
        )

    samples, *scalars = run(strategy.experimental_distribute_values_from_function(part))
    samples = np.concatenate([value.numpy() for value in strategy.experimental_local_results(samples)], axis=1)
    np.testing.assert_allclose(samples, alone.samples, rtol=1e-5, atol=1e-5)
    for values, expected in zip(scalars, (alone.step_size, alone.acceptance)):
        for value in strategy.experimental_local_results(values):
            np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"initial_step_size": float("nan")}, "`initial_step_size` must be a finite number above 0. Received: .*nan"),
        ({"num_samples": 0}, "`num_samples` must be an integer from 1 to 10,000. Received: num_samples=0"),
        ({"burn_in": -1}, "`burn_in` must be an integer from 0 to 10,000. Received: burn_in=-1"),
        (
            {"leapfrog_steps": True},
            "`leapfrog_steps` must be an integer from 1 to 10,000. Received: leapfrog_steps=True",
        ),
    ],
)
def test_settings_of_the_sampler_are_checked(settings, words):
    with pytest.raises(ValueError, match=words):
        hmc.Sampler(**{"initial_step_size": 0.1, **settings})
