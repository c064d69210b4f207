"""What the seams of the base classes promise: pure hooks, schedules, settings that are used or refused, conditions."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import ganzoo
from ganzoo.layers import OneHot
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.models.generative_model import GenerativeModel
from ganzoo.sampling import SeededNumbers
from ganzoo.training.settings import Fixed, settings_of
from tests.check_model import dataset_for, reload, samples_like, sgd, state, tiny, train, two_replicas

mlp = ganzoo.networks.mlp
IMAGE = (8, 8, 1)


def tiny_presgan():
    return tiny(ganzoo.PresGAN, (2,), hidden=(4,), leapfrog_steps=1, burn_in=1, posterior_samples=1)


def tiny_infogan():
    settings = {"latent_dim": 6, "categories": (2,), "continuous": 1, "discriminator_filters": 2}
    return tiny(ganzoo.InfoGAN, IMAGE, generator_filters=2, **settings)


# Models whose networks have few weights, each of another paper.
MODELS = {
    "GAN": lambda: tiny(ganzoo.GAN, (2,), hidden=(4,), r1_weight=1.0, r2_weight=1.0, penalty_interval=2),
    "CGAN": lambda: tiny(ganzoo.CGAN, (2,), num_classes=3, hidden=(4,)),
    "LSGAN": lambda: tiny(ganzoo.LSGAN, (2,), hidden=(4,)),
    "WGAN": lambda: tiny(ganzoo.WGAN, (2,), hidden=(4,)),
    "WGANGP": lambda: tiny(ganzoo.WGANGP, (2,), hidden=(4,)),
    "WGANDiv": lambda: tiny(ganzoo.WGANDiv, (2,), hidden=(4,)),
    "CramerGAN": lambda: tiny(ganzoo.CramerGAN, (2,), hidden=(4,), score_dim=3),
    "DRAGAN": lambda: tiny(ganzoo.DRAGAN, (2,), hidden=(4,)),
    "BEGAN": lambda: tiny(ganzoo.BEGAN, IMAGE, filters=2),
    "SNGAN": lambda: tiny(ganzoo.SNGAN, (2,), hidden=(4,)),
    "BigGAN": lambda: tiny(ganzoo.BigGAN, IMAGE, num_classes=3, filters=1, orthogonal_weight=1e-3),
    "PresGAN": tiny_presgan,
    "R3GAN": lambda: tiny(ganzoo.R3GAN, (2,), hidden=(4,)),
    "ACGAN": lambda: tiny(ganzoo.ACGAN, IMAGE, num_classes=3, filters=2),
    "InfoGAN": tiny_infogan,
}

AUTOENCODERS = {
    "VAE": lambda: tiny(ganzoo.VAE, (2,), hidden=(4,)),
    "Autoencoder": lambda: tiny(ganzoo.Autoencoder, (2,), hidden=(4,)),
}


# === Hooks are pure ===


def without_streams(model):
    """The state of a model, but for the random streams and for what a forward pass in training mode moves."""
    statistics = {variable.path for variable in model.discriminator.non_trainable_variables}
    return [
        (path, value.tobytes())
        for path, value in state(model)
        if "seed_and_draws" not in path and path not in statistics
    ]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_objectives_change_nothing_but_streams_and_log(name, training):
    model = MODELS[name]()
    real, condition = model.conditions.arrange(*map(tf.constant, samples_like(model, 4)))
    update = model.new_update(model.critic(condition, training), real, condition, training)
    before = without_streams(model)
    assert len(before) > 6
    losses = [float(model.discriminator_objective(update)), float(model.generator_objective(update))]
    assert np.isfinite(losses).all()
    assert without_streams(model) == before


# === Penalties on a schedule ===

W = 1.5


class Sloped(AdversarialModel):
    """D(x) = w x, with the penalty E[D(x)] alone, whose gradient in w is E[x]: 1 for ones, whatever w is."""

    every = 1

    def discriminator_loss(self, critic, real, fake):
        return self.regularize("slope", 0.5, lambda: ops.mean(critic(real)), every=self.every)

    def generator_loss(self, critic, real, fake):
        return ops.mean(critic(fake))


def linear_networks():
    latents, image = keras.Input((1,), name="latents"), keras.Input((1,), name="image")
    generator = keras.Model(latents, keras.layers.Dense(1, use_bias=False)(latents))
    discriminator = keras.Model(image, keras.layers.Dense(1, use_bias=False)(image))
    discriminator.set_weights([np.array([[W]])])
    return generator, discriminator


def sloped(every, rate, cls=Sloped, **settings):
    model = cls(*linear_networks(), **settings)
    model.every = every
    model.compile(**sgd(0.0, rate))
    return model


ONES = np.ones((24, 1), "float32")


def weight_of(model):
    return float(model.discriminator.get_weights()[0][0, 0])


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("every", [1, 2, 3, 6])
def test_a_schedule_sums_up_to_the_same_gradient(every, replicas):
    """Six steps: 6 / k penalties, each k times as heavy, move w by 6 * 0.1 * 0.5, also with two updates a step."""
    for steps in (1, 2):
        if replicas == 1:
            model = sloped(every, 0.1, discriminator_steps=steps)
        else:
            with two_replicas().scope():
                model = sloped(every, 0.1, discriminator_steps=steps)
        model.fit(np.ones((24 * steps, 1), "float32"), batch_size=4, verbose=0, check=False)
        assert model.steps_done == 6
        assert weight_of(model) == pytest.approx(W - steps * 6 * 0.1 * 0.5, rel=1e-5)


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("every", [1, 4])
def test_the_log_shows_the_penalty_undiluted(every, replicas):
    """Nothing moves, so each penalty is w: not w / k, as a mean over all steps would be, and not k w."""
    if replicas == 1:
        model = sloped(every, 0.0)
    else:
        with two_replicas().scope():
            model = sloped(every, 0.0)
    logs = model.fit(ONES, batch_size=4, verbose=0, check=False).history
    assert logs["slope"] == [pytest.approx(W, rel=1e-6)]
    # In the steps 0 and 4 of six there are penalties, each k = 4 times as heavy.
    share = {1: 1.0, 4: 2 * 4 / 6}[every]
    assert logs["d_loss"] == [pytest.approx(0.5 * W * share, rel=1e-6)]


# The first replica that is done switches the numbers of evaluations off for the others.
@pytest.mark.parametrize("replicas", [1, 2])
def test_an_evaluation_has_no_schedule(replicas):
    """After six steps none is due, and each batch has its penalty with its own weight."""
    if replicas == 1:
        model = sloped(4, 0.0)
    else:
        with two_replicas().scope():
            model = sloped(4, 0.0)
    model.fit(ONES, batch_size=4, verbose=0, check=False)
    evaluated = model.evaluate(ONES, batch_size=4, verbose=0, return_dict=True)
    assert evaluated["slope"] == pytest.approx(W, rel=1e-6)
    assert evaluated["d_loss"] == pytest.approx(0.5 * W, rel=1e-6)


@pytest.mark.parametrize("interval", [1, 3])
def test_r1_and_r2_on_a_schedule(interval):
    """D(x) = w x has the penalty w^2 everywhere."""
    model = sloped(1, 0.0, ganzoo.GAN, r1_weight=0.4, r2_weight=0.2, penalty_interval=interval)
    logs = model.fit(ONES, batch_size=4, verbose=0, check=False).history
    assert logs["r1"] == logs["r2"] == [pytest.approx(W**2, rel=1e-6)]


class Headed(ganzoo.GAN):
    """Asks for a head of the samples after the penalties."""

    def discriminator_objective(self, update):
        loss = super().discriminator_objective(update)
        return loss + ops.mean(ops.square(update.critic.heads(update.fake)["code"]))


@pytest.mark.parametrize("interval", [1, 2])
def test_heads_after_penalties_on_a_schedule(interval):
    """A penalty that is computed in some steps only calls the critic in a branch of the graph."""
    image = keras.Input((1,), name="image")
    heads = {name: keras.layers.Dense(1, name=name)(image) for name in ("scores", "code")}
    settings = {"r1_weight": 1.0, "r2_weight": 1.0, "penalty_interval": interval}
    model = Headed(linear_networks()[0], keras.Model(image, heads), **settings)
    model.compile(**sgd(0.0, 0.1))
    assert np.isfinite(model.fit(ONES, batch_size=4, verbose=0, check=False).history["d_loss"]).all()


# === What is set is used ===


class At(keras.callbacks.Callback):
    """Calls a function with the model at the beginning of each epoch."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def on_epoch_begin(self, epoch, logs=None):
        self.function(self.model, epoch)


