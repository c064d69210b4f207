import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.images import to_uint8
from ganzoo.layers import DCGAN_KERNELS
from ganzoo.models.infogan import categorical_information, gaussian_information
from ganzoo.sampling import RandomStream, SeededNumbers
from tests.check_model import CHECKS, averages_the_generator, reload, samples_like, tiny
from tests.scalar_networks import DISCRIMINATOR_RATE, GENERATOR_RATE, compiled, numbers_of, sigmoid

GAN_LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability"}
LOGS = GAN_LOGS | {"information", "continuous_information"}


def make(**overrides):
    """Two numbers of noise, a code of three values, two continuous codes.

    Kernels larger than the paper's: gradients through a few filters are large enough to be compared, and normalization
    by the spread of four samples does not blow up rounding errors.
    """
    sizes = {"latent_dim": 7, "categories": (3,), "continuous": 2, "filters": 2}
    sizes["kernel_initializer"] = {"class_name": "RandomNormal", "config": {"stddev": 1.0}}
    return tiny(ganzoo.InfoGAN, (8, 8, 1), **{**sizes, **overrides})


make.generator_logs = {"information", "continuous_information"}
make.replica_steps = 2
make.descent_rate = 5e-4  # Normalization by the spread of four samples blows up rounding errors, step by step.


# `averages_the_generator` draws latents from N(0, I), which are no codes: see `test_the_average_generates`.
CONTRACTS = [check for check in CHECKS if check is not averages_the_generator]


@pytest.mark.parametrize("check", CONTRACTS, ids=lambda check: check.__name__)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_the_average_generates():
    model = make(run_eagerly=True, ema_decay=0.75)
    before = [weight.numpy() for weight in model.generator.weights]
    model.train_on_batch(samples_like(model, 4)[0])
    for average, old, new in zip(model.ema_generator.weights, before, model.generator.weights, strict=True):
        np.testing.assert_allclose(average.numpy(), 0.1 * old + 0.9 * new.numpy(), rtol=1e-5, atol=1e-7)
    latents = model.prior(SeededNumbers(7), 5)
    images = np.array(model.ema_generator(latents, training=False))
    np.testing.assert_allclose(model.generate(5, seed=7), images, rtol=1e-5, atol=1e-6)
    assert np.abs(images - np.array(model.generator(latents, training=False))).max() > 1e-4


def test_settings_of_the_paper():
    model = ganzoo.InfoGAN.from_paper((28, 28, 1))
    assert (model.generator.name, model.discriminator.name) == ("infogan_generator", "infogan_discriminator")
    assert (model.latent_dim, model.codes.noise_dim) == (74, 62)
    assert (model.categories, model.continuous, model.information_weight) == ((10,), 2, 1.0)
    rates = [float(optimizer.learning_rate) for optimizer in (model.generator_optimizer, model.discriminator_optimizer)]
    np.testing.assert_allclose(rates, [1e-3, 2e-4], rtol=1e-6)
    assert model.generator_optimizer.beta_1 == model.discriminator_optimizer.beta_1 == 0.5


# === The codes ===


def identity_networks(category_kernel, categories=(10,), continuous=1):
    """G(z, c) = (z, c) with one number of noise, and linear heads that start as zeros but for the first category."""
    width = 1 + sum(categories) + continuous
    latents, image = keras.Input((width,), name="latents"), keras.Input((width,), name="image")
    generator = keras.Model(latents, keras.layers.Dense(width, use_bias=False)(latents))
    generator.set_weights([np.eye(width)])
    sizes = {f"category_{index}": size for index, size in enumerate(categories)} | {"continuous": continuous}
    heads = {
        name: keras.layers.Dense(size, use_bias=False, kernel_initializer="zeros", name=name)(image)
        for name, size in {"scores": 1, **sizes}.items()
        if size
    }
    discriminator = keras.Model(image, heads)
    discriminator.get_layer("category_0").set_weights([category_kernel])
    return generator, discriminator


def selector(scale, size=10, width=12):
    """A kernel that reads the first categorical code, behind one number of noise."""
    kernel = np.zeros((width, size))
    kernel[1 : 1 + size] = scale * np.eye(size)
    return kernel


