"""Evaluate: the right samples, each network once, logs and files, the cache, the best model."""

import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.callbacks import Checkpoint
from ganzoo.callbacks.evaluate import Evaluate
from ganzoo.metrics import FrechetDistance, Metric, Score
from ganzoo.metrics.feature_files import cached_features, fingerprint
from ganzoo.metrics.features import Features, ModelFeatures
from ganzoo.training.real_samples import conditions_to_generate
from tests.check_model import digest

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), "uint8")
LABELS = np.arange(40) % 4 // 2 * 2  # 20 of class 0, 20 of class 2, none of class 1.


def build(ema_decay=None, num_classes=None, image_shape=(4, 4, 1), rate=1e-2):
    keras.utils.set_random_seed(0)
    networks, classes = ganzoo.networks.mlp, {"num_classes": num_classes}
    gan = ganzoo.GAN(
        networks.generator(image_shape, latent_dim=2, hidden=(4,), **classes),
        networks.discriminator(image_shape, hidden=(4,), **classes),
        ema_decay=ema_decay,
        seed=0,
        **classes,
    )
    gan.compile(keras.optimizers.Adam(rate), keras.optimizers.Adam(rate), run_eagerly=True)
    return gan


def fit(model, *callbacks, epochs=1, data=(IMAGES, None)):
    return model.fit(*data, batch_size=20, epochs=epochs, verbose=0, callbacks=list(callbacks))


class Means(Features):
    """The mean of an image, times a factor; counts the images it has seen."""

    name = "means"

    def __init__(self, factor=1.0):
        self.factor = factor
        self.batches = []

    @property
    def seen(self):
        return sum(self.batches)

    def extract(self, images):
        self.batches.append(len(images))
        return self.factor * images.reshape(len(images), -1).mean(axis=1, keepdims=True).astype("float32")


class Difference(Metric):
    """The difference of the mean features."""

    lower_is_better = True

    def compute(self, real, fake):
        value = abs(real.mean() - fake.mean())
        return Score(
            "difference", value, (value, value + 1), len(real), len(fake), lower_is_better=self.lower_is_better
        )


class Step(Metric):
    """A value for each epoch, whatever the samples are."""

    kinds = ("fake",)

    def __init__(self, values, lower_is_better=True, name="step"):
        super().__init__()
        self.values, self.lower_is_better, self.name = iter(values), lower_is_better, name

    def compute(self, real, fake):
        return Score(self.name, next(self.values), num_fake=len(fake), lower_is_better=self.lower_is_better)


def evaluate(metrics, data=IMAGES, num_samples=30, cache_dir=False, verbose=False, **kwargs):
    return Evaluate(metrics, data, num_samples=num_samples, cache_dir=cache_dir, verbose=verbose, **kwargs)


# === The measurement ===


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_measures_what_generate_makes(ema_decay):
    model, network = build(ema_decay), Means()
    callback = evaluate(FrechetDistance(network), seed=5)
    history = fit(model, callback, epochs=2).history
    expected = ganzoo.metrics.frechet_distance(network(IMAGES), network(model.generate(30, seed=5)))
    assert callback.scores["frechet_distance"].value == pytest.approx(expected.value, rel=1e-9)
    assert callback.scores["frechet_distance"].features == "means"
    assert callback.scores["frechet_distance"].num_real == 40 and callback.scores["frechet_distance"].num_fake == 30
    assert history["frechet_distance"][-1] == callback.scores["frechet_distance"].value
    assert history["frechet_distance"][0] != history["frechet_distance"][1]


def test_each_network_runs_once_for_all_metrics():
    shared, alike, other = Means(), Means(), Means(factor=2.0)
    metrics = {"a": Difference(shared), "b": FrechetDistance(shared), "c": Difference(alike), "d": Difference(other)}
    callback = evaluate(metrics)
    fit(build(), callback, epochs=3)
    assert shared.seen == other.seen == 16 + 40 + 3 * 30
    assert alike.seen == 16  # By which it was known.
    assert callback.scores["a"].value == callback.scores["c"].value == pytest.approx(callback.scores["d"].value / 2)


def test_pixels_are_compared_on_one_scale():
    """Real images that are uint8 and generated ones in [-1, 1], without a network of features."""
    model = build(rate=1e-9)
    callback = evaluate(Difference())
    fit(model, callback)
    expected = abs((IMAGES / 127.5 - 1).mean() - model.generate(30, seed=0).mean())
    assert callback.scores["difference"].value == pytest.approx(expected, abs=1e-6)