def test_beta_changes_while_fit_runs():
    model = AUTOENCODERS["VAE"]()
    betas = [0.0, 0.5, 1.0]
    callback = At(lambda model, epoch: setattr(model, "beta", betas[epoch]))
    logs = train(model, steps=2, epochs=3, callbacks=[callback]).history
    assert min(logs["kl"]) > 1e-3
    wanted = np.array(betas) * logs["kl"] - logs["reconstruction"]
    np.testing.assert_allclose(logs["loss"], wanted, rtol=1e-5)
    assert model.get_config()["beta"] == 1.0


def test_the_weight_of_a_penalty_changes_between_fits():
    model = MODELS["WGANGP"]()
    for weight in (10.0, 1.0):
        model.gradient_penalty_weight = weight
        logs = {name: values[0] for name, values in train(model, steps=2).history.items()}
        evaluated = model.evaluate(dataset_for(model, 2), verbose=0, return_dict=True)
        for found in (logs, evaluated):
            assert found["gradient_penalty"] > 1e-3
            wanted = weight * found["gradient_penalty"] - found["wasserstein"]
            assert found["d_loss"] == pytest.approx(wanted, rel=1e-4)
        assert model.get_config()["gradient_penalty_weight"] == weight


def test_discriminator_steps_change_between_fits():
    model = MODELS["GAN"]()
    for steps, updates in ((1, 2), (3, 2 + 6), (2, 2 + 6 + 4)):
        model.discriminator_steps = steps
        train(model, steps=2)
        assert int(model.discriminator_optimizer.iterations) == updates
    assert model.steps_done == int(model.generator_optimizer.iterations) == 6


