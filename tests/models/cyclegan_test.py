from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.networks import dcgan, patchgan, translator
from ganzoo.training.schedules import LinearDecay
from tests import check_model as contracts
from tests.check_model import arrays, assert_equal_arrays, assert_moved, samples_like, train
from tests.scalar_networks import DISCRIMINATOR_RATE, GENERATOR_RATE, compiled, numbers_of

LOGS = {"d_loss", "g_loss", "cycle", "identity"}


def small_generator(image_shape, condition_shape=None, filters=4):
    """Two convolutions: the contracts are those of the update rule, whatever the networks."""
    image = keras.Input(condition_shape or image_shape, name="image")
    x = keras.layers.Conv2D(filters, 3, padding="same", activation="leaky_relu")(image)
    x = keras.layers.Conv2D(image_shape[-1], 3, padding="same", activation="tanh", dtype="float32")(x)
    return keras.Model(image, x)


def small_discriminator(image_shape, filters=4):
    image = keras.Input(image_shape, name="image")
    x = keras.layers.Conv2D(filters, 3, strides=2, activation="leaky_relu")(image)
    return keras.Model(image, keras.layers.Conv2D(1, 3, dtype="float32")(x))


SMALL = SimpleNamespace(generator=small_generator, discriminator=small_discriminator)


def make(**overrides):
    keras.utils.set_random_seed(0)
    return ganzoo.CycleGAN.from_paper((8, 8, 1), **{"networks": SMALL, "pool_size": 5, "seed": 1, **overrides})


def make_of_paper(**overrides):
    """With the networks of the paper, as small as they can be."""
    keras.utils.set_random_seed(0)
    settings = {"filters": 2, "blocks": 1, "receptive_field": 16, "pool_size": 5, "seed": 1}
    return ganzoo.CycleGAN.from_paper((8, 8, 1), **{**settings, **overrides})


make.replica_steps = 1  # The update rule has one update of the discriminators a step.


@pytest.mark.parametrize(
    "check",
    [
        contracts.config_round_trip,
        contracts.saves_right_after_construction,
        contracts.resumes_with_the_same_bits,
        contracts.logs_of_one_step,
        contracts.each_optimizer_moves_its_own_network,
        contracts.replicas_agree,
        contracts.jit_compiles,
        contracts.trains_in_half_precision,
    ],
    ids=lambda check: check.__name__,
)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_optimizers_move_both_of_their_networks():
    model = make()
    x, y = map(tf.constant, samples_like(model, 4))
    ours = model.back_generator.trainable_weights, model.back_discriminator.trainable_weights
    before = [arrays(weights) for weights in ours]
    model.update_discriminator(y, x)
    assert_equal_arrays(before[0], arrays(ours[0]))
    kernels = [weight for weight in ours[1] if weight.path.endswith("kernel")]
    assert_moved(
        [value for weight, value in zip(ours[1], before[1]) if weight.path.endswith("kernel")], arrays(kernels)
    )
    before = [arrays(weights) for weights in ours]
    model.update_generator(y, x)
    assert_equal_arrays(before[1], arrays(ours[1]))
    assert_moved(before[0], arrays(ours[0]))


def test_optimizers_count_their_updates():
    model = make(run_eagerly=True)
    train(model, steps=3)
    assert int(model.generator_optimizer.iterations) == int(model.discriminator_optimizer.iterations) == 3
    assert model.steps_done == 3


def test_settings_of_the_paper():
    model = ganzoo.CycleGAN.from_paper((32, 32, 3), filters=16)
    assert (model.cycle_weight, model.identity_weight, model.pool_size) == (10.0, 0.5, 50)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        np.testing.assert_allclose(float(optimizer.learning_rate), 2e-4, rtol=1e-6)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    assert model.generator.count_params() == model.back_generator.count_params() == 494_083
    assert model.discriminator.count_params() == model.back_discriminator.count_params() == 175_089
    assert model.pool.images.shape == model.back_pool.images.shape == (50, 32, 32, 3)
    # Two networks of each kind, and not twice the same.
    for one, other in ((model.generator, model.back_generator), (model.discriminator, model.back_discriminator)):
        assert not np.array_equal(one.weights[0], other.weights[0])


