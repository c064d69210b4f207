"""Pairs of images: what belongs together stays together, whatever happens to it."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganzoo
from ganzoo.data import load, normalize, paired
from ganzoo.data.indexed import uniform_numbers
from ganzoo.data.paired import PAPER_JITTER, augmentation


def numbered(num_samples, size=(4, 6), **kwargs):
    """Pairs whose pixels tell the index, 100 more in the target."""
    images = np.arange(num_samples, dtype="uint8")[:, None, None, None]
    inputs = np.broadcast_to(images, (num_samples, *size, 1))
    targets = np.broadcast_to(images + 100, (num_samples, *size, 3))
    return paired(inputs, targets, **kwargs)


def textured(num_samples=6, size=(16, 20), **kwargs):
    """Pairs with the same random picture on both sides."""
    images = np.random.default_rng(0).integers(0, 256, (num_samples, *size, 1), "uint8")
    return paired(images, images, **kwargs)


def batches(dataset, count):
    return [tuple(part.numpy() for part in pair) for pair in itertools.islice(dataset, count)]


# === Arrays ===


def test_arrays():
    dataset = numbered(7, batch_size=3, shuffle=False)
    assert dataset.element_spec == (
        tf.TensorSpec((3, 4, 6, 1), tf.float32),
        tf.TensorSpec((3, 4, 6, 3), tf.float32),
    )
    assert len(dataset) == 2
    (inputs, targets), _ = batches(dataset, 2)
    np.testing.assert_allclose(inputs[:, 0, 0, 0], np.arange(3) / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(targets[:, 0, 0, 0], (np.arange(3) + 100) / 127.5 - 1, atol=1e-6)
    turned = numbered(7, batch_size=3, shuffle=False, direction="b_to_a")
    (their_inputs, their_targets), _ = batches(turned, 2)
    np.testing.assert_array_equal(their_inputs, targets)
    np.testing.assert_array_equal(their_targets, inputs)


def test_stream_is_uint8_and_keeps_pairs_together():
    dataset = numbered(23, batch_size=5)
    epochs = []
    for inputs, targets in batches(dataset.stream(), 8):
        assert inputs.dtype == targets.dtype == np.uint8
        np.testing.assert_array_equal(inputs[..., 0] + 100, targets[..., 0])
        epochs.append(inputs[:, 0, 0, 0].tolist())
    assert len(set(sum(epochs[:4], []))) == 20 and epochs[:4] != epochs[4:]
    for (inputs, targets), raw in zip(batches(dataset, 4), batches(dataset.stream(), 4)):
        np.testing.assert_array_equal(inputs, normalize(raw[0]))
        np.testing.assert_array_equal(targets, normalize(raw[1]))


def test_single_pairs_have_the_order_of_batches():
    single = np.array([inputs[0, 0, 0] for inputs, _ in batches(numbered(20), 20)])
    batched = np.concatenate([inputs[:, 0, 0, 0] for inputs, _ in batches(numbered(20, batch_size=4), 5)])
    np.testing.assert_array_equal(single, batched)


def test_floats_stay_as_they_are():
    images = np.linspace(-1, 1, 2 * 4 * 4 * 3, dtype="float32").reshape(2, 4, 4, 3)
    dataset = paired((images > 0).astype("uint8") * 255, images, batch_size=2, shuffle=False)
    ((inputs, targets),) = batches(dataset, 1)
    np.testing.assert_array_equal(targets, images)
    np.testing.assert_array_equal(inputs, np.where(images > 0, 1, -1))


def test_floats_in_0_1_are_warned_about():
    images = np.zeros((2, 4, 4, 3), "uint8")
    with pytest.warns(UserWarning, match=r"lie in \[0, 1\]") as record:
        paired(images, np.linspace(0, 1, images.size).reshape(images.shape))
    assert record[0].filename == __file__


def test_image_size():
    images = np.zeros((2, 40, 30, 3), "uint8")
    dataset = paired(images, images[..., :1], image_size=(20, 16), batch_size=2)
    assert [spec.shape for spec in dataset.element_spec] == [(2, 20, 16, 3), (2, 20, 16, 1)]


# === Jitter and mirror ===


def test_jitter_and_mirror_do_the_same_to_both_sides():
    for inputs, targets in batches(textured(batch_size=6, jitter=1.5, mirror=True).stream(), 5):
        np.testing.assert_array_equal(inputs, targets)


def test_mirror_turns_half_of_the_pairs():
    plain = np.arange(5 * 8, dtype="uint8").reshape(1, 5, 8, 1)
    stream = paired(plain, plain, batch_size=1, mirror=True).stream()
    turned = 0
    for inputs, _ in batches(stream, 400):
        is_turned = np.array_equal(inputs, plain[:, :, ::-1])
        assert is_turned or np.array_equal(inputs, plain)
        turned += is_turned
    assert abs(turned - 200) < 4 * 10


def test_jitter_is_a_crop_of_the_enlarged_image():
    """All places are drawn equally often: the corner is one of 5 x 4."""
    image = np.random.default_rng(0).integers(0, 256, (1, 8, 6, 1), "uint8")
    enlarged = np.round(tf.image.resize(image, (12, 9))).astype("uint8")
    crops = {enlarged[0, y : y + 8, x : x + 6].tobytes(): (y, x) for y in range(5) for x in range(4)}
    assert len(crops) == 20
    counts = np.zeros((5, 4))
    for inputs, _ in batches(paired(image, image, batch_size=1, jitter=1.5).stream(), 1000):
        counts[crops[inputs.tobytes()]] += 1
    assert ((counts - 50) ** 2 / 50).sum() < 44  # Chi-square with 19 degrees of freedom: 0.1 %


def test_jitter_of_the_paper():
    assert PAPER_JITTER == 286 / 256
    assert textured(batch_size=2, jitter=True).element_spec == textured(batch_size=2).element_spec
    ours = batches(textured(batch_size=2, jitter=True), 3)
    for a, b in zip(ours, batches(textured(batch_size=2, jitter=286 / 256), 3)):
        np.testing.assert_array_equal(a, b)
    augment = augmentation(0, (256, 256), PAPER_JITTER, mirror=False)
    ramp = tf.cast(tf.range(256), tf.float32)[None, None, :, None] + tf.zeros((1, 256, 256, 1))
    crop, _ = augment(ramp, ramp, 0, tf.constant([0], tf.int64))
    # A pixel of the enlarged image is 256 / 286 of one before.
    np.testing.assert_allclose(np.diff(crop[0, 0, 5:-5, 0]), 256 / 286, rtol=1e-3)


@pytest.mark.parametrize("start", [1, 4, 9])
def test_jitter_resumes_anywhere(start):
    def dataset(seed=0):
        return textured(23, batch_size=5, jitter=1.2, mirror=True, seed=seed)

    straight = batches(dataset().stream(), 12)
    for a, b in zip(batches(dataset().stream(start), 3), straight[start : start + 3]):
        np.testing.assert_array_equal(a, b)
    other = batches(dataset(seed=1).stream(), 1)
    assert not np.array_equal(other[0], straight[0])


def test_jitter_of_single_pairs_is_that_of_batches():
    options = {"jitter": 1.3, "mirror": True, "seed": 4}
    single = np.stack([inputs for inputs, _ in batches(textured(6, **options), 6)])
    batched = np.concatenate([inputs for inputs, _ in batches(textured(6, batch_size=3, **options), 2)])
    np.testing.assert_array_equal(single, batched)


def test_each_epoch_has_a_jitter_of_its_own():
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 1), "uint8")
    stream = paired(image, image, batch_size=1, shuffle=False, jitter=2.0).stream()
    assert len({inputs.tobytes() for inputs, _ in batches(stream, 20)}) > 15


def test_random_numbers_of_positions():
    positions = tf.range(10_000, dtype=tf.int64)
    numbers = uniform_numbers(positions, seed=3, epoch=5, count=3).numpy()
    assert numbers.shape == (3, 10_000) and 0 < numbers.min() and numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(1), 0.5, atol=4 * np.sqrt(1 / 12) / 100)
    np.testing.assert_allclose(numbers.var(1), 1 / 12, atol=0.004)
    neighbours = [np.corrcoef(row[:-1], row[1:])[0, 1] for row in numbers]
    rows = np.corrcoef(numbers)[np.triu_indices(3, 1)]
    assert np.abs([*neighbours, *rows]).max() < 0.04
    part = uniform_numbers(positions[70:80], seed=3, epoch=tf.constant(5, tf.int64), count=3).numpy()
    np.testing.assert_array_equal(part, numbers[:, 70:80])


# === Files ===


def write(path, color, size=(8, 6), **kwargs):
    """Writes an image of one color; `size` is (width, height), as in Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path, **kwargs)


