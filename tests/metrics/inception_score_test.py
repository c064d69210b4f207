import numpy as np
import pytest
from scipy.special import digamma, softmax

from ganzoo.metrics import intervals
from ganzoo.metrics.features.classifiers import Classifier
from ganzoo.metrics.inception_score import InceptionScore, inception_score, score_of_part


def dirichlet(seed, count, alpha, classes):
    return np.random.default_rng(seed).dirichlet(np.full(classes, alpha), count)


def truth(alpha, classes):
    """exp of the mutual information where p(y|x) is drawn from a symmetric Dirichlet distribution."""
    return np.exp(np.log(classes) + digamma(alpha + 1) - digamma(classes * alpha + 1))


def naive(probabilities):
    """By loops over samples and classes."""
    marginal = [sum(p[y] for p in probabilities) / len(probabilities) for y in range(len(probabilities[0]))]
    divergences = [sum(p[y] * np.log(p[y] / marginal[y]) for y in range(len(p)) if p[y] > 0) for p in probabilities]
    return np.exp(sum(divergences) / len(divergences))


@pytest.mark.parametrize("from_logits", [True, False])
def test_loops_over_samples(from_logits):
    logits = np.random.default_rng(0).normal(size=(70, 6)) * 2
    given = logits if from_logits else softmax(logits, axis=1)
    found = inception_score(given, splits=1, from_logits=from_logits)
    assert found.value == pytest.approx(naive(softmax(logits, axis=1)), rel=1e-12)
    order = np.random.RandomState(5).permutation(70)
    parts = [order[:23], order[23:46], order[46:]]
    expected = [naive(softmax(logits[part], axis=1)) for part in parts]
    found = inception_score(given, splits=3, from_logits=from_logits, seed=5)
    assert found.value == pytest.approx(np.mean(expected), rel=1e-12)
    assert found.details["split_std"] == pytest.approx(np.std(expected), rel=1e-9)


def test_ends_of_the_scale():
    """Sure predictions of all classes alike have the score `classes`; predictions that are all the same have 1."""
    sure = np.eye(5)[np.arange(500) % 5]
    score = inception_score(sure, splits=1, from_logits=False)
    assert score.value == pytest.approx(5.0, rel=1e-12)
    assert score.interval[1] == 5.0
    assert inception_score(1e4 * sure, splits=1).value == pytest.approx(5.0, rel=1e-12)
    same = np.tile([[2.0, 0.0, -1.0]], (100, 1))
    assert inception_score(same).value == pytest.approx(1.0, rel=1e-12)
    assert inception_score(same).interval == pytest.approx((1.0, 1.0), abs=1e-12)


def test_two_kinds_of_samples():
    """By hand: p(y) = (1/2, 1/2), and KL((3/4, 1/4) || p(y)) = log 2 - H(1/4)."""
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75]] * 10)
    expected = 2 * 0.75**0.75 * 0.25**0.25
    score = inception_score(probabilities, splits=1, from_logits=False)
    assert score.value == pytest.approx(expected, rel=1e-12)
    assert (score.num_real, score.num_fake, score.settings) == (None, 20, {"splits": 1})


def test_logits_may_be_huge_and_shifted():
    logits = np.random.default_rng(0).normal(size=(50, 4)) * 3
    expected = inception_score(logits, splits=1).value
    shifted = logits + 1000.0 * np.arange(50)[:, None]
    assert inception_score(shifted, splits=1).value == pytest.approx(expected, rel=1e-9)
    never = np.concatenate([logits, np.full((50, 1), -1e5)], axis=1)  # A class with the probability 0.
    assert inception_score(never, splits=1).value == pytest.approx(expected, rel=1e-12)


