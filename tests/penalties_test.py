import numpy as np
import pytest
import tensorflow as tf

from ganzoo.penalties import (
    dragan_penalty,
    euclidean_norms,
    gradient_norms,
    gradient_penalty,
    gradient_power,
    orthogonal_penalty,
    zero_centered_penalty,
)


def uniform(shape):
    return tf.random.stateless_uniform(shape, (1, 2))


def linear(x):
    """The norm of its gradient is 5 everywhere."""
    return tf.reduce_sum(x * [3.0, 4.0], axis=-1)


def quadratic(x):
    """D(x) = x^2 / 2, whose gradient is x."""
    return tf.reduce_sum(tf.square(x), axis=-1) / 2


def test_linear_critic():
    real, fake = tf.ones((8, 2)), tf.zeros((8, 2))
    np.testing.assert_allclose(gradient_norms(linear, real), [5.0] * 8, rtol=1e-6)
    np.testing.assert_allclose(gradient_penalty(linear, real, fake, uniform), (5 - 1) ** 2, rtol=1e-6)


def test_a_map_of_scores_counts_as_its_mean():
    """The losses take the mean of all scores, and so does the slope that is penalised."""

    def four_scores(x):
        return tf.reshape(linear(x)[:, None] * [1.0, 2.0, 3.0, 6.0], (-1, 2, 2, 1))  # 3 times `linear` on average

    np.testing.assert_allclose(gradient_norms(four_scores, tf.ones((8, 2))), [15.0] * 8, rtol=1e-6)


def test_target_norm():
    real, fake = tf.ones((8, 2)), tf.zeros((8, 2))
    np.testing.assert_allclose(gradient_penalty(linear, real, fake, uniform, target=2.0), (5 - 2) ** 2, rtol=1e-6)
    np.testing.assert_allclose(gradient_penalty(linear, real, fake, uniform, target=7.0), (5 - 7) ** 2, rtol=1e-6)


def test_one_sided():
    real, fake = tf.ones((8, 2)), tf.zeros((8, 2))
    np.testing.assert_allclose(gradient_penalty(linear, real, fake, uniform, one_sided=True), 16.0, rtol=1e-6)
    slack = gradient_penalty(linear, real, fake, uniform, target=7.0, one_sided=True)
    np.testing.assert_array_equal(slack, 0.0)


@pytest.mark.parametrize(("slope", "two_sided", "one_sided"), [(5.0, 16.0, 16.0), (0.5, 0.25, 0.0)])
def test_a_flat_critic_costs_nothing_on_one_side(slope, two_sided, one_sided):
    """WGAN-LP."""

    def critic(x):
        return slope * x[:, 0]

    samples = tf.ones((8, 2)), tf.zeros((8, 2)), uniform
    np.testing.assert_allclose(gradient_penalty(critic, *samples), two_sided, rtol=1e-6)
    np.testing.assert_allclose(gradient_penalty(critic, *samples, one_sided=True), one_sided, rtol=1e-6)


def test_power_of_the_norm():
    """A slope of 2: 2^6. D(x) = x^2 / 2 has the slope e between 0 and 1: E[e^4] = 1/5."""
    np.testing.assert_allclose(
        gradient_power(lambda x: 2.0 * x[:, 0], tf.ones((8, 2)), tf.zeros((8, 2)), uniform), 64.0, rtol=1e-6
    )
    count = 100_000
    power = gradient_power(quadratic, tf.ones((count, 1)), tf.zeros((count, 1)), uniform, power=4.0)
    np.testing.assert_allclose(power, 1 / 5, atol=5e-3)


def test_a_flat_critic_has_no_power_and_a_finite_gradient():
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        power = gradient_power(lambda x: weight * x[:, 0], tf.ones((8, 2)), tf.zeros((8, 2)), uniform)
    assert float(power) == 0 and float(tape.gradient(power, weight)) == 0


def test_norms_of_rows():
    np.testing.assert_allclose(euclidean_norms(tf.constant([[3.0, 4.0], [0.0, 0.0]])), [5.0, 1e-6], rtol=1e-6)


def test_interpolates_uniformly_between_real_and_fake():
    """D(x) = x^2 / 2, real 1, fake 0: the norm at x_hat = e is e, and E[(e - 1)^2] = 1/3 for e ~ U[0, 1]."""
    count = 100_000
    penalty = gradient_penalty(quadratic, tf.ones((count, 1)), tf.zeros((count, 1)), uniform)
    np.testing.assert_allclose(penalty, 1 / 3, atol=5e-3)


def test_epsilon_weighs_the_real_sample():
    """x_hat = e x + (1 - e) x_fake, as in Algorithm 1: at e = 0.25, real 4 and fake 0, the norm is 1."""
    quarter = lambda shape: tf.fill(shape, 0.25)  # noqa: E731
    np.testing.assert_allclose(
        gradient_penalty(quadratic, tf.fill((3, 1), 4.0), tf.zeros((3, 1)), quarter), 0.0, atol=1e-12
    )


def test_each_sample_has_one_epsilon_for_all_its_axes():
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return tf.reduce_sum(x, axis=(1, 2, 3))

    gradient_penalty(critic, tf.ones((16, 3, 2, 2)), tf.zeros((16, 3, 2, 2)), uniform)
    (between,) = seen
    epsilons = between[:, 0, 0, 0]
    np.testing.assert_array_equal(between, np.broadcast_to(epsilons[:, None, None, None], between.shape))
    assert len(np.unique(epsilons)) == 16
    assert 0 <= epsilons.min() and epsilons.max() < 1


def test_the_norm_is_taken_per_sample():
    """Over the batch, it would grow with the batch: sqrt(16) * 5."""
    for count in (1, 4, 16):
        np.testing.assert_allclose(gradient_norms(linear, tf.ones((count, 2))), [5.0] * count, rtol=1e-6)


