import numpy as np
import pytest

from ganzoo.metrics import intervals
from ganzoo.metrics.kernel import KernelDistance, discrepancy, kernel_distance, over_subsets


def normal(seed, count, dimensions=8, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, dimensions)) * scale + shift


def naive(real, fake, degree=3, gamma=None, coef0=1.0):
    """Unbiased MMD^2 by loops over pairs."""
    gamma = 1 / real.shape[1] if gamma is None else gamma

    def kernel(x, y):
        return (gamma * sum(a * b for a, b in zip(x, y)) + coef0) ** degree

    def within(samples):
        return np.mean([kernel(x, y) for i, x in enumerate(samples) for j, y in enumerate(samples) if i != j])

    return within(real) + within(fake) - 2 * np.mean([kernel(x, y) for x in real for y in fake])


def expected_kernel(mean_1, std_1, mean_2, std_2):
    """E (x.y / d + 1)^3 of independent x, y of N(m, s^2 I), by their moments up to the third."""
    dimensions = len(mean_1)
    eye = np.eye(dimensions)

    def moments(mean, std):
        crossed = sum(np.einsum(path, mean, eye) for path in ("i,jk->ijk", "j,ik->ijk", "k,ij->ijk"))
        return mean, np.outer(mean, mean) + std**2 * eye, np.einsum("i,j,k->ijk", mean, mean, mean) + std**2 * crossed

    terms = [
        np.sum(a * b) / dimensions ** (i + 1)
        for i, (a, b) in enumerate(zip(moments(mean_1, std_1), moments(mean_2, std_2)))
    ]
    return 1 + 3 * terms[0] + 3 * terms[1] + terms[2]


ZEROS, SHIFT, SCALE = np.zeros(8), np.full(8, 0.25), 1.2
TRUTH = (
    expected_kernel(ZEROS, 1.0, ZEROS, 1.0)
    + expected_kernel(SHIFT, SCALE, SHIFT, SCALE)
    - 2 * expected_kernel(ZEROS, 1.0, SHIFT, SCALE)
)


@pytest.mark.parametrize("kernel", [{}, {"degree": 1}, {"degree": 4, "gamma": 0.7, "coef0": 0.0}])
def test_loops_over_pairs(kernel):
    real, fake = normal(0, 13), normal(1, 9, scale=2.0)
    assert kernel_distance(real, fake, **kernel).value == pytest.approx(naive(real, fake, **kernel), rel=1e-12)


def test_three_numbers():
    """By hand, with d = 1: k(0, 2) = 1, k(1, 1) = 8, k(0, 1) = 1, k(2, 1) = 27."""
    score = kernel_distance(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]]))
    assert score.value == pytest.approx(1 + 8 - 2 * (1 + 27) / 2, rel=1e-12)
    assert score.settings == {"degree": 3, "gamma": 1.0, "coef0": 1.0, "subsets": 100, "subset_size": 1000}


