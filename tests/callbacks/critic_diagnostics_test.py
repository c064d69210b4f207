"""CriticDiagnostics: its numbers by hand, each fault provoked, and no trace in the training."""

import csv
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

import ganzoo
from ganzoo.callbacks import CriticDiagnostics, critic_pictures
from ganzoo.sampling import RandomStream
from tests.check_model import dataset_for, digest, samples_like, tiny, two_replicas
from tests.scalar_networks import A, B, C, W, scalar_discriminator, scalar_generator

POINTS = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
OTHERS = np.random.default_rng(1).normal(size=(32, 2)).astype("float32")


@pytest.fixture(autouse=True)
def without_pictures(request, monkeypatch):
    """Pictures take longer than the looks that they show."""
    if "pictures" not in request.node.name:
        monkeypatch.setattr(critic_pictures, "save", lambda *args: None)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def standing_still(model, **settings):
    """Compiles a model so that its weights stay, but for their constraints."""
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True, **settings)
    return model


def critic_of(kernels):
    """Dense layers without biases and activations, as a function of one number or of a vector."""
    x = image = keras.Input((kernels[0].shape[0],))
    for index, kernel in enumerate(kernels):
        x = layers.Dense(kernel.shape[1], use_bias=False, name=f"dense_{index}")(x)
    network = keras.Model(image, x)
    network.set_weights(kernels)
    return network


def look(model, callback, data, epochs=1, **kwargs):
    """Fits and returns the rows of the table."""
    kwargs = {"batch_size": 16, "verbose": 0, **kwargs}
    history = model.fit(data, epochs=epochs, callbacks=[callback], **kwargs)
    return read(callback.directory / "critic.csv"), history.history


def numbers(row, prefix=""):
    return {key.removeprefix(prefix): float(value) for key, value in row.items() if key.startswith(prefix)}


# === What it sees ===


def test_numbers_of_a_linear_critic_by_hand(tmp_path):
    """d(x) = w x + c, so that the gradient is w everywhere, and the estimate w (E[x] - E[g(z)])."""
    model = standing_still(
        ganzoo.WGAN(scalar_generator(), scalar_discriminator(), clip_value=9.0, discriminator_steps=1)
    )
    training, held_out = POINTS[:16, :1], OTHERS[:16, :1] + 0.5
    callback = CriticDiagnostics(held_out, directory=tmp_path, training_data=training)
    (row,), history = look(model, callback, training, batch_size=8)
    row = numbers(row)

    # Both kinds are read in the order of their own dataset, 16 samples in two batches of 8.
    fakes, ordered = [], [np.concatenate(list(ganzoo.data.from_arrays(x, batch_size=16))) for x in (training, held_out)]
    stream = RandomStream(0)
    stream.state.assign(model.evaluation_random.state)
    stream.restart()
    estimates = []
    for batch in range(2):
        for kind in range(2):
            fake = A * stream.normal((8, 1)).numpy() + B
            fakes.append(fake)
            estimates.append(W * (ordered[kind][8 * batch : 8 * batch + 8].mean() - fake.mean()))
        stream.uniform((8, 1))
    fake = np.mean(fakes)
    assert row["training_estimate"] == pytest.approx(W * (training.mean() - fake), rel=1e-5)
    assert row["held_out_estimate"] == pytest.approx(W * (held_out.mean() - fake), rel=1e-5)
    assert row["overfitting"] == pytest.approx((training.mean() - held_out.mean()) / (training.mean() - fake), rel=1e-4)
    assert row["training_loss"] == pytest.approx(-np.mean(estimates[0::2]), rel=1e-5)
    assert row["held_out_loss"] == pytest.approx(-np.mean(estimates[1::2]), rel=1e-5)
    assert row["gradient_norm"] == pytest.approx(W, rel=1e-6)
    assert row["gradient_norm_std"] == pytest.approx(0, abs=1e-6)
    assert row["score_gradient/affine"] == 1.0
    # The derivative in w is -(E[x] - E[g(z)]), that in c is 0.
    assert row["loss_gradient/affine"] == pytest.approx(np.mean(np.abs(estimates[0::2])) / W, rel=1e-5)
    assert row["weights_at_clip"] == 0.0
    assert (row["epoch"], row["step"]) == (1, 2)
    for name in ("gradient_norm", "training_estimate", "held_out_estimate", "overfitting", "weights_at_clip"):
        assert history[f"critic_{name}"] == [pytest.approx(row[name])]
    assert C != 0 and callback.faults == []


