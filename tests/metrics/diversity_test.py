import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.metrics.diversity import WEIGHTS, MSSSIMDiversity, ms_ssim, ms_ssim_diversity, scale_weights


def digits(count):
    dataset = ganzoo.data.load("mnist_10k", split=f"train[:{count}]", batch_size=count, shuffle=False)
    images, labels = next(iter(dataset))
    return ganzoo.images.to_uint8(images).numpy(), labels.numpy()


def bars(seed, count):
    """Bright bars of a random width on a dark ground of 11 x 11 pixels."""
    widths = np.random.default_rng(seed).integers(2, 10, count)
    inside = np.arange(11) < widths[:, None]
    return np.broadcast_to(np.where(inside, 200, 30)[:, None, :, None], (count, 11, 11, 1)).astype("uint8")


@pytest.mark.parametrize("shape, scales", [((168, 161, 1), 5), ((45, 50, 3), 3), ((28, 28, 1), 2), ((12, 15, 1), 1)])
def test_against_tensorflow(shape, scales):
    """With as many of its weights as fit, normalised to sum 1."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 255, (4, *shape))
    y = np.clip(0.6 * x + 40 * rng.normal(size=x.shape), 0, 255)
    weights = scale_weights(shape[:2])
    assert len(weights) == scales and weights.sum() == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(weights / weights[0], WEIGHTS[:scales] / WEIGHTS[0], rtol=1e-12)
    inputs = [tf.constant(images, "float32") for images in (x, y)]
    expected = tf.image.ssim_multiscale(*inputs, 255.0, power_factors=weights.tolist()).numpy()
    found = ms_ssim(x, y, weights)
    assert 0.2 < found.min() and found.max() < 0.95
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_scales():
    assert [len(scale_weights((side, 300))) for side in (11, 20, 21, 40, 41, 80, 81, 160, 161, 1000)] == [
        *(1, 1, 2, 2, 3, 3, 4, 4, 5, 5)
    ]


def test_two_images():
    """Copies of two images in equal numbers: a random pair is of equal ones nearly every second time."""
    kinds = np.stack([np.full((28, 28, 1), 20, "uint8"), np.full((28, 28, 1), 230, "uint8")])
    different = ms_ssim(*(kind[None].astype("float64") for kind in kinds), scale_weights((28, 28)))[0]
    score = ms_ssim_diversity(kinds.repeat(1000, axis=0))
    assert score.settings == {"scales": 2, "pairs": 1000}
    assert score.value == pytest.approx((1 + different) / 2, abs=0.05)
    assert score.interval[0] < (1 + different) / 2 < score.interval[1]


def test_collapse_is_seen():
    """The fewer different digits there are, the more similar they are to each other."""
    images, _ = digits(600)
    values = [ms_ssim_diversity(images[:count].repeat(600 // count, axis=0)).value for count in (600, 5, 2, 1)]
    assert values[3] == pytest.approx(1.0, rel=1e-12)
    assert 0.0 < values[0] < values[1] - 0.05 < values[2] - 0.1 < values[3] - 0.15


def test_classes_are_compared_within_themselves():
    """Two classes of one image each are all alike within, though not between; real images stand beside."""
    fake = np.stack([np.full((16, 16, 1), value, "uint8") for value in (20, 230)]).repeat(10, axis=0)
    labels = np.repeat([4, 7], 10)
    real, real_labels = digits(200)
    score = ms_ssim_diversity(fake, labels, real, real_labels)
    assert score.value == pytest.approx(1.0, rel=1e-12)
    assert score.settings == {"scales": 1, "pairs": 10, "classes": 2}
    assert score.details["labels"] == [4, 7]
    assert score.details["by_class"] == pytest.approx([1.0, 1.0], rel=1e-12)
    alone = ms_ssim_diversity(real, real_labels)
    assert score.details["real"] == alone.value
    assert score.details["real_interval"] == list(alone.interval)
    assert alone.value == pytest.approx(np.mean(alone.details["by_class"]), rel=1e-12)
    assert ms_ssim_diversity(real).value < alone.value < 0.9


def test_pairs_are_shared_among_the_classes():
    images, labels = digits(300)
    assert ms_ssim_diversity(images, labels, pairs=50).settings["pairs"] == 50
    assert ms_ssim_diversity(images, pairs=50).settings["pairs"] == 50


def test_chunks_and_order_change_nothing():
    images, labels = digits(200)
    order = np.random.default_rng(1).permutation(200)
    for given in (None, labels):
        whole = ms_ssim_diversity(images, given, chunk_size=1000)
        for size in (1, 7, 50):
            part = ms_ssim_diversity(images[order], None if given is None else given[order], chunk_size=size)
            assert (part.value, *part.interval) == pytest.approx((whole.value, *whole.interval), rel=1e-9)


def test_interval_covers_the_mean_over_all_pairs():
    """In 200 repetitions of 80 images the 95 % interval holds the mean over the distribution 90 to 99 % of the time."""
    kinds = bars(0, 1000)[np.unique(bars(0, 1000).sum(axis=(1, 2, 3)), return_index=True)[1]].astype("float64")
    assert len(kinds) == 8
    weights = scale_weights((11, 11))
    truth = np.mean([ms_ssim(kinds, np.broadcast_to(kind, kinds.shape), weights) for kind in kinds])
    covered = 0
    for repetition in range(200):
        low, high = ms_ssim_diversity(bars(repetition, 80), seed=repetition).interval
        covered += low <= truth <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize(
    "fake, settings, words",
    [
        (np.zeros((1, 16, 16, 1), "uint8"), {}, "2 images. Received: 1 fake"),
        (np.zeros((0, 16, 16, 1), "uint8"), {}, "2 images. Received: 0 fake"),
        (np.zeros((3, 16, 16, 1), "uint8"), {"labels": [1, 1, 2]}, "2 images. Received: 1 fake of class 2"),
        (np.zeros((3, 16, 16, 1), "uint8"), {"labels": [1, 1]}, "must be 3 integers"),
        (np.zeros((3, 16, 16, 1), "uint8"), {"labels": [0.5, 0.5, 0.5]}, "dtype float64"),
        (np.zeros((3, 10, 16, 1), "uint8"), {}, "11 x 11 pixels or more"),
        (np.zeros((3, 16, 16, 1), "uint8"), {"pairs": 0}, "`pairs` must be an integer of at least 1"),
        (
            np.zeros((3, 16, 16, 1), "uint8"),
            {"labels": [1, 1, 1], "real": np.zeros((3, 16, 16, 1), "uint8")},
            "labels of both, or of none",
        ),
    ],
)
def test_refusals(fake, settings, words):
    with pytest.raises(ValueError, match=words):
        ms_ssim_diversity(fake, **settings)


def test_streams():
    images, labels = digits(120)
    metric = MSSSIMDiversity(pairs=40)
    metric.update_state(fake=images[:50])
    metric.update_state(fake=images[50:100].astype("float32") / 127.5 - 1)
    assert metric.result() == ms_ssim_diversity(images[:100], pairs=40)
    metric.reset_state()
    metric.update_state(fake=images[:100], labels=labels[:100])
    metric.update_state(real=images[20:], labels=labels[20:])
    assert metric.result() == ms_ssim_diversity(images[:100], labels[:100], images[20:], labels[20:], pairs=40)
    with pytest.raises(ValueError, match="of one kind"):
        metric.update_state(real=images, fake=images, labels=labels)
    metric.update_state(fake=images)
    with pytest.raises(ValueError, match="must be 220 integers"):
        metric.result()


def test_single_pairs_have_no_interval():
    images = np.random.default_rng(0).integers(256, size=(4, 16, 16, 1), dtype="uint8")
    assert ms_ssim_diversity(images[:3]).interval is None
    score = ms_ssim_diversity(images, [0, 0, 1, 1], images, [0, 0, 1, 1])
    assert score.interval is None and score.details["real_interval"] is None
