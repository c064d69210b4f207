import math

import numpy as np
import pytest
import scipy.stats

from ganzoo.metrics.metric import check_features
from ganzoo.metrics.parzen import ParzenLogLikelihood, best_sigma, kernel_shares, parzen_log_likelihood
from ganzoo.metrics.pixels import UnitPixels


def normal(seed, count, dimensions, std=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, std, size=(count, dimensions))


def naive(real, fake, sigma):
    """The density of each point as two loops over points and kernels, without logarithms of sums."""
    dimensions = real.shape[1]
    values = []
    for x in real:
        density = 0.0
        for y in fake:
            density += math.exp(-sum((x - y) ** 2) / (2 * sigma**2)) / len(fake)
        values.append(math.log(density / (2 * math.pi * sigma**2) ** (dimensions / 2)))
    return np.array(values)


def test_double_loop():
    real, fake = normal(0, 13, 3), normal(1, 9, 3, 1.5)
    score = parzen_log_likelihood(real, fake, sigma=0.7)
    assert score.value == pytest.approx(naive(real, fake, 0.7).mean(), rel=1e-12)
    assert score.settings == {"sigma": 0.7}
    assert score.details["sigma"] == 0.7


def test_against_scipy():
    """SciPy's kernels have the covariance of the data; of data with covariance I they are ours."""
    fake = normal(1, 300, 2)
    fake = (fake - fake.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(fake.T))).T
    real = normal(0, 200, 2)
    expected = np.mean(scipy.stats.gaussian_kde(fake.T, bw_method=0.4).logpdf(real.T))
    assert parzen_log_likelihood(real, fake, sigma=0.4).value == pytest.approx(expected, rel=1e-9)


def limit(dimensions, real_std, fake_std, sigma):
    """Of Gaussians: with many kernels the density is N(0, s^2 I), s^2 = fake_std^2 + sigma^2."""
    variance = fake_std**2 + sigma**2
    return -dimensions / 2 * (math.log(2 * math.pi * variance) + real_std**2 / variance)


def test_many_samples_of_gaussians():
    real, fake = normal(0, 2500, 2, 0.8), normal(1, 2500, 2, 1.2)
    score = parzen_log_likelihood(real, fake, sigma=0.5)
    assert score.value == pytest.approx(limit(2, 0.8, 1.2, 0.5), abs=0.02)
    assert 20 < score.details["neighbours"] < 2500


def test_far_away_and_far_apart():
    """No digits are lost far from 0, and no density becomes 0 far from all kernels."""
    real, fake = normal(0, 20, 3), normal(1, 30, 3)
    near = parzen_log_likelihood(real, fake, sigma=0.5).value
    assert parzen_log_likelihood(real + 1e6, fake + 1e6, sigma=0.5).value == pytest.approx(near, rel=1e-8)
    score = parzen_log_likelihood(np.full((2, 1), 1000.0), np.zeros((2, 1)), sigma=1.0)
    assert score.value == pytest.approx(-0.5 * math.log(2 * math.pi) - 0.5 * 1000**2, rel=1e-12)


def test_sigma_is_chosen_on_the_validation_samples():
    """For many kernels at N(0, 1) and validation samples of N(0, 1.25) it is 0.5: the density is then theirs."""
    fake, validation = normal(1, 1500, 1), normal(2, 1500, 1, math.sqrt(1.25))
    sigmas = [0.05, 0.1, 0.5, 1.5, 3.0]
    assert best_sigma(validation, fake, sigmas, 500) == 0.5
    score = parzen_log_likelihood(normal(0, 50, 1), fake, validation, sigmas=sigmas[::-1])
    assert score.details["sigma"] == 0.5
    assert score.settings == {"sigma": "1 of 5, 0.05 to 3", "validation": 1500}
    assert score.value == parzen_log_likelihood(normal(0, 50, 1), fake, sigma=0.5).value
    with pytest.warns(UserWarning, match="best sigma, 0.5, is the first or last"):
        parzen_log_likelihood(normal(0, 50, 1), fake, validation, sigmas=[0.01, 0.1, 0.5])


def test_a_tenth_of_the_real_samples_chooses_sigma():
    real, fake = normal(0, 205, 2), normal(1, 300, 2)
    score = parzen_log_likelihood(real, fake, sigmas=[0.01, 0.3, 10.0])
    assert (score.num_real, score.settings["validation"], score.details["sigma"]) == (185, 20, 0.3)
    with pytest.raises(ValueError, match="Give `sigma`, or `validation` samples. Received: 9 real"):
        parzen_log_likelihood(real[:9], fake)


