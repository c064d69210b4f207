import numpy as np
import pytest

import ganzoo
from ganzoo.metrics.frechet import gaussian_distance, influences_on_distance, moments


def normal(seed, count, scale, shift=0.0):
    scale = np.asarray(scale, "float64")
    return np.random.default_rng(seed).normal(size=(count, len(scale))) * scale + shift


@pytest.mark.parametrize("dimensions", [3, 8])
@pytest.mark.parametrize("singular", [(), (0,), (1,), (0, 1)], ids=str)
def test_gaussians_with_commuting_covariances(dimensions, singular):
    """For diagonal covariances the distance is the sum of (m1 - m2)^2 + (s1 - s2)^2.

    In 20 rotations of the axes, since the sign of the rounding noise decides whether a singular covariance looks
    positive definite. 1e-12 of the traces is some hundred roundings of float64; the root of its noise would be 1e-8.
    """
    rng = np.random.default_rng(0)
    for _ in range(20):
        mean_1, mean_2 = rng.normal(size=(2, dimensions))
        stds = rng.uniform(0.5, 2.0, (2, dimensions))
        for index in singular:
            stds[index, index : index + 2] = 0.0
        rotation, _ = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))
        covariances = [rotation @ np.diag(std**2) @ rotation.T for std in stds]
        expected = np.sum((mean_1 - mean_2) ** 2) + np.sum((stds[0] - stds[1]) ** 2)
        distance = gaussian_distance(rotation @ mean_1, covariances[0], rotation @ mean_2, covariances[1])
        assert distance == pytest.approx(expected, rel=0, abs=1e-12 * (np.sum(mean_1**2 + mean_2**2) + np.sum(stds**2)))


def test_a_small_variance_is_no_noise():
    """A standard deviation of 1e-6 beside 1 counts, the distance to its double included."""
    for width in (1e-6, 2e-6, 1e-3):
        covariances = [np.diag([1.0, 1e-12]), np.diag([1.0, width**2])]
        distance = gaussian_distance(np.zeros(2), covariances[0], np.zeros(2), covariances[1])
        # The sum of numbers near 2 rounds to 4e-16.
        assert distance == pytest.approx((width - 1e-6) ** 2, rel=0, abs=1e-15)


def test_gaussians_whose_covariances_do_not_commute():
    """Two ellipses at an angle, against the closed form in two dimensions: tr sqrt(M) = sqrt(tr M + 2 sqrt(det M))."""
    a = np.array([[2.0, 0.7], [0.7, 1.0]])
    b = np.array([[0.5, -0.2], [-0.2, 3.0]])
    product = a @ b
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(a) + np.trace(b) - 2 * root
    assert gaussian_distance(np.zeros(2), a, np.zeros(2), b) == pytest.approx(expected, rel=1e-12)


def test_fewer_samples_than_dimensions():
    """Two singular covariances in orthogonal planes: nothing of the traces cancels."""
    first, second = np.zeros((4, 6)), np.zeros((4, 6))
    first[:, :2] = normal(0, 4, [1.0, 2.0])
    second[:, 2:4] = normal(1, 4, [3.0, 1.0])
    (mean_1, covariance_1), (mean_2, covariance_2) = moments(first), moments(second)
    expected = np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1) + np.trace(covariance_2)
    with pytest.warns(UserWarning, match=r"4 (real|fake) samples of 6 features"):
        score = ganzoo.metrics.frechet_distance(first, second)
    assert score.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dimensions", [3, 64, 200])
def test_identical_sets(dimensions):
    features = normal(0, 1000, np.geomspace(1e-6, 1.0, dimensions))
    shuffled = np.random.default_rng(1).permutation(features)
    assert ganzoo.metrics.frechet_distance(features, shuffled).value <= 1e-8


def test_chunks_and_order_change_nothing():
    real, fake = normal(0, 999, [1.0, 2.0, 3.0]), normal(1, 500, [2.0, 2.0, 1.0], 0.3)
    whole = ganzoo.metrics.frechet_distance(real, fake, chunk_size=10_000).value
    for size in (1, 7, 999):
        assert ganzoo.metrics.frechet_distance(real[::-1], fake, chunk_size=size).value == pytest.approx(
            whole, rel=1e-9
        )


def test_influence_is_the_derivative():
    """Against the change of the distance when one sample's weight grows a little, by finite differences."""
    real, fake = normal(0, 40, [1.0, 2.0, 0.5]), normal(1, 30, [2.0, 1.0, 1.0], 0.3)

    def weighted(features, weights):
        mean = weights @ features
        return mean, (features - mean).T @ ((features - mean) * weights[:, None])

    def distance(real_weights, fake_weights):
        return gaussian_distance(*weighted(real, real_weights), *weighted(fake, fake_weights))

    equal = [np.full(len(x), 1 / len(x)) for x in (real, fake)]
    found = influences_on_distance(real, fake, weighted(real, equal[0]), weighted(fake, equal[1]), 7)
    for kind in (0, 1):
        for index in (0, 5, 17):
            changed = []
            for step in (1e-6, -1e-6):
                weights = [w.copy() for w in equal]
                weights[kind] *= 1 - step
                weights[kind][index] += step
                changed.append(distance(*weights))
            expected = (changed[0] - changed[1]) / 2e-6
            centered = found[kind][index] - found[kind].mean()
            assert centered == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_interval_covers_the_distance_of_the_distributions():
    """In 200 repetitions of 300 samples the 95 % interval holds the true distance 90 to 99 % of the time."""
    scales, shift = ([1.0, 2.0, 0.5, 1.0], [1.5, 1.0, 0.5, 1.0]), 0.4
    truth = 4 * shift**2 + np.sum((np.array(scales[0]) - scales[1]) ** 2)
    covered = 0
    for repetition in range(200):
        real, fake = normal(2 * repetition, 300, scales[0]), normal(2 * repetition + 1, 300, scales[1], shift)
        low, high = ganzoo.metrics.frechet_distance(real, fake, seed=repetition).interval
        covered += low <= truth <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize(
    "real, fake, words",
    [
        (np.zeros((1, 3)), np.zeros((5, 3)), "at least 2 samples. Received: 1 real"),
        (np.zeros((5, 3)), np.zeros((5, 2)), r"equal dimensions. Received: 3 \(real\), 2 \(fake\)"),
        (np.zeros(5), np.zeros((5, 2)), r"real features must be .* shape \(5,\)"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), "5 of 5 real samples have features that are NaN"),
        (np.zeros((5, 2)), np.array([["a", "b"]] * 5), "`fake` must be an array of numbers"),
    ],
)
def test_refusals(real, fake, words):
    with pytest.raises(ValueError, match=words):
        ganzoo.metrics.frechet_distance(real, fake)


def test_streams():
    real, fake = normal(0, 100, [1.0, 2.0]), normal(1, 60, [2.0, 2.0])
    metric = ganzoo.metrics.FrechetDistance()
    metric.update_state(real=real[:30], fake=fake)
    metric.update_state(real=real[30:])
    assert metric.result() == ganzoo.metrics.frechet_distance(real, fake)
    metric.reset_state()
    metric.update_state(real=real)
    with pytest.raises(ValueError, match="no fake samples"):
        metric.result()
