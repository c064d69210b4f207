import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.density.noise import inverse_softplus
from tests.check_model import (
    BATCH,
    check_conditional_model,
    check_model,
    reload,
    replicas_agree,
    samples_like,
    tiny,
    train,
)
from tests.scalar_networks import (
    DISCRIMINATOR_RATE,
    GENERATOR_RATE,
    A,
    B,
    C,
    W,
    numbers_of,
    scalar_discriminator,
    scalar_generator,
    sigmoid,
    weights_of,
)

LOGS = {
    "d_loss",
    "g_loss",
    "real_probability",
    "fake_probability",
    "sigma",
    "acceptance",
    "step_size",
}


SHORT_CHAINS = {"leapfrog_steps": 2, "burn_in": 1, "posterior_samples": 1}


def make(**overrides):
    """With batch normalization."""
    settings = {"filters": 2, **SHORT_CHAINS, "sigma_optimizer": keras.optimizers.SGD(0.01)}
    return tiny(ganzoo.PresGAN, (8, 8, 1), **{**settings, **overrides})


def make_small(**overrides):
    """Each step of a chain is a pass through the generator and back: the fewer layers, the sooner."""
    settings = {"hidden": (4,), **SHORT_CHAINS, "leapfrog_steps": 1, "sigma_optimizer": keras.optimizers.SGD(0.01)}
    return tiny(ganzoo.PresGAN, (3, 2, 1), **{"networks": ganzoo.networks.mlp, **settings, **overrides})


def make_conditional(**overrides):
    return make_small(**{"num_classes": 3, **overrides})


def make_packed(**overrides):
    return make(packing=2, **overrides)


make_small.generator_logs = {"acceptance", "step_size"}  # One value for each update of the generator.


@check_model
def test_contract(check, tmp_path):
    check(make_small, LOGS, tmp_path)


def test_replicas_agree_with_batch_normalization(tmp_path):
    replicas_agree(make, LOGS, tmp_path)


@check_conditional_model
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


def test_replicas_agree_in_a_graph(tmp_path):
    def make_without_classes(**overrides):
        return make_small(burn_in=0, **overrides)

    make_without_classes.replica_steps = 1
    replicas_agree(make_without_classes, LOGS, tmp_path, eagerly=False)


@pytest.mark.parametrize("make", [make, make_conditional])
def test_trains_with_packs(make):
    logs = train(make(packing=2, run_eagerly=True), steps=1).history
    assert set(logs) == LOGS and np.isfinite(list(logs.values())).all()


def test_settings_of_the_paper():
    model = ganzoo.PresGAN.from_paper((16, 16, 1), filters=2)
    assert (model.entropy_weight, model.latent_dim, model.discriminator_steps) == (0.01, 100, 1)
    assert model.sampler.settings == {"leapfrog_steps": 5, "burn_in": 2, "num_samples": 2}
    assert float(model.sampler.step_size) == pytest.approx(1 / 100)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer, model.sigma_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        np.testing.assert_allclose(float(optimizer.learning_rate), 2e-4, rtol=1e-6)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)


# === Linear generators, whose density is N(b, W W^T + sigma^2) ===

WEIGHTS = np.array([[1.0, 0.3, -0.5], [-0.2, 0.8, 0.4]])  # As in Dense: (latent_dim, dimensions)
BIAS = np.array([0.5, -1.0, 0.2])
SIGMA = np.array([0.25, 0.4, 0.6])
COVARIANCE = WEIGHTS.T @ WEIGHTS + np.diag(SIGMA**2)
PRECISION = np.linalg.inv(COVARIANCE)


def linear(rates=(0.0, 0.0, 0.0), **settings):
    """A PresGAN with a linear generator, and a discriminator that says 0 whatever it sees."""
    latents, image = keras.Input((2,)), keras.Input((3,))
    generator = keras.Model(latents, keras.layers.Dense(3)(latents))
    generator.set_weights([WEIGHTS, BIAS])
    discriminator = keras.Model(image, keras.layers.Dense(1, kernel_initializer="zeros")(image))
    model = ganzoo.PresGAN(generator, discriminator, sigma_max=1.0, **{"seed": 0, **settings})
    model.noise.raw_sigma.assign([inverse_softplus(sigma) for sigma in SIGMA])
    model.compile(*(keras.optimizers.SGD(rate) for rate in rates))
    return model