def test_points():
    model = build(image_shape=(2,))
    points = np.random.default_rng(1).normal(size=(40, 2)).astype("float32")
    callback = evaluate(FrechetDistance(), (points, LABELS))
    fit(model, callback, data=(points, None))
    expected = ganzoo.metrics.frechet_distance(points, model.generate(30, seed=0)).value
    assert callback.scores["frechet_distance"].value == pytest.approx(expected, rel=1e-6)


class Recorder(Metric):
    """Keeps the samples."""

    def compute(self, real, fake):
        self.real, self.fake = real, fake
        return Score("recorder", 0.0)


def test_all_samples_of_a_dataset():
    """Those that fill no batch, too, in whatever form the data come."""
    floats = np.asarray(ganzoo.data.normalize(IMAGES))
    forms = {
        "uint8": IMAGES,
        "floats": floats,
        "a pair": (IMAGES, LABELS),
        "of ganzoo.data": ganzoo.data.from_arrays(IMAGES, LABELS, batch_size=16, seed=3),
        "of tf.data": tf.data.Dataset.from_tensor_slices((floats, LABELS)).batch(16),
    }
    for name, data in forms.items():
        metric = Recorder()
        fit(build(), evaluate(metric, data))
        np.testing.assert_allclose(metric.real, floats.reshape(40, -1), atol=1e-6, err_msg=name)
        fit(build(), evaluate(metric, data, num_real=10))
        np.testing.assert_allclose(metric.real, floats[:10].reshape(10, -1), atol=1e-6, err_msg=name)


def test_more_samples_than_are_drawn_at_once(monkeypatch):
    monkeypatch.setattr("ganzoo.callbacks.evaluate._SAMPLES_AT_ONCE", 20)
    model, metric = build(), Recorder()
    fit(model, evaluate(metric, num_samples=50, seed=7))
    parts = [model.generate(count, seed=seed) for count, seed in ((20, 7), (20, 8), (10, 9))]
    np.testing.assert_allclose(metric.fake, np.concatenate(parts).reshape(50, -1), atol=1e-6)


def test_networks_of_the_same_weights_are_two():
    """Their activations tell them apart."""
    metrics = {name: Recorder(dense(name)) for name in ("relu", "tanh")}
    fit(build(), evaluate(metrics))
    for metric in metrics.values():
        np.testing.assert_allclose(metric.real, metric.features(IMAGES), rtol=1e-6)
    assert not np.allclose(metrics["relu"].fake, metrics["tanh"].fake)


def test_metrics_that_take_labels():
    """Samples are read, and compared with what was asked for."""
    model = build(num_classes=3)
    classifier = keras.Model(image := keras.Input((4, 4, 1)), keras.layers.Dense(3)(keras.layers.Flatten()(image)))
    callback = evaluate(ganzoo.metrics.ClassifierAccuracy(classifier), (IMAGES, LABELS))
    fit(model, callback, data=(IMAGES, LABELS))
    asked = conditions_to_generate(model, LABELS, callback.num_samples)
    read = np.argmax(ModelFeatures(classifier)(model.generate(condition=asked, seed=0)), axis=1)
    assert callback.scores["classifier_accuracy"].value == pytest.approx(np.mean(read == asked))
    assert 0 < callback.scores["classifier_accuracy"].value < 1


def test_without_metrics_those_that_suit():
    data = ganzoo.data.load("mnist_10k", split="train[:300]", batch_size=50)
    gan = ganzoo.GAN.from_paper((28, 28, 1), hidden=(4,), seed=0)
    callback = evaluate(None, data, num_samples=200)
    gan.fit(data, steps_per_epoch=1, verbose=0, callbacks=[callback])
    assert set(callback.scores) == {"frechet_distance", "density", "coverage"}
    assert {score.features for score in callback.scores.values()} == {"DigitsClassifier"}


@pytest.mark.parametrize(("data", "counts"), [((IMAGES, LABELS), [15, 0, 15]), (IMAGES, [10, 10, 10])])
def test_labels(data, counts):
    """In the shares of the data; without labels there, each class as often."""
    model = build(num_classes=3)
    asked = []
    generate = model.generate
    model.generate = lambda *args, condition, **kwargs: (
        asked.append(condition) or generate(*args, condition=condition, **kwargs)
    )
    fit(model, evaluate(Difference(Means()), data), data=(IMAGES, LABELS))
    assert np.bincount(asked[0], minlength=3).tolist() == counts
    assert not np.array_equal(asked[0], np.sort(asked[0])) or counts[1]