def of_identity(category_kernel, **settings):
    return compiled(ganzoo.InfoGAN(*identity_networks(category_kernel), continuous=1, seed=3, **settings))


def bounds_of(model, count=8):
    samples = tf.zeros((count, *model.image_shape))
    update = model.new_update(model.critic(None, training=False), samples, None, training=False)
    return {name: float(value) for name, value in model.information(update).items()}, update


def test_information_is_log_10_where_q_is_exact():
    """With logits of 100 for the right value, Q(c | x) = 1 / (1 + 9 e^-100), which is 1 in float32."""
    found, _ = bounds_of(of_identity(selector(100.0)))
    assert found["information"] == pytest.approx(2.302585, abs=1e-6)


def test_information_is_0_where_q_knows_nothing():
    found, _ = bounds_of(of_identity(selector(0.0)))
    assert found["information"] == pytest.approx(0.0, abs=1e-6)


def test_information_is_never_above_the_entropy():
    """log Q <= 0, whatever Q says, also of codes that it reads with certainty."""
    random = np.random.default_rng(0)
    for size in (2, 3, 10):
        for scale in (0.1, 1.0, 10.0, 1000.0):
            one_hot = np.eye(size)[random.integers(0, size, 64)].astype("float32")
            for logits in (scale * random.normal(size=(64, size)), scale * one_hot):
                bound = float(categorical_information(tf.constant(logits, "float32"), tf.constant(one_hot)))
                assert bound <= math.log(size) + 1e-6


def test_information_of_several_codes_is_their_sum():
    """The first code is read exactly, log 3; Q knows nothing of the second one."""
    networks = identity_networks(selector(100.0, 3, 6), categories=(3, 2), continuous=0)
    model = compiled(ganzoo.InfoGAN(*networks, categories=(3, 2), continuous=0))
    found, _ = bounds_of(model)
    assert set(found) == {"information"}
    assert found["information"] == pytest.approx(math.log(3), abs=1e-6)