def test_gradient_at_each_layer_is_the_product_of_the_later_ones(tmp_path):
    random = np.random.default_rng(0)
    kernels = [random.normal(size=shape).astype("float32") for shape in ((2, 5), (5, 3), (3, 1))]
    model = standing_still(ganzoo.GAN(ganzoo.networks.mlp.generator((2,), 2, ()), critic_of(kernels)))
    (row,), _ = look(model, CriticDiagnostics(OTHERS, directory=tmp_path), POINTS)
    seen = numbers(row, "score_gradient/")
    expected = [np.linalg.norm(kernels[1] @ kernels[2]), np.linalg.norm(kernels[2]), 1.0]
    np.testing.assert_allclose(list(seen.values()), expected, rtol=1e-5)
    assert list(seen) == ["dense_0", "dense_1", "dense_2"]
    assert float(row["gradient_norm"]) == pytest.approx(np.linalg.norm(kernels[0] @ kernels[1] @ kernels[2]), rel=1e-5)
    assert "weights_at_clip" not in row


def test_gradient_of_the_loss_is_that_of_the_training(tmp_path):
    """Of one minibatch, without random numbers: the norm that SGD's step shows."""
    critic = critic_of([np.array([[0.5], [-0.25]], "float32")])
    model = standing_still(ganzoo.GAN(scalar_like_generator(), critic, r1_weight=2.0))
    (row,), _ = look(model, CriticDiagnostics(OTHERS, directory=tmp_path, num_samples=8), POINTS[:8], batch_size=8)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(1.0), run_eagerly=True)
    before = critic.get_weights()[0]
    model.update_discriminator(tf.constant(POINTS[:8]))
    step = np.linalg.norm(critic.get_weights()[0] - before)
    assert float(row["loss_gradient/dense_0"]) == pytest.approx(step, rel=1e-5)


def scalar_like_generator():
    """Makes the same point of all latents."""
    latents = keras.Input((2,))
    network = keras.Model(latents, layers.Dense(2)(latents))
    network.set_weights([np.zeros((2, 2)), np.array([0.3, -0.4])])
    return network


def test_share_of_weights_at_the_clip(tmp_path):
    kernels = [np.array([[0.01, -0.01, 0.00995], [0.0098, 0.001, -0.0]], "float32"), np.full((3, 1), 0.005, "float32")]
    model = standing_still(ganzoo.WGAN(ganzoo.networks.mlp.generator((2,), 2, ()), critic_of(kernels)))
    (row,), _ = look(model, CriticDiagnostics(OTHERS, directory=tmp_path), np.tile(POINTS, (3, 1)))
    assert float(row["weights_at_clip"]) == pytest.approx(3 / 9)


def test_label_branches_are_no_layers_of_the_score(tmp_path):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), num_classes=3, run_eagerly=True, conditioning="projection")
    labels = np.arange(32) % 3
    callback = CriticDiagnostics((OTHERS, labels), directory=tmp_path)
    model.fit(POINTS, labels, batch_size=32, verbose=0, callbacks=[callback])
    (row,) = read(tmp_path / "critic.csv")
    assert list(numbers(row, "score_gradient/")) == ["dense_0", "score"]
    assert sorted(numbers(row, "loss_gradient/")) == ["dense_0", "projection", "score"]


# === Files ===


def test_pictures_and_tables(tmp_path):
    model = tiny(ganzoo.WGAN, (2,), hidden=(4,), discriminator_steps=1, run_eagerly=True)
    callback = CriticDiagnostics(OTHERS, every=2, directory=tmp_path / "critic", num_samples=16)
    look(model, callback, POINTS[:16], epochs=3)
    names = ["critic.csv", "estimates.png", "faults.csv", "layers_0002.png", "norms_0002.png", "weights_0002.png"]
    assert sorted(path.name for path in callback.directory.iterdir()) == names
    for path in callback.directory.glob("*.png"):
        with Image.open(path) as picture:
            assert picture.size == (1200, 420)
            assert len(picture.convert("RGB").getcolors(2**24)) > 10


def test_looks_after_every_so_many_epochs(tmp_path):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), run_eagerly=True)
    callback = CriticDiagnostics(OTHERS, every=2, directory=tmp_path, num_samples=16)
    rows, history = look(model, callback, POINTS[:16], epochs=5)
    assert [(row["epoch"], row["step"]) for row in rows] == [("2", "2"), ("4", "4")]
    assert len(history["critic_gradient_norm"]) == 2 and "critic_weights_at_clip" not in history


