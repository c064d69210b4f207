import warnings

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.data import from_arrays

GREY = np.arange(4 * 5 * 6, dtype="uint8").reshape(4, 5, 6, 1)


def only(dataset):
    (batch,) = list(dataset)
    return batch.numpy()


def test_uint8_images_become_floats():
    images = only(from_arrays(GREY, batch_size=4, shuffle=False))
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, GREY / 127.5 - 1, atol=1e-6)


def test_grey_images_get_a_channel():
    np.testing.assert_array_equal(only(from_arrays(GREY[..., 0], batch_size=4)), only(from_arrays(GREY, batch_size=4)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_stay_as_they_are(dtype):
    images = np.linspace(-1, 1, 120).reshape(4, 5, 6, 1).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = from_arrays(images, batch_size=4, shuffle=False)
    np.testing.assert_array_equal(only(dataset), images.astype("float32"))
    assert dataset.stream().element_spec.dtype == tf.float32


def test_points_have_any_range():
    points = np.array([[-40.0, 3], [0.5, 0.25]])
    np.testing.assert_array_equal(only(from_arrays(points, batch_size=2, shuffle=False)), points)


def test_tensors_and_small_label_types_are_taken():
    dataset = from_arrays(tf.constant(GREY), np.array([3, 1, 0, 2], "uint8"), shuffle=False)
    assert [int(label) for _, label in dataset] == [3, 1, 0, 2]


def test_images_in_0_1_are_warned_about():
    with pytest.warns(UserWarning, match=r"lie in \[0, 1\].*images \* 2 - 1") as record:
        from_arrays(np.linspace(0, 1, 120).reshape(4, 5, 6, 1))
    assert record[0].filename == __file__


NAN = np.where(np.arange(120).reshape(4, 5, 6, 1) == 7, np.nan, 0.0)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros(3), r"must have the shape \(num_samples, height, width, channels\).*\(3,\)"),
        (np.zeros((0, 5, 6, 1), "uint8"), r"empty.*\(0, 5, 6, 1\)"),
        (np.zeros((28, 28, 1), "uint8"), r"look like one image.*images\[None\]"),
        (np.zeros((9, 3, 28, 28), "uint8"), r"channels first.*np.moveaxis\(images, 1, -1\)"),
        (GREY.astype("int32"), r'received int32.*astype\("uint8"\)'),
        (GREY > 3, "received bool"),
        (np.zeros((4, 2), "uint8"), "points floats; received uint8"),
        (NAN, "1 values that are NaN or infinite, of 120"),
        (np.array([[1.0, np.inf]]), "1 values that are NaN or infinite, of 2"),
        (GREY.astype("float32"), r"lie in \[0, 119\].*pixels 0..255.*images / 127.5 - 1"),
        (GREY / 10.0 - 5, r"must lie in \[-1, 1\], but the values lie in \[-5, 6.9\]. Scale"),
    ],
)
def test_images_refused(images, words):
    with pytest.raises(ValueError, match=words):
        from_arrays(images)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, 2], r"shape \(4,\), one for each image; received shape \(3,\)"),
        ([[0], [1], [2], [0]], r"\(4, 1\). Pass labels\[:, 0\]"),
        (np.eye(4, dtype=int), r"one-hot, pass labels.argmax\(-1\)"),
        (np.array([0, 1, 2, 2**64 - 1], "uint64"), r"less than 2\*\*63; the largest is 18446744073709551615"),
        ([0.0, 1.0, 2.0, 0.0], r'integers; received float64.*astype\("int64"\)'),
        ([0, 1, -1, 0], "0 or more; the least is -1"),
    ],
)
def test_labels_refused(labels, words):
    with pytest.raises(ValueError, match=words):
        from_arrays(GREY, labels)
