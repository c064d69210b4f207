"""Ways through the latents: equations by hand, and what models make of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganzoo
from ganzoo import latent, videos
from ganzoo.latent.animation import ends_told
from ganzoo.latent.blending import Blending
from ganzoo.latent.space import space_of
from tests.latent.networks import identity, linear_images, model_of, styled


@pytest.fixture(scope="module")
def images_model():
    return linear_images()


@pytest.fixture(scope="module")
def labelled():
    latents, label = keras.Input((3,), name="latents"), keras.Input((), dtype="int64", name="label")
    shown = keras.layers.Embedding(3, 64, embeddings_initializer="ones")(label)
    x = keras.layers.Add()([keras.layers.Dense(64)(latents), shown])
    model = model_of([latents, label], keras.layers.Reshape((8, 8, 1))(x), num_classes=3, class_names=["a", "b", "c"])
    model.generator.get_layer("embedding").set_weights([np.repeat([[-0.5], [0.0], [0.5]], 64, axis=1)])
    return model


# === Interpolation ===


def test_between_by_hand():
    first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    np.testing.assert_allclose(latent.between(first, second, [0.0, 0.5, 1.0], "linear")[0], [[1, 0], [0.5, 1], [0, 2]])
    root = np.sqrt(0.5)
    wanted = [[1, 0], [1.5 * root, 1.5 * root], [0, 2]]
    np.testing.assert_allclose(latent.between(first, second, [0.0, 0.5, 1.0])[0], wanted, atol=1e-12)
    # A third of the right angle is 30 degrees.
    third = latent.between(first, first[:, ::-1], [1 / 3])[0, 0]
    np.testing.assert_allclose(third, [np.cos(np.pi / 6), np.sin(np.pi / 6)], atol=1e-12)


def test_the_great_circle_keeps_the_norm_and_the_speed():
    ends = np.random.default_rng(0).normal(size=(2, 50, 128))
    ends /= np.linalg.norm(ends, axis=2, keepdims=True)
    way = latent.between(*ends, np.linspace(0, 1, 9))
    np.testing.assert_allclose(np.linalg.norm(way, axis=2), 1.0, atol=1e-12)
    speeds = np.linalg.norm(np.diff(way, axis=1), axis=2)
    np.testing.assert_allclose(speeds, speeds[:, :1] * np.ones(8), rtol=1e-9)


def test_equal_and_opposite_points():
    point = np.array([[3.0, 4.0]])
    np.testing.assert_allclose(latent.between(point, point, [0.3])[0, 0], [3, 4])
    np.testing.assert_allclose(latent.between(point, 2 * point, [0.5])[0, 0], [4.5, 6])
    np.testing.assert_allclose(latent.between(0 * point, point, [0.5], "linear")[0, 0], [1.5, 2])
    with pytest.raises(ValueError, match="opposite"):
        latent.between(point, -point, [0.5])
    with pytest.raises(ValueError, match=r"one shape.*\(1, 2\) and \(2, 2\)"):
        latent.between(point, np.ones((2, 2)), [0.5])


@pytest.mark.parametrize("method", ["linear", "spherical", "smooth"])
def test_a_path_visits_its_ends(method):
    ends = np.random.default_rng(1).normal(size=(5, 3, 4))
    closed = latent.path(ends, 6, method, closed=True)
    assert closed.shape == (30, 3, 4)
    np.testing.assert_allclose(closed[::6], ends, atol=1e-9)
    opened = latent.path(ends, 6, method)
    assert opened.shape == (25, 3, 4)
    np.testing.assert_allclose(opened[::6], ends, atol=1e-9)
    # The step from the last frame to the first is no longer than the others: no jump when it repeats.
    steps = np.linalg.norm((np.roll(closed, -1, axis=0) - closed).reshape(30, -1), axis=1)
    assert steps[-1] <= steps.max() and steps[-1] > 0


def test_a_smooth_path_has_no_corners():
    ends = np.random.default_rng(2).normal(size=(4, 8))

    def largest_turn(method):
        frames = latent.path(ends, 400, method, closed=True)
        velocity = 400 * (np.roll(frames, -1, axis=0) - frames)
        return np.linalg.norm(np.roll(velocity, -1, axis=0) - velocity, axis=1).max()

    turns = {method: largest_turn(method) for method in ("smooth", "linear", "spherical")}
    assert turns["smooth"] < 0.5 and turns["linear"] > 2 and turns["spherical"] > 2, turns
    two = latent.path(ends[:2], 10, "smooth")
    np.testing.assert_allclose(two[[0, -1]], ends[:2], atol=1e-9)


def test_interpolate_draws_what_generate_draws(images_model):
    ends = latent.draw(images_model, 3, seed=5)
    np.testing.assert_array_equal(images_model.generate(3, seed=5), images_model.generate(latents=ends))
    sheet = latent.interpolate(images_model, ends, steps=4)
    assert sheet.images.shape == (2, 4, 8, 8, 1) and sheet.space == "z"
    np.testing.assert_allclose(sheet.images[:, 0], images_model.generate(latents=ends[:2]), atol=1e-6)
    np.testing.assert_allclose(sheet.images[:, -1], images_model.generate(latents=ends[1:]), atol=1e-6)
    closed = latent.interpolate(images_model, ends, steps=4, closed=True)
    np.testing.assert_allclose(closed.latents[2, -1], ends[0], atol=1e-6)
    assert sheet.picture(scale=1, padding=1).shape == (2 * 9 + 1, 4 * 9 + 1, 1)


def test_latents_of_several_seeds(images_model):
    drawn = latent.draw(images_model, seed=[3, 8])
    np.testing.assert_array_equal(drawn[1], latent.draw(images_model, 5, seed=8)[0])
    with pytest.raises(ValueError, match="2 seeds and num_samples=3"):
        latent.draw(images_model, 3, seed=[3, 8])


def test_interpolation_in_w_is_linear_behind_the_mapping():
    model = styled()
    ends = latent.draw(model, 2)
    sheet = latent.interpolate(model, ends, steps=3)
    assert sheet.space == "w"
    styles = np.asarray(model.generator.get_layer("mapping")(ends))
    np.testing.assert_allclose(sheet.latents[0, 1], styles.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(sheet.images[0, [0, 2]], model.generate(latents=ends), atol=1e-6)
    assert latent.interpolate(model, ends, space="z").space == "z"


def test_conditions_of_rows(labelled):
    ends = latent.draw(labelled, 3)
    sheet = latent.interpolate(labelled, ends, steps=2, condition=["a", "c"])
    np.testing.assert_allclose(sheet.images[0, 1] + 1.0, sheet.images[1, 0], atol=1e-6)  # The same latents.
    one = latent.interpolate(labelled, ends[:2], steps=2, condition=["a"])
    np.testing.assert_allclose(one.images, sheet.images[:1], atol=1e-6)
    rows = latent.truncate(labelled, 3, [9.0, 9.0], condition=["a", "b", "c"])
    np.testing.assert_allclose(rows.images[1], labelled.generate(3, condition=["a", "b", "c"]), atol=1e-5)
    same = latent.interpolate(labelled, ends, steps=2, condition="b")
    np.testing.assert_allclose(same.images[0, 1], same.images[1, 0], atol=1e-6)


# === Traversal ===


def test_traverse_by_hand():
    model = identity(3)
    latents = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    one = latent.traverse(model, latents, 1, [-1.0, 1.0])
    np.testing.assert_allclose(one.images, [[[1, -1, 3], [1, 1, 3]], [[4, -1, 6], [4, 1, 6]]])
    along = latent.traverse(model, latents, [0, 0, 1.0], [-1.0, 1.0])
    np.testing.assert_allclose(along.images, [[[1, 2, 2], [1, 2, 4]], [[4, 5, 5], [4, 5, 7]]])
    both = latent.traverse(model, latents[:1], 0, [-1.0, 1.0], across=[0, 0, 1.0])
    np.testing.assert_allclose(both.images, [[[-1, 2, 2], [1, 2, 2]], [[-1, 2, 4], [1, 2, 4]]])
    with pytest.raises(ValueError, match="index from 0 to 2.*Received: 3"):
        latent.traverse(model, latents, 3)
    with pytest.raises(ValueError, match="single latent.*2 latents"):
        latent.traverse(model, latents, 0, across=1)


# === Truncation ===


@pytest.mark.parametrize(("threshold", "variance"), [(2.0, 0.77374), (1.0, 0.29113), (0.5, 0.08059)])
def test_the_law_of_truncated_numbers(threshold, variance):
    numbers = latent.TruncatedNumbers(0, threshold).normal((200_000, 1)).numpy()
    assert np.abs(numbers).max() <= threshold
    assert numbers.mean() == pytest.approx(0, abs=4 * np.sqrt(variance / 200_000))
    # The standard error of the variance is below sqrt(2 / n) of it.
    assert numbers.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / 200_000))


def test_a_high_threshold_changes_nothing(images_model):
    sheet = latent.truncate(images_model, 4, [9.0, 1.0, 0.5], seed=3)
    plain = latent.draw(images_model, 4, seed=3)
    np.testing.assert_allclose(sheet.latents[0], plain, atol=1e-5)
    assert (np.sign(sheet.latents[2]) == np.sign(plain)).all()
    assert (np.abs(sheet.latents[2]) < np.abs(sheet.latents[1])).all()
    with pytest.raises(ValueError, match="`amounts`.*above 0"):
        latent.truncate(images_model, 4, 0.0)


def test_psi_of_zero_gives_one_image():
    model = styled()
    sheet = latent.truncate(model, 3, [1.0, 0.5, 0.0])
    assert sheet.space == "w"
    np.testing.assert_allclose(sheet.images[0], model.generate(3), atol=1e-6)
    np.testing.assert_allclose(sheet.images[2], sheet.images[2, :1] * np.ones((3, 1, 1, 1)), atol=1e-6)
    np.testing.assert_allclose(sheet.latents[1], (sheet.latents[0] + sheet.latents[2]) / 2, atol=1e-6)


def test_space_w_needs_a_mapping(images_model):
    with pytest.raises(ValueError, match="layer called 'mapping'.*dense"):
        latent.truncate(images_model, 3, 0.5, space="w")
    with pytest.raises(TypeError, match="`model` must be a model of ganzoo.*Received: 3"):
        latent.draw(3)


# === Videos ===


def frames_of(path):
    with Image.open(path) as file:
        found = []
        for index in range(file.n_frames):
            file.seek(index)
            found.append(np.asarray(file.convert("RGB")))
        return np.stack(found), file.info


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_a_video_is_its_path(images_model, tmp_path, suffix):
    latents = latent.draw(images_model, 6).reshape(3, 2, -1)
    settings = {"steps": 2, "fps": 10, "method": "linear", "columns": 1, "scale": 1}
    latent.video(images_model, tmp_path / f"a.{suffix}", latents, **settings)
    frames, info = frames_of(tmp_path / f"a.{suffix}")
    assert frames.shape == (6, 2 * 10 + 2, 12, 3) and info["loop"] == 0
    samples = images_model.generate(latents=latent.path(latents[:, 1], 2, "linear", closed=True))
    shown = frames[:, 12:20, 2:10, 0]
    np.testing.assert_allclose(shown, ganzoo.images.to_uint8(samples)[..., 0], atol=1)


def test_the_class_changes_half_way(labelled, tmp_path):
    latents = 0.1 * np.random.default_rng(0).normal(size=(3, 3))  # Equal frames would be written as one.
    settings = {"steps": 4, "scale": 1, "condition": ["a", "b", "c"]}
    latent.video(labelled, tmp_path / "a.webp", latents, blend=False, **settings)
    frames, _ = frames_of(tmp_path / "a.webp")
    classes = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0])
    ways = latent.path(latents, 4, "smooth", closed=True)
    wanted = ganzoo.images.to_uint8(labelled.generate(latents=ways, condition=classes))
    np.testing.assert_allclose(frames[:, 2:10, 2:10, 0], wanted[..., 0], atol=1)
    with pytest.raises(ValueError, match="one for each of 3 ends. Received: 2"):
        latent.video(labelled, tmp_path / "a.gif", latents, condition=["a", "b"])


def test_a_class_blends_into_the_next(labelled, tmp_path):
    """The samples are linear in the label's vector: a mixture of vectors makes the mixture of samples."""
    latents = 0.1 * np.random.default_rng(0).normal(size=(3, 3))
    for method in ("linear", "smooth"):
        settings = {"steps": 4, "scale": 1, "condition": ["a", "b", "c"], "method": method}
        latent.video(labelled, tmp_path / "a.webp", latents, **settings)
        frames, _ = frames_of(tmp_path / "a.webp")
        ways = latent.path(latents, 4, method, closed=True)
        first, second = (
            labelled.generate(latents=ways, condition=np.repeat(each, 4)) for each in ([0, 1, 2], [1, 2, 0])
        )
        share = np.tile([0, 0.25, 0.5, 0.75] if method == "linear" else [0, 0.15625, 0.5, 0.84375], 3)[
            :, None, None, None
        ]
        wanted = ganzoo.images.to_uint8((1 - share) * first + share * second)
        np.testing.assert_allclose(frames[:, 2:10, 2:10, 0], wanted[..., 0], atol=1)


