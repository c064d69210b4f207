import math

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.metrics.pairs import PSNR, SSIM, L1Distance, l1_distance, psnr, ssim

FUNCTIONS = [psnr, ssim, l1_distance]


def images(seed, count, shape=(17, 14, 3)):
    """Smooth random images with a little noise, uint8."""
    rng = np.random.default_rng(seed)
    rough = rng.uniform(0, 255, (count, shape[0] // 4 + 1, shape[1] // 4 + 1, shape[2]))
    smooth = rough.repeat(4, axis=1).repeat(4, axis=2)[:, : shape[0], : shape[1]]
    return np.clip(smooth + rng.normal(scale=20, size=smooth.shape), 0, 255).astype("uint8")


def distorted(seed, truth, scale=30.0):
    """The images with noise whose strength differs from one to the next."""
    rng = np.random.default_rng(seed)
    strengths = scale * rng.uniform(0.2, 1.0, (len(truth), 1, 1, 1))
    return np.clip(truth + strengths * rng.normal(size=truth.shape), 0, 255).astype("uint8")


def test_constant_difference():
    """Of images that differ by 51 everywhere: PSNR 20 log10(5), L1 0.4 of [-1, 1]."""
    real = np.full((3, 16, 16, 1), 100, "uint8")
    fake = real + np.uint8(51)
    assert psnr(real, fake).value == pytest.approx(20 * math.log10(5), rel=1e-12)
    assert l1_distance(real, fake).value == pytest.approx(0.4, rel=1e-12)
    c1 = (0.01 * 255) ** 2
    assert ssim(real, fake).value == pytest.approx((2 * 100 * 151 + c1) / (100**2 + 151**2 + c1), rel=1e-12)


def test_ssim_of_a_negative():
    """Stripes of two columns against their negative: all means are nearly equal, and the correlation is -1."""
    rows = np.tile([0.0, 0.0, 255.0, 255.0], (2, 16, 6))[..., None].astype("uint8")
    value = ssim(rows, 255 - rows).value
    assert -1.0 < value < -0.9


def test_ssim_naively():
    """One window of one channel, the sums written out."""
    real, fake = (x.astype("float64") for x in (images(0, 1, (11, 11, 1)), images(1, 1, (11, 11, 1))))
    steps = np.arange(11) - 5
    window = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = real[0, ..., 0], fake[0, ..., 0]
    mean_x, mean_y = np.sum(window * x), np.sum(window * y)
    var_x, var_y = np.sum(window * (x - mean_x) ** 2), np.sum(window * (y - mean_y) ** 2)
    covariance = np.sum(window * (x - mean_x) * (y - mean_y))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    expected /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    assert ssim(real.astype("uint8"), fake.astype("uint8")).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", [(28, 28, 1), (17, 14, 3)])
def test_against_tensorflow(shape):
    real = images(0, 20, shape)
    fake = distorted(1, real)
    inputs = [tf.constant(x, "float32") for x in (real, fake)]
    expected = tf.image.ssim(*inputs, max_val=255.0).numpy().astype("float64").mean()
    assert ssim(real, fake).value == pytest.approx(expected, abs=2e-6)
    expected = tf.image.psnr(*inputs, max_val=255.0).numpy().astype("float64").mean()
    assert psnr(real, fake).value == pytest.approx(expected, rel=1e-6)


def test_floats_are_quantised():
    """Floats in [-1, 1] are what uint8 images stand for; what is less than half a step makes no difference."""
    real = images(0, 5)
    fake = distorted(1, real)
    floats = [x / 127.5 - 1 + 0.001 for x in (real.astype("float32"), fake.astype("float32"))]
    for function in FUNCTIONS:
        assert function(*floats) == function(real, fake)
    assert l1_distance(real, real.astype("float32") / 127.5 - 1).value == 0.0


def test_perfect_output():
    real = images(0, 4)
    assert ssim(real, real).value == pytest.approx(1.0, rel=1e-12)
    score = psnr(real, real)
    assert score.value == math.inf and score.interval is None
    fake = real.copy()
    fake[0] ^= 1
    score = psnr(real, fake)
    assert score.value == math.inf
    assert score.details["identical"] == 3
    assert score.details["pooled"] == pytest.approx(10 * math.log10(255**2 * 4), rel=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_chunks_and_order_change_nothing(function):
    real = images(0, 30)
    fake = distorted(1, real)
    whole = function(real, fake, chunk_size=1000).value
    for size in (1, 7, 30):
        assert function(real[::-1], fake[::-1], chunk_size=size).value == pytest.approx(whole, rel=1e-9)


def test_interval_covers_the_value_of_many_pairs():
    """In 200 repetitions of 40 pairs the 95 % interval holds the value of 5,000 pairs 90 to 99 % of the time."""
    real = images(0, 5000, (12, 12, 1))
    fake = distorted(1, real, 90.0)
    truth, covered = ssim(real, fake).value, 0
    for repetition in range(200):
        part = slice(25 * repetition, 25 * repetition + 40)
        low, high = ssim(real[part], fake[part], seed=repetition).interval
        covered += low <= truth <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "real, fake, words",
    [
        ((5, 16, 16, 1), (4, 16, 16, 1), "Received: 5 real, 4 fake"),
        ((0, 16, 16, 1), (0, 16, 16, 1), "at least one"),
        ((5, 16, 16, 1), (5, 16, 16, 3), r"equal shapes.* \(16, 16, 1\) \(real\), \(16, 16, 3\) \(fake\)"),
        ((5, 16, 16), (5, 16, 16), "Images must be"),
    ],
)
def test_refusals(function, real, fake, words):
    with pytest.raises(ValueError, match=words):
        function(np.zeros(real, "uint8"), np.zeros(fake, "uint8"))


def test_small_images_have_no_ssim():
    with pytest.raises(ValueError, match="11 x 11 pixels; .* Received: 10 x 16"):
        ssim(np.zeros((2, 10, 16, 1), "uint8"), np.zeros((2, 10, 16, 1), "uint8"))


@pytest.mark.parametrize("metric, function", [(PSNR, psnr), (SSIM, ssim), (L1Distance, l1_distance)])
def test_streams(metric, function):
    real = images(0, 9)
    fake = distorted(1, real)
    metric = metric(level=0.9)
    metric.update_state(real=real[:4], fake=fake[:4])
    metric.update_state(real=real[4:], fake=fake[4:])
    assert metric.result() == function(real, fake, level=0.9)
    assert metric.result().features == "pixels"


def test_a_single_pair_has_no_interval():
    real, fake = np.zeros((1, 16, 16, 1), "uint8"), np.full((1, 16, 16, 1), 9, "uint8")
    for metric in (psnr, ssim, l1_distance):
        assert metric(real, fake).interval is None


def test_floats_of_8_bit_images_are_refused():
    """They would be clipped to white. Beyond -1 and 1 lies what a network without a tanh may make: that is clipped."""
    images = np.full((2, 16, 16, 1), 200.0, "float32")
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\]. Received: values from 200 to 200"):
        psnr(images, images)
    assert psnr(np.full_like(images, -1.5), np.full_like(images, -1.0)).value == np.inf