def test_translations_are_compared_with_their_targets():
    model = ganzoo.Pix2Pix.from_paper((32, 32, 1), filters=2, seed=0)
    inputs, targets = np.random.default_rng(0).integers(0, 256, (2, 6, 32, 32, 1), "uint8")
    metric = Recorder()
    model.fit(
        inputs, targets, batch_size=2, steps_per_epoch=1, verbose=0, callbacks=[evaluate(metric, (inputs, targets))]
    )
    np.testing.assert_allclose(metric.real, np.asarray(ganzoo.data.normalize(targets)).reshape(6, -1), atol=1e-6)
    expected = model.generate(condition=np.asarray(ganzoo.data.normalize(inputs)), seed=0)
    np.testing.assert_allclose(metric.fake, expected.reshape(6, -1), atol=1e-5)


def test_leaves_no_trace_in_the_training():
    alone, watched = build(0.9), build(0.9)
    fit(alone, epochs=2)
    fit(watched, evaluate(FrechetDistance(Means())), epochs=2)
    assert digest(alone) == digest(watched)


def test_samples_that_are_not_finite(capsys):
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.steps_done == 3:
                weight = self.model.generator.trainable_variables[-1]
                weight.assign(np.full(weight.shape, np.nan))

    callback = evaluate(Difference(Means()), verbose=True)
    with pytest.raises(FloatingPointError, match="after step 4"):  # Of `fit`, after the callback.
        fit(build(), Spoil(), callback, epochs=2)
    assert len(callback.rows) == 1 and callback.scores == {}
    assert "30 of 30 samples hold NaN or infinite values: no scores." in capsys.readouterr().out


# === Logs and files ===


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_other_callbacks_see_the_values(tmp_path):
    values = [3.0, 1.0, 2.0, 2.5, 0.5]
    callbacks = [
        evaluate(Step(values)),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", monitor="step", mode="min", save_best_only=True),
        keras.callbacks.EarlyStopping(monitor="step", mode="min", patience=2),
        ganzoo.callbacks.LearningCurve(tmp_path / "curve.png"),
    ]
    history = fit(build(), *callbacks, epochs=5).history
    assert history["step"] == [3.0, 1.0, 2.0, 2.5]
    assert sorted(path.name for path in tmp_path.glob("*.keras")) == ["1.keras", "2.keras"]
    assert [float(row["step"]) for row in read_table(tmp_path / "log.csv")] == history["step"]


def test_every(tmp_path):
    callback = evaluate(Step([4.0, 3.0]), every=2, directory=tmp_path)
    history = fit(build(), callback, epochs=5).history
    assert history["step"] == [4.0, 3.0]
    assert [(row["epoch"], row["step"]) for row in callback.rows] == [(2, 4), (4, 8)]


def test_files(tmp_path, capsys):
    callback = evaluate([Difference(Means()), Step([1.0, 2.0])], directory=tmp_path, verbose=True)
    history = fit(build(), callback, epochs=2).history
    rows = [json.loads(line) for line in (tmp_path / "evaluation.jsonl").read_text().splitlines()]
    assert rows == callback.rows and [row["step"] for row in rows] == [2, 4]
    score = Score.from_json(json.dumps(rows[-1]["scores"]["difference"]))
    assert score == callback.scores["difference"] and score.features == "means"
    table = read_table(tmp_path / "evaluation.csv")
    assert [float(row["difference"]) for row in table] == history["difference"]
    assert [float(row["difference_high"]) for row in table] == [value + 1 for value in history["difference"]]
    assert [row["step_low"] for row in table] == ["", ""]
    assert [int(row["epoch"]) for row in table] == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation.csv", "evaluation.jsonl"]
    assert f"Epoch 2: difference {history['difference'][1]:.4g} [" in capsys.readouterr().out


def resumable(folder):
    return evaluate(Difference(Means()), directory=folder, best="difference"), Checkpoint(folder)