def colors(dataset):
    """The first pixel of both sides of each pair."""
    return [tuple(tuple(side[0, 0].tolist()) for side in pair) for pair in zip(*sides(dataset))]


def sides(dataset):
    return dataset.source.images.numpy(), dataset.source.targets.numpy()


RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_two_folders(tmp_path):
    for name, color in (("1.png", RED), ("deep/2.png", GREEN)):
        write(tmp_path / "edges" / name, color)
    for name, color in (("deep/2.bmp", BLUE), ("1.png", (9, 9, 9))):
        write(tmp_path / "photos" / name, color)
    dataset = paired(tmp_path / "edges", str(tmp_path / "photos"), batch_size=2, shuffle=False)
    assert dataset.element_spec == (tf.TensorSpec((2, 6, 8, 3), tf.float32),) * 2
    assert colors(dataset) == [(RED, (9, 9, 9)), (GREEN, BLUE)]
    turned = paired(tmp_path / "edges", tmp_path / "photos", direction="b_to_a", shuffle=False)
    assert colors(turned) == [((9, 9, 9), RED), (BLUE, GREEN)]
    grey = paired(tmp_path / "edges", tmp_path / "photos", channels=1, image_size=(12, 16))
    assert [spec.shape for spec in grey.element_spec] == [(12, 16, 1)] * 2