def test_a_resumed_run_continues_and_a_fresh_one_starts_anew(tmp_path):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), run_eagerly=True)

    def rows(**kwargs):
        callback = CriticDiagnostics(OTHERS, directory=tmp_path, num_samples=8)
        return [row["epoch"] for row in look(model, callback, POINTS[:8], batch_size=8, **kwargs)[0]]

    assert rows(epochs=3) == ["1", "2", "3"]
    (tmp_path / "faults.csv").write_text("epoch,step,name,message,reference\n1,1,a,b,c\n3,3,d,e,f\n")
    assert rows(epochs=3, initial_epoch=1) == ["1", "2", "3"]
    assert [row["name"] for row in read(tmp_path / "faults.csv")] == ["a"]
    assert rows(epochs=1) == ["1"]
    assert read(tmp_path / "faults.csv") == []


def test_only_the_chief_writes(tmp_path, monkeypatch):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), run_eagerly=True)
    monkeypatch.setattr(type(model), "is_chief", False)
    callback = CriticDiagnostics(OTHERS, directory=tmp_path)
    history = model.fit(POINTS, batch_size=32, verbose=0, callbacks=[callback]).history
    assert list(tmp_path.iterdir()) == []
    assert len(history["critic_gradient_norm"]) == 1


# === Faults ===


def deep_wgan(clip_value, spread, hidden=(64,) * 8):
    """The critic of WGAN-GP's Figure 1b, made small."""
    keras.utils.set_random_seed(0)
    initial = keras.initializers.RandomUniform(-spread, spread, seed=1)
    mlp = ganzoo.networks.mlp
    critic = mlp.discriminator((2,), hidden, activation="relu", hidden_initializer=initial)
    model = ganzoo.WGAN(mlp.generator((2,), 2, (8,)), critic, clip_value=clip_value, discriminator_steps=1, seed=0)
    model.compile(keras.optimizers.RMSprop(5e-5), keras.optimizers.RMSprop(5e-5), run_eagerly=True)
    return model


def watched(model, path, training=POINTS, held_out=OTHERS, **kwargs):
    """The callback after a short training, and its warnings."""
    callback = CriticDiagnostics(held_out, every=kwargs.get("epochs", 1), directory=path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        look(model, callback, training, **{"batch_size": 32, **kwargs})
    return callback, [str(warning.message) for warning in caught]


def test_weights_pile_up_and_gradients_vanish_under_a_narrow_clip(tmp_path):
    """Random signs at +-c: each layer of n rectified units shrinks the gradient by c sqrt(n / 2) = 0.057."""
    callback, (first, second) = watched(deep_wgan(0.01, spread=0.5), tmp_path)
    assert [fault.name for fault in callback.faults] == ["weights_at_the_clip", "vanishing_layers"]
    assert "Epoch 1: weights_at_the_clip: 9" in first and "lie at +-0.01" in first and "Figure 1b, right" in first
    assert "at 'dense_7' and " in second and " at 'dense_0'" in second and "Figure 1b, left" in second
    rows = read(tmp_path / "critic.csv")
    seen = np.array([float(row[f"score_gradient/dense_{index}"]) for row in rows[:1] for index in range(8)])
    assert 0.02 < (seen[0] / seen[-1]) ** (1 / 7) < 0.1
    faults = read(tmp_path / "faults.csv")
    assert [(fault["epoch"], fault["name"]) for fault in faults] == [("1", fault.name) for fault in callback.faults]


def test_gradients_vanish_without_weights_at_the_clip(tmp_path):
    callback, (message,) = watched(deep_wgan(0.01, spread=0.009), tmp_path)
    assert [fault.name for fault in callback.faults] == ["vanishing_layers"]
    assert "Raise the clip_value" in message


def test_gradients_explode_under_a_wide_clip(tmp_path):
    """Uniform weights in +-1: each layer stretches the gradient by sqrt(64 / 2 / 3) = 3.3."""
    callback, (message,) = watched(deep_wgan(1.0, spread=1.0), tmp_path)
    assert [fault.name for fault in callback.faults] == ["exploding_layers"]
    assert "Lower the clip_value" in message


def test_a_moderate_clip_is_silent(tmp_path):
    callback, messages = watched(deep_wgan(0.2, spread=0.25), tmp_path)
    assert callback.faults == messages == []


def memorizing():
    """Data and samples of one distribution, and a critic with room for each sample: all it can do is to know them."""
    keras.utils.set_random_seed(0)
    latents = keras.Input((64,))
    generator = keras.Model(latents, layers.Dense(64, kernel_initializer="identity")(latents))
    model = ganzoo.GAN(generator, ganzoo.networks.mlp.discriminator((64,), (64,)), seed=0)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(1e-2), run_eagerly=True)
    return model