def without_seconds(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_a_resumed_run_goes_on_with_its_rows(tmp_path):
    straight = resumable(tmp_path / "straight")
    fit(build(), *straight, epochs=4)

    class Kill(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    evaluate_first, checkpoint = resumable(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):  # After the row of the third epoch, before its checkpoint.
        fit(build(), evaluate_first, Kill(), checkpoint, epochs=4)
    assert [row["epoch"] for row in evaluate_first.rows] == [1, 2, 3]
    resumed = resumable(tmp_path / "killed")
    fit(build(), *resumed, epochs=4)
    assert [row["epoch"] for row in resumed[0].rows] == [1, 2, 3, 4]
    assert without_seconds(resumed[0].rows) == without_seconds(straight[0].rows)
    first, second = build(), build()
    straight[0].restore_best(first)
    resumed[0].restore_best(second)
    assert digest(first) == digest(second)


def test_a_run_that_starts_anew_has_its_own_rows(tmp_path):
    fit(build(), evaluate(Step([1.0, 1.0]), directory=tmp_path), epochs=2)
    fit(build(), evaluate(Step([5.0]), directory=tmp_path))
    assert len((tmp_path / "evaluation.jsonl").read_text().splitlines()) == 1


def test_names():
    twins = [Difference(Means()), Difference(Means(2.0))]
    twins[1].features.name = "Twice, or so"
    callback = evaluate([*twins, Step([1.0])])
    fit(build(), callback)
    assert list(callback.scores) == ["difference_means", "difference_twice_or_so", "step"]
    with pytest.raises(ValueError, match="Several metrics are called .* Name them"):
        fit(build(), evaluate([Difference(Means()), Difference(Means())]))


class Refusing(Step):
    def compute(self, real, fake):
        raise ValueError("at least 11 x 11 pixels")


def test_a_metric_that_refuses_the_samples_does_not_end_the_training(capsys):
    callback = evaluate([Refusing([]), Step([1.0, 2.0])], verbose=True)
    history = fit(build(), callback, epochs=2).history
    assert history["step"] == [1.0, 2.0] and list(callback.scores) == ["step"]
    assert capsys.readouterr().out.count("no score of Refusing. at least 11 x 11 pixels") == 2


def test_a_metric_of_scores_of_classes_needs_a_classifier():
    with pytest.raises(ValueError, match="InceptionScore reads the scores of a classifier"):
        evaluate(ganzoo.metrics.InceptionScore())


# === The best model ===


@pytest.mark.parametrize(("lower_is_better", "best_epoch"), [(True, 2), (False, 1)])
def test_keeps_the_best_model(tmp_path, lower_is_better, best_epoch):
    digests = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: digests.append(digest(model)))
    callback = evaluate(Step([3.0, 1.0, 2.0, 1.0], lower_is_better), directory=tmp_path, best="step")
    model = build(0.9)
    fit(model, note, callback, epochs=4)
    assert [row["best"] for row in callback.rows] == (
        [True, True, False, False] if lower_is_better else [True, *[False] * 3]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.keras", "evaluation.csv", "evaluation.jsonl"]
    loaded = keras.models.load_model(tmp_path / "best.keras")
    assert digest(loaded) == digests[best_epoch - 1]
    assert callback.restore_best() == tmp_path / "best.keras"
    assert digest(model) == digests[best_epoch - 1]


def test_nan_is_never_the_best(tmp_path):
    callback = evaluate(Step([np.nan, 5.0, np.nan, 4.0]), directory=tmp_path, best="step")
    fit(build(), callback, epochs=4)
    assert [row["best"] for row in callback.rows] == [False, True, False, True]


def test_a_score_of_other_settings_is_no_rival(tmp_path):
    fit(build(), evaluate(Step([1.0]), directory=tmp_path, best="step"), Checkpoint(tmp_path))
    callback = evaluate(Step([3.0, 2.0]), directory=tmp_path, best="step", num_samples=20)
    fit(build(), callback, Checkpoint(tmp_path), epochs=3)
    assert [row["best"] for row in callback.rows] == [True, True, True]


@pytest.mark.parametrize(
    ("metric", "best", "message"),
    [
        (Step([1.0]), "fid", "best='fid' is none of the values: step."),
        (Step([1.0], lower_is_better=None), "step", "neither less nor more is better"),
    ],
)
def test_a_best_that_cannot_be(tmp_path, metric, best, message):
    with pytest.raises(ValueError, match=message):
        fit(build(), evaluate(metric, directory=tmp_path, best=best))


# === The cache ===


def test_real_features_are_kept(tmp_path):
    order = np.random.default_rng(2).permutation(40)
    first, second = Recorder(Means()), Recorder(Means())
    fit(build(), evaluate(first, cache_dir=tmp_path))
    assert first.features.seen == 16 + 40 + 30 + 16  # Sixteen more, to compare with a file.
    fit(build(), evaluate(second, IMAGES[order], cache_dir=tmp_path))
    assert second.features.seen == 16 + 30 + 16
    np.testing.assert_array_equal(second.real, first.real[order])
    assert len(list(tmp_path.iterdir())) == 1
    for other in (IMAGES[:39], np.where(np.arange(40)[:, None, None, None] == 7, 255 - IMAGES, IMAGES)):
        third = Recorder(Means())
        fit(build(), evaluate(third, other, cache_dir=tmp_path))
        assert third.features.seen == 16 + len(other) + 30 + 16


def dense(activation="relu", seed=0):
    image = keras.Input((4, 4, 1))
    weights = keras.initializers.RandomNormal(seed=seed)
    x = keras.layers.Dense(3, activation=activation, kernel_initializer=weights)(keras.layers.Flatten()(image))
    return ModelFeatures(keras.Model(image, x))


def test_the_cache_knows_networks_apart(tmp_path):
    networks = [dense(), dense(seed=1), dense("tanh"), dense()]
    for network in networks[1:]:
        assert not np.allclose(network(IMAGES), networks[0](IMAGES)) or network is networks[-1]
    assert fingerprint(networks[0]) == fingerprint(networks[3])  # Whatever Keras has called its layers.
    assert fingerprint(networks[0]) != fingerprint(networks[1])
    for network in networks:
        np.testing.assert_allclose(cached_features(network, IMAGES, tmp_path), network(IMAGES), rtol=1e-6)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 500])
