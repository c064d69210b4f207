import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.layers import OneHot
from ganzoo.models.acgan import class_loss
from tests.check_model import (
    check_model,
    each_optimizer_moves_its_own_network,
    reload,
    resumes_with_the_same_bits,
    samples_like,
    tiny,
)
from tests.scalar_networks import DISCRIMINATOR_RATE, GENERATOR_RATE, compiled, numbers_of, sigmoid

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability", "class_loss", "real_class_loss"}


def make(**overrides):
    """Kernels larger than the paper's: gradients through a few filters are large enough to be compared."""
    sizes = {"num_classes": 3, "filters": 2, "kernel_initializer": "glorot_uniform"}
    return tiny(ganzoo.ACGAN, (8, 8, 1), **{**sizes, **overrides})


make.generator_logs = {"class_loss"}


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.ACGAN.from_paper((28, 28, 1), 10)
    assert (model.generator.name, model.discriminator.name) == ("dcgan_generator", "dcgan_discriminator")
    assert (model.num_classes, model.latent_dim, model.class_weight) == (10, 100, 1.0)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        np.testing.assert_allclose([float(optimizer.learning_rate), optimizer.beta_1], [2e-4, 0.5], rtol=1e-6)


# g(z, y) = a z + b_y; d(x) = w x + c and the logits v x + u.
A, B = 0.7, np.array([-0.3, 0.8])
W, C = 1.5, 0.2
V, U = np.array([0.8, -0.5]), np.array([0.1, 0.3])
WEIGHT = 0.7


def line_networks():
    latents, label = keras.Input((1,), name="latents"), keras.Input((), dtype="int64", name="label")
    joined = keras.layers.Concatenate()([latents, OneHot(2)(label)])
    generator = keras.Model([latents, label], keras.layers.Dense(1, use_bias=False)(joined))
    generator.set_weights([np.array([[A], *B[:, None]])])
    image = keras.Input((1,), name="image")
    heads = {name: keras.layers.Dense(size, name=name)(image) for name, size in (("scores", 1), ("classes", 2))}
    discriminator = keras.Model(image, heads)
    discriminator.get_layer("scores").set_weights([np.array([[W]]), np.array([C])])
    discriminator.get_layer("classes").set_weights([V[None], U])
    return generator, discriminator


def of_lines(**settings):
    return compiled(ganzoo.ACGAN(*line_networks(), num_classes=2, seed=5, **settings))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_one_update_by_hand():
    """With p = sigmoid(d) and q = softmax: the slope of -log P(S) is p - 1 or p, of -log P(C = y) it is q - y."""
    model = of_lines(class_weight=WEIGHT)
    real, labels = np.array([1.0, -2.0, 0.5, 2.5]), np.array([1, 0, 1, 1])
    one_hot, numbers, rate = np.eye(2)[labels], numbers_of(model), DISCRIMINATOR_RATE
    fake = A * numbers.normal((4, 1)).numpy()[:, 0].astype("float64") + B[labels]
    real_error, fake_error = sigmoid(W * real + C) - 1, sigmoid(W * fake + C)
    w, c = W - rate * np.mean(real_error * real + fake_error * fake), C - rate * np.mean(real_error + fake_error)
    errors = [softmax(samples[:, None] * V + U) - one_hot for samples in (real, fake)]
    v = V - rate * WEIGHT * (real @ errors[0] + fake @ errors[1]) / 4
    u = U - rate * WEIGHT * (errors[0] + errors[1]).mean(axis=0)

    latents = numbers.normal((4, 1)).numpy()[:, 0].astype("float64")
    fake = A * latents + B[labels]
    slope = (sigmoid(w * fake + c) - 1) * w + WEIGHT * (softmax(fake[:, None] * v + u) - one_hot) @ v
    a, b = A - GENERATOR_RATE * np.mean(slope * latents), B - GENERATOR_RATE * slope @ one_hot / 4

    model.train_on_batch(real[:, None].astype("float32"), labels)
    np.testing.assert_allclose(model.generator.get_weights()[0][:, 0], [a, *b], rtol=1e-5)
    for name, values in (("scores", (w, c)), ("classes", (v, u))):
        kernel, bias = model.discriminator.get_layer(name).get_weights()
        np.testing.assert_allclose([*kernel[0], *bias], np.hstack(values), rtol=1e-5)


def test_uniform_logits_have_the_class_loss_log_k():
    model = make()
    head = model.discriminator.get_layer("classes")
    head.set_weights([np.zeros_like(weight) for weight in head.get_weights()])
    logs = model.test_on_batch(*samples_like(model, 8), return_dict=True)
    assert logs["class_loss"] == logs["real_class_loss"] == pytest.approx(math.log(3), rel=1e-6)


