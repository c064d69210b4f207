"""Samples that a discriminator chose: laws in closed form."""

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import latent
from tests.latent.networks import dense, identity, linear_images, model_of

DATA, GENERATOR = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
LOG_RATIOS = np.log(DATA / GENERATOR)


# === Laws of three values ===


def test_rejection_returns_the_data_exactly():
    kept = latent.acceptance_probability(LOG_RATIOS, LOG_RATIOS.max())
    np.testing.assert_allclose(kept, [1, 0.4, 0.16], rtol=1e-12)
    assert GENERATOR @ kept == pytest.approx(0.4, rel=1e-12)
    np.testing.assert_allclose(GENERATOR * kept / 0.4, DATA, rtol=1e-12)


def test_gamma_moves_the_logit_of_the_acceptance():
    kept = latent.acceptance_probability(LOG_RATIOS, LOG_RATIOS.max(), gamma=0.5)
    np.testing.assert_allclose(kept[1:], 1 / (1 + np.exp(0.5) * np.array([0.6 / 0.4, 0.84 / 0.16])), rtol=1e-12)
    assert kept[0] == 1
    assert (latent.acceptance_probability(LOG_RATIOS, LOG_RATIOS.max(), gamma=-1.0) >= [1, 0.4, 0.16]).all()
    assert latent.acceptance_probability(9.0, 1.0) == 1


def test_the_law_of_the_chain_is_the_data():
    """The matrix of transitions of `chains`, from its answers to all proposals and a fine grid of thresholds."""
    grid = (np.arange(1000) + 0.5) / 1000
    moves = np.zeros((3, 3))
    for current in range(3):
        for proposed in range(3):
            ratios = np.full((1000, 1), LOG_RATIOS[proposed])
            places, _ = latent.chains(ratios, grid[:, None], np.full(1000, LOG_RATIOS[current]))
            accepted = np.mean(places == 0)
            wanted = min(1, (GENERATOR[current] / DATA[current]) / (GENERATOR[proposed] / DATA[proposed]))
            assert accepted == pytest.approx(wanted, abs=1e-3)
            moves[current, proposed] += GENERATOR[proposed] * accepted
            moves[current, current] += GENERATOR[proposed] * (1 - accepted)
    np.testing.assert_allclose(DATA @ moves, DATA, atol=1e-3)
    # And there is no other law.
    np.testing.assert_allclose(np.linalg.matrix_power(moves, 200), np.tile(DATA, (3, 1)), atol=2e-3)


def test_many_chains_have_the_law():
    random = np.random.default_rng(0)
    count = 20_000
    proposals = random.choice(3, (count, 40), p=GENERATOR)
    first = random.choice(3, count, p=GENERATOR)
    places, acceptance = latent.chains(LOG_RATIOS[proposals], random.uniform(size=(count, 40)), LOG_RATIOS[first])
    ends = np.where(places < 0, first, proposals[np.arange(count), places])
    shares = np.bincount(ends) / count
    np.testing.assert_allclose(shares, DATA, atol=4 * np.sqrt(0.25 / count))
    wanted = DATA @ np.minimum(1, np.exp(LOG_RATIOS[None] - LOG_RATIOS[:, None])) @ GENERATOR
    assert acceptance == pytest.approx(wanted, abs=0.01)


def test_chains_by_hand():
    ratios = np.log([[1.0, 4.0, 0.5], [0.1, 0.1, 0.1]])
    places, acceptance = latent.chains(ratios, np.full((2, 3), 0.5), np.log([1.0, 1.0]))
    assert places.tolist() == [1, -1] and acceptance == pytest.approx(2 / 6)
    with pytest.raises(ValueError, match=r"\(chains, steps\).*\(2, 3\), \(2, 3\) and \(3,\)"):
        latent.chains(ratios, ratios, np.zeros(3))


# === Calibration ===


def quantiles(mean, count):
    from scipy.stats import norm

    return norm.ppf((np.arange(count) + 0.5) / count, loc=mean)