def test_discriminator_steps_do_not_change_while_fit_runs():
    model = MODELS["GAN"]()
    with pytest.raises(AttributeError, match="`discriminator_steps` cannot change while `fit` runs"):
        train(model, steps=2, callbacks=[At(lambda model, epoch: setattr(model, "discriminator_steps", 2))])
    assert model.discriminator_steps == 1


def two_layers():
    keras.utils.set_random_seed(0)
    model = ganzoo.GAN(mlp.generator((2,), 2, (4,)), mlp.discriminator((2,), (4, 3)), seed=0)
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    dense = [layer for layer in model.discriminator.layers if isinstance(layer, keras.layers.Dense)]
    assert len(dense) == 3
    return model, dense


def kernels(layers):
    return [layer.get_weights()[0] for layer in layers]


def moved(before, after):
    return [bool((a != b).any()) for a, b in zip(before, after, strict=True)]


def test_layers_are_frozen_between_fits():
    model, layers = two_layers()
    train(model, steps=2)
    layers[0].trainable = False
    before = kernels(layers)
    train(model, steps=2)
    assert moved(before, kernels(layers)) == [False, True, True]
    layers[0].trainable = True
    before = kernels(layers)
    train(model, steps=2)
    assert moved(before, kernels(layers)) == [True, True, True]


def test_layers_are_frozen_and_thawed_while_fit_runs():
    model, layers = two_layers()
    seen = []

    def change(model, epoch):
        seen.append(kernels(layers))
        layers[1].trainable = epoch != 1

    train(model, steps=2, epochs=3, callbacks=[At(change)])
    seen.append(kernels(layers))
    frozen = [not moved(before, after)[1] for before, after in zip(seen, seen[1:])]
    assert frozen == [False, True, False]
    assert all(moved(before, after)[0] for before, after in zip(seen, seen[1:]))


def another(value):
    """A value of the same kind that differs."""
    if isinstance(value, keras.Model):
        return keras.models.clone_model(value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + (1 if isinstance(value, int) else 0.25)
    if isinstance(value, (tuple, list)):
        return (*value, 3)
    return f"{value}_other" if isinstance(value, str) else 5


@pytest.mark.parametrize("name", [*MODELS, *AUTOENCODERS])
def test_fixed_settings_refuse(name):
    model = {**MODELS, **AUTOENCODERS}[name]()
    fixed = [setting for setting in settings_of(model) if isinstance(getattr(type(model), setting), Fixed)]
    assert {"generator", "latent_dim", "seed"} <= set(fixed)
    for setting in fixed:
        value = getattr(model, setting)
        with pytest.raises(AttributeError, match=f"`{setting}` is fixed once a {type(model).__name__} is made"):
            setattr(model, setting, another(value))
        assert getattr(model, setting) is value
        setattr(model, setting, value)  # The same value is no change.


# === Samples of your own latents ===


def test_generate_takes_latents():
    model = MODELS["GAN"]()
    latents = np.asarray(model.prior(SeededNumbers(4), 5))
    np.testing.assert_allclose(model.generate(latents=latents), model.generate(5, seed=4), rtol=1e-6)
    np.testing.assert_allclose(model.generate(latents=latents[::-1])[::-1], model.generate(5, seed=4), rtol=1e-6)
    assert model.generate(latents=np.zeros((2, 3), int)).dtype == np.float32
    conditional = MODELS["CGAN"]()
    samples = conditional.generate(latents=np.zeros((3, 3)), condition=[0, 1, 0])
    np.testing.assert_allclose(samples[0], samples[2], rtol=1e-6)
    assert not np.allclose(samples[0], samples[1])


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"latents": np.zeros((2, 4))}, r"`latents` must have the shape \(count, 3\)"),
        ({"latents": np.zeros(3)}, r"Received: \(3,\)"),
        ({"latents": np.zeros((0, 3))}, "one row or more"),
        ({"latents": np.full((2, 3), np.nan)}, "`latents` must be finite numbers"),
        ({"latents": np.full((2, 3), "a")}, "`latents` must be finite numbers"),
        ({"latents": np.zeros((2, 3)), "num_samples": 4}, "`latents` has 2 rows for 4 samples"),
    ],
)
def test_latents_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        MODELS["GAN"]().generate(**arguments)