def test_the_losses_hold_both_classes_and_one():
    """D's loss holds the cross-entropies of real and generated samples, G's the second one, each times the weight."""
    images, labels = samples_like(make(), 8)
    plain, weighted = (
        make(class_weight=weight).test_on_batch(images, labels, return_dict=True) for weight in (0.0, 2.0)
    )
    classes = weighted["real_class_loss"] + weighted["class_loss"]
    assert weighted["d_loss"] == pytest.approx(plain["d_loss"] + 2 * classes, rel=1e-5)
    assert weighted["g_loss"] == pytest.approx(plain["g_loss"] + 2 * weighted["class_loss"], rel=1e-5)
    scores = -math.log(plain["fake_probability"])  # At least, by Jensen's inequality; equal for equal scores.
    assert scores <= plain["g_loss"] < scores + 0.5


def test_the_gradient_of_the_class_loss_reaches_the_generator():
    """d/dx of -log q_y is (q - y) . v, and dx/da = z, dx/db_y = 1."""
    model = of_lines()
    latents, labels = tf.constant([[0.5], [-1.0]]), tf.constant([0, 1], "int64")
    kernel = model.generator.trainable_variables[0].value
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        samples = model.decode(latents, labels, training=True)
        loss = class_loss(model.critic(labels), samples)
    fake = A * np.array([0.5, -1.0]) + B
    errors = (softmax(fake[:, None] * V + U) - np.eye(2)) @ V / 2
    wanted = [errors @ [0.5, -1.0], *errors]
    np.testing.assert_allclose(tape.gradient(loss, kernel)[:, 0], wanted, rtol=1e-5)
    assert np.abs(wanted).min() > 1e-3


def count_passes(model):
    calls, call = [], model.discriminator.call

    def counting(inputs, *args, **kwargs):
        calls.append(inputs.shape[0])
        return call(inputs, *args, **kwargs)

    model.discriminator.call = counting
    return calls


def test_scores_and_classes_come_from_one_forward_pass():
    model = make(run_eagerly=True)
    images, labels = map(tf.constant, samples_like(model, 4))
    calls = count_passes(model)
    model.update_discriminator(images, labels)
    assert calls == [4, 4]  # Real and generated samples.
    model.update_generator(images, labels)
    assert calls == [4, 4, 4]


@pytest.mark.parametrize("every", [1, 2])
def test_with_r1_and_r2_also_in_every_second_step(every):
    settings = {"r1_weight": 1.0, "r2_weight": 1.0, "penalty_interval": every}
    model = make(discriminator_normalization=None, **settings)
    images, labels = samples_like(model, 16)
    logs = model.fit(images, labels, batch_size=4, verbose=0).history
    assert set(logs) == LOGS | {"r1", "r2"}
    assert np.isfinite(list(logs.values())).all()


def test_the_discriminator_is_not_told_the_class():
    assert len(make().discriminator.inputs) == 1
    assert len(make().generator.inputs) == 2
    conditional = ganzoo.networks.dcgan.discriminator((8, 8, 1), 2, num_classes=3, heads={"classes": 3})
    with pytest.raises(ValueError, match="`discriminator` must have 1 input.*'image', 'label'"):
        ganzoo.ACGAN(make().generator, conditional, num_classes=3)