# Long enough for the chains to forget where they began: four steps are about half a period.
MANY = {"leapfrog_steps": 4, "burn_in": 20, "initial_step_size": 0.25}


def entropy(model):
    weights, sigma = model.generator.get_weights()[0], model.noise.sigma.numpy()
    return 0.5 * np.linalg.slogdet(weights.T @ weights + np.diag(sigma**2))[1]


def test_the_score_of_a_linear_generator():
    """grad log N(x; b, C) = -C^-1 (x - b), for each sample."""
    model = linear(posterior_samples=4000, **MANY)
    latents, noise = model.latents(40), model.normal((40, 3))
    samples = model.decode(latents, None, training=False) + model.noise.sigma * noise
    score = tf.function(model.score, autograph=False)(samples, latents, None)
    expected = -(samples - BIAS) @ PRECISION
    assert np.abs(expected).max() > 2
    # The posterior's spread of G(z') / sigma^2 is at most 1 / sigma.
    error = (score - expected) * SIGMA * 4000**0.5
    assert np.abs(error).max() < 5
    assert np.sqrt(np.mean(error**2)) < 1.5
    assert 0.5 < float(model.sampler.acceptance) < 0.95


def update_by_entropy(model, count):
    before = [*model.generator.get_weights(), model.noise.raw_sigma.numpy()]
    tf.function(model.update_generator, autograph=False)(tf.zeros((count, 3)))
    after = [*model.generator.get_weights(), model.noise.raw_sigma.numpy()]
    return [b - a for a, b in zip(before, after)]


def test_the_gradient_of_the_entropy():
    """H = 1/2 log det C + const: dH/dW = C^-1 W, dH/db = 0, dH/dsigma_i = sigma_i (C^-1)_ii.

    The discriminator's gradient is 0, so that the update by SGD is `rate * lambda * grad H`.
    """
    model = linear(rates=(0.1, 0.0, 0.2), entropy_weight=0.5, posterior_samples=8, **MANY)
    weights, bias, raw_sigma = update_by_entropy(model, count=40_000)
    expected = WEIGHTS @ PRECISION
    assert np.abs(expected).max() > 0.8
    np.testing.assert_allclose(weights / (0.1 * 0.5), expected, atol=0.04)
    np.testing.assert_allclose(bias / (0.1 * 0.5), 0.0, atol=0.04)
    slope = 1 - np.exp(-SIGMA)  # d softplus(s) / d s = sigmoid(s)
    np.testing.assert_allclose(raw_sigma / (0.2 * 0.5), SIGMA * np.diag(PRECISION) * slope, rtol=0.05)


def test_chains_that_stand_still_see_the_entropy_of_the_noise_alone():
    """With z' = z the score is -e / sigma: sum log sigma has no gradient in W, and 1 / sigma in sigma."""
    model = linear(rates=(0.1, 0.0, 0.2), entropy_weight=0.5, initial_step_size=1e-7)
    weights, _, raw_sigma = update_by_entropy(model, count=40_000)
    np.testing.assert_allclose(weights / (0.1 * 0.5), 0.0, atol=0.06)
    np.testing.assert_allclose(raw_sigma / (0.2 * 0.5), (1 - np.exp(-SIGMA)) / SIGMA, rtol=0.05)