# === Conditions by name ===


def test_class_names_go_from_the_data_to_the_card(tmp_path):
    model = tiny(ganzoo.CGAN, (28, 28, 1), num_classes=10, networks=mlp, hidden=(4,))
    assert model.class_names is None
    data = ganzoo.data.load("fashion_mnist_10k", batch_size=64)
    model.fit(data, steps_per_epoch=1, verbose=0, check=False)
    assert model.class_names == data.class_names and "Sneaker" in model.class_names
    number = model.class_names.index("Sneaker")
    wanted = model.generate(2, condition=number)
    np.testing.assert_allclose(model.generate(2, condition="Sneaker"), wanted, rtol=1e-5, atol=1e-6)
    mixed = model.generate(condition=["Sneaker", "Bag"])
    np.testing.assert_allclose(mixed[0], wanted[0], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="There is no class 'Sandle'. The classes are .*Sneaker"):
        model.generate(2, condition="Sandle")
    loaded = reload(model, tmp_path)
    assert loaded.class_names == model.class_names
    loaded.export(tmp_path / "1")
    card = json.loads((tmp_path / "1" / "assets.extra" / "ganzoo.json").read_text())
    assert card["class_names"] == card["conditions"]["label"]["class_names"] == model.class_names


def test_names_that_a_model_has_stay():
    model = tiny(ganzoo.CGAN, (2,), num_classes=3, hidden=(4,), class_names=["a", "b", "c"])
    train(model, steps=1)
    assert model.class_names == ["a", "b", "c"]
    assert MODELS["CGAN"]().class_names is None
    with pytest.raises(ValueError, match="The classes of this model have no names"):
        MODELS["CGAN"]().generate(2, condition="a")
    with pytest.raises(ValueError, match="`class_names` must be 3 different names"):
        model.class_names = ["a", "b"]


NAMES = ["hat", "glasses", "beard"]


def with_conditions(label=False, **settings):
    """A WGAN-GP of points with attributes, and with a label if asked for, all joined to the other inputs."""
    keras.utils.set_random_seed(0)
    networks = []
    for first, width in ((keras.Input((2,), name="latents"), 2), (keras.Input((2,), name="image"), 1)):
        inputs, joined = [first], [first]
        if label:
            inputs.append(keras.Input((), dtype="int64", name="label"))
            joined.append(OneHot(2)(inputs[-1]))
        inputs.append(keras.Input((3,), name="attributes"))
        x = keras.layers.Concatenate()([*joined, inputs[-1]])
        x = keras.layers.Dense(6, activation="leaky_relu")(x)
        networks.append(keras.Model(inputs, keras.layers.Dense(width)(x)))
    classes = {"num_classes": 2, "class_names": ["cat", "dog"]} if label else {}
    settings = {"discriminator_steps": 2, "attribute_names": NAMES, "seed": 1, **classes, **settings}
    model = ganzoo.WGANGP(*networks, **settings)
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    return model


def points(count=16):
    random = np.random.default_rng(0)
    samples = random.uniform(-1, 1, (count, 2)).astype("float32")
    return samples, random.integers(0, 2, count), random.integers(0, 2, (count, 3)).astype("float32")