def test_an_overfitting_critic(tmp_path):
    training, held_out = np.random.default_rng(0).normal(size=(2, 64, 64)).astype("float32")
    callback, (message,) = watched(memorizing(), tmp_path, training, held_out, epochs=12, batch_size=64)
    assert [fault.name for fault in callback.faults] == ["overfitting_critic"]
    assert "Section 5.3 and Figure 5" in message and "on 64 of them and" in message
    rows = [numbers(row) for row in read(tmp_path / "critic.csv")]
    assert 0.9 < rows[-1]["overfitting"] < 1.1
    assert rows[-1]["training_loss"] < 1.0 and rows[-1]["held_out_loss"] > 1.9  # 1.386 where a critic knows nothing.


def test_the_same_critic_on_fresh_samples_does_not_overfit(tmp_path):
    training, held_out = np.random.default_rng(0).normal(size=(2, 768, 64)).astype("float32")
    callback, messages = watched(memorizing(), tmp_path, training, held_out, epochs=1, batch_size=64)
    assert callback.faults == messages == []


def test_a_healthy_run_is_silent(tmp_path):
    data = ganzoo.data.swiss_roll(num_samples=640, batch_size=64)
    held_out = ganzoo.data.swiss_roll(num_samples=512, batch_size=64, seed=1)
    model = tiny(ganzoo.WGANGP, (2,), hidden=(32, 32), discriminator_steps=2)
    callback = CriticDiagnostics(held_out, directory=tmp_path, every=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(data, epochs=10, verbose=0, callbacks=[callback])
    assert callback.faults == []
    norms = [float(row["gradient_norm"]) for row in read(tmp_path / "critic.csv")]
    assert len(norms) == 2 and 0.3 < norms[-1] < 1.7


# === No trace in the training ===


def dropout_critic(**settings):
    """With an average, two critic steps and a layer that has random numbers of its own."""
    keras.utils.set_random_seed(0)
    image = keras.Input((2,))
    x = layers.Dropout(0.5, seed=3)(layers.Dense(4, activation="relu")(image))
    critic = keras.Model(image, layers.Dense(1, dtype="float32")(x))
    generator = ganzoo.networks.mlp.generator((2,), 2, (4,))
    model = ganzoo.WGANGP(generator, critic, discriminator_steps=2, ema_decay=0.9, seed=1)
    model.compile("adam", "adam", **settings)
    return model


def small(kind, **settings):
    """Settings of small convolutional networks."""
    return lambda **more: tiny(kind, (8, 8, 1), filters=2, **settings, **more)


AUGMENTED = {"augmentation": ganzoo.augmentation.DiffAugment()}
UNDISTURBED = {
    "WGAN-GP, dropout": (dropout_critic, "mixed_float16"),
    "DCGAN, packed, conditional": (small(ganzoo.DCGAN, num_classes=3, packing=2), "mixed_bfloat16"),
    "SNGAN, augmented": (small(ganzoo.SNGAN, **AUGMENTED), "float32"),
    "PresGAN": (lambda **more: tiny(ganzoo.PresGAN, (2,), hidden=(4,), entropy_weight=0.0, **more), "float32"),
    "pix2pix": (small(ganzoo.Pix2Pix, depth=2, receptive_field=1, latent_dim=None), "float32"),
}


@pytest.mark.parametrize("name", UNDISTURBED)
def test_training_is_the_same_to_the_bit(name, tmp_path):
    make, policy = UNDISTURBED[name]
    keras.config.set_dtype_policy(policy)

    def trained(*callbacks):
        model = make(run_eagerly=True)
        model.fit(dataset_for(model, 1), epochs=2, verbose=0, callbacks=list(callbacks))
        return model

    plain = trained()
    watched = trained(CriticDiagnostics(samples_like(plain, 4, seed=5), directory=tmp_path))
    assert digest(watched) == digest(plain)
    assert [metric.name for metric in watched.metrics] == [metric.name for metric in plain.metrics]
    row = numbers(read(tmp_path / "critic.csv")[-1])
    assert np.isfinite(list(row.values())).all() and row["gradient_norm"] > 0


def test_evaluation_keeps_its_random_numbers(tmp_path):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), run_eagerly=True)
    model.test_on_batch(POINTS[:8])  # Leaves its stream where it stopped.
    before = model.evaluation_random.state.numpy()
    assert before[1] > 0
    look(model, CriticDiagnostics(OTHERS, directory=tmp_path), POINTS)
    np.testing.assert_array_equal(model.evaluation_random.state.numpy(), before)