def test_the_entropy_weight_raises_the_entropy():
    model = linear(rates=(0.1, 0.0, 0.1), entropy_weight=1.0, posterior_samples=4, **MANY)
    update = tf.function(model.update_generator, autograph=False)
    before = entropy(model)
    for _ in range(20):
        update(tf.zeros((500, 3)))
    # dH/dt = |C^-1 W|^2 + |dH/ds|^2 at the start, and less later.
    gradients = np.sum((WEIGHTS @ PRECISION) ** 2)
    gradients += np.sum((SIGMA * np.diag(PRECISION) * (1 - np.exp(-SIGMA))) ** 2)
    assert 0.3 * 2.0 * gradients < entropy(model) - before < 1.0 * 2.0 * gradients
    without = linear(rates=(0.1, 0.0, 0.1), entropy_weight=0.0)
    without.update_generator(tf.zeros((500, 3)))
    assert entropy(without) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("num_classes", [None, 2])
def test_log_likelihood_of_a_linear_generator(num_classes):
    model = linear()
    points = np.random.default_rng(1).multivariate_normal(BIAS, COVARIANCE, 70).astype("float32")
    labels, offsets = None, np.zeros(3)
    if num_classes:
        labels = np.arange(70) % 2
        offsets = labels[:, None] * np.array([0.3, -0.4, 0.2])
        model = conditional(model, np.array([[0.0, 0.0, 0.0], [0.3, -0.4, 0.2]]))
    centred = points - BIAS - offsets
    expected = -0.5 * (np.sum(centred @ PRECISION * centred, axis=1) + np.linalg.slogdet(2 * np.pi * COVARIANCE)[1])
    settings = {"num_samples": 500, "burn_in": 50, "posterior_samples": 30, "batch_size": 32}
    estimates = model.log_likelihood(points, condition=labels, **settings)
    assert estimates.shape == (70,) and estimates.dtype == np.float32
    np.testing.assert_allclose(estimates, expected, atol=0.25)
    np.testing.assert_allclose(estimates.mean(), expected.mean(), atol=0.02)
    np.testing.assert_array_equal(model.log_likelihood(points, condition=labels, **settings), estimates)
    assert np.ptp(expected) > 2


def conditional(model, offsets):
    """The same model with another mean for each class."""
    latents, label = model.generator.inputs[0], keras.Input((), dtype="int64")
    shift = keras.layers.Embedding(2, 3)
    generator = keras.Model([latents, label], model.generator.outputs[0] + shift(label))
    shift.set_weights([offsets])
    image = keras.Input((3,))
    score = keras.layers.Dense(1)(image) + keras.layers.Flatten()(keras.layers.Embedding(2, 1)(label))
    other = ganzoo.PresGAN(generator, keras.Model([image, label], score), sigma_max=1.0, num_classes=2, seed=0)
    other.noise.raw_sigma.assign(model.noise.raw_sigma)
    return other


def test_log_likelihood_of_images():
    model = make(ema_decay=0.9)
    images, _ = samples_like(model, 3)
    settings = {"num_samples": 5, "burn_in": 3, "posterior_samples": 3, "candidates": 4}
    values = model.log_likelihood(images, **settings)
    # At most that of an image that the generator matches exactly.
    assert values.shape == (3,) and np.isfinite(values).all()
    assert (values < -64 * np.log(0.3 * np.sqrt(2 * np.pi))).all()
    with pytest.raises(ValueError, match=r"shape \('n', 8, 8, 1\)"):
        model.log_likelihood(images[0])


# === Updates ===