def test_rate_of_the_paper():
    """Constant for the first half of the training, then linear to zero."""
    model = make(total_steps=200)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        rates = [float(optimizer._learning_rate(step)) for step in (0, 100, 150, 199, 200, 300)]
        np.testing.assert_allclose(rates, [2e-4, 2e-4, 1e-4, 2e-6, 0, 0], rtol=1e-4, atol=1e-12)
    early = LinearDecay(1.0, 10, constant_part=0.0)
    np.testing.assert_allclose([early(step) for step in (0, 5, 9)], [1.0, 0.5, 0.1], rtol=1e-5)
    assert LinearDecay.from_config(early.get_config()).get_config() == early.get_config()


def test_overrides_reach_the_networks():
    model = make_of_paper(
        identity_weight=0.0,
        condition_shape=(8, 8, 3),
        generator_filters=4,
        normalization="batch",
        affine=False,
        pool_size=0,
        cycle_weight=3.0,
    )
    assert model.generator.input_shape == model.back_generator.output_shape == (None, 8, 8, 3)
    assert model.generator.output_shape == model.back_generator.input_shape == (None, 8, 8, 1)
    assert model.back_discriminator.input_shape == (None, 8, 8, 3)
    for network, filters in ((model.generator, 4), (model.back_generator, 4), (model.back_discriminator, 2)):
        first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
        assert first.filters == filters
        assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)
    assert model.cycle_weight == 3.0 and not model.pool.weights
    assert set(train(model, steps=1).history) == LOGS - {"identity"}


# === Two steps by hand ===

A, B = 0.7, -0.3  # G(x) = a x + b
E, F = 1.2, 0.1  # F(y) = e y + f
W, C = 0.6, 0.2  # D_Y(y) = w y + c
V, D = -0.5, 0.4  # D_X(x) = v x + d


def pixel_network(slope, shift):
    image = keras.Input((1, 1, 1), name="image")
    network = keras.Model(image, keras.layers.Dense(1)(image))
    network.set_weights([np.array([[slope]]), np.array([shift])])
    return network


def pixel_model(*networks, **kwargs):
    """Networks for images of one pixel."""
    networks = networks or ((A, B), (W, C), (E, F), (V, D))
    return compiled(ganzoo.CycleGAN(*(pixel_network(*one) for one in networks), seed=5, **kwargs))


def exchange(pool, size, images, numbers):
    """Section 4: what a discriminator is shown."""
    shown = []
    for image, (decision, slot) in zip(images, numbers):
        if len(pool) < size:
            pool.append(image)
            shown.append(image)
        elif size and decision < 0.5:
            index = int(slot * size)
            shown.append(pool[index])
            pool[index] = image
        else:
            shown.append(image)
    return np.array(shown)


