import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.divergences import estimators
from ganzoo.divergences.estimators import (
    DensityRatio,
    estimate_density_ratio,
    estimate_jensen_shannon,
    estimate_wasserstein,
)

QUICK = {"steps": 4, "batch_size": 8, "hidden": (4,)}
ALL = [estimate_density_ratio, estimate_jensen_shannon, estimate_wasserstein]


def gaussians(distance, count=10_000):
    """Samples of N(d/2, 1) and of N(-d/2, 1)."""
    rng = np.random.default_rng(1)
    return rng.normal(distance / 2, 1, count), rng.normal(-distance / 2, 1, count - 3000)


def lines(theta, count=4000):
    """WGAN's Example 1: a vertical line at 0, another one at theta."""
    heights = np.random.default_rng(2).uniform(size=(2, count))
    return np.stack([np.zeros(count), heights[0]], axis=1), np.stack([np.full(count, theta), heights[1]], axis=1)


def linear(slope, dimensions=2):
    """The critic `slope * (x_1 + x_2 + ...)`."""
    network = keras.Sequential([keras.Input((dimensions,)), keras.layers.Dense(1)])
    network.layers[0].kernel.assign(np.full((dimensions, 1), slope))
    return network


# === Against closed forms ===


def test_density_ratio_of_two_gaussians():
    """log p - log q = d x."""
    ratio = estimate_density_ratio(*gaussians(2.0), steps=1000)
    points = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(ratio.log(points), 2 * points, atol=0.35)
    np.testing.assert_allclose(ratio(points), np.exp(ratio.log(points)), rtol=1e-12)
    probability = tf.sigmoid(ratio.discriminator(points[:, None]))[:, 0]
    np.testing.assert_allclose(ratio(points), probability / (1 - probability), rtol=1e-3)


def test_jensen_shannon_of_two_gaussians():
    """0.3368 by quadrature. The standard deviation of the estimate on 2,500 and 1,750 samples is 0.006."""
    estimate = estimate_jensen_shannon(*gaussians(2.0), steps=1000)
    assert estimate.value == pytest.approx(0.3368, abs=0.02)


@pytest.mark.parametrize("theta", [0.1, 2.0])
def test_jensen_shannon_of_parallel_lines_is_log_2(theta):
    estimate = estimate_jensen_shannon(*lines(theta), steps=1000)
    assert 0.69 <= estimate.value <= np.log(2)


def test_wasserstein_by_the_penalty():
    """With W = 2 and lambda = 10, the critic's slope is 1 + W / (2 lambda) = 1.1, and its difference of means 2.2."""
    x, y = lines(2.0)
    raw, critic = estimate_wasserstein(x, y, slope=None, steps=1000)
    between, at_samples = estimators.slopes(critic, x.astype("float32"), y.astype("float32"))
    assert raw == pytest.approx(2.2, rel=0.02)
    assert between.mean() == pytest.approx(1.1, rel=0.02)
    assert raw / between.mean() == pytest.approx(2.0, rel=0.02)
    assert 1.7 < raw / max(between.max(), at_samples.max()) < 2.0


def test_wasserstein_by_clipping():
    """Clipping leaves the critic some slope along the lines, where it is no use: a few per cent of the mean norm."""
    x, y = lines(2.0)
    estimate, critic = estimate_wasserstein(x, y, constraint="clip", clip_value=0.1)
    assert estimate == pytest.approx(2.0, rel=0.05)
    assert all(np.abs(variable.numpy()).max() <= np.float32(0.1) for variable in critic.trainable_variables)


def test_a_clipped_linear_critic_ends_in_a_corner():
    """Both weights end at +-c: the difference of means is c (theta +- that of the heights), the slope sqrt(2) c."""
    x, y = lines(2.0)
    held_out_x, held_out_y = held_out_parts(x, y)
    heights = float(abs(held_out_x[:, 1].mean() - held_out_y[:, 1].mean()))
    for slope, divisor in ((None, 1.0), ("mean", 0.3 * np.sqrt(2)), ("max", 0.3 * np.sqrt(2))):
        settings = {"constraint": "clip", "clip_value": 0.3, "steps": 100, "learning_rate": 0.1, "network": linear(0.1)}
        estimate, critic = estimate_wasserstein(x, y, slope=slope, **settings)
        assert critic.get_weights()[0][0, 0] == np.float32(-0.3)
        assert estimate == pytest.approx(0.6 / divisor, abs=0.3 * heights / divisor + 1e-5)


