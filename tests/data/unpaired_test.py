"""Two collections: each complete and in an order of its own, any batch a function of its index."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo.data import from_arrays, normalize, paired, unpaired
from ganzoo.data.unpaired import UnpairedSource


def numbered(count, size=(4, 6), channels=1, first=0):
    """Images whose pixels tell their index."""
    images = np.arange(first, first + count, dtype="uint8")[:, None, None, None]
    return np.broadcast_to(images, (count, *size, channels))


def batches(dataset, count):
    return [tuple(part.numpy() for part in batch) for batch in itertools.islice(dataset, count)]


def indices(batches):
    """The indices of both collections, one array each."""
    return [np.concatenate([batch[part][:, 0, 0, 0] for batch in batches]) for part in (0, 1)]


# === What comes out ===


def test_arrays_of_different_number_size_and_channels():
    dataset = unpaired(numbered(5, (4, 6), 1), numbered(7, (8, 8), 3), batch_size=2, shuffle=False)
    assert dataset.element_spec == (
        tf.TensorSpec((2, 4, 6, 1), tf.float32),
        tf.TensorSpec((2, 8, 8, 3), tf.float32),
    )
    assert len(dataset) == 3  # The full batches of the larger collection.
    x, y = indices(batches(dataset, 3))
    np.testing.assert_allclose(y, np.arange(6) / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(x, np.array([0, 1, 2, 3, 0, 1]) / 127.5 - 1, atol=1e-6)
    turned = unpaired(numbered(7, (8, 8), 3), numbered(5, (4, 6), 1), batch_size=2, shuffle=False)
    assert len(turned) == 3


def test_the_paper_has_batches_of_one_image():
    dataset = unpaired(numbered(3), numbered(2))
    assert len(dataset) == 3 and dataset.element_spec[0].shape == (1, 4, 6, 1)


def test_stream_is_uint8_and_the_dataset_is_its_first_epoch():
    dataset = unpaired(numbered(9), numbered(5), batch_size=2)
    raw = batches(dataset.stream(), 4)
    assert all(part.dtype == np.uint8 for batch in raw for part in batch)
    for ours, theirs in zip(batches(dataset, 9), raw, strict=True):
        for a, b in zip(ours, theirs):
            np.testing.assert_array_equal(a, normalize(b))


@pytest.mark.parametrize(("sizes", "larger"), [((12, 5), 0), ((5, 12), 1)])
def test_each_collection_is_passed_whole_in_orders_of_its_own(sizes, larger):
    dataset = unpaired(numbered(sizes[0]), numbered(sizes[1]))
    both = indices(batches(dataset.stream(), 60))
    for part, size in zip(both, sizes):
        orders = part.reshape(-1, size)
        assert (np.sort(orders, axis=1) == np.arange(size)).all()
        assert len(np.unique(orders, axis=0)) == len(orders)  # 5 or 12 orders; of 5 images there are 120.
    assert len(dataset) == sizes[larger]


def test_batches_that_do_not_divide_the_smaller_collection_reach_all_of_it():
    both = indices(batches(unpaired(numbered(12), numbered(5), batch_size=4).stream(), 30))
    assert set(both[1].tolist()) == set(range(5))
    for order in both[1].reshape(-1, 4):
        assert len(set(order.tolist())) == 4


def test_no_pairing_leaks():
    """Two collections of one size: image i of x meets each image of y as often as any other."""
    x, y = indices(batches(unpaired(numbered(6), numbered(6)).stream(), 6 * 300))
    counts = np.zeros((6, 6))
    np.add.at(counts, (x, y), 1)
    # 300 pairs of permutations: 25 degrees of freedom, and 0.1 % lies above 52.6.
    assert ((counts - 50) ** 2 / 50).sum() < 52.6
    assert (x == y).reshape(-1, 6).all(axis=1).mean() < 0.05  # Equal orders: 1 of 720.


def test_no_pairing_leaks_into_the_augmentation():
    picture = np.arange(4 * 6, dtype="uint8").reshape(1, 4, 6, 1)
    turned = [
        [not np.array_equal(part, picture) for part in batch]
        for batch in batches(unpaired(picture, picture, mirror=True).stream(), 400)
    ]
    agree = np.mean([one == other for one, other in turned])
    assert abs(agree - 0.5) < 4 * 0.025  # 4 deviations of the share of 400 throws.
    for part in np.transpose(turned):
        assert abs(np.mean(part) - 0.5) < 4 * 0.025


# === Resuming ===


@pytest.mark.parametrize(("start", "options"), [(1, {}), (31, {}), (14, {"jitter": 1.5, "mirror": True})])
def test_resumes_anywhere(start, options):
    random = np.random.default_rng(0)
    x, y = (random.integers(0, 256, (count, 8, 8, 1), "uint8") for count in (23, 11))

    def stream(*arguments, seed=3):
        return unpaired(x, y, batch_size=2, seed=seed, **options).stream(*arguments)

    straight = batches(stream(), start + 4)
    for ours, theirs in zip(batches(stream(start), 4), straight[start:], strict=True):
        for a, b in zip(ours, theirs):
            np.testing.assert_array_equal(a, b)
    other = batches(stream(seed=4), 1)
    for part in (0, 1):
        assert not np.array_equal(other[0][part], straight[0][part])


def test_shorter_epochs():
    """`batches_per_epoch` ends the orders of the larger collection; the smaller one keeps its own pace."""
    dataset = unpaired(numbered(10), numbered(4))
    x, y = indices(batches(dataset.stream(0, batches_per_epoch=6), 24))
    whole = indices(batches(dataset.stream(), 24))
    np.testing.assert_array_equal(x[:6], whole[0][:6])
    np.testing.assert_array_equal(x[6:12], whole[0][10:16])
    np.testing.assert_array_equal(y, whole[1])
    resumed = indices(batches(dataset.stream(15, batches_per_epoch=6), 9))
    np.testing.assert_array_equal(resumed, [x[15:], y[15:]])
    with pytest.raises(ValueError, match="`batches_per_epoch` must be at most 10"):
        dataset.stream(0, 11)
    with pytest.raises(ValueError, match="`start` must be an integer of at least 0"):
        dataset.stream(-1)


# === What goes in ===


def test_folders(tmp_path):
    for folder, name, color in (("a", "1.png", 10), ("a", "2.png", 20), ("b", "deep/3.png", 30)):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 6), color).save(path)
    dataset = unpaired(tmp_path / "a", str(tmp_path / "b"), channels=1, image_size=(4, 4), shuffle=False)
    x, y = indices(batches(dataset.stream(), 2))
    assert (x.tolist(), y.tolist()) == ([10, 20], [30, 30])
    assert dataset.element_spec[0].shape == (1, 4, 4, 1)
    mixed = unpaired(tmp_path / "a", numbered(3, (6, 8), 3))
    assert [spec.shape for spec in mixed.element_spec] == [(1, 6, 8, 3), (1, 6, 8, 3)]


def test_datasets_give_their_images():
    labelled = from_arrays(numbered(4), np.arange(4))
    dataset = unpaired(labelled, from_arrays(numbered(3, first=7)), shuffle=False)
    x, y = indices(batches(dataset.stream(), 3))
    assert (x.tolist(), y.tolist()) == ([0, 1, 2], [7, 8, 9])


def test_floats_stay_as_they_are():
    images = np.linspace(-1, 1, 2 * 4 * 4 * 3, dtype="float32").reshape(2, 4, 4, 3)
    ((x, y),) = batches(unpaired(images, (images > 0).astype("uint8") * 255, batch_size=2, shuffle=False), 1)
    np.testing.assert_array_equal(x, images)
    np.testing.assert_array_equal(y, np.where(images > 0, 1, -1))


def test_floats_in_0_1_are_warned_about():
    images = np.linspace(0, 1, 2 * 4 * 4 * 3).reshape(2, 4, 4, 3)
    with pytest.warns(UserWarning, match=r"lie in \[0, 1\]") as record:
        unpaired(numbered(2), images)
    assert record[0].filename == __file__


def test_images_are_held_as_bytes():
    source = unpaired(numbered(3), numbered(2)).source
    assert isinstance(source, UnpairedSource) and source.batches_per_epoch == 3
    assert source.x.images.dtype == source.y.images.dtype == tf.uint8


IMAGES = np.zeros((3, 8, 8, 3), "uint8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"y": IMAGES[:2], "batch_size": 3}, "larger than the collection y, which has 2 images"),
        ({"batch_size": 4}, "larger than the dataset, which has 3"),
        ({"batch_size": None}, "`batch_size` must be an integer of at least 1. Received: batch_size=None"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"x": np.zeros((3, 2))}, r"collection x must hold images .* shape \(3, 2\)"),
        ({"x": IMAGES.astype("int64")}, "x must be uint8"),
        ({"y": "/no/such/folder"}, "There is no folder"),
        ({"y": paired(IMAGES, IMAGES)}, "collection y .*Received: a dataset of pairs"),
        ({"x": tf.data.Dataset.range(3)}, "collection x .*Received: another tf.data.Dataset"),
        ({"jitter": 0.9}, "`jitter` must be True .*Received: jitter=0.9"),
        ({"image_size": 8}, "`image_size` must be"),
        ({"x": IMAGES / 255.0 - 1, "image_size": (4, 4)}, "image_size needs uint8"),
        ({"seed": -1}, "`seed` must be an integer from 0"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        unpaired(**{"x": IMAGES, "y": IMAGES, **arguments})