@pytest.mark.parametrize("label", ["one_hot", "embedding"])
def test_blends_of_a_network_of_the_package(label):
    """Between the classes: the sample of the mixed vectors. At the ends: the classes themselves."""
    keras.utils.set_random_seed(0)
    build = {"num_classes": 3, "filters": 2}
    model = ganzoo.GAN(
        ganzoo.networks.dcgan.generator((8, 8, 1), latent_dim=3, label=label, **build),
        ganzoo.networks.dcgan.discriminator((8, 8, 1), **build),
        num_classes=3,
    )
    blending = Blending(space_of(model))
    assert blending.obstacle is None
    z, classes = latent.draw(model, 4), (tf.constant([0, 1, 2, 0], "int64"), tf.constant([1, 2, 0, 0], "int64"))
    for share, labels in ((0.0, classes[0]), (1.0, classes[1])):
        found = blending.decode(z, *classes, np.full(4, share))
        np.testing.assert_allclose(found, model.generate(latents=z, condition=labels.numpy()), atol=1e-5)
    between = blending.decode(z, *classes, np.full(4, 0.5), batch_size=3)
    ends = [model.generate(latents=z, condition=each.numpy()) for each in classes]
    assert np.abs(between[:3] - ends[0][:3]).max() > 1e-3 and np.abs(between[:3] - ends[1][:3]).max() > 1e-3
    np.testing.assert_allclose(between[3], ends[0][3], atol=1e-5)  # From a class to itself.