@pytest.mark.parametrize(
    ("weight", "identity_weight", "size"), [(10.0, 0.5, 2), (0.3, 0.0, 50), (0.0, 0.5, 1), (2.0, 1.0, 0)]
)
def test_two_steps_by_hand(weight, identity_weight, size):
    """The derivative of |r| is sign(r); those of the squares are 2 w (w G(x) + c - 1), and without the 2 in D's, whose
    loss is halved. All generators' derivatives are taken before either moves, and the discriminators see the
    translations of then.
    """
    model = pixel_model(cycle_weight=weight, identity_weight=identity_weight, pool_size=size)
    numbers, pools = numbers_of(model), ([], [])
    a, b, e, f, w, c, v, d = A, B, E, F, W, C, V, D
    inputs = np.array([[0.3, -0.9, 0.5], [-0.2, 0.6, 0.8]])
    targets = np.array([[1.0, 0.4, -0.7], [0.2, -0.8, 0.5]])
    for x, y in zip(inputs, targets):
        fake_y, fake_x = a * x + b, e * y + f
        on_x, on_y = e * fake_y + f - x, a * fake_x + b - y  # What the cycles miss.
        same_y, same_x = a * y + b - y, e * x + f - x
        cycle = np.mean(np.abs(on_x)) + np.mean(np.abs(on_y))
        identity = np.mean(np.abs(same_y)) + np.mean(np.abs(same_x))
        g_loss = np.mean((w * fake_y + c - 1) ** 2) + np.mean((v * fake_x + d - 1) ** 2)
        g_loss += weight * (cycle + identity_weight * identity)
        to_y = 2 * w * (w * fake_y + c - 1) + weight * e * np.sign(on_x)  # dL / dG(x)
        to_x = 2 * v * (v * fake_x + d - 1) + weight * a * np.sign(on_y)  # dL / dF(y)
        back_x, back_y = weight * np.sign(on_x), weight * np.sign(on_y)
        left_y, left_x = (weight * identity_weight * np.sign(part) for part in (same_y, same_x))
        slopes = [
            np.mean(to_y * x + back_y * fake_x + left_y * y),
            np.mean(to_y + back_y + left_y),
            np.mean(to_x * y + back_x * fake_y + left_x * x),
            np.mean(to_x + back_x + left_x),
        ]
        a, b, e, f = np.array([a, b, e, f]) - GENERATOR_RATE * np.array(slopes)
        shown_y = exchange(pools[0], size, fake_y, numbers.uniform((3, 2)).numpy())
        shown_x = exchange(pools[1], size, fake_x, numbers.uniform((3, 2)).numpy())
        d_loss = (np.mean((w * y + c - 1) ** 2) + np.mean((w * shown_y + c) ** 2)) / 2
        d_loss += (np.mean((v * x + d - 1) ** 2) + np.mean((v * shown_x + d) ** 2)) / 2
        slopes = [
            np.mean((w * y + c - 1) * y + (w * shown_y + c) * shown_y),
            np.mean((w * y + c - 1) + (w * shown_y + c)),
            np.mean((v * x + d - 1) * x + (v * shown_x + d) * shown_x),
            np.mean((v * x + d - 1) + (v * shown_x + d)),
        ]
        w, c, v, d = np.array([w, c, v, d]) - DISCRIMINATOR_RATE * np.array(slopes)
        model.reset_metrics()
        batch = (part.reshape(3, 1, 1, 1).astype("float32") for part in (x, y))
        logs = model.train_on_batch(*batch, return_dict=True)
        expected = {"cycle": cycle, "d_loss": d_loss, "g_loss": g_loss}
        expected |= {"identity": identity} if identity_weight else {}
        assert set(logs) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(logs[name], value, rtol=1e-5, err_msg=name)
    networks = (model.generator, model.back_generator, model.discriminator, model.back_discriminator)
    ours = [float(value) for network in networks for weight in network.get_weights() for value in weight.ravel()]
    # Two steps in float32, the second one of which starts from the first's rounding.
    np.testing.assert_allclose(ours, [a, b, e, f, w, c, v, d], rtol=1e-4, atol=1e-6)


def test_the_cycle_of_identities_is_zero():
    model = pixel_model((1.0, 0.0), (W, C), (1.0, 0.0), (V, D))
    x, y = samples_like(model, 8)
    logs = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
    assert logs["cycle"] == logs["identity"] == 0.0
    turned = pixel_model((-1.0, 0.5), (W, C), (-1.0, 0.5), (V, D), identity_weight=0.0)
    logs = turned.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
    assert logs["cycle"] < 1e-6  # Another pair of inverse functions.


def test_evaluation_leaves_the_pools_alone():
    model = make_of_paper()
    x, y = samples_like(model, 8)
    model.evaluate(x, y, batch_size=4, verbose=0)
    assert int(model.pool.count) == int(model.back_pool.count) == 0
    train(model, steps=1)
    assert int(model.pool.count) == int(model.back_pool.count) == 4