def test_more_dimensions():
    """N(0, 4 I) and N(0, I) in two dimensions: all mass moves inwards, W = E|x| = sqrt(pi / 2)."""
    x, y = np.random.default_rng(3).normal(size=(2, 8000, 2))
    estimate, _ = estimate_wasserstein(2 * x, y, steps=1000)
    assert estimate == pytest.approx(np.sqrt(np.pi / 2), rel=0.05)


# === How the estimates are made ===


def test_a_network_is_trained_in_place():
    x, y = lines(1.0)
    for estimate in ALL:
        network = linear(0.5)
        before = network.get_weights()[0]
        result = estimate(x, y, network=network, steps=4, batch_size=8)
        assert (result.discriminator if estimate is estimate_density_ratio else result.network) is network
        assert (network.get_weights()[0] != before).all()


def held_out_parts(x, y):
    return estimators.split(x.astype("float32"), y.astype("float32"), 0.25, 0)[1]


def test_the_value_is_that_of_the_held_out_samples():
    x, y = lines(1.0)
    held_out_x, held_out_y = held_out_parts(x, y)
    js, network = estimate_jensen_shannon(x, y, **QUICK)
    on_x, on_y = (network(part).numpy().astype("float64") for part in (held_out_x, held_out_y))
    expected = np.log(2) - (np.log1p(np.exp(-on_x)).mean() + np.log1p(np.exp(on_y)).mean()) / 2
    assert js == pytest.approx(expected, abs=1e-6)
    w, network = estimate_wasserstein(x, y, slope=None, **QUICK)
    assert w == pytest.approx(float(network(held_out_x).numpy().mean() - network(held_out_y).numpy().mean()), abs=1e-6)


def test_the_slopes():
    """A critic with slope 3 right of x_1 = 1/2 and 0.6 left of it; half of the points between are on either side."""
    bend = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), keras.layers.LeakyReLU(0.2)])
    bend.layers[0].kernel.assign([[3.0], [0.0]])
    bend.layers[0].bias.assign([-1.5])
    x, y = (samples.astype("float32") for samples in lines(1.0, 20_000))
    between, at_samples = estimators.slopes(bend, x, y)
    assert between.mean() == pytest.approx(1.8, rel=0.02)  # Standard deviation 0.5 %.
    np.testing.assert_allclose(at_samples, np.repeat([0.6, 3.0], 20_000), rtol=1e-6)
    np.testing.assert_allclose(np.unique(between.round(4)), [0.6, 3.0], rtol=1e-6)
    # So small a learning rate that the critic stays: f(0) = -0.3, f(1) = 1.5.
    for slope, expected in ((None, -1.8), ("max", -1.8 / 3.0)):
        estimate, _ = estimate_wasserstein(x, y, slope=slope, network=bend, steps=1, batch_size=8, learning_rate=1e-9)
        assert estimate == pytest.approx(expected, rel=1e-4)


def test_the_halves_share_no_sample():
    x, y = np.arange(100.0)[:, None], np.arange(100.0, 160.0)[:, None]
    (train_x, train_y), (held_out_x, held_out_y) = estimators.split(x, y, 0.25, 7)
    assert (len(held_out_x), len(held_out_y)) == (25, 15)
    for whole, parts in ((x, (train_x, held_out_x)), (y, (train_y, held_out_y))):
        np.testing.assert_array_equal(np.sort(np.concatenate(parts), axis=0), whole)


