"""What is refused: with the type of the error, its words, and before any training step."""

import functools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from tests.check_model import sgd, tiny, two_replicas

SHAPE = (4, 4, 1)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype("float32")
LABELS = np.arange(8) % 3


def gan(**overrides):
    return tiny(ganzoo.GAN, SHAPE, **{"hidden": (2,), **overrides})


def conditional(**overrides):
    return gan(num_classes=3, **overrides)


def batched(*parts, size=4):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(size, drop_remainder=True)


def but(index, value):
    """The images with one value changed."""
    images = IMAGES.copy()
    images[index, 1, 2, 0] = value
    return images


def generator_function():
    yield IMAGES


# name: (model, arguments of fit, type of the error, its words)
FIT = {
    "wrong rank": (gan, [batched(IMAGES[..., 0])], {}, ValueError, r"wrong rank.*\(4, 4, 4\).*\(batch, 4, 4, 1\)"),
    "vectors for images": (gan, [batched(IMAGES.reshape(8, 16))], {}, ValueError, r"wrong rank.*\(4, 16\)"),
    "wrong size": (gan, [batched(np.zeros((8, 5, 4, 1), "float32"))], {}, ValueError, r"not fit.*\(4, 5, 4, 1\)"),
    "wrong channels": (
        gan,
        [batched(np.zeros((8, 4, 4, 3), "float32"))],
        {},
        ValueError,
        r"not fit.*\(4, 4, 4, 3\).*image_shape=\(4, 4, 3\)",
    ),
    "unbatched": (gan, [tf.data.Dataset.from_tensor_slices(IMAGES)], {}, ValueError, r"not batched.*dataset\.batch\("),
    "uint8": (gan, [batched(IMAGES.astype("uint8"))], {}, ValueError, r"floats in \[-1, 1\].*uint8.*normalize"),
    "int32": (gan, [batched(IMAGES.astype("int32"))], {}, ValueError, r"floats in \[-1, 1\].*int32"),
    "strings": (gan, [batched(np.full((8, *SHAPE), "a"))], {}, ValueError, r"floats in \[-1, 1\].*string"),
    "booleans": (gan, [batched(IMAGES > 0)], {}, ValueError, r"floats in \[-1, 1\].*bool"),
    "range 0..255": (gan, [batched(IMAGES * 127.5 + 127.5)], {}, ValueError, r"lie in \[-1, 1\].*x / 127\.5 - 1"),
    "range 0..2": (gan, [batched(IMAGES + 1)], {}, ValueError, r"lie in \[-1, 1\].*Received values from 0\.\d+ to 1\."),
    "NaN": (gan, [batched(but(2, np.nan))], {}, ValueError, "NaN or infinite"),
    "infinite": (gan, [batched(but(0, -np.inf))], {}, ValueError, "NaN or infinite"),
    "empty": (gan, [batched(IMAGES[:3])], {}, ValueError, "empty: it yields no batch.*smaller batch size"),
    "empty of unknown size": (
        gan,
        [batched(IMAGES).filter(lambda images: False)],
        {},
        ValueError,
        "empty: it yields no batch",
    ),
    "too small for n_critic": (
        functools.partial(gan, discriminator_steps=3),
        [batched(IMAGES)],
        {},
        ValueError,
        r"2 batch\(es\) of 4.*discriminator_steps=3",
    ),
    "endless": (gan, [batched(IMAGES).repeat()], {}, ValueError, "endless.*steps_per_epoch"),
    "dictionaries": (
        gan,
        [batched(IMAGES).map(lambda images: {"image": images})],
        {},
        ValueError,
        r"dictionaries with the keys \['image'\].*\(row\['image'\], row\['label'\]\)",
    ),
    "sample weights": (
        gan,
        [batched(IMAGES, LABELS, LABELS)],
        {},
        ValueError,
        "tuples of 3.*weights are not supported",
    ),
    "nested": (gan, [batched(IMAGES).map(lambda x: ((x, x), x))], {}, ValueError, r"samples or \(samples, label\)"),
    "unknown rank": (
        gan,
        [tf.data.Dataset.from_generator(generator_function, output_signature=tf.TensorSpec(None, "float32"))],
        {},
        ValueError,
        "unknown rank.*tf.ensure_shape",
    ),
    "labels missing": (
        conditional,
        [batched(IMAGES)],
        {},
        ValueError,
        r"num_classes=3.*have no labels.*\(samples, label",
    ),
    "labels too large": (
        conditional,
        [batched(IMAGES, LABELS + 1)],
        {},
        ValueError,
        r"must lie in 0\.\.2 .*labels from 1 to 3",
    ),
    "labels negative": (conditional, [batched(IMAGES, LABELS - 1)], {}, ValueError, r"lie in 0\.\.2.*from -1 to 1"),
    "labels float": (conditional, [batched(IMAGES, LABELS / 2)], {}, ValueError, "Labels must be integers.*float64"),
    "labels one-hot": (
        conditional,
        [batched(IMAGES, np.eye(3, dtype="int64")[LABELS])],
        {},
        ValueError,
        r"Labels must be integers of shape \(batch,\).*\(4, 3\).*argmax",
    ),
    "labels beside a dataset": (
        gan,
        [batched(IMAGES), LABELS],
        {},
        ValueError,
        "dataset holds its labels.*Leave out `y`",
    ),
    "batch_size beside a dataset": (
        gan,
        [batched(IMAGES)],
        {"batch_size": 4},
        ValueError,
        "dataset holds its labels and its batches.*Leave out `batch_size`",
    ),
    "a Python generator": (gan, [generator_function()], {}, TypeError, r"tf\.data\.Dataset.*builtins\.generator"),
    "a dictionary of arrays": (gan, [{"image": IMAGES}], {}, TypeError, r"tf\.data\.Dataset.*builtins\.dict"),
    "nothing": (gan, [], {}, TypeError, r"tf\.data\.Dataset.*NoneType"),
    "a path": (gan, ["photos/"], {}, TypeError, r"tf\.data\.Dataset.*builtins\.str"),
    "an empty array": (gan, [IMAGES[:0]], {}, ValueError, r"empty.*\(0, 4, 4, 1\)"),
    "an integer array": (gan, [IMAGES.astype("int64")], {}, ValueError, "uint8.*or floats.*int64"),
    "an array in 0..255": (gan, [IMAGES * 127.5 + 127.5], {}, ValueError, r"lie in \[-1, 1\].*pixels 0\.\.255"),
    "array and labels of another length": (
        conditional,
        [IMAGES, LABELS[:5]],
        {},
        ValueError,
        r"labels.*\(8,\).*\(5,\)",
    ),
    "batch_size larger than the array": (
        gan,
        [IMAGES],
        {"batch_size": 9},
        ValueError,
        "batch_size=9 is larger.*8 samples",
    ),
    "steps_per_epoch 1.5": (gan, [batched(IMAGES)], {"steps_per_epoch": 1.5}, ValueError, r"`steps_per_epoch` .*1\.5"),
    "endless and empty": (
        gan,
        [batched(IMAGES).filter(lambda images: False)],
        {"steps_per_epoch": 2},
        ValueError,
        "empty: it yields no batch",
    ),
    "batch_size zero": (
        gan,
        [IMAGES],
        {"batch_size": 0},
        ValueError,
        "`batch_size` must be an integer of at least 1.*0",
    ),
    "steps_per_epoch zero": (
        gan,
        [batched(IMAGES)],
        {"steps_per_epoch": 0},
        ValueError,
        "`steps_per_epoch` must be .*0",
    ),
    "steps_per_epoch negative": (
        gan,
        [batched(IMAGES)],
        {"steps_per_epoch": -2},
        ValueError,
        "`steps_per_epoch` must be .*-2",
    ),
    "validation data of another shape": (
        gan,
        [batched(IMAGES)],
        {"validation_data": batched(np.zeros((8, 5, 4, 1), "float32"))},
        ValueError,
        r"not fit.*\(4, 5, 4, 1\)",
    ),
    "validation data empty": (
        gan,
        [batched(IMAGES)],
        {"validation_data": batched(IMAGES[:3])},
        ValueError,
        "evaluation is empty",
    ),
}