def test_learns_a_translation_without_pairs():
    """Dark pictures and bright ones: the brightness changes, and the drawing stays, or its negative. Two negations are
    a cycle as well, and the discriminators cannot tell.
    """
    random = np.random.default_rng(0)
    drawings = random.choice([-0.5, 0.5], (128, 2, 2, 1)).repeat(4, 1).repeat(4, 2).astype("float32")
    x, y = drawings[:64] - 0.4, drawings[64:] + 0.4
    model = make(identity_weight=0.0)
    adam = [keras.optimizers.Adam(2e-3, beta_1=0.5) for _ in range(2)]
    model.compile(*adam)
    history = model.fit(ganzoo.data.unpaired(x, y, batch_size=8), epochs=20, verbose=0).history
    assert history["cycle"][-1] < 0.5 * history["cycle"][0]
    for images, to, change in ((x, "y", 0.8), (y, "x", -0.8)):
        translated = model.translate(images, to=to)
        assert abs((translated - images).mean() - change) < 0.25
        assert abs(np.corrcoef(translated.ravel(), images.ravel())[0, 1]) > 0.8


# === For users ===


def test_translate():
    """Both directions, the averaged generators; each image by itself, uint8 as well."""
    model = make(ema_decay=0.9, condition_shape=(8, 8, 2), identity_weight=0.0)
    train(model, steps=2)
    x, y = samples_like(model, 7)
    for images, to, network, average in (
        (x, "y", model.generator, model.ema_generator),
        (y, "x", model.back_generator, model.ema_back_generator),
    ):
        translated = model.translate(images, to=to)
        assert translated.dtype == np.float32 and np.abs(translated).max() <= 1
        np.testing.assert_allclose(translated, average(images, training=False), atol=1e-5)
        assert np.abs(translated - network(images, training=False)).max() > 1e-4
        for batch_size in (1, 3):
            np.testing.assert_allclose(model.translate(images, to, batch_size), translated, atol=1e-5)
        pixels = np.random.default_rng(0).integers(0, 256, images.shape, "uint8")
        np.testing.assert_allclose(
            model.translate(pixels, to), model.translate(ganzoo.data.normalize(pixels), to), atol=1e-6
        )
    np.testing.assert_allclose(model.predict(x, verbose=0), model.translate(x), atol=1e-5)
    np.testing.assert_allclose(model.generate(condition=x, seed=3), model.translate(x), atol=1e-6)
    with pytest.raises(ValueError, match="`to` must be"):
        model.translate(x, to="z")
    with pytest.raises(ValueError, match=r"do not fit the model. Received: \(7, 8, 8, 2\). Expected: \(batch, 8, 8, 1"):
        model.translate(x, to="x")


def test_translate_uses_the_weights_of_now():
    model = make()
    _, y = samples_like(model, 2)
    before = model.translate(y, to="x")
    model.back_generator.set_weights([2 * value for value in model.back_generator.get_weights()])
    assert np.abs(model.translate(y, to="x") - before).max() > 1e-3


def test_both_generators_are_averaged():
    model = make(run_eagerly=True, ema_decay=0.75, generator_optimizer=keras.optimizers.SGD(0.1))
    pairs = [(model.ema_generator, model.generator), (model.ema_back_generator, model.back_generator)]
    expected = [arrays(average.weights) for average, _ in pairs]
    for decay in (1 / 10, 2 / 11):
        train(model, steps=1)
        expected = [
            [decay * old + (1 - decay) * new for old, new in zip(of_these, arrays(network.weights))]
            for of_these, (_, network) in zip(expected, pairs)
        ]
    for of_these, (average, network) in zip(expected, pairs):
        for a, b in zip(of_these, arrays(average.weights)):
            np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-7)
        assert any(not np.allclose(a, b) for a, b in zip(arrays(average.weights), arrays(network.weights)))


def test_export(tmp_path):
    model = make(ema_decay=0.5, condition_shape=(8, 8, 3), identity_weight=0.0)
    train(model, steps=1)
    model.export(tmp_path / "1")
    signatures = tf.saved_model.load(tmp_path / "1").signatures
    assert sorted(signatures) == ["generate", "generate_png", "serving_default", "translate_to_x"]
    x, y = samples_like(model, 3)
    np.testing.assert_allclose(
        signatures["serving_default"](image=tf.constant(x))["images"], model.translate(x), atol=1e-5
    )
    np.testing.assert_allclose(
        signatures["translate_to_x"](image=tf.constant(y))["images"], model.translate(y, to="x"), atol=1e-5
    )