def test_learning_by_heart_does_not_raise_the_estimate():
    """p = q in 20 dimensions, 75 samples for training: the discriminator knows them all, and JS is 0."""
    x, y = np.random.default_rng(4).normal(size=(2, 100, 20))
    js, network = estimate_jensen_shannon(x, y, steps=1000, batch_size=64)
    (train_x, train_y), _ = estimators.split(x.astype("float32"), y.astype("float32"), 0.25, 0)
    assert network(train_x).numpy().min() > 0 > network(train_y).numpy().max()
    assert js < 0


def test_a_function_of_the_seed_alone():
    x, y = lines(1.0)
    first = [np.concatenate([w.ravel() for w in estimate_wasserstein(x, y, **QUICK).network.get_weights()])]
    for seed in (0, 1):
        keras.utils.set_random_seed(99 + seed)
        network = estimate_wasserstein(x, y, seed=seed, **QUICK).network
        first.append(np.concatenate([w.ravel() for w in network.get_weights()]))
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] != first[2]).any()


def test_the_callers_random_numbers_stay():
    draws = []
    for estimates in (0, 1):
        keras.utils.set_random_seed(5)
        if estimates:
            estimate_wasserstein(*lines(1.0), **QUICK)
        draws.append([np.random.uniform(), float(tf.random.uniform(()))])
    assert draws[0] == draws[1]


def test_equal_layers_start_differently():
    network = estimators.default_network(np.zeros((2, 8), "float32"), (8, 8), 0)
    first, second = (network.get_layer(name).kernel.numpy() for name in ("dense_0", "dense_1"))
    assert (first != second).all()
    assert np.abs(first).max() <= np.sqrt(6 / 8) < 1.2 * np.abs(first).max()  # He's uniform distribution.


def test_a_ratio_beyond_a_float():
    ratio = DensityRatio(linear(1000.0, 1))
    np.testing.assert_array_equal(ratio([-1.0, 0.0, 1.0]), [0.0, 1.0, np.inf])
    np.testing.assert_array_equal(ratio.log([[-1.0], [1.0]]), [-1000.0, 1000.0])


# === Refusals ===


@pytest.mark.parametrize("estimate", ALL)
@pytest.mark.parametrize(
    "x, message",
    [
        (np.zeros((5, 3)), "samples of the same dimensions. Received: x of shape .5, 3., y of shape .6, 2."),
        (np.zeros((5, 2, 1)), "`x` must be an array"),
        ([[0.0, np.nan]] * 5, "`x` must be finite. Received: 5 values"),
        (np.zeros((1, 2)), "at least 2 samples of each kind. Received: 1 in `x`"),
    ],
)
def test_bad_samples_are_refused(estimate, x, message):
    with pytest.raises(ValueError, match=message):
        estimate(x, np.zeros((6, 2)))


@pytest.mark.parametrize("estimate", ALL)
@pytest.mark.parametrize("setting", [{"steps": 0}, {"steps": 2.5}, {"batch_size": -1}, {"learning_rate": 0.0}])
def test_bad_settings_are_refused(estimate, setting):
    with pytest.raises(ValueError, match=f"`{next(iter(setting))}` must be"):
        estimate(*lines(1.0), **setting)


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"constraint": "spectral"}, "`constraint` must be one of 'penalty', 'clip'"),
        ({"slope": True}, "`slope` must be one of 'mean', 'max', None"),
        ({"clip_value": 0.0}, "`clip_value` must be a finite number above 0"),
        ({"penalty_weight": -1.0}, "`penalty_weight` must be a finite number above 0"),
        ({"held_out": 1.0}, "`held_out` must be a finite number above 0 and below 1"),
        ({"held_out": 1e-4}, "2 samples at least. Received: 4000 in `x`, .* leaves 4000 and 0"),
    ],
)
def test_bad_settings_of_the_critic_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        estimate_wasserstein(*lines(1.0), **setting)


def test_points_of_other_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"`points` must be an array \(samples, 1\).*Received shape: \(4, 2\)"):
        DensityRatio(linear(1.0, 1))(np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"`x` must be an array \(samples, 3\)"):
        estimate_density_ratio(*lines(1.0), network=linear(1.0, 3))