def test_gaussian_information_by_hand():
    """Two samples of two codes: log N(c; m, I) = -|c - m|^2 / 2 - log(2 pi), and H(c) = 2 log 2."""
    codes, means = np.array([[0.5, -1.0], [0.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])
    squares = [0.25 + 1.0, 1.0]
    wanted = -np.mean(squares) / 2 - math.log(2 * math.pi) + 2 * math.log(2)
    found = gaussian_information(tf.constant(means, "float32"), tf.constant(codes, "float32"))
    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_gaussian_information_of_an_exact_and_of_an_ignorant_q():
    exact = math.log(2) - math.log(2 * math.pi) / 2
    assert exact == pytest.approx(-0.225791, abs=1e-6)
    codes = tf.constant(np.linspace(-1, 1, 100_001)[:, None], "float32")
    assert float(gaussian_information(codes, codes)) == pytest.approx(exact, abs=1e-5)
    # E[c^2] = 1/3 on [-1, 1].
    assert float(gaussian_information(tf.zeros_like(codes), codes)) == pytest.approx(exact - 1 / 6, abs=1e-4)


def test_the_codes_of_the_update_are_those_that_made_the_samples():
    found, update = bounds_of(of_identity(selector(1.0)))
    np.testing.assert_array_equal(update.fake, update.latents)
    codes = np.asarray(update.latents)[:, 11]
    wanted = np.mean(-0.5 * codes**2) - math.log(2 * math.pi) / 2 + math.log(2)  # The head says 0.
    assert found["continuous_information"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("numbers", [SeededNumbers(5), RandomStream(5)], ids=["seed", "training"])
def test_prior(numbers):
    """Shares, means and variances lie within four standard deviations of the estimate."""
    model, count = make(), 20_000
    latents = np.asarray(model.prior(numbers, count))
    assert latents.shape == (count, 7) and latents.dtype == np.float32
    noise, one_hot, continuous = np.split(latents, [2, 5], axis=1)
    assert set(np.unique(one_hot)) == {0.0, 1.0}
    np.testing.assert_array_equal(one_hot.sum(axis=1), 1)
    np.testing.assert_allclose(one_hot.mean(axis=0), 1 / 3, atol=4 * math.sqrt(1 / 3 * 2 / 3 / count))
    assert continuous.min() >= -1 and continuous.max() <= 1
    np.testing.assert_allclose(continuous.mean(axis=0), 0, atol=4 * math.sqrt(1 / 3 / count))
    # Var(c^2) = 1/5 - 1/9.
    np.testing.assert_allclose((continuous**2).mean(axis=0), 1 / 3, atol=4 * math.sqrt(4 / 45 / count))
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=4 / math.sqrt(count))
    np.testing.assert_allclose(noise.var(axis=0), 1, atol=4 * math.sqrt(2 / count))
    # No part can be told from another one.
    correlations = np.corrcoef(latents[:, [0, 1, 2, 5, 6]].T) - np.eye(5)
    assert np.abs(correlations).max() < 4.5 / math.sqrt(count)


def test_the_largest_number_is_no_eleventh_value():
    class Largest:
        normal = staticmethod(tf.zeros)
        uniform = staticmethod(lambda shape: tf.fill(shape, np.nextafter(np.float32(1), np.float32(0))))

    for size in (2, 3, 7, 10, 1000):
        codes = ganzoo.training.codes.Codes(size + 1, {"category_0": size})
        one_hot = codes.split(codes.draw(Largest, 2))["category_0"].numpy()
        np.testing.assert_array_equal(one_hot.argmax(axis=1), size - 1)
        np.testing.assert_array_equal(one_hot.sum(axis=1), 1)


# === One update by hand ===

# g(l) = a . l + b of latents (noise, two of a one-hot code, a continuous code); d(x) = w x + c.
A, B = np.array([0.7, 0.4, -0.9, 1.1]), -0.3
W, C = 1.5, 0.2
V, D = np.array([0.8, -0.5]), np.array([0.1, 0.3])
M, N = 0.6, -0.2
WEIGHT = 0.7


def scalar_networks():
    latents, image = keras.Input((4,), name="latents"), keras.Input((1,), name="image")
    generator = keras.Model(latents, keras.layers.Dense(1)(latents))
    generator.set_weights([A[:, None], np.array([B])])
    sizes = {"scores": 1, "category_0": 2, "continuous": 1}
    discriminator = keras.Model(
        image, {name: keras.layers.Dense(size, name=name)(image) for name, size in sizes.items()}
    )
    values = {"scores": (W, [C]), "category_0": (V, D), "continuous": (M, [N])}
    for name, (kernel, bias) in values.items():
        discriminator.get_layer(name).set_weights([np.reshape(kernel, (1, -1)), np.array(bias)])
    return generator, discriminator


def draw(numbers):
    """Latents and codes of four samples, as the prior makes them."""
    noise = numbers.normal((4, 1)).numpy().astype("float64")
    one_hot = np.eye(2)[np.floor(2 * numbers.uniform((4, 1)).numpy()[:, 0]).astype(int)]
    continuous = 2 * numbers.uniform((4, 1)).numpy().astype("float64") - 1
    return np.hstack([noise, one_hot, continuous]), one_hot, continuous[:, 0]


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_one_update_by_hand():
    """With p = sigmoid(d) and q = softmax: the slope of -log Q is q - c in the logits, and m - c in the mean."""
    model = compiled(
        ganzoo.InfoGAN(*scalar_networks(), categories=(2,), continuous=1, information_weight=WEIGHT, seed=5)
    )
    numbers = numbers_of(model)
    real = np.array([1.0, -2.0, 0.5, 2.5])
    a, b, w, c, v, d, m, n = A, B, W, C, V, D, M, N

    latents, one_hot, continuous = draw(numbers)
    fake = latents @ a + b
    real_error, fake_error = sigmoid(w * real + c) - 1, sigmoid(w * fake + c)
    logit_error, mean_error = softmax(fake[:, None] * v + d) - one_hot, m * fake + n - continuous
    rate = DISCRIMINATOR_RATE
    w, c = w - rate * np.mean(real_error * real + fake_error * fake), c - rate * np.mean(real_error + fake_error)
    v, d = v - rate * WEIGHT * fake @ logit_error / 4, d - rate * WEIGHT * logit_error.mean(axis=0)
    m, n = m - rate * WEIGHT * np.mean(mean_error * fake), n - rate * WEIGHT * np.mean(mean_error)

    latents, one_hot, continuous = draw(numbers)
    fake = latents @ a + b
    logit_error, mean_error = softmax(fake[:, None] * v + d) - one_hot, m * fake + n - continuous
    slope = (sigmoid(w * fake + c) - 1) * w + WEIGHT * (logit_error @ v + mean_error * m)
    a, b = a - GENERATOR_RATE * slope @ latents / 4, b - GENERATOR_RATE * np.mean(slope)

    model.train_on_batch(real[:, None].astype("float32"))
    kernel, bias = model.generator.get_weights()
    np.testing.assert_allclose([*kernel[:, 0], *bias], [*a, b], rtol=1e-5)
    wanted = {"scores": (w, c), "category_0": (v, d), "continuous": (m, n)}
    for name, numbers in wanted.items():
        found = model.discriminator.get_layer(name).get_weights()
        np.testing.assert_allclose(np.ravel(np.concatenate([found[0][0], found[1]])), np.hstack(numbers), rtol=1e-5)


def test_without_weight_it_is_a_gan():
    """The heads then have no gradient, and the losses are those of GAN: 2 log 2 and log 2 for scores of about 0."""
    plain, weighted = (make(information_weight=weight, kernel_initializer=DCGAN_KERNELS) for weight in (0.0, 2.0))
    images, _ = samples_like(plain, 4)
    losses, more = (model.test_on_batch(images, return_dict=True) for model in (plain, weighted))
    np.testing.assert_allclose([losses["d_loss"], losses["g_loss"]], [2 * math.log(2), math.log(2)], rtol=0.05)
    terms = more["information"] + more["continuous_information"]
    assert more["g_loss"] == pytest.approx(losses["g_loss"] - 2 * terms, rel=1e-4)
    assert more["d_loss"] == pytest.approx(losses["d_loss"] - 2 * terms, rel=1e-4)
    head = plain.discriminator.get_layer("category_0")
    before = head.get_weights()
    plain.train_on_batch(images)
    for old, new in zip(before, head.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def count_passes(model):
    """The numbers of samples that the discriminator is called with."""
    calls, call = [], model.discriminator.call

    def counting(inputs, *args, **kwargs):
        calls.append(inputs.shape[0])
        return call(inputs, *args, **kwargs)

    model.discriminator.call = counting
    return calls


def test_scores_and_codes_come_from_one_forward_pass():
    model = make(run_eagerly=True)
    images = tf.constant(samples_like(model, 4)[0])
    calls = count_passes(model)
    model.update_discriminator(images)
    assert calls == [4, 4]  # Real and generated samples.
    model.update_generator(images)
    assert calls == [4, 4, 4]


# === Generating with codes ===


def test_generate_sets_the_codes():
    """G is the identity, so the samples tell their latents."""
    model = of_identity(selector(1.0))
    plain = model.generate(4, seed=9)
    np.testing.assert_array_equal(plain, np.asarray(model.prior(SeededNumbers(9), 4)))
    one_hot = np.eye(10, dtype="float32")
    cases = [
        ({"category_0": 7}, one_hot[[7] * 4], plain[:, 11:]),
        ({"category_0": [0, 9, 3, 3]}, one_hot[[0, 9, 3, 3]], plain[:, 11:]),
        ({"category_0": np.arange(4, dtype="uint16")}, one_hot[:4], plain[:, 11:]),
        ({"continuous": [-2.0]}, plain[:, 1:11], np.full((4, 1), -2.0)),
        ({"continuous": [[-2], [-1], [0], [2]]}, plain[:, 1:11], np.array([[-2.0], [-1.0], [0.0], [2.0]])),
        ({"category_0": range(4), "continuous": [0.5]}, one_hot[:4], np.full((4, 1), 0.5)),
    ]
    for codes, categories, continuous in cases:
        samples = model.generate(4, seed=9, codes=codes)
        np.testing.assert_array_equal(samples[:, 0], plain[:, 0])
        np.testing.assert_array_equal(samples[:, 1:11], categories)
        np.testing.assert_array_equal(samples[:, 11:], continuous)


def test_the_number_of_samples_is_that_of_the_codes():
    model = of_identity(selector(1.0))
    assert len(model.generate(codes={"category_0": [1, 2, 3]})) == 3
    assert len(model.generate(codes={"category_0": 1, "continuous": [[0.0]] * 5})) == 5
    assert len(model.generate(codes={"category_0": 1})) == 1


def test_codes_and_own_latents():
    model = of_identity(selector(1.0))
    latents = np.random.default_rng(0).normal(size=(3, 12)).astype("float32")
    samples = model.generate(latents=latents, codes={"continuous": [0.25]})
    np.testing.assert_array_equal(samples[:, :11], latents[:, :11])
    np.testing.assert_array_equal(samples[:, 11], 0.25)
    with pytest.raises(ValueError, match="`latents` has 3 rows for 4 samples"):
        model.generate(4, latents=latents, codes={"continuous": [0.25]})


@pytest.mark.parametrize(
    "codes, message",
    [
        ({"digit": 3}, "There is no code 'digit'. The codes are category_0, continuous."),
        (7, "`codes` must be a dictionary with some of the names category_0, continuous. Received: 7"),
        ({"category_0": 3}, "`category_0` must be an integer from 0 to 2, or an integer for each sample"),
        ({"category_0": -1}, "`category_0` must be an integer from 0 to 2"),
        ({"category_0": 1.0}, "`category_0` must be an integer from 0 to 2"),
        ({"category_0": True}, "`category_0` must be an integer from 0 to 2"),
        ({"category_0": []}, "`category_0` must be an integer from 0 to 2"),
        ({"category_0": "1"}, "`category_0` must be an integer from 0 to 2"),
        ({"category_0": [[1]]}, "`category_0` must be an integer from 0 to 2"),
        ({"category_0": [0, 1, 2]}, "`category_0` must be one code, or a code for each of the 2 samples. Received: 3"),
        ({"continuous": 0.5}, "`continuous` must be a row of 2 finite number"),
        ({"continuous": [0.5]}, "`continuous` must be a row of 2 finite number"),
        ({"continuous": [0.5, math.nan]}, "`continuous` must be a row of 2 finite number"),
        ({"continuous": [[0, 1], [2]]}, "`continuous` must be a row of 2 finite number"),
        ({"continuous": np.zeros((3, 2))}, "`continuous` must be one code, or a code for each of the 2 samples"),
    ],
)
def test_codes_that_do_not_fit_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        make().generate(2, codes=codes)


def test_no_codes_and_no_number():
    with pytest.raises(ValueError, match="`num_samples` must be an integer of at least 1"):
        make().generate(codes={})


def test_the_exported_model_takes_codes(tmp_path):
    model = make()
    model.export(tmp_path / "1")
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["generate_codes"]
    continuous = np.array([[0.5, -0.5], [2.0, 0.0], [0.0, 0.0]], "float32")
    codes = {"category_0": np.array([2, 0, 1]), "continuous": continuous}
    found = signature(seed=tf.constant(4, "int64"), **{name: tf.constant(value) for name, value in codes.items()})
    images = model.generate(3, seed=4, codes=codes)
    # Rounding to bytes may go the other way where the last bits differ.
    np.testing.assert_allclose(found["images"].numpy().astype(int), to_uint8(images).numpy().astype(int), atol=1)
    latents = found["latents"].numpy()
    np.testing.assert_array_equal(latents[:, :2], np.asarray(model.prior(SeededNumbers(4), 3))[:, :2])
    np.testing.assert_array_equal(latents[:, 2:5], np.eye(3)[[2, 0, 1]])
    np.testing.assert_array_equal(latents[:, 5:], continuous)
    np.testing.assert_allclose(model.generate(latents=latents), images, rtol=1e-5, atol=1e-6)
    for wrong in (-1, 3):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"category_0 must lie in 0..2"):
            signature(
                seed=tf.constant(4, "int64"),
                category_0=tf.constant([wrong], "int64"),
                continuous=tf.constant(continuous[:1]),
            )


# === Reading codes ===


def test_read_codes():
    """The head's logits are ten times the code: Q = e^10 / (e^10 + 9) for the right value."""
    model = of_identity(selector(10.0))
    read = model.read_codes(model.generate(codes={"category_0": [4, 0]}))
    assert set(read) == {"category_0", "continuous"}
    right = math.exp(10) / (math.exp(10) + 9)
    np.testing.assert_allclose(read["category_0"][[0, 1], [4, 0]], right, rtol=1e-5)
    np.testing.assert_allclose(read["category_0"].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(read["continuous"], np.zeros((2, 1)))


# === What is refused, and saved ===


def test_each_code_needs_its_head():
    generator, discriminator = identity_networks(selector(1.0))
    for settings in ({"categories": (10,), "continuous": 0}, {"categories": (9,), "continuous": 2}):
        with pytest.raises(ValueError, match="`discriminator` must have the heads .*Received: .*category_0"):
            ganzoo.InfoGAN(generator, discriminator, **settings)
    plain = ganzoo.networks.mlp.discriminator((12,), (2,))
    with pytest.raises(ValueError, match="with none. Take ganzoo.networks.infogan"):
        ganzoo.InfoGAN(generator, plain, continuous=1)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"categories": (), "continuous": 0}, "There must be a code"),
        ({"latent_dim": 4}, "The codes .* take 5 latents. Received: latent_dim=4"),
        ({"categories": (3.5,)}, "`categories` must be a sequence of integers of at least 2"),
        ({"information_weight": -1.0}, "`information_weight` must be"),
        ({"noise_dim": -1}, "`noise_dim` must be an integer of at least 0"),
    ],
)
def test_bad_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_packing_is_refused():
    generator, _ = identity_networks(selector(1.0))
    image = keras.Input((24,), name="image")
    heads = {"scores": 1, "category_0": 10, "continuous": 1}
    packed = keras.Model(image, {name: keras.layers.Dense(size, name=name)(image) for name, size in heads.items()})
    with pytest.raises(ValueError, match="packing=2. Leave it at 1"):
        ganzoo.InfoGAN(generator, packed, continuous=1, packing=2)