def test_attributes_as_a_condition(tmp_path):
    model = with_conditions()
    samples, _, attributes = points()
    assert list(model.conditions) == ["attributes"] and model.num_classes is None
    history = model.fit(samples, attributes, batch_size=4, verbose=0, check=False).history
    assert np.isfinite(list(history.values())).all()
    before = model.discriminator.get_weights()
    dataset = tf.data.Dataset.from_tensor_slices((samples, attributes)).batch(4)
    model.fit(dataset, epochs=1, verbose=0, check=False)
    assert any(moved(before, model.discriminator.get_weights()))
    assert np.isfinite(model.evaluate(dataset, verbose=0)).all()

    rows = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], "float32")
    generated = model.generate(condition=rows, seed=2)
    assert generated.shape == (3, 2)
    named = model.generate(3, condition=["glasses", "beard"], seed=2)
    np.testing.assert_allclose(named[1], generated[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.generate(3, condition=rows[0], seed=2)[0], generated[0], rtol=1e-5, atol=1e-6)
    assert np.abs(named[0] - generated[0]).max() > 1e-3  # The condition reaches the samples.

    loaded = reload(model, tmp_path)
    assert loaded.attribute_names == NAMES
    loaded.export(tmp_path / "1")
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["generate"]
    found = signature(seed=tf.constant(2, "int64"), attributes=tf.constant(rows))
    np.testing.assert_allclose(found["images"], generated, rtol=1e-5, atol=1e-6)
    card = json.loads((tmp_path / "1" / "assets.extra" / "ganzoo.json").read_text())
    assert card["conditions"] == {"attributes": {"kind": "attributes", "count": 3, "attribute_names": NAMES}}


def test_label_and_attributes_at_once(tmp_path):
    model = with_conditions(label=True)
    samples, labels, attributes = points()
    assert list(model.conditions) == ["label", "attributes"] and model.num_classes == 2
    condition = {"label": labels, "attributes": attributes}
    dataset = tf.data.Dataset.from_tensor_slices((samples, condition)).batch(4)
    before = model.generator.get_weights()
    history = model.fit(dataset, epochs=2, verbose=0, check=False).history
    assert np.isfinite(list(history.values())).all()
    assert all(moved(before[::2], model.generator.get_weights()[::2]))
    first, second = (model.evaluate(dataset, verbose=0, return_dict=True) for _ in range(2))
    assert first == second and np.isfinite(list(first.values())).all()

    wanted = {"label": [0, 1, 1], "attributes": np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], "float32")}
    generated = model.generate(condition=wanted, seed=2)
    named = model.generate(3, condition={"label": "dog", "attributes": ["glasses", "beard"]}, seed=2)
    np.testing.assert_allclose(named[1], generated[1], rtol=1e-5, atol=1e-6)
    assert np.abs(named[0] - generated[0]).max() > 1e-3
    for wrong, words in (([0, 1, 1], "pass a dictionary"), ({"label": 0}, r"dictionary with the keys \['label'\]")):
        with pytest.raises(ValueError, match=words):
            model.generate(3, condition=wrong)

    loaded = reload(model, tmp_path)
    np.testing.assert_array_equal(loaded.generate(condition=wanted, seed=2), generated)
    loaded.export(tmp_path / "1")
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["generate"]
    found = signature(
        seed=tf.constant(2, "int64"),
        label=tf.constant(wanted["label"], "int64"),
        attributes=tf.constant(wanted["attributes"]),
    )
    np.testing.assert_allclose(found["images"], generated, rtol=1e-5, atol=1e-6)


def test_both_conditions_reach_both_networks():
    model = with_conditions(label=True)
    points = tf.zeros((4, 2))
    condition = {
        "label": tf.constant([0, 1, 0, 1], "int64"),
        "attributes": tf.constant([[0.0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]]),
    }
    scores = np.array(model.critic(condition, training=False)(points))[:, 0]
    samples = np.array(model.decode(tf.ones((4, 2)), condition, training=False))
    assert len(set(scores)) == 4 and len(np.unique(samples[:, 0])) == 4


# === from_paper ===


def test_settings_of_one_side():
    def filters(model):
        return model.generator.get_layer("up_0").filters, model.discriminator.get_layer("down_0").filters

    make = ganzoo.DCGAN.from_paper
    assert filters(make((16, 16, 1), filters=4)) == (4, 4)
    assert filters(make((16, 16, 1), generator_filters=6, discriminator_filters=2)) == (6, 2)
    assert filters(make((16, 16, 1), filters=4, discriminator_filters=2)) == (4, 2)
    assert filters(make((16, 16, 1), generator_filters=4)) == (4, 64)
    with pytest.raises(TypeError, match=r"unknown settings \['critic_filters'\]"):
        make((16, 16, 1), critic_filters=2)
    with pytest.raises(TypeError, match=r"unknown settings \['generator_normalization'\]"):
        make((16, 16, 1), generator_normalization=None)