def test_a_damaged_file_of_the_cache_is_computed_again(tmp_path, damage):
    network = dense()
    expected = cached_features(network, IMAGES, tmp_path)
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    path.write_bytes(damage(good))
    np.testing.assert_array_equal(cached_features(network, IMAGES, tmp_path), expected)
    assert path.read_bytes() == good


# === Bad input ===


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"every": 0}, ValueError, "`every` must be an integer of at least 1"),
        ({"num_samples": None}, ValueError, "`num_samples` must be an integer of at least 1"),
        ({"num_real": 1.5}, ValueError, "`num_real` must be an integer of at least 1, or None"),
        ({"best": "step"}, ValueError, "needs a `directory`"),
        ({"metrics": []}, TypeError, "`metrics` must be a metric, or a list"),
        ({"metrics": ["fid"]}, TypeError, "`metrics` must be objects of ganzoo.metrics. Received: 'fid'"),
    ],
)
def test_refuses_bad_arguments(settings, error, message):
    with pytest.raises(error, match=message):
        evaluate(**{"metrics": Step([]), **settings})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (IMAGES[:, :3], "The samples do not fit the model"),
        (IMAGES.astype("float32"), r"Images must lie in \[-1, 1\]"),
        (tf.data.Dataset.from_tensor_slices(IMAGES / 255 * 2 - 1), "The dataset is not batched"),
        (tf.data.Dataset.from_tensors(np.zeros((8, 4, 4, 1), "float32")).repeat(), "The dataset is endless"),
        (IMAGES[:1], "needs real samples"),
        (np.full((9, 4, 4, 1), np.nan, "float32"), "NaN"),
    ],
)
def test_refuses_bad_data_before_the_first_step(data, message):
    model = build()
    with pytest.raises(ValueError, match=message):
        fit(model, evaluate(Difference(Means()), data))
    assert model.steps_done == 0


# === The budget ===


class Slow(Recorder):
    """Takes its time, of a clock that the test moves."""

    def __init__(self, clock, seconds):
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def compute(self, real, fake):
        self.clock.now += self.seconds
        return super().compute(real, fake)


class Clock:
    """A clock that an epoch moves by a second."""

    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.mark.parametrize(
    ("seconds", "settings", "evaluated"),
    [
        (0.5, {}, list(range(1, 31))),  # Short.
        (2.0, {"budget": 0.2}, [1, 20, 30]),  # 2 s + 2 s are a fifth of 20 s.
        (2.0, {"every": 10}, [10, 20, 30]),
    ],
)
def test_budget(seconds, settings, evaluated, monkeypatch, capsys):
    clock = Clock()
    monkeypatch.setattr("ganzoo.callbacks.evaluate.time", clock)
    tick = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(clock, "now", clock.now + 1.0))
    callback = evaluate(Slow(clock, seconds), IMAGES, num_samples=10, verbose=True, **settings)
    build().fit(IMAGES, batch_size=40, epochs=30, verbose=0, callbacks=[tick, callback], check=False)
    assert [row["epoch"] for row in callback.rows] == evaluated
    told = "all of them are at most 20%" in capsys.readouterr().out
    assert told == ("budget" in settings)