def test_sorted_labels_do_no_harm():
    """In their given order ten splits would hold one class each, and have the score 1."""
    sorted_labels = np.eye(10)[np.arange(1000) // 100]
    assert inception_score(sorted_labels, from_logits=False).value > 9


def test_chunks_and_order_change_nothing():
    logits = np.random.default_rng(0).normal(size=(400, 7)) * 3
    whole = inception_score(logits, splits=1).value
    for size in (1, 7, 400):
        assert inception_score(logits[::-1], splits=1, chunk_size=size).value == pytest.approx(whole, rel=1e-9)
        of_splits = [inception_score(logits, chunk_size=s).value for s in (size, 4096)]
        assert of_splits[0] == pytest.approx(of_splits[1], rel=1e-9)


def test_influence_is_the_derivative():
    """Against the change of the score when one sample's weight grows a little, by finite differences."""
    probabilities = dirichlet(0, 30, 0.5, 4)

    def weighted(weights):
        marginal = weights @ probabilities
        return np.exp(weights @ np.sum(probabilities * np.log(probabilities / marginal), axis=1))

    score, _, influences = score_of_part(probabilities, False, 7)
    equal = np.full(30, 1 / 30)
    assert weighted(equal) == pytest.approx(score, rel=1e-12)
    for index in (0, 11, 29):
        changed = []
        for step in (1e-6, -1e-6):
            weights = equal * (1 - step)
            weights[index] += step
            changed.append(weighted(weights))
        derivative = (changed[0] - changed[1]) / 2e-6
        assert influences[index] - influences.mean() == pytest.approx(derivative, rel=1e-5)


@pytest.mark.parametrize("splits", [1, 5])
def test_bias(splits, monkeypatch):
    """How far 400 scores of 100 samples lie from the large-sample value on average, against their own estimates."""
    monkeypatch.setattr(intervals, "from_influence", lambda *args, **settings: None)  # Takes most of the time.
    scores = [inception_score(dirichlet(i, 100, 0.3, 6), splits=splits, from_logits=False) for i in range(400)]
    values = np.array([score.value for score in scores])
    error = values.std() / 20
    bias = values.mean() - truth(0.3, 6)
    assert abs(bias) > 5 * error  # There is one.
    assert np.mean([score.details["bias"] for score in scores]) == pytest.approx(bias, abs=3 * error + 0.1 * abs(bias))


@pytest.mark.parametrize("splits", [1, 10])
def test_interval_covers_the_large_sample_value(splits):
    """In 200 repetitions the 95 % interval holds it 90 to 99 % of the time."""
    covered = 0
    for i in range(200):
        low, high = inception_score(dirichlet(i, 300, 0.3, 6), splits=splits, from_logits=False, seed=i).interval
        covered += low <= truth(0.3, 6) <= high
    assert 180 <= covered <= 198


def test_too_few_samples_for_the_classes():
    logits = np.random.default_rng(0).normal(size=(100, 20))
    with pytest.warns(UserWarning, match="10 samples in a split for 20 classes: the inception score is far too low"):
        inception_score(logits)


@pytest.mark.parametrize(
    "fake, settings, words",
    [
        (np.zeros((19, 3)), {}, "10 splits need at least 20 samples. Received: 19"),
        (np.zeros((50, 1)), {}, r"of 2 classes or more. Received: shape \(50, 1\)"),
        (np.zeros(50), {}, r"Predictions must be .* shape \(50,\)"),
        (np.full((50, 3), np.inf), {}, "50 of 50 fake samples have predictions that are NaN or infinite"),
        (np.array([["a", "b"]] * 50), {}, "`fake` must be an array of numbers"),
        (np.full((50, 2), 0.5), {}, "These are probabilities: they add up to 1. Pass `from_logits=False`"),
        (np.full((50, 2), 0.6), {"from_logits": False}, "50 of 50 fake samples have predictions that are no probabil"),
        (np.tile([1.5, -0.5], (50, 1)), {"from_logits": False}, "they are negative, or do not add up to 1"),
        (np.zeros((50, 3)), {"splits": 0}, "`splits` must be an integer of at least 1. Received: splits=0"),
    ],
)
def test_refusals(fake, settings, words):
    with pytest.raises(ValueError, match=words):
        inception_score(fake, **settings)


class Halves(Classifier):
    """Whether an image is bright on the left or on the right."""

    name = "Halves"
    kernel = np.array([[1.0, -1.0], [-1.0, 1.0]], "float32")
    bias = np.array([0.5, 0.0], "float32")

    def extract(self, images):
        width = images.shape[2] // 2
        return np.stack([images[:, :, :width].mean((1, 2, 3)), images[:, :, width:].mean((1, 2, 3))], 1) / 100


def test_streams():
    images = np.random.default_rng(0).integers(0, 256, size=(60, 4, 4, 1), dtype="uint8")
    logits = Halves().logits(images)
    metric = InceptionScore(Halves(), splits=3, seed=1)
    metric.update_state(fake=images[:25])
    metric.update_state(fake=images[25:])
    score = metric.result()
    expected = inception_score(logits, splits=3, seed=1)
    assert score.features == "Halves"
    assert (score.value, score.interval, score.details) == (expected.value, expected.interval, expected.details)
    assert score.lower_is_better is False and score.num_real is None
    with pytest.raises(ValueError, match="takes no real samples, only fake"):
        metric.update_state(real=images)
    metric.reset_state()
    with pytest.raises(ValueError, match="no fake samples"):
        metric.result()


def test_streams_predictions():
    probabilities = dirichlet(0, 60, 1.0, 4)
    metric = InceptionScore(from_logits=False)
    metric.update_state(fake=probabilities)
    assert metric.result() == inception_score(probabilities, from_logits=False)
    with pytest.raises(ValueError, match="`splits`"):
        InceptionScore(splits=2.5)


def test_batches_are_joined_in_their_order():
    metric, logits = InceptionScore(splits=1), np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    for part in np.split(logits, [7, 30]):
        metric.update_state(fake=part)
    assert metric.result() == inception_score(logits, splits=1)
    metric.update_state(fake=logits[:, :3])
    with pytest.raises(ValueError, match="batches of fake features have different shapes"):
        metric.result()