def test_attributes_blend_as_they_are(tmp_path):
    settings = {"networks": ganzoo.networks.dcgan, "filters": 2, "seed": 0}
    model = ganzoo.CGAN.from_paper((8, 8, 1), num_attributes=2, attribute_names=["hat", "beard"], **settings)
    rows = tf.constant([[1.0, 0.0], [0.0, 1.0]]), tf.constant([[0.0, 0.0], [1.0, 1.0]])
    z, shares = latent.draw(model, 2), np.array([0.25, 0.5])
    found = Blending(space_of(model)).decode(z, *rows, shares)
    wanted = model.generate(latents=z, condition=np.array([[0.75, 0.0], [0.5, 1.0]]))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    # Two ends by lists of values; a row, or a dictionary without lists, is one for all.
    for condition, ends in (({"hat": [1, 0], "beard": [0, 1]}, 2), ([1.0, 0.0], None), ({"hat": 1, "beard": 0}, None)):
        assert ends_told(model, condition) == ends
    with pytest.raises(ValueError, match="`condition` must be a row of 2 numbers from 0 to 1"):
        latent.video(model, tmp_path / "a.gif", condition=[[1, 0], [1]])


def test_a_condition_that_cannot_blend(tmp_path, capsys):
    latents, label = keras.Input((3,), name="latents"), keras.Input((), dtype="int64", name="label")
    shown = keras.layers.Rescaling(0.1, dtype="float32", name="scaled")(label)
    x = keras.layers.Dense(64)(keras.layers.Concatenate()([latents, keras.layers.Reshape((1,))(shown)]))
    model = model_of([latents, label], keras.layers.Reshape((8, 8, 1), dtype="float32")(x), num_classes=3)
    settings = {"steps": 2, "condition": [0, 1]}
    with pytest.raises(ValueError, match="blend=True: The layer 'scaled' reads the label, and is no one-hot layer"):
        latent.video(model, tmp_path / "a.gif", blend=True, **settings)
    latent.video(model, tmp_path / "a.gif", **settings)
    assert "'scaled' reads the label" in capsys.readouterr().out and (tmp_path / "a.gif").is_file()