@pytest.mark.parametrize("target", [1.0, 0.0])
def test_a_critic_that_is_zero_has_a_finite_gradient(target):
    """The derivative of the square root at 0 is infinite; the constant under it makes it finite."""
    weights = tf.Variable([[0.0], [0.0]])
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: x @ weights, tf.ones((4, 2)), tf.zeros((4, 2)), uniform, target)
    np.testing.assert_allclose(penalty, target**2, atol=1e-5)
    np.testing.assert_array_equal(tape.gradient(penalty, weights), np.zeros((2, 1)))


def reference_penalty(weights, output, between):
    """The penalty of D(x) = output . tanh(W x) in float64, with the gradient in x written out."""
    hidden = np.tanh(between @ weights)
    gradients = ((1 - hidden**2) * output) @ weights.T
    return np.mean((np.linalg.norm(gradients, axis=1) - 1) ** 2)


def test_the_gradient_through_the_penalty_agrees_with_finite_differences():
    random = np.random.default_rng(0)
    weights, output = random.normal(size=(3, 5)), random.normal(size=5)
    real, fake = random.normal(size=(2, 6, 3))
    epsilon = random.uniform(size=(6, 1))
    between = epsilon * real + (1 - epsilon) * fake
    step = 1e-5
    expected = {"weights": np.empty_like(weights), "output": np.empty_like(output)}
    for name, array in (("weights", weights), ("output", output)):
        for index in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                moved = array.copy()
                moved[index] += sign * step
                arguments = {"weights": weights, "output": output, name: moved}
                values.append(reference_penalty(arguments["weights"], arguments["output"], between))
            expected[name][index] = (values[0] - values[1]) / (2 * step)

    w, v = tf.Variable(weights, dtype="float32"), tf.Variable(output, dtype="float32")
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(
            lambda x: tf.linalg.matvec(tf.tanh(x @ w), v),
            tf.constant(real, "float32"),
            tf.constant(fake, "float32"),
            lambda shape: tf.constant(epsilon, "float32"),
        )
    np.testing.assert_allclose(penalty, reference_penalty(weights, output, between), rtol=1e-5)
    gradients = tape.gradient(penalty, [w, v])
    np.testing.assert_allclose(gradients[0], expected["weights"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradients[1], expected["output"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_norms_of_a_half_precision_critic_are_float32(dtype):
    real, fake = tf.ones((4, 2), dtype), tf.zeros((4, 2), dtype)
    penalty = gradient_penalty(lambda x: linear(tf.cast(tf.cast(x, dtype), "float32")), real, fake, uniform)
    assert penalty.dtype == tf.float32
    np.testing.assert_allclose(penalty, 16.0, rtol=1e-6)


def test_zero_centered_penalty():
    """R1 of D(x) = x^2 / 2 is E[x^2]; a flat critic has none, and a finite derivative."""
    samples = tf.constant([[3.0, 4.0], [0.0, 1.0]])
    np.testing.assert_allclose(zero_centered_penalty(quadratic, samples), (25 + 1) / 2, rtol=1e-6)
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = zero_centered_penalty(lambda x: weight * linear(x), samples)
    assert float(penalty) == 0.0
    assert float(tape.gradient(penalty, weight)) == 0.0


def test_dragan_penalty():
    """D(x) = x^2 / 2 has the gradient x + a std / 2 * u, of entries 1 and -1 with std 1; here a = u."""
    real = tf.constant([[1.0], [-1.0]])
    u = uniform((2, 1)).numpy() ** 2
    noisy = real.numpy() + 0.5 * u
    np.testing.assert_allclose(dragan_penalty(quadratic, real, uniform), np.mean((np.abs(noisy) - 1) ** 2), rtol=1e-5)
    np.testing.assert_allclose(dragan_penalty(linear, tf.ones((4, 2)), uniform), (5 - 1) ** 2, rtol=1e-5)
    # The noise grows with the spread of the data.
    noisy = 3 * real.numpy() + 0.5 * 3 * u
    np.testing.assert_allclose(
        dragan_penalty(quadratic, 3 * real, uniform), np.mean((np.abs(noisy) - 1) ** 2), rtol=1e-5
    )


def test_the_noise_of_dragan_is_not_the_same_for_each_entry():
    seen = []
    dragan_penalty(lambda x: linear(seen.append(x) or x), tf.constant([[1.0, 1.0], [-1.0, -1.0]]), uniform)
    noise = seen[0].numpy() - [[1, 1], [-1, -1]]
    assert 0 <= noise.min() and noise.max() < 0.5
    u, share = uniform((2, 2)).numpy(), uniform((2, 1)).numpy()  # One share for each sample.
    np.testing.assert_allclose(noise, 0.5 * u * share, atol=1e-6)


def test_orthogonal_filters_cost_nothing():
    orthogonal, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(18, 4)))
    kernel = (orthogonal * [1.0, 2.0, 3.0, 4.0]).reshape(3, 3, 2, 4)  # Of any length.
    np.testing.assert_allclose(orthogonal_penalty([kernel, np.eye(3)]), 0.0, atol=1e-9)


def test_orthogonal_penalty_by_hand():
    """Two filters (1, 2) and (3, -1): the inner product 1, twice. One filter has no other."""
    kernel = np.array([[1.0, 3.0], [2.0, -1.0]])
    np.testing.assert_allclose(orthogonal_penalty([kernel]), 2.0, rtol=1e-6)
    np.testing.assert_allclose(orthogonal_penalty([kernel, 2 * kernel]), 2.0 + 16 * 2.0, rtol=1e-6)
    np.testing.assert_allclose(orthogonal_penalty([np.ones((5, 1))]), 0.0)