def untouched(model):
    return model.steps_done == 0 and int(model.generator_optimizer.iterations) == 0


@pytest.mark.parametrize(("make", "arguments", "options", "error", "words"), FIT.values(), ids=FIT.keys())
def test_fit_refuses(make, arguments, options, error, words):
    model = make()
    weights = model.get_weights()
    with pytest.raises(error, match=re.compile(words, re.DOTALL)):
        model.fit(*arguments, verbose=0, **options)
    assert untouched(model)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(weights, model.get_weights()))


# name: (model, call, type of the error, its words)
CALL = {
    "generate none": (gan, lambda m: m.generate(0), ValueError, "`num_samples` must be an integer of at least 1.*0"),
    "generate -1": (gan, lambda m: m.generate(-1), ValueError, "`num_samples` .*-1"),
    "generate 1.5": (gan, lambda m: m.generate(1.5), ValueError, r"`num_samples` .*1\.5"),
    "generate True": (gan, lambda m: m.generate(True), ValueError, "`num_samples` .*True"),
    "generate in batches of 0": (gan, lambda m: m.generate(4, batch_size=0), ValueError, "`batch_size` .*0"),
    "seed of 1.5": (gan, lambda m: m.generate(4, seed=1.5), ValueError, "`seed` .*1.5"),
    "seed None": (gan, lambda m: m.generate(4, seed=None), ValueError, "`seed` .*None"),
    "condition unwanted": (
        gan,
        lambda m: m.generate(2, condition=[0, 1]),
        ValueError,
        r"unconditional.*condition=\[0, 1\]",
    ),
    "condition missing": (conditional, lambda m: m.generate(2), ValueError, r"conditional \(num_classes=3\).*2 labels"),
    "condition too short": (
        conditional,
        lambda m: m.generate(4, condition=[0, 1]),
        ValueError,
        r"num_samples=4.*\(2,\)",
    ),
    "condition too large": (conditional, lambda m: m.generate(2, condition=3), ValueError, r"0\.\.2.*from 3 to 3"),
    "condition negative": (conditional, lambda m: m.generate(2, condition=-1), ValueError, r"0\.\.2.*from -1 to -1"),
    "condition float": (
        conditional,
        lambda m: m.generate(1, condition=[1.0]),
        ValueError,
        "must hold integers.*float64",
    ),
    "condition one-hot": (
        conditional,
        lambda m: m.generate(2, condition=np.eye(3, dtype=int)[:2]),
        ValueError,
        r"one label or num_samples=2 labels.*\(2, 3\)",
    ),
    "export as pickle": (gan, lambda m: m.export("nowhere", format="pickle"), ValueError, "saved_model.*onnx.*pickle"),
    "ONNX of another name": (gan, lambda m: m.export("nowhere", format="onnx"), ValueError, "nowhere.*nowhere.onnx"),
    "train_on_batch not a multiple": (
        functools.partial(gan, discriminator_steps=3),
        lambda m: m.train_on_batch(IMAGES),
        ValueError,
        "multiple of discriminator_steps=3.*8 samples",
    ),
    "train_on_batch nothing": (gan, lambda m: m.train_on_batch(None), TypeError, "array or tensor.*NoneType"),
    "train_on_batch empty": (gan, lambda m: m.train_on_batch(IMAGES[:0]), ValueError, "0 samples"),
    "train_on_batch in 0..255": (gan, lambda m: m.train_on_batch(IMAGES * 255), ValueError, r"lie in \[-1, 1\]"),
    "train_on_batch uint8": (gan, lambda m: m.train_on_batch(IMAGES.astype("uint8")), ValueError, "uint8"),
    "train_on_batch without labels": (conditional, lambda m: m.train_on_batch(IMAGES), ValueError, "have no labels"),
    "train_on_batch with too few labels": (
        conditional,
        lambda m: m.train_on_batch(IMAGES, LABELS[:5]),
        ValueError,
        "8 samples and 5 labels",
    ),
    "evaluate nothing": (gan, lambda m: m.evaluate(batched(IMAGES[:3])), ValueError, "evaluation is empty"),
    "evaluate uint8": (gan, lambda m: m.evaluate(batched(IMAGES.astype("uint8"))), ValueError, "uint8"),
    "one optimizer for two": (
        gan,
        lambda m: m.compile(m.generator_optimizer, m.generator_optimizer),
        ValueError,
        "an optimizer each.*same object twice",
    ),
    "generator_optimizer None": (gan, lambda m: m.compile(None, "sgd"), ValueError, "`generator_optimizer` is missing"),
    "discriminator_optimizer None": (
        gan,
        lambda m: m.compile("sgd", None),
        ValueError,
        "`discriminator_optimizer` is missing",
    ),
    "checkpoint every 0 steps": (
        gan,
        lambda m: ganzoo.callbacks.Checkpoint("nowhere", every_steps=0),
        ValueError,
        "`every_steps` must be an integer of at least 1.*0",
    ),
    "keep 0 checkpoints": (
        gan,
        lambda m: ganzoo.callbacks.Checkpoint("nowhere", keep=0),
        ValueError,
        "`keep` must be an integer of at least 1.*0",
    ),
    "burn-in of 0 steps": (
        gan,
        lambda m: ganzoo.callbacks.CriticBurnIn(steps=0),
        ValueError,
        "`steps` must be an integer of at least 1.*0",
    ),
    "burn-in in a graph of many steps": (
        functools.partial(gan, steps_per_execution=2),
        lambda m: m.fit(batched(IMAGES), verbose=0, callbacks=[ganzoo.callbacks.CriticBurnIn()]),
        ValueError,
        "steps_per_execution=2.*steps_per_execution=1",
    ),
}