def test_formats_that_cannot_be_written(images_model, tmp_path, monkeypatch):
    monkeypatch.setattr(videos.shutil, "which", lambda name: None)
    for name, words in (("a.mp4", "ffmpeg, which is not on the PATH"), ("a.avi", r"\.gif, \.webp or \.mp4")):
        with pytest.raises(ValueError, match=words):
            latent.video(images_model, tmp_path / name)
    with pytest.raises(ValueError, match="no frames"):
        ganzoo.images.save_video(tmp_path / "a.gif", [])


def test_mp4_is_handed_to_ffmpeg(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\nfor last; do :; done\n{ echo "$@"; wc -c; } > "$last"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    ganzoo.images.save_video(tmp_path / "a.mp4", np.zeros((5, 7, 9, 1), "uint8"), fps=12)
    words, count = (tmp_path / "a.mp4").read_text().splitlines()
    assert "-s 9x7 -r 12" in words and int(count) == 5 * 7 * 9 * 3
    program.write_text("#!/bin/sh\necho no such codec >&2\nexit 1\n")
    with pytest.raises(ValueError, match="no such codec"):
        ganzoo.images.save_video(tmp_path / "b.mp4", np.zeros((5, 7, 9, 1), "uint8"))
    assert not (tmp_path / "b.mp4").exists()