def test_classify():
    model = make()
    images = model.generate(5, condition=[0, 1, 2, 0, 1])
    found = model.classify(images, batch_size=2)
    assert found.shape == (5, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    logits = np.array(model.discriminator(images, training=False)["classes"])
    np.testing.assert_allclose(found, softmax(logits), rtol=1e-4)


def test_learns_two_classes():
    """Two points for two classes: the classifier tells them, and the generator puts each class on its own side.

    A statement on sides only, which the optimum of L_C alone implies, so no luck of a seed decides it.
    """
    mlp = ganzoo.networks.mlp
    keras.utils.set_random_seed(0)
    model = ganzoo.ACGAN(
        mlp.generator((1,), 1, (8,), num_classes=2),
        mlp.discriminator((1,), (8,), heads={"classes": 2}),
        num_classes=2,
        seed=0,
    )
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    labels = np.arange(64) % 2
    samples = (2.0 * labels - 1.0).astype("float32")[:, None]
    model.fit(samples, labels, batch_size=64, steps_per_epoch=300, verbose=0, check=False)
    assert (model.classify(samples).argmax(axis=1) == labels).all()
    generated = model.generate(200, condition=np.arange(200) % 2)[:, 0]
    assert np.mean(np.sign(generated) == 2.0 * (np.arange(200) % 2) - 1.0) > 0.9


ATTRIBUTES = ["hair brown", "hair black", "hair red", "glasses none", "glasses round"]


def with_attributes(**overrides):
    return make(**{"num_classes": None, "num_attributes": 5, "attribute_names": ATTRIBUTES, **overrides})


@pytest.mark.parametrize("check", [resumes_with_the_same_bits, each_optimizer_moves_its_own_network])
def test_contract_with_attributes(check, tmp_path):
    check(with_attributes, LOGS, tmp_path)


@pytest.mark.parametrize(("names", "expected"), [(ATTRIBUTES, math.log(3) + math.log(2)), (None, 5 * math.log(2))])
def test_uniform_logits_of_attributes(names, expected):
    """A label of K values has log K, and attributes without names have log 2 each."""
    model = with_attributes(attribute_names=names)
    head = model.discriminator.get_layer("attributes")
    head.set_weights([np.zeros_like(weight) for weight in head.get_weights()])
    rows = np.float32([[1, 0, 0, 0, 1], [0, 0, 1, 1, 0], [0, 1, 0, 0, 1]])
    logs = model.test_on_batch(samples_like(model, 3)[0], rows, return_dict=True)
    assert logs["class_loss"] == logs["real_class_loss"] == pytest.approx(expected, rel=1e-6)
    probabilities = model.classify(samples_like(model, 3)[0])
    np.testing.assert_allclose(probabilities, [[1 / 3] * 3 + [1 / 2] * 2 if names else [1 / 2] * 5] * 3, rtol=1e-6)


def test_loss_of_attributes_by_hand():
    """-log of the asked values' probabilities, added over the labels."""
    model = with_attributes(run_eagerly=True)
    images, _ = samples_like(model, 2)
    rows = np.float32([[1, 0, 0, 0, 1], [0, 0, 1, 1, 0]])
    logits = model.discriminator.predict(images, verbose=0)["attributes"].astype("float64")
    hair, glasses = softmax(logits[:, :3]), softmax(logits[:, 3:])
    wanted = -np.log([hair[0, 0] * glasses[0, 1], hair[1, 2] * glasses[1, 0]]).mean()
    critic = model.critic(tf.constant(rows), training=False)
    assert float(class_loss(critic, tf.constant(images), model.label_columns)) == pytest.approx(wanted, rel=1e-5)


def test_what_is_refused():
    generator, discriminator = line_networks()
    with pytest.raises(ValueError, match="If 'label' is a label, pass num_classes"):
        ganzoo.ACGAN(generator, discriminator)
    with pytest.raises(ValueError, match="AC-GAN needs `num_classes`"):
        ganzoo.ACGAN.from_paper((28, 28, 1), None)
    mlp = ganzoo.networks.mlp
    with pytest.raises(ValueError, match="must have the heads .*'classes': \\(None, 2\\).* with none"):
        ganzoo.ACGAN(generator, mlp.discriminator((1,), (2,)), num_classes=2)
    with pytest.raises(ValueError, match="Received: .*'classes': \\(None, 3\\)"):
        ganzoo.ACGAN(generator, mlp.discriminator((1,), (2,), heads={"classes": 3}), num_classes=2)
    with pytest.raises(ValueError, match="packing=2. Leave it at 1"):
        ganzoo.ACGAN(
            generator, mlp.discriminator((1,), (2,), heads={"classes": 2}, packing=2), num_classes=2, packing=2
        )
    with pytest.raises(ValueError, match="`class_weight` must be"):
        ganzoo.ACGAN(generator, discriminator, num_classes=2, class_weight=-1.0)


def test_further_conditions_are_refused():
    """The discriminator would not see them, and the generator would ignore them."""
    latents, label = keras.Input((1,), name="latents"), keras.Input((), dtype="int64", name="label")
    attributes = keras.Input((3,), name="attributes")
    joined = keras.layers.Concatenate()([latents, OneHot(2)(label), attributes])
    generator = keras.Model([latents, label, attributes], keras.layers.Dense(1)(joined))
    with pytest.raises(ValueError, match="AC-GAN has one condition, .* Received: .* label, attributes"):
        ganzoo.ACGAN(generator, line_networks()[1], num_classes=2)


def test_round_trip(tmp_path):
    model = make(class_weight=0.5, minimax=True, class_names=["a", "b", "c"])
    model.fit(*samples_like(model, 8), batch_size=4, verbose=0)
    loaded = reload(model, tmp_path)
    assert isinstance(loaded, ganzoo.ACGAN)
    assert (loaded.class_weight, loaded.minimax, loaded.num_classes) == (0.5, True, 3)
    np.testing.assert_array_equal(loaded.generate(2, condition=["b", "c"]), model.generate(2, condition=[1, 2]))
    np.testing.assert_array_equal(loaded.classify(samples_like(model, 4)[0]), model.classify(samples_like(model, 4)[0]))