def test_codes_are_fixed():
    model = make()
    for name, value in (("categories", (4,)), ("continuous", 3)):
        with pytest.raises(AttributeError, match=f"`{name}` is fixed"):
            setattr(model, name, value)
    assert (model.categories, model.continuous) == ((3,), 2)


def test_other_codes_through_training_saving_and_export(tmp_path):
    for categories, continuous, logs in (((2, 3), 0, {"information"}), ((), 1, {"continuous_information"})):
        model = make(categories=categories, continuous=continuous, discriminator_steps=2, run_eagerly=True)
        images, _ = samples_like(model, 16)
        assert set(model.fit(images, batch_size=4, verbose=0).history) == GAN_LOGS | logs
        loaded = reload(model, tmp_path)
        assert (loaded.categories, loaded.continuous) == (categories, continuous)
        np.testing.assert_array_equal(loaded.generate(3, seed=1), model.generate(3, seed=1))
        loaded.export(tmp_path / f"export_{continuous}")


def test_a_labelled_infogan(tmp_path):
    """The label is one more condition: the codes take up what it leaves."""
    sizes = {"category_0": 2, "continuous": 1}
    generator = ganzoo.networks.dcgan.generator((8, 8, 1), 5, filters=2, num_classes=3)
    discriminator = ganzoo.networks.dcgan.discriminator((8, 8, 1), filters=2, num_classes=3, heads=sizes)
    model = compiled(ganzoo.InfoGAN(generator, discriminator, categories=(2,), continuous=1, num_classes=3))
    images, labels = samples_like(model, 8)
    model.train_on_batch(images, labels)
    samples = model.generate(3, seed=2, condition=[0, 1, 2], codes={"category_0": 1})
    model.export(tmp_path / "1")
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["generate_codes"]
    latents = np.asarray(model.prior(SeededNumbers(2), 3))
    found = signature(
        seed=tf.constant(2, "int64"),
        category_0=tf.constant([1, 1, 1], "int64"),
        continuous=tf.constant(latents[:, 4:]),
        label=tf.constant([0, 1, 2], "int64"),
    )
    np.testing.assert_allclose(found["images"].numpy().astype(int), to_uint8(samples).numpy().astype(int), atol=1)