def test_chunks_and_order_change_nothing():
    real, fake = normal(0, 101, 3), normal(1, 70, 3, 1.5)
    settings = {"sigmas": [0.1, 0.4, 0.8, 3.0]}
    whole = parzen_log_likelihood(real, fake, **settings, chunk_size=1000)
    for size in (1, 7, 100):
        part = parzen_log_likelihood(real, fake, **settings, chunk_size=size)
        assert (part.value, *part.interval) == pytest.approx((whole.value, *whole.interval), rel=1e-9)
    turned = parzen_log_likelihood(real[::-1], fake[::-1], **settings)
    assert turned.value == pytest.approx(whole.value, rel=1e-9)
    assert turned.details["sigma"] == whole.details["sigma"]


def test_influence_of_a_kernel_is_the_derivative():
    """Against the change of the likelihood when one of many copies of a kernel is added or taken away."""
    real, fake, copies = normal(0, 15, 2), normal(1, 6, 2), 1000
    values = naive(real, fake, 0.6)
    shares, squares = kernel_shares(real, fake, 0.6, values, 4)
    assert shares.sum() == pytest.approx(1.0, rel=1e-12)
    density = [[math.exp(-sum((x - y) ** 2) / 0.72) for y in fake] for x in real]
    expected = [np.sum(np.square(row)) / np.sum(row) ** 2 for row in density]
    np.testing.assert_allclose(squares, expected, rtol=1e-9)
    for index in range(len(fake)):
        means = []
        for change in (1, -1):
            counts = np.full(len(fake), copies)
            counts[index] += change
            means.append(parzen_log_likelihood(real, np.repeat(fake, counts, axis=0), sigma=0.6).value)
        derivative = (means[0] - means[1]) / 2 * copies * len(fake)
        assert shares[index] * len(fake) - 1 == pytest.approx(derivative, rel=1e-3, abs=1e-4)


def test_interval_covers_the_likelihood_of_many_kernels():
    """In 200 repetitions the 95 % interval holds the limit of many samples 90 to 99 % of the time."""
    truth, covered = limit(2, 1.0, 1.3, 0.5), 0
    for repetition in range(200):
        real, fake = normal(2 * repetition, 120, 2), normal(2 * repetition + 1, 100, 2, 1.3)
        low, high = parzen_log_likelihood(real, fake, sigma=0.5, seed=repetition).interval
        covered += low <= truth <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize(
    "real, fake, settings, words",
    [
        (np.zeros((1, 3)), np.zeros((5, 3)), {"sigma": 1.0}, "at least 2 samples. Received: 1 real"),
        (np.zeros((5, 3)), np.zeros((5, 2)), {"sigma": 1.0}, r"equal dimensions. Received: 3 \(real\), 2 \(fake\)"),
        (
            np.zeros((5, 3)),
            np.zeros((5, 3)),
            {"sigma": 0.0},
            "`sigma` must be a finite number above 0. Received: sigma=0.0",
        ),
        (np.zeros((5, 3)), np.zeros((5, 3)), {"sigmas": []}, "`sigmas` must be a sequence of standard deviations"),
        (np.zeros((5, 3)), np.zeros((5, 3)), {"validation": np.zeros((5, 2))}, "equal dimensions"),
    ],
)
def test_refusals(real, fake, settings, words):
    with pytest.raises(ValueError, match=words):
        parzen_log_likelihood(real, fake, **settings)


def test_streams_of_images():
    """Pixels are scaled to [0, 1], and the score says so."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (count, 4, 4, 1), "uint8") for count in (30, 40, 20)]
    metric = ParzenLogLikelihood(validation=images[2])
    metric.update_state(real=images[0][:10], fake=images[1].astype("float32") / 127.5 - 1)
    metric.update_state(real=images[0][10:])
    vectors = [UnitPixels()(x) for x in images]
    np.testing.assert_allclose(vectors[0], images[0].reshape(30, 16) / 255, rtol=1e-6)
    score = metric.result()
    assert score.features == "pixels in [0, 1]"
    expected = parzen_log_likelihood(*vectors)
    assert (score.value, score.interval, score.settings) == (expected.value, expected.interval, expected.settings)
    with pytest.raises(ValueError, match="Images must be"):
        metric.update_state(real=vectors[0])
    assert check_features(*vectors[:2])[0].shape == (30, 16)