def test_logistic_calibration_finds_the_log_ratio_of_two_normals():
    """log N(s; 1, 1) / N(s; -1, 1) = 2 s, whatever the numbers of samples."""
    for real, fake in ((4000, 4000), (4000, 1000)):
        found = latent.calibrate(quantiles(1, real), quantiles(-1, fake))
        assert found.slope == pytest.approx(2, abs=0.02) and found.intercept == pytest.approx(0, abs=0.02)
        assert found.probability(0.5) == pytest.approx(1 / (1 + np.exp(-1)), abs=0.01)
    shifted = latent.calibrate(100 * quantiles(1, 4000) + 7, 100 * quantiles(-1, 4000) + 7)
    assert shifted.slope == pytest.approx(0.02, rel=0.01)
    assert shifted.log_ratio(7.0) == pytest.approx(0, abs=0.02)


def test_isotonic_calibration_by_hand():
    """Scores 0, 1, 2, 3 of which f, r, f, r: the middle two are pooled to one half."""
    found = latent.calibrate([1.0, 3.0], [0.0, 2.0], "isotonic")
    np.testing.assert_allclose(found.probability([1.0, 1.5, 2.0]), 0.5)
    # The ends are not certain: half a sample more of the other kind.
    np.testing.assert_allclose(found.probability([0.0, 3.0, 9.0, -9.0]), [1 / 6, 5 / 6, 5 / 6, 1 / 6])
    many = latent.calibrate(quantiles(1, 20_000), quantiles(-1, 20_000), "isotonic")
    scores = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(many.log_ratio(scores), 2 * scores, atol=0.05)