@pytest.mark.parametrize(("make", "call", "error", "words"), CALL.values(), ids=CALL.keys())
def test_call_refuses(make, call, error, words):
    model = make()
    with pytest.raises(error, match=re.compile(words, re.DOTALL)):
        call(model)
    assert untouched(model)


def dense_model(inputs, outputs, **kwargs):
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs, **kwargs)])


def two_outputs():
    latents = keras.Input((3,))
    return keras.Model(latents, [latents, latents])


def points(cls=ganzoo.GAN, generator=None, discriminator=None, **kwargs):
    """Builds a model for points in the plane, with something wrong."""
    return cls(generator or dense_model(3, 2), discriminator or dense_model(2, 1), **kwargs)


dcgan, mlp = ganzoo.networks.dcgan, ganzoo.networks.mlp

# name: (call, type of the error, its words)
BUILD = {
    "unknown setting": (
        lambda: gan(lambda_gp=10),
        TypeError,
        r"unknown settings \['lambda_gp'\].*It takes: .*ema_decay",
    ),
    "no channels": (lambda: tiny(ganzoo.DCGAN, (28, 28)), ValueError, r"number of channels.*\(28, 28\).*\(28, 28, 1\)"),
    "float sizes": (lambda: tiny(ganzoo.DCGAN, (28.5, 28, 1)), ValueError, r"positive integers.*28\.5"),
    "negative sizes": (lambda: tiny(ganzoo.GAN, (-4, 4, 1)), ValueError, r"positive integers.*\(-4, 4, 1\)"),
    "an integer as shape": (lambda: tiny(ganzoo.GAN, 28), ValueError, "positive integers.*28"),
    "too many axes": (lambda: tiny(ganzoo.GAN, (4, 4, 4, 1)), ValueError, r"positive integers.*\(4, 4, 4, 1\)"),
    "too small for dcgan": (
        lambda: tiny(ganzoo.DCGAN, (7, 64, 3)),
        ValueError,
        r"8x8 pixels or more.*\(7, 64, 3\).*mlp",
    ),
    "latent_dim 0": (lambda: gan(latent_dim=0), ValueError, "`latent_dim` must be an integer of at least 1.*0"),
    "latent_dim float": (
        lambda: gan(latent_dim=1.5),
        ValueError,
        r"`latent_dim` must be an integer .*1\.5",
    ),
    "filters 0": (
        lambda: tiny(ganzoo.DCGAN, (8, 8, 1), filters=0),
        ValueError,
        "`filters` must be an integer of at least 1.*0",
    ),
    "hidden 0": (lambda: gan(hidden=(4, 0)), ValueError, "`hidden` must be a sequence of integers of at least 1.*0"),
    "num_classes 0": (lambda: gan(num_classes=0), ValueError, "`num_classes` must be an integer of at least 1.*0"),
    "normalization name": (lambda: gan(normalization="group"), ValueError, "one of .*'batch', 'layer'.*group"),
    "normalization of dense layers": (lambda: gan(normalization="instance"), ValueError, "one of .*'layer'.*instance"),
    "latent_dim of another generator": (lambda: points(latent_dim=7), ValueError, r"latent_dim=7.*\(None, 3\)"),
    "discriminator of other samples": (
        lambda: points(discriminator=dense_model(5, 1)),
        ValueError,
        r"samples of shape \(2,\).*samples of shape \(5,\)",
    ),
    "generator is no model": (
        lambda: points(generator=keras.layers.Dense(2)),
        TypeError,
        "`generator` .*keras.Model.*Dense",
    ),
    "discriminator is a function": (
        lambda: points(discriminator=len),
        TypeError,
        "`discriminator` must be a keras.Model",
    ),
    "unbuilt generator": (
        lambda: points(generator=keras.Sequential([keras.layers.Dense(2)])),
        ValueError,
        "`generator` must be a model with known input shapes",
    ),
    "generator with two outputs": (lambda: points(generator=two_outputs()), ValueError, "one output.*2 outputs"),
    "classes, but no label input": (lambda: points(num_classes=3), ValueError, "two inputs, the second one the label"),
    "label input, but no classes": (
        lambda: points(generator=mlp.generator((2,), 3, (2,), num_classes=3)),
        ValueError,
        "one input, for num_classes=None.*latents.*label",
    ),
    "batch normalization under a gradient penalty": (
        lambda: tiny(ganzoo.WGANGP, (16, 16, 1), filters=2, normalization="batch"),
        ValueError,
        'batch normalization.*down_1_batch_norm.*normalization="layer"',
    ),
    "ema_decay 1": (lambda: gan(ema_decay=1.0), ValueError, r"`ema_decay` must lie between 0 and 1.*1\.0"),
    "ema_decay negative": (lambda: gan(ema_decay=-0.5), ValueError, r"`ema_decay` .*-0\.5"),
    "discriminator_steps 0": (lambda: gan(discriminator_steps=0), ValueError, "`discriminator_steps` must be .*1.*0"),
    "discriminator_steps 1.5": (lambda: gan(discriminator_steps=1.5), ValueError, r"`discriminator_steps` .*1\.5"),
    "discriminator_steps True": (lambda: gan(discriminator_steps=True), ValueError, "`discriminator_steps` .*True"),
    "clip_value 0": (
        lambda: points(ganzoo.WGAN, clip_value=0),
        ValueError,
        "`clip_value` must be a finite number above 0.*clip_value=0",
    ),
    "clip_value negative": (lambda: points(ganzoo.WGAN, clip_value=-0.01), ValueError, r"`clip_value` .*-0\.01"),
    "another constraint under clipping": (
        lambda: points(ganzoo.WGAN, discriminator=dense_model(2, 1, kernel_constraint="non_neg")),
        ValueError,
        "has the constraint .*NonNeg.*without constraints",
    ),
    "negative lambda": (
        lambda: points(ganzoo.WGANGP, gradient_penalty_weight=-10.0),
        ValueError,
        r"`gradient_penalty_weight` must be a finite number of at least 0.*-10\.0",
    ),
    "lambda NaN": (
        lambda: points(ganzoo.WGANGP, gradient_penalty_weight=float("nan")),
        ValueError,
        "`gradient_penalty_weight` must be a finite number of at least 0.*nan",
    ),
    "fit before compile": (lambda: points().fit(batched(np.zeros((8, 2), "float32"))), ValueError, "compile"),
    "the base class itself": (
        lambda: train_points(points(ganzoo.AdversarialModel)),
        NotImplementedError,
        r"AdversarialModel must define discriminator_loss\(self, critic, real, fake\)",
    ),
    "a loss that is None": (
        lambda: train_points(points(LossOf, value=None)),
        ValueError,
        "scalar tensor.*None.*ops.mean",
    ),
    "a loss for each sample": (
        lambda: train_points(points(LossOf, value="scores")),
        ValueError,
        r"LossOf must be a scalar tensor.*shape \(4, 1\).*ops\.mean",
    ),
    "jit_compile on two replicas": (
        lambda: on_two_replicas(jit_compile=True),
        ValueError,
        "jit_compile=True.*MirroredStrategy with 2 replicas",
    ),
    "a batch that two replicas cannot share": (
        lambda: on_two_replicas().fit(batched(IMAGES, size=3)),
        ValueError,
        "batch of 3 samples does not divide by 2 replicas.*multiple of 2",
    ),
}