def models_of_papers():
    found = [value for _, value in inspect.getmembers(ganzoo.models, inspect.isclass)]
    return [cls for cls in found if issubclass(cls, GenerativeModel) and "from_paper" in vars(cls)]


def defaults(function):
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty
    }


def defaults_of_class(cls):
    """The defaults of a constructor and of those that it hands its further arguments to."""
    found = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, GenerativeModel):
            found |= defaults(base.__init__)
    return found


# Constructors read the width of the latents off the generator. `from_paper` chooses the likelihood by the samples.
DERIVED = {"latent_dim": None, "likelihood": "bernoulli"}
# These `from_paper` choose by the networks or by a configuration: see `test_sngan_chooses_by_the_networks`, and the
# tests of the two other models.
CHOSEN_BY_NETWORKS = {
    "SNGAN": {"discriminator_steps"},
    "R3GAN": {"r1_weight", "r2_weight"},
    "StyleGAN2": {"r1_weight", "mixing_probability", "path_length_weight"},
}


def test_every_model_is_here():
    names = {cls.__name__ for cls in models_of_papers()}
    assert {*MODELS, *AUTOENCODERS, "DCGAN", "Pix2Pix", "CycleGAN"} <= names


@pytest.mark.parametrize("cls", models_of_papers(), ids=lambda cls: cls.__name__)
def test_a_setting_has_one_default(cls):
    """Where a class and its `from_paper` both name a setting, both have the paper's value."""
    of_paper, of_class = defaults(cls.from_paper), defaults_of_class(cls)
    common = {name for name in of_paper if name in of_class and of_class[name] != DERIVED.get(name, ...)}
    common -= CHOSEN_BY_NETWORKS.get(cls.__name__, set())
    assert {name: of_paper[name] for name in common} == {name: of_class[name] for name in common}


def test_sngan_chooses_by_the_networks():
    """With the networks of `from_paper` it comes to the default of the class."""
    model = ganzoo.SNGAN.from_paper((16, 16, 1), filters=2)
    assert model.discriminator_steps == defaults_of_class(ganzoo.SNGAN)["discriminator_steps"]


@pytest.mark.parametrize("cls", models_of_papers(), ids=lambda cls: cls.__name__)
def test_from_paper_has_a_signature(cls):
    """Its settings are there for `help()` and for an editor, and the first argument is the shape of a sample."""
    parameters = list(inspect.signature(cls.from_paper).parameters.values())
    assert parameters[0].name == "image_shape"
    named = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    assert "networks" in named and len(named) >= 3
    assert parameters[-1].kind is parameters[-1].VAR_KEYWORD
    assert cls.from_paper.__doc__


class Forgetful(ganzoo.GAN):
    """Keeps an argument that its file would not."""

    def __init__(self, generator, discriminator, margin=1.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.margin = margin


class Unassigned(ganzoo.GAN):
    sharpness = ganzoo.Setting()


def test_an_argument_that_a_file_would_lose(tmp_path):
    model = Forgetful(*linear_networks(), margin=7.0)
    model.compile(**sgd(0.0, 0.1))
    with pytest.raises(TypeError, match="Forgetful takes the argument `margin`.*margin = ganzoo.Setting"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(TypeError, match="declares `sharpness`, and its constructor does not assign it"):
        Unassigned(*linear_networks()).compile(**sgd(0.0, 0.1))


def test_weights_that_no_optimizer_trains_are_told():
    model = Forgetful(*linear_networks())
    model.extra = model.add_weight(shape=(), name="extra")
    with pytest.warns(UserWarning, match="No optimizer of Forgetful trains .*extra"):
        model.compile(**sgd(0.0, 0.1))


def test_a_head_and_a_note_that_are_not_there():
    model = Headed(*linear_networks())
    model.compile(**sgd(0.0, 0.1), run_eagerly=True)
    with pytest.raises(KeyError, match='has no output "code"'):
        model.fit(ONES, batch_size=4, verbose=0, check=False)


def test_only_scalars_are_logged():
    model = Forgetful(*linear_networks())
    with pytest.raises(ValueError, match=r"`slopes` must be a scalar, .* Received: shape \(3,\)"):
        model.track(slopes=np.zeros(3))