def test_linear_kernel_compares_means():
    """For k(x, y) = x.y it is the squared distance of the means without its bias, the variance of both means."""
    real, fake = normal(0, 40), normal(1, 30, scale=2.0, shift=0.5)
    shift = real.mean(axis=0) - fake.mean(axis=0)
    expected = shift @ shift - real.var(axis=0, ddof=1).sum() / 40 - fake.var(axis=0, ddof=1).sum() / 30
    assert kernel_distance(real, fake, degree=1, gamma=1.0, coef0=0.0).value == pytest.approx(expected, rel=1e-12)
    _, of_real, of_fake = discrepancy(real, fake, lambda inner: inner, 7)
    # The influence of x on |m_r - m_f|^2 is 2 (x - m_r).(m_r - m_f), but for the sample itself, of order 1 / n.
    centered = 2 * (real - real.mean(axis=0)) @ shift
    itself = 2 * ((real - real.mean(axis=0)) @ real.mean(axis=0) - (real**2).sum(axis=1)) / 39
    np.testing.assert_allclose(of_real - of_real.mean(), centered + itself - itself.mean(), rtol=1e-9, atol=1e-12)
    centered = -2 * (fake - fake.mean(axis=0)) @ shift
    itself = 2 * ((fake - fake.mean(axis=0)) @ fake.mean(axis=0) - (fake**2).sum(axis=1)) / 29
    np.testing.assert_allclose(of_fake - of_fake.mean(), centered + itself - itself.mean(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings", [{"subsets": None}, {"subsets": 4, "subset_size": 30}])
def test_no_bias(settings, monkeypatch):
    """The mean over 1,000 repetitions is the large-sample value of two Gaussians, by their moments."""
    monkeypatch.setattr(intervals, "from_influence", lambda *args, **settings: None)  # Takes most of the time.
    assert TRUTH == pytest.approx(0.3577, abs=1e-4)
    values = []
    for i in range(1000):
        real, fake = normal(2 * i, 60), normal(2 * i + 1, 50, scale=SCALE, shift=SHIFT)
        values.append(kernel_distance(real, fake, seed=i, **settings).value)
    error = np.std(values) / np.sqrt(1000)
    assert np.mean(values) == pytest.approx(TRUTH, abs=3 * error)
    assert error < 0.03 * TRUTH


@pytest.mark.parametrize("settings", [{"subsets": None}, {"subsets": 10, "subset_size": 40}])
def test_interval_covers_the_large_sample_value(settings):
    """In 200 repetitions of 150 and 100 samples the 95 % interval holds the value 90 to 99 % of the time."""
    covered = 0
    for i in range(200):
        real, fake = normal(2 * i, 150), normal(2 * i + 1, 100, scale=SCALE, shift=SHIFT)
        low, high = kernel_distance(real, fake, seed=i, **settings).interval
        covered += low <= TRUTH <= high
    assert 180 <= covered <= 198


def test_mean_over_subsets_estimates_the_value_of_all_samples():
    real, fake = normal(0, 60), normal(1, 50, shift=0.6)
    whole = kernel_distance(real, fake, subsets=None)
    score = kernel_distance(real, fake, subset_size=20, subsets=2000)
    error = score.details["subset_std"] / np.sqrt(2000)
    assert score.value == pytest.approx(whole.value, abs=4 * error)
    assert 0 < error < 0.05 * whole.value
    assert "subset_std" not in whole.details


def test_few_subsets_widen_the_interval():
    """Five subsets of 30 leave most of 400 samples out; what the mean over them lacks belongs in the interval."""
    real, fake = normal(0, 400), normal(1, 400, scale=SCALE, shift=SHIFT)
    widths = {}
    for subsets in (5, 200, None):
        intervals = [kernel_distance(real, fake, subset_size=30, subsets=subsets, seed=i).interval for i in range(5)]
        widths[subsets] = np.mean([high - low for low, high in intervals])
    assert widths[5] > 1.5 * widths[200]
    assert widths[200] == pytest.approx(widths[None], rel=0.25)


def test_influence_of_samples_that_few_subsets_hold():
    """The spread of the influences of a third of the samples stands for that of all of them."""
    real, fake = normal(0, 400), normal(1, 500, shift=2.0)

    def kernel(inner):
        return inner / 8 + 1

    _, *whole = discrepancy(real, fake, kernel, 4096)
    distances, *part = over_subsets(real, fake, kernel, 60, 3, 0, 4096)
    assert len(distances) == 3
    for found, expected, count in zip(part, whole, (400, 500)):
        assert 120 < len(found) < 170
        assert found.var() / len(found) == pytest.approx(expected.var() / count, rel=0.35)


def test_subsets_are_no_larger_than_the_samples():
    """With fewer samples than a subset has, all are taken; of the other kind still a subset."""
    real, fake = normal(0, 80), normal(1, 30)
    whole = kernel_distance(real, fake, subsets=None)
    assert kernel_distance(real, fake, subset_size=80).value == whole.value
    assert kernel_distance(real, fake, subset_size=81).value == whole.value
    part = kernel_distance(real, fake, subset_size=50, subsets=3)
    assert part.details["subset_std"] > 0 and part.value != whole.value
    # The draws by themselves, of both kinds in turn.
    rng = np.random.RandomState(0)
    values = []
    for _ in range(3):
        of_fake, of_real = rng.choice(30, 30, replace=False), rng.choice(80, 50, replace=False)
        values.append(naive(real[of_real], fake[of_fake]))
    assert part.value == pytest.approx(np.mean(values), rel=1e-10)


def test_equal_distributions_are_at_zero():
    """The value has no bias, hence may be negative; the interval starts at 0."""
    values = [kernel_distance(normal(2 * i, 30), normal(2 * i + 1, 30)) for i in range(30)]
    mean, std = np.mean([score.value for score in values]), np.std([score.value for score in values])
    assert mean == pytest.approx(0.0, abs=4 * std / np.sqrt(30))
    assert min(score.value for score in values) < 0
    assert all(score.interval[0] >= 0 for score in values)


def test_chunks_and_order_change_nothing():
    real, fake = normal(0, 99, 20), normal(1, 50, 20, scale=1.2)
    whole = kernel_distance(real, fake).value
    for size in (1, 7, 99):
        assert kernel_distance(real[::-1], fake[::-1], chunk_size=size).value == pytest.approx(whole, rel=1e-9)
        of_subsets = [kernel_distance(real, fake, subset_size=30, subsets=3, chunk_size=s).value for s in (size, 4096)]
        assert of_subsets[0] == pytest.approx(of_subsets[1], rel=1e-9)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"degree": 0}, "`degree` must be an integer of at least 1. Received: degree=0"),
        ({"degree": 2.5}, "`degree` must be"),
        ({"subset_size": 1}, "`subset_size` must be an integer of at least 2"),
        ({"subsets": 0}, "`subsets` must be an integer from 2 to 100,000"),
    ],
)
def test_refused_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        kernel_distance(np.zeros((5, 2)), np.zeros((5, 2)), **settings)
    with pytest.raises(ValueError, match=words):
        KernelDistance(**settings)


def test_refused_samples():
    with pytest.raises(ValueError, match="at least 2 samples. Received: 1 fake"):
        kernel_distance(np.zeros((5, 2)), np.zeros((1, 2)))


def test_streams():
    real, fake = normal(0, 100), normal(1, 60)
    settings = {"degree": 2, "gamma": 0.5, "coef0": 2.0, "subset_size": 20, "subsets": 5, "level": 0.9, "seed": 3}
    metric = KernelDistance(**settings)
    metric.update_state(real=real[:30], fake=fake)
    metric.update_state(real=real[30:])
    assert metric.result() == kernel_distance(real, fake, **settings)
    metric.reset_state()
    metric.update_state(real=real)
    with pytest.raises(ValueError, match="no fake samples"):
        metric.result()
    assert KernelDistance().score(real, fake) == kernel_distance(real, fake)