def test_one_update_by_hand():
    """Scalar networks, and chains that stand still: z' = z, so that the score is -e / sigma."""
    penalty, sigma = 0.3, 0.2
    model = ganzoo.PresGAN(
        scalar_generator(),
        scalar_discriminator(),
        entropy_weight=penalty,
        initial_sigma=sigma,
        initial_step_size=1e-9,
        seed=5,
    )
    sigma_rate = 0.4
    model.compile(*(keras.optimizers.SGD(rate) for rate in (GENERATOR_RATE, DISCRIMINATOR_RATE, sigma_rate)))
    real = np.array([1.0, 0.4, -0.7])
    numbers = numbers_of(model)

    def draw():
        return numbers.normal((3, 1)).numpy()[:, 0].astype("float64")

    latents, noise = draw(), draw()
    x, y = real + sigma * noise, A * latents + B + sigma * noise
    real_slope, fake_slope = -sigmoid(-(W * x + C)), sigmoid(W * y + C)
    d_loss = np.mean(-np.log(sigmoid(W * x + C)) - np.log(sigmoid(-(W * y + C))))
    w = W - DISCRIMINATOR_RATE * np.mean(real_slope * x + fake_slope * y)
    c = C - DISCRIMINATOR_RATE * np.mean(real_slope + fake_slope)

    latents, noise = draw(), draw()
    y = A * latents + B + sigma * noise
    slope = -sigmoid(-(w * y + c)) * w - penalty * noise / sigma  # d loss / d y
    a, b = A - GENERATOR_RATE * np.mean(slope * latents), B - GENERATOR_RATE * np.mean(slope)
    raw_sigma = inverse_softplus(sigma) - sigma_rate * np.mean(slope * noise) * (1 - np.exp(-sigma))

    logs = model.train_on_batch(real[:, None].astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-5)
    np.testing.assert_allclose(model.noise.raw_sigma, [raw_sigma], rtol=1e-5)
    np.testing.assert_allclose(logs["d_loss"], d_loss, rtol=1e-5)
    np.testing.assert_allclose(logs["g_loss"], np.mean(-np.log(sigmoid(w * y + c))), rtol=1e-5)
    np.testing.assert_allclose(logs["sigma"], sigma, rtol=1e-5)
    np.testing.assert_allclose(model.sampler.acceptance, 1.0, rtol=1e-5)


@pytest.mark.parametrize("make", [make, make_packed])
def test_real_and_fake_have_the_same_noise(make):
    model = make()
    images = tf.constant(samples_like(model, BATCH)[0])
    shown = {}

    def recording(critic, real, fake):
        shown.update(real=real, fake=fake)
        return tf.reduce_mean(critic(fake))

    means = tf.zeros_like(images)
    model.discriminator_loss, model.decode = recording, lambda *args, **kwargs: means
    model.update_discriminator(images)
    np.testing.assert_allclose(shown["real"] - shown["fake"], model.pack(images), atol=1e-6)
    assert 0.5 * 0.3 < np.std(shown["fake"]) < 1.5 * 0.3


def test_the_chains_see_the_generator_that_made_the_samples():
    """`training=False` gives the same means as training mode while they run, and the statistics move once."""
    model = make(**{"generator_optimizer": keras.optimizers.SGD(0.0)})
    images = tf.constant(samples_like(model, BATCH)[0])
    before = [weight.numpy() for weight in model.generator.non_trainable_weights]
    assert before
    seen = {}

    def recording(samples, latents, condition):
        seen["means"] = model.decode(latents, condition, training=False)
        seen["expected"] = ganzoo.models.PresGAN.decode(model, latents, condition, training=True)
        return tf.zeros_like(samples)

    model.score = recording
    model.update_generator(images)
    np.testing.assert_allclose(seen["means"], seen["expected"], atol=1e-4)
    after = [weight.numpy() for weight in model.generator.non_trainable_weights]
    other = make(entropy_weight=0.0, **{"generator_optimizer": keras.optimizers.SGD(0.0)})
    numbers = [numbers_of(model)]
    numbers[0].restart()
    other.normal = numbers[0].normal
    other.generator(other.latents(BATCH), training=True)
    expected = [weight.numpy() for weight in other.generator.non_trainable_weights]
    for values, others, first in zip(after, expected, before):
        np.testing.assert_allclose(values, others, rtol=1e-5, atol=1e-6)
        assert not np.allclose(values, first)