class LossOf(ganzoo.GAN):
    def __init__(self, *args, value, **kwargs):
        super().__init__(*args, **kwargs)
        self.value = value

    def discriminator_loss(self, critic, real, fake):
        return critic(real) if self.value == "scores" else None


def train_points(model):
    model.compile(**sgd())
    try:
        model.fit(batched(np.zeros((8, 2), "float32")), verbose=0)
    finally:
        assert untouched(model)


def on_two_replicas(**overrides):
    with two_replicas().scope():
        return gan(**overrides)


@pytest.mark.parametrize(("build", "error", "words"), BUILD.values(), ids=BUILD.keys())
def test_build_refuses(build, error, words):
    with pytest.raises(error, match=re.compile(words, re.DOTALL)):
        build()


def test_endless_data_without_a_fixed_batch_size_are_not_read_to_their_end():
    """`repeat().batch(m)` without `drop_remainder` never ends, and its batches have no static size."""
    model = gan()
    data = tf.data.Dataset.from_tensor_slices(IMAGES).repeat().batch(4)
    model.fit(data, steps_per_epoch=2, verbose=0)
    assert model.steps_done == 2


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ImportError, match="TensorFlow backend.*'jax'.*KERAS_BACKEND=tensorflow"):
        points()


def test_there_are_at_least_forty_cases():
    assert len(FIT) + len(CALL) + len(BUILD) >= 40


def test_evaluation_leaves_out_a_smaller_last_batch():
    """A mean over batches would count it as much as a whole one; packs and replicas could not divide it."""
    model = gan(packing=2)
    whole = model.evaluate(batched(IMAGES, size=4), verbose=0, return_dict=True)
    data = tf.data.Dataset.from_tensor_slices(np.concatenate([IMAGES, IMAGES[:3]])).batch(4)
    assert model.evaluate(data, verbose=0, return_dict=True) == whole