def test_folders_of_another_resolution_need_a_size(tmp_path):
    write(tmp_path / "a" / "1.png", RED, (8, 6))
    write(tmp_path / "b" / "1.png", BLUE, (16, 12))
    with pytest.raises(ValueError, match=r"1.png is 6 x 8, its partner 12 x 16. If .* pass image_size="):
        paired(tmp_path / "a", tmp_path / "b")
    assert colors(paired(tmp_path / "a", tmp_path / "b", image_size=(6, 8))) == [(RED, BLUE)]
    write(tmp_path / "b" / "1.png", BLUE, (12, 12))
    with pytest.raises(ValueError, match=r"must have the same size .*: 1.png is 6 x 8, its partner 12 x 12.$"):
        paired(tmp_path / "a", tmp_path / "b", image_size=(6, 8))


def test_pictures_of_a_turned_camera(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write(tmp_path / "a" / "1.jpg", RED, (6, 8), exif=exif, quality=100, subsampling=0)
    write(tmp_path / "b" / "1.png", BLUE, (8, 6))
    assert [side.shape for side in sides(paired(tmp_path / "a", tmp_path / "b"))] == [(1, 6, 8, 3)] * 2


def test_side_by_side(tmp_path):
    for index in range(3):
        both = np.zeros((6, 16, 3), "uint8")
        both[:, :8], both[:, 8:] = (index, 0, 0), (0, index, 200)
        (tmp_path / "train").mkdir(exist_ok=True)
        Image.fromarray(both).save(tmp_path / "train" / f"{index}.png")
    dataset = paired(tmp_path / "train", shuffle=False)
    assert colors(dataset) == [((index, 0, 0), (0, index, 200)) for index in range(3)]
    turned = paired(tmp_path / "train", shuffle=False, direction="b_to_a")
    assert colors(turned) == [((0, index, 200), (index, 0, 0)) for index in range(3)]
    # Each half is resized by itself: no colour crosses the border.
    resized = paired(tmp_path / "train", shuffle=False, image_size=(12, 12))
    assert sides(resized)[0].shape == (3, 12, 12, 3)
    assert sides(resized)[0][..., 1:].max() == 0 and sides(resized)[1][..., 0].max() == 0


def test_a_broken_file_takes_its_partner_along(tmp_path):
    for name in ("1.png", "2.png", "3.png"):
        write(tmp_path / "a" / name, RED)
        write(tmp_path / "b" / name, BLUE)
    (tmp_path / "b" / "2.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"(?s)1 of 3 image files cannot be read:.*b/2.png.*left out"):
        dataset = paired(tmp_path / "a", tmp_path / "b")
    assert colors(dataset) == [(RED, BLUE)] * 2


def test_folders_refused(tmp_path):
    for name in ("1.png", "2.png", "4.png"):
        write(tmp_path / "a" / name, RED)
    for name in ("1.png", "3.png", "4.png"):
        write(tmp_path / "b" / name, BLUE)
    words = r"2 images have no partner of the same name: '2' only in '.*a', '3' only in '.*b'\."
    with pytest.raises(ValueError, match=words):
        paired(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "a" / "1.bmp", RED)
    with pytest.raises(ValueError, match=r"The partner of '1' is not certain: '.*a' holds '1.bmp' and '1.png'"):
        paired(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "odd" / "1.png", RED, (9, 6))
    with pytest.raises(ValueError, match=r"its width is even; these are odd: 1.png \(9 pixels\)"):
        paired(tmp_path / "odd")
    with pytest.raises(ValueError, match="There is no folder"):
        paired(tmp_path / "a", tmp_path / "missing")
    with pytest.raises(ValueError, match="batch_size=3 is larger than the dataset, which has 1 samples"):
        paired(tmp_path / "odd", tmp_path / "odd", batch_size=3)
    for size in ((8, 6), (10, 6)):
        write(tmp_path / "both" / f"{size[0]}.png", RED, size)
    with pytest.raises(ValueError, match="2 different sizes"):
        paired(tmp_path / "both")


IMAGES = np.zeros((3, 8, 8, 3), "uint8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"inputs": IMAGES}, "so must targets be; received none"),
        ({"inputs": IMAGES, "targets": "folder"}, "so must targets be; received 'folder'"),
        ({"inputs": "folder", "targets": IMAGES}, "so must targets be; received ndarray"),
        ({"inputs": IMAGES, "targets": IMAGES[:2]}, "one target; received 3 inputs and 2 targets"),
        ({"inputs": IMAGES, "targets": IMAGES[:, :4]}, "inputs of 8 x 8 and targets of 4 x 8"),
        ({"inputs": np.zeros((3, 2)), "targets": np.zeros((3, 2))}, r"two images; received arrays .* \(3, 2\)"),
        (
            {"inputs": IMAGES, "targets": IMAGES, "direction": "ab"},
            "one of 'a_to_b', 'b_to_a'. .*'ab'",
        ),
        ({"inputs": IMAGES, "targets": IMAGES, "jitter": 0.9}, "`jitter` must be True .*Received: jitter=0.9"),
        (
            {"inputs": IMAGES, "targets": IMAGES, "channels": 2},
            "one of 1, 3, 4. Received: channels=2",
        ),
        ({"inputs": IMAGES, "targets": IMAGES / 255.0 - 1, "image_size": (4, 4)}, "image_size needs uint8"),
        ({"inputs": IMAGES, "targets": IMAGES, "batch_size": 4}, "larger than the dataset, which has 3"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        paired(**arguments)


# === The embedded pairs ===


def test_fashion_edges():
    dataset = load("fashion_edges_10k", split="train[:50]", batch_size=50, shuffle=False)
    ((edges, garments),) = batches(dataset, 1)
    assert edges.shape == garments.shape == (50, 32, 32, 1)
    original = load("fashion_mnist_10k", split="train[:50]", shuffle=False).source.images.numpy()
    np.testing.assert_array_equal(dataset.source.targets.numpy()[:, 2:30, 2:30], original)
    assert set(np.unique(edges)) == {-1.0, 1.0}
    assert 0.1 < (edges == 1).mean() < 0.3
    assert garments[edges == 1].mean() > garments[edges == -1].mean()


def test_edges_of_known_images():
    """Beside a step of 100, Sobel's filter gives 400; along a slope of 30 in a pixel, 240; of 40, 320."""
    from ganzoo.data.load import edges

    step = np.zeros((1, 6, 6, 1), "uint8")
    step[:, :, 3:] = 100
    found = edges(step)[0, :, :, 0]
    assert (found[:, 2:4] == 255).all() and not found[:, [0, 1, 4, 5]].any()
    np.testing.assert_array_equal(edges(step.swapaxes(1, 2))[0, :, :, 0], found.T)
    for slope, is_edge in ((30, False), (40, True)):
        ramp = np.broadcast_to(np.arange(6, dtype="uint8")[:, None] * slope, (1, 6, 6, 1))
        assert (edges(ramp)[0, :, 1:-1] == 255).all() == is_edge == (edges(ramp)[0, :, 1:-1] == 255).any()


def test_openmoji():
    train, test = load("openmoji_pairs", batch_size=8), load("openmoji_pairs", split="test")
    assert train.element_spec == (
        tf.TensorSpec((8, 64, 64, 1), tf.float32),
        tf.TensorSpec((8, 64, 64, 3), tf.float32),
    )
    assert (len(train), len(test)) == (440 // 8, 100)
    assert len(load("openmoji_pairs", split="test[:10]")) == 10
    inputs, targets = sides(test)
    # Outlines stay black in the drawing, and what is white in the drawing is white in the outline.
    lines = inputs[..., 0] < 30
    assert 0.03 < lines.mean() < 0.3 and targets[lines].mean() < 40
    assert inputs[targets.min(-1) == 255].mean() > 250
    # No drawing stands in both parts.
    ours = {image.tobytes() for image in sides(train)[1]}
    assert len(ours) == 440 and not ours & {image.tobytes() for image in targets}
    with pytest.raises(ValueError, match="splits 'train' and 'test'; received split='val'"):
        load("openmoji_pairs", split="val")


def test_openmoji_names_its_authors():
    folder = ganzoo.data.__path__[0]
    with open(f"{folder}/embedded/openmoji_pairs_64.md") as file:
        text = file.read()
    assert "https://openmoji.org" in text and "creativecommons.org/licenses/by-sa/4.0" in text
    assert "CC BY-SA 4.0" in load.__doc__


def test_load_hands_jitter_and_mirror_on():
    plain, changed = (load("openmoji_pairs", batch_size=8, **options) for options in ({}, {"jitter": True}))
    assert not np.array_equal(batches(plain, 1)[0][1], batches(changed, 1)[0][1])
    with pytest.raises(ValueError, match="change pairs of images, and 'mnist_10k' is none of fashion_edges_10k"):
        load("mnist_10k", mirror=True)
