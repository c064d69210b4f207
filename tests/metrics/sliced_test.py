import math

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

import ganzoo
from ganzoo.metrics.sliced import (
    PyramidSlicedWasserstein,
    SlicedWasserstein,
    laplacian_level,
    larger,
    level_sizes,
    patches_of_level,
    potential,
    pyramid_sliced_wasserstein,
    sliced_wasserstein,
    transport_cost,
)


def normal(seed, count, dimensions, shift=0.0):
    features = np.random.default_rng(seed).normal(size=(count, dimensions))
    features[:, 0] += shift
    return features


def digits(count):
    dataset = ganzoo.data.load("mnist_10k", split=f"train[:{count}]", batch_size=count, shuffle=False)
    images, _ = next(iter(dataset))
    return ganzoo.images.to_uint8(images).numpy()


@pytest.mark.parametrize("sizes", [(50, 50), (50, 31), (12, 60)])
def test_one_dimension(sizes):
    """On a line both directions are the same: the distance is SciPy's, for p = 2 that of copies made equally many."""
    real, fake = normal(0, sizes[0], 1), 2 * normal(1, sizes[1], 1, 0.2)
    expected = scipy.stats.wasserstein_distance(real[:, 0], fake[:, 0])
    assert sliced_wasserstein(real, fake, projections=3).value == pytest.approx(expected, rel=1e-12)
    copies = [np.sort(np.repeat(x[:, 0], math.lcm(*sizes) // len(x))) for x in (real, fake)]
    expected = np.sqrt(np.mean((copies[0] - copies[1]) ** 2))
    assert sliced_wasserstein(real, fake, p=2, projections=3).value == pytest.approx(expected, rel=1e-12)


def test_shift_in_five_dimensions():
    """Of a shift by m, p = 1 sees E|u.m| = |m| Gamma(d/2) / (sqrt(pi) Gamma((d + 1)/2)), and p = 2 |m| / sqrt(d)."""
    real = normal(0, 20, 5)
    fake = real[::-1] + np.array([1.0, -2.0, 0.0, 2.0, 0.0])
    expected = 3 * math.gamma(2.5) / (math.sqrt(math.pi) * math.gamma(3))
    assert sliced_wasserstein(real, fake, projections=20_000).value == pytest.approx(expected, rel=0.015)
    assert sliced_wasserstein(real, fake, p=2, projections=20_000).value == pytest.approx(3 / math.sqrt(5), rel=0.015)


def test_identical_sets():
    features = normal(0, 1000, 64)
    shuffled = np.random.default_rng(1).permutation(features)
    assert sliced_wasserstein(features, shuffled, projections=50).value <= 1e-12


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("sizes", [(6, 6), (6, 9), (7, 4)])
def test_influence_is_the_derivative(p, sizes):
    """Against the change of the cost when one of many copies of each point is added or taken away."""
    x, y = np.sort(normal(0, sizes[0], 1)[:, 0]), np.sort(normal(1, sizes[1], 1, 0.5)[:, 0])
    found = potential(x, y, p)
    copies = 2000
    for index in range(len(x)):
        costs = []
        for change in (1, -1):
            counts = np.full(len(x), copies)
            counts[index] += change
            costs.append(transport_cost(np.repeat(x, counts), y, p) * len(x) * copies)
        assert found[index] - found.mean() == pytest.approx((costs[0] - costs[1]) / 2, abs=5e-3)


@pytest.mark.parametrize("p", [1, 2])
def test_chunks_and_order_change_nothing(p):
    real, fake = normal(0, 301, 4), normal(1, 200, 4, 0.3)
    whole = sliced_wasserstein(real, fake, p, projections=40, chunk_size=10_000)
    for size in (1, 7, 301):
        part = sliced_wasserstein(real, fake, p, projections=40, chunk_size=size)
        assert (part.value, *part.interval) == pytest.approx((whole.value, *whole.interval), rel=1e-9)
    assert sliced_wasserstein(real[::-1], fake[::-1], p, projections=40).value == pytest.approx(whole.value, rel=1e-9)


@pytest.mark.parametrize("p, truth", [(1, 0.5), (2, 1 / math.sqrt(3))])
def test_interval_covers_the_distance_of_the_distributions(p, truth):
    """In 200 repetitions the 95 % interval holds the distance of two Gaussians 90 to 99 % of the time."""
    covered = 0
    for repetition in range(200):
        real, fake = normal(2 * repetition, 100, 3), normal(2 * repetition + 1, 70, 3, 1.0)
        low, high = sliced_wasserstein(real, fake, p, projections=32, seed=repetition).interval
        covered += low <= truth <= high
    assert 180 <= covered <= 198


def test_interval_of_equal_distributions_begins_at_zero():
    """Between samples of one distribution all distance is bias: the lower limit is 0 in most of 10 repetitions."""
    limits = [sliced_wasserstein(normal(2 * i, 100, 3), normal(2 * i + 1, 100, 3), seed=i).interval for i in range(10)]
    assert 8 <= sum(low == 0.0 for low, _ in limits)
    assert 0.0 < max(high for _, high in limits) < 1.0


def naive_blur(image):
    """The binomial filter as one sum over 5 x 5 neighbours of an image mirrored without its edge."""
    row = np.array([1, 4, 6, 4, 1]) / 16
    padded = np.pad(image, 2, mode="reflect")
    height, width = image.shape
    return sum(row[i] * row[j] * padded[i : i + height, j : j + width] for i in range(5) for j in range(5))


@pytest.mark.parametrize("size", [(28, 28), (33, 30)])
def test_pyramid(size):
    """Each level is what a naive filter leaves, and together they make up the image."""
    image = np.random.default_rng(0).uniform(0, 255, size=size)
    half = naive_blur(image)[::2, ::2]
    spread = np.zeros(size)
    spread[::2, ::2] = half
    expected = [image - 4 * naive_blur(spread), half]
    levels = [laplacian_level(image[None, ..., None], index, 1) for index in (0, 1)]
    assert level_sizes(size) == [size, half.shape]
    for found, wanted in zip(levels, expected):
        np.testing.assert_allclose(found[0, ..., 0], wanted, atol=1e-10)
    np.testing.assert_allclose((levels[0] + larger(levels[1], levels[0].shape))[0, ..., 0], image, atol=1e-10)


def test_levels_of_the_paper():
    assert level_sizes((128, 128)) == [(128, 128), (64, 64), (32, 32), (16, 16)]
    assert level_sizes((27, 40)) == [(27, 40)]


def test_patches():
    """Patches are windows of the level, normalised in each channel: here of an image that names its pixels."""
    values = np.arange(2 * 9 * 10 * 2).reshape(2, 9, 10, 2)
    patches = patches_of_level(values, 0, 0, 5, 0, 1).reshape(2, 5, 7, 7, 2)
    assert patches.dtype == "float32"
    for channel in (0, 1):
        part = patches[..., channel].astype("float64")
        assert abs(part.mean()) < 1e-5 and part.std() == pytest.approx(1.0, rel=1e-5)
        steps = np.diff(part, axis=3), np.diff(part, axis=2)
        np.testing.assert_allclose(steps[1] / steps[0].mean(), 10.0, rtol=1e-3)
        assert len(np.unique(part[:, :, 0, 0])) > 4


def test_images_against_a_naive_distance():
    """One level, one patch that is the whole image: features whose channel is brought to mean 0 and deviation 1."""
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 256, (30, 7, 7, 1), "uint8"), rng.integers(0, 99, (20, 7, 7, 1), "uint8") ** 2
    flat = [x.reshape(len(x), -1).astype("float64") for x in (real, fake)]
    expected = sliced_wasserstein(*((x - x.mean()) / x.std() for x in flat), projections=2000).value
    found = pyramid_sliced_wasserstein(real, fake, projections=2000, descriptors=2)
    assert found.details["levels"] == [pytest.approx(found.value, rel=1e-12)]
    assert found.value == pytest.approx(expected, rel=0.02)


def test_images_blurred_noisy_and_dimmed():
    """A blur and noise are seen, on the fine level most; half the contrast is not, and identical sets are at 0."""
    real = digits(200) // 2 * 2
    settings = {"projections": 64, "descriptors": 16}

    def levels(fake):
        return np.array(pyramid_sliced_wasserstein(real, fake, **settings).details["levels"])

    noise = np.random.default_rng(0).normal(size=real.shape)
    blurred = scipy.ndimage.gaussian_filter(real.astype("float64"), (0, 1, 1, 0)).astype("uint8")
    noisy = np.clip(real + 40 * noise, 0, 255).astype("uint8")
    assert np.all(levels(np.random.default_rng(1).permutation(real)) <= 1e-12)
    assert np.all(levels(real // 2) < 0.05)
    assert levels(blurred)[0] > 1.5 * levels(blurred)[1] > 0.05
    assert levels(noisy)[0] > 3 * levels(noisy)[1]
    assert np.all(levels(blurred) < levels(scipy.ndimage.gaussian_filter(blurred, (0, 1, 1, 0))))


def test_images_chunks_and_order_change_nothing():
    images = digits(60)
    real, fake = images[:35], images[35:]
    settings = {"projections": 20, "descriptors": 4}
    whole = pyramid_sliced_wasserstein(real, fake, **settings)
    for size in (1, 7, 100):
        part = pyramid_sliced_wasserstein(real[::-1], fake[::-1], **settings, chunk_size=size)
        assert (part.value, *part.interval) == pytest.approx((whole.value, *whole.interval), rel=1e-9)


def stripes(seed, count, period):
    """Noisy stripes of a random phase and contrast."""
    rng = np.random.default_rng(seed)
    phase, contrast = rng.uniform(0, 2 * np.pi, (count, 1, 1, 1)), rng.uniform(20, 90, (count, 1, 1, 1))
    waves = np.sin(2 * np.pi / period * np.arange(12)[:, None, None] + phase)
    return (128 + contrast * waves + 10 * rng.normal(size=(count, 12, 12, 1))).astype("uint8")


def test_interval_of_images_covers_the_distance_of_many():
    """In 200 repetitions the 95 % interval of 60 images holds the distance of 1,000 images 90 to 99 % of the time."""
    truth = pyramid_sliced_wasserstein(stripes(1, 1000, 4), stripes(2, 1000, 8), 2000, descriptors=4).value
    covered = 0
    for repetition in range(200):
        real, fake = stripes(2 * repetition + 3, 60, 4), stripes(2 * repetition + 4, 60, 8)
        low, high = pyramid_sliced_wasserstein(real, fake, 32, descriptors=4, seed=repetition).interval
        covered += low <= truth <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize(
    "real, fake, settings, words",
    [
        (np.zeros((1, 3)), np.zeros((5, 3)), {}, "at least 2 samples. Received: 1 real"),
        (np.zeros((5, 3)), np.zeros((5, 2)), {}, r"equal dimensions. Received: 3 \(real\), 2 \(fake\)"),
        (np.zeros((5, 3)), np.zeros((5, 3)), {"p": 3}, "`p` must be one of 1, 2. Received: p=3"),
        (np.zeros((5, 3)), np.zeros((5, 3)), {"projections": 0}, "`projections` must be an integer from 1 to 100,000"),
    ],
)
def test_refusals(real, fake, settings, words):
    with pytest.raises(ValueError, match=words):
        sliced_wasserstein(real, fake, **settings)


@pytest.mark.parametrize(
    "real, fake, words",
    [
        ((5, 6, 9, 1), (5, 6, 9, 1), "7 x 7 pixels or more. Received: 6 x 9"),
        ((5, 9, 9, 1), (5, 9, 9, 3), "equal shapes"),
        ((5, 9, 9, 1), (1, 9, 9, 1), "at least 2 samples. Received: 1 fake"),
        ((5, 81), (5, 81), "Images must be"),
    ],
)
def test_refusals_of_images(real, fake, words):
    with pytest.raises(ValueError, match=words):
        pyramid_sliced_wasserstein(np.zeros(real, "uint8"), np.zeros(fake, "uint8"))


def test_dead_generator():
    """Images of one colour have no deviation to divide by, and a distance none the less."""
    score = pyramid_sliced_wasserstein(digits(20), np.zeros((20, 28, 28, 1), "uint8"), 16, 4)
    assert 0.1 < score.value < 10


def test_streams():
    real, fake = normal(0, 100, 2), normal(1, 60, 2)
    metric = SlicedWasserstein(p=2, projections=30)
    metric.update_state(real=real[:30], fake=fake)
    metric.update_state(real=real[30:])
    assert metric.result() == sliced_wasserstein(real, fake, p=2, projections=30)
    assert metric.result().settings == {"p": 2, "projections": 30}
    images = digits(40)
    metric = PyramidSlicedWasserstein(projections=10, descriptors=4)
    metric.update_state(real=images[:20], fake=images[20:].astype("float32") / 127.5 - 1)
    expected = pyramid_sliced_wasserstein(images[:20], images[20:], projections=10, descriptors=4)
    assert metric.result() == expected
    assert expected.features == "pixels"
    assert expected.details["sizes"] == [[28, 28], [14, 14]]