def test_a_graph_sees_the_same_and_is_traced_once(tmp_path):
    rows = []
    for eagerly in (True, False):
        model = tiny(ganzoo.WGANGP, (2,), hidden=(4,), discriminator_steps=1, run_eagerly=eagerly)
        callback = CriticDiagnostics(OTHERS, directory=tmp_path / str(eagerly))
        table, _ = look(model, callback, POINTS[:16], epochs=2, batch_size=8)
        rows.append([numbers(row) for row in table])
    for eager, graph in zip(*rows):
        assert graph == pytest.approx(eager, rel=1e-3, abs=1e-5)
    assert callback.probe.look_at.experimental_get_tracing_count() == 1


def test_two_replicas_see_the_same(tmp_path):
    rows = []
    for replicas in (1, 2):
        with two_replicas().scope() if replicas == 2 else keras.name_scope("one_device"):
            settings = {"generator_optimizer": "sgd", "discriminator_optimizer": "sgd"}
            model = tiny(ganzoo.WGAN, (2,), hidden=(4,), discriminator_steps=1, run_eagerly=True, **settings)
        table, _ = look(model, CriticDiagnostics(OTHERS, directory=tmp_path / str(replicas)), POINTS[:8], batch_size=8)
        rows.append(numbers(table[0]))
    one, two = rows
    for name in ("gradient_norm", "score_gradient/dense_0", "weights_at_clip"):
        assert two[name] == pytest.approx(one[name], rel=1e-4), name
    assert one.keys() == two.keys()


# === What is refused ===


def test_models_without_a_critic(tmp_path):
    images = samples_like(tiny(ganzoo.VAE, (8, 8, 1), hidden=(4,)), 8)[0]
    for model, words in (
        (tiny(ganzoo.VAE, (8, 8, 1), hidden=(4,)), "this model has none. Received: VAE"),
        (tiny(ganzoo.BEGAN, (8, 8, 1), filters=2, embedding_dim=2), "the discriminator of BEGAN reconstructs samples"),
    ):
        with pytest.raises(ValueError, match=words):
            model.fit(images, batch_size=4, verbose=0, callbacks=[CriticDiagnostics(images, directory=tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_training_data_that_cannot_be_read_again(tmp_path):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), run_eagerly=True)
    shuffled = tf.data.Dataset.from_tensor_slices(POINTS).shuffle(64).batch(8)
    with pytest.raises(ValueError, match="shuffled by a random state.*training_data="):
        model.fit(shuffled, verbose=0, callbacks=[CriticDiagnostics(OTHERS, directory=tmp_path)])
    callback = CriticDiagnostics(OTHERS, directory=tmp_path, training_data=POINTS)
    model.fit(shuffled, verbose=0, callbacks=[callback])
    assert len(read(tmp_path / "critic.csv")) == 1


def test_data_that_do_not_fit(tmp_path):
    model = tiny(ganzoo.GAN, (2,), hidden=(4,), run_eagerly=True, packing=4)
    for data, words in (
        (OTHERS[:3], "packs of 4 samples of each kind. Received: 3 held-out and 32"),
        (np.zeros((8, 3), "float32"), "The samples do not fit the model"),
        (np.zeros((8, 2), "int32"), "points floats"),
        (tf.data.Dataset.from_tensor_slices(OTHERS).batch(8).take(0), "yields no batch"),
    ):
        with pytest.raises(ValueError, match=words):
            look(model, CriticDiagnostics(data, directory=tmp_path), POINTS)


@pytest.mark.parametrize("arguments", [{"every": 0}, {"num_samples": 0}, {"every": True}, {"num_samples": 2.0}])
def test_arguments(arguments):
    with pytest.raises(ValueError, match="must be an integer of at least 1"):
        CriticDiagnostics(OTHERS, **arguments)