def test_sigma_stays_within_its_bounds():
    for rate, bound in ((100.0, 0.3), (-100.0, 0.05)):
        model = make(sigma_min=0.05, initial_sigma=0.1, sigma_optimizer=keras.optimizers.SGD(0.0))
        np.testing.assert_allclose(model.noise.sigma, 0.1, rtol=1e-5)
        model.noise.raw_sigma.assign(model.noise.raw_sigma.constraint(model.noise.raw_sigma + rate))
        np.testing.assert_allclose(model.noise.sigma, bound, rtol=1e-5)
    model = make(sigma_min=0.05, sigma_max=0.1, sigma_optimizer=keras.optimizers.SGD(1e6), run_eagerly=True)
    train(model, steps=1)
    sigma = model.noise.sigma.numpy()
    assert sigma.shape == (8, 8, 1)
    assert sigma.min() >= 0.05 * (1 - 1e-5) and sigma.max() <= 0.1 * (1 + 1e-5)
    on_a_bound = np.isclose(sigma, 0.05, rtol=1e-4) | np.isclose(sigma, 0.1, rtol=1e-4)
    assert on_a_bound.mean() > 0.9


def test_the_step_size_is_adapted_and_saved(tmp_path):
    model = make(run_eagerly=True)
    history = train(model, steps=3).history
    assert float(model.sampler.step_size) != pytest.approx(1 / 3, rel=1e-3)
    assert history["step_size"][0] > 0 and 0 <= history["acceptance"][0] <= 1
    assert float(reload(model, tmp_path).sampler.step_size) == float(model.sampler.step_size)


def test_without_the_entropy_there_are_no_chains():
    model = make(entropy_weight=0.0, run_eagerly=True)
    model.score = None
    logs = train(model, steps=1).history
    assert set(logs) == LOGS - {"acceptance", "step_size"}


def test_labels_reach_the_chains():
    model = make_conditional(run_eagerly=True, leapfrog_steps=2, burn_in=2, posterior_samples=2)
    points, labels = samples_like(model, BATCH)
    seen = []
    decode = model.decode

    def recording(latents, condition, training):
        seen.append((training, condition))
        return decode(latents, condition, training)

    model.decode = recording
    model.update_generator(tf.constant(points), tf.constant(labels))
    assert len([training for training, _ in seen if not training]) == 1 + 4 * 2 + 2
    assert all(np.array_equal(condition, labels) for _, condition in seen)


# === Samples ===


def test_generate_with_noise():
    model = make()
    means, samples = model.generate(200, seed=3), model.generate(200, seed=3, noise=True)
    assert samples.dtype == np.float32
    noise = (samples - means) / model.noise.sigma.numpy()
    np.testing.assert_allclose([noise.mean(), noise.std()], [0, 1], atol=0.04)
    np.testing.assert_allclose(model.generate(3, seed=3, noise=True), samples[:3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(model.generate(3, seed=4, noise=True) - model.generate(3, seed=4), (samples - means)[:3])


def test_the_export_generates_means(tmp_path):
    model = make()
    model.export(tmp_path / "1")
    generate = tf.saved_model.load(tmp_path / "1").signatures["generate"]
    images = generate(seed=tf.constant(5, "int64"), num_samples=tf.constant(4, "int64"))["images"].numpy()
    expected = np.clip(np.round((model.generate(4, seed=5) + 1) * 127.5), 0, 255)
    assert np.abs(images.astype(int) - expected).max() <= 1


def test_bad_input():
    with pytest.raises(ValueError, match="sigma_min=0.5, sigma_max=0.3"):
        make(sigma_min=0.5)
    with pytest.raises(ValueError, match="`initial_sigma` must be a finite number above 0. Received: initial_sigma=-1"):
        make(initial_sigma=-1)
    with pytest.raises(ValueError, match="`entropy_weight` must be a finite number of at least 0"):
        make(entropy_weight=-0.1)
    with pytest.raises(ValueError, match="`burn_in` must be an integer from 0 to 10,000. Received: burn_in=-1"):
        make(burn_in=-1)
    with pytest.raises(ValueError, match="must be an integer from 1 to 10,000. Received: leapfrog_steps=0"):
        make(leapfrog_steps=0)
    with pytest.raises(ValueError, match="step_size` must be a finite number above 0"):
        make(initial_step_size=0.0)
    shared = keras.optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="an optimizer each.*generator_optimizer and sigma_optimizer"):
        make(generator_optimizer=shared, sigma_optimizer=shared)