def test_fit_takes_two_arrays_of_different_length():
    model = make(run_eagerly=True)
    x, y = samples_like(model, 10)
    assert set(model.fit(x[:5], y, batch_size=5, verbose=0).history) == LOGS
    assert model.steps_done == 2
    with pytest.raises(ValueError, match="learns from two collections, and received one"):
        model.fit(x, batch_size=4)


def test_augmentation_and_penalty_reach_both_discriminators():
    class Seen(ganzoo.augmentation.DiffAugment):
        images, values = [], None

        def __call__(self, images, numbers):
            self.images.append(images)
            return super().__call__(images, numbers)

        def after_step(self, values, images_seen):
            self.values = values, images_seen

    augmentation = Seen()
    model = make(run_eagerly=True, augmentation=augmentation, r1_weight=1.0)
    logs = train(model, steps=1).history
    assert set(logs) == LOGS | {"r1"} and logs["r1"][0] > 0
    # Two translations for the generators; real and shown images of both for the discriminators, and R1's passes.
    assert len(augmentation.images) == 2 + 4 + 2
    values, images_seen = augmentation.values
    assert images_seen == 4 and -1 <= float(values["real_sign"]) <= 1


# === Refusals ===


def networks():
    generator = translator.generator((8, 8, 1), filters=1, blocks=1)
    discriminator = patchgan.discriminator((8, 8, 1), receptive_field=16, filters=1, conditional=False)
    return generator, discriminator


def test_refusals():
    generator, discriminator = networks()
    both = generator, discriminator, *networks()
    for name in ("cycle_weight", "identity_weight"):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            ganzoo.CycleGAN(*both, **{name: -1})
    with pytest.raises(ValueError, match="`pool_size` must be an integer"):
        ganzoo.CycleGAN(*both, pool_size=-1)
    for name in ("discriminator_steps", "packing"):
        with pytest.raises(ValueError, match=f"`{name}` must be 1. Received: {name}=2"):
            ganzoo.CycleGAN(*both, **{name: 2})
    with pytest.raises(ValueError, match="CycleGAN translates images: .*ganzoo.networks.translator"):
        ganzoo.CycleGAN(dcgan.generator((8, 8, 1), filters=1), discriminator, generator, discriminator)
    other = translator.generator((8, 8, 1), (8, 8, 3), filters=1, blocks=1)
    with pytest.raises(ValueError, match=r"`back_generator` must take images of y, .*\(8, 8, 1\). Received: .*8, 8, 3"):
        ganzoo.CycleGAN(generator, discriminator, other, discriminator)
    with pytest.raises(ValueError, match=r"`back_generator` must make images of x, .*\(8, 8, 3\). Received: .*8, 8, 1"):
        ganzoo.CycleGAN(other, discriminator, generator, discriminator)
    judge = patchgan.discriminator((8, 8, 3), receptive_field=16, filters=1, conditional=False)
    with pytest.raises(ValueError, match=r"`back_discriminator` must take images of x"):
        ganzoo.CycleGAN(generator, discriminator, generator, judge)
    with pytest.raises(TypeError, match="`back_generator` must be a keras.Model"):
        ganzoo.CycleGAN(generator, discriminator, None, discriminator)
    with pytest.raises(ValueError, match=r"compares G\(y\) with y.*Pass identity_weight=0"):
        make_of_paper(condition_shape=(8, 8, 3))
    with pytest.raises(ValueError, match="Received: total_steps=9 and generator_optimizer"):
        make(total_steps=9, generator_optimizer="adam")
    with pytest.raises(TypeError, match=r"unknown settings \['lambda_a'\].*cycle_weight"):
        make_of_paper(lambda_a=10)
    with pytest.raises(AttributeError, match="`pool_size` is fixed"):
        make().pool_size = 3