def test_separated_scores_stay_finite():
    for method in ("logistic", "isotonic"):
        found = latent.calibrate([3.0, 4.0, 5.0], [0.0, 1.0, 2.0], method)
        assert np.isfinite(found.log_ratio([-10.0, 0.0, 10.0])).all()
    with pytest.raises(ValueError, match="not all equal"):
        latent.calibrate([1.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="two or more.*1 real"):
        latent.calibrate([1.0], [1.0, 2.0])


# === On models ===

SHIFT = np.array([0.8, -0.5])


@pytest.fixture(scope="module")
def shifted():
    """A generator of N(0, I) whose best discriminator against N(b, I) is its own: log ratio b z - |b|^2 / 2."""
    model = identity(2, dense(SHIFT[:, None]))
    held_out = np.stack(
        [quantiles(SHIFT[0], 2000), np.random.default_rng(0).permutation(quantiles(SHIFT[1], 2000))], axis=1
    ).astype("float32")
    return model, latent.DensityRatio(model, held_out)


def check_law(samples, tolerance=4):
    """N(b, I), within so many standard errors."""
    error = tolerance / np.sqrt(len(samples))
    np.testing.assert_allclose(samples.mean(axis=0), SHIFT, atol=error)
    np.testing.assert_allclose(np.cov(samples.T), np.eye(2), atol=1.5 * error)


def test_the_ratio_of_a_best_discriminator(shifted):
    model, ratio = shifted
    assert ratio.calibration.slope == pytest.approx(1, abs=0.12)
    assert ratio.calibration.intercept == pytest.approx(-np.sum(SHIFT**2) / 2, abs=0.12)
    points = np.array([[0.0, 0.0], [1.0, 1.0]], "float32")
    np.testing.assert_allclose(ratio.differentiable(points), ratio.log_ratio(points), atol=1e-5)


@pytest.fixture(scope="module")
def exact(shifted):
    """The same with the exact calibration."""
    model, ratio = shifted
    exact = object.__new__(latent.DensityRatio)
    exact.__dict__.update(ratio.__dict__)
    exact.calibration = latent.Calibration(1.0, -np.sum(SHIFT**2) / 2)
    exact.real, exact.fake = (exact.calibration.log_ratio(x) for x in (quantiles(0.89, 50), quantiles(0, 50)))
    return model, exact


def test_langevin_has_its_closed_form(exact):
    """E = |z|^2 / 2 - b z: the law is N(b, I)."""
    drawn = latent.langevin(*exact[:1], 4000, exact[1], steps=60, step_size=1.0, batch_size=4000)
    check_law(drawn.latents)
    np.testing.assert_allclose(drawn.images, drawn.latents, atol=1e-6)
    assert 0.2 < drawn.acceptance < 0.99


def test_rejection_has_the_law_of_the_data(exact):
    drawn = latent.reject(exact[0], 3000, exact[1], log_maximum=4.0, batch_size=3000)
    check_law(drawn.images)
    assert drawn.acceptance == pytest.approx(np.exp(-4.0), rel=0.1)  # The mean ratio is 1.
    with pytest.raises(ValueError, match=r"One sample in \d.*log_maximum=30 and gamma=0"):
        latent.reject(exact[0], 3, exact[1], log_maximum=30.0)
    few = latent.reject(exact[0], 3, exact[1], log_maximum=4.0)
    assert few.images.shape == (3, 2)


def test_metropolis_hastings_has_the_law_of_the_data(exact):
    drawn = latent.metropolis_hastings(exact[0], 3000, exact[1], steps=25, batch_size=3000)
    check_law(drawn.images)
    np.testing.assert_array_equal(drawn.images, exact[0].generate(latents=drawn.latents, batch_size=3000))


def test_conditions_stay_with_their_samples():
    latents, label = keras.Input((2,), name="latents"), keras.Input((), dtype="int64", name="label")
    shift = keras.layers.Embedding(2, 2)
    model = model_of([latents, label], keras.layers.Add()([latents, shift(label)]), num_classes=2)
    shift.set_weights([np.array([[-10.0, 0.0], [10.0, 0.0]])])
    labels = np.arange(40) % 2
    ratio = latent.DensityRatio(model, model.generate(40, seed=5, condition=labels), condition=labels)
    for function, settings in (
        (latent.reject, {"gamma": -2.0}),
        (latent.metropolis_hastings, {"steps": 5}),
        (latent.langevin, {"steps": 5}),
    ):
        drawn = function(model, 6, ratio, condition=[0, 1, 1, 0, 1, 0], **settings)
        assert (drawn.images[:, 0] > 0).tolist() == [False, True, True, False, True, False]


def test_models_without_a_ratio_are_refused():
    held_out = np.zeros((4, 8, 8, 1), "float32")
    packed = ganzoo.GAN.from_paper((8, 8, 1), networks=ganzoo.networks.mlp, hidden=(4,), packing=2)
    with pytest.raises(ValueError, match="packs of 2 samples"):
        latent.DensityRatio(packed, held_out)
    with pytest.raises(ValueError, match="reconstructs images"):
        latent.DensityRatio(ganzoo.BEGAN.from_paper((8, 8, 1), filters=4), held_out)
    vae = ganzoo.VAE.from_paper((8, 8, 1), latent_dim=2, networks=ganzoo.networks.autoencoder, hidden=(4,))
    with pytest.raises(ValueError, match="must have a discriminator. Received: VAE"):
        latent.DensityRatio(vae, held_out)
    model = linear_images()
    with pytest.raises(ValueError, match=r"`held_out` must have the shape \(count, 8, 8, 1\)"):
        latent.DensityRatio(model, held_out[..., 0])
    isotonic = latent.DensityRatio(model, np.random.default_rng(0).uniform(-1, 1, (9, 8, 8, 1)), "isotonic")
    with pytest.raises(ValueError, match="isotonic calibration has steps and no gradient"):
        latent.langevin(model, 3, isotonic)
    held_out = np.random.default_rng(0).uniform(-1, 1, (9, 8, 8, 1))
    infogan = ganzoo.InfoGAN.from_paper((8, 8, 1), filters=4, noise_dim=2, categories=(3,), continuous=0)
    with pytest.raises(ValueError, match="`ratio` must be the density ratio of this model"):
        latent.langevin(infogan, 3, isotonic)
    with pytest.raises(ValueError, match="draws them by another law"):
        latent.langevin(infogan, 3, latent.DensityRatio(infogan, held_out))
