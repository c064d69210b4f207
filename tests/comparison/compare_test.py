import csv
import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import records
from ganzoo.comparison import runs as comparison
from ganzoo.metrics import FrechetDistance, SlicedWasserstein


def models(**overrides):
    settings = {"hidden": (8,), "latent_dim": 2, "run_eagerly": True, **overrides}
    return {
        "GAN": lambda seed: ganzoo.GAN.from_paper((2,), seed=seed, **settings),
        "Least squares": lambda seed: ganzoo.LSGAN.from_paper((2,), seed=seed, **settings),
    }


def ring(**settings):
    return ganzoo.data.ring(num_samples=400, batch_size=16, **settings)


def compare(folder, build=None, **settings):
    settings = {"seeds": 2, "budget": 6, "points": 2, "num_samples": 100, "verbose": 0, **settings}
    return ganzoo.compare(build or models(), ring(), metrics=[FrechetDistance()], output_dir=folder, **settings)


def test_trains_writes_and_goes_on(tmp_path):
    first = compare(tmp_path)
    assert first.models == ["GAN", "Least squares"]
    runs = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert [(run["model"], run["seed"]) for run in runs] == [(m, s) for s in (0, 1) for m in first.models]
    assert [[point["step"] for point in run["curve"]] for run in runs] == [[3, 6]] * 4
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = [run["curve"][-1]["scores"][0]["value"] for run in runs if run["model"] == "GAN"]
    assert float(rows[0]["frechet_distance"]) == pytest.approx(np.mean(values), rel=1e-12)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width == 500
    # A third seed: the two that are there are not repeated.
    built = []

    def recorded(name, build):
        return lambda seed: built.append((name, seed)) or build(seed)

    third = compare(tmp_path, {name: recorded(name, build) for name, build in models().items()}, seeds=3)
    assert built == [(name, 2) for name in first.models]
    assert len(third.scores("GAN", "frechet_distance")) == 3


def test_equal_seeds_give_equal_runs(tmp_path):
    first, second = compare(tmp_path / "a", seeds=[3]), compare(tmp_path / "b", seeds=[3])
    assert [run["curve"][-1]["scores"] for run in first.runs] == [run["curve"][-1]["scores"] for run in second.runs]


def test_budget_of_time(tmp_path, monkeypatch):
    """By a clock on which every step takes 1/8 s: the first one does not count, and none begins after the end."""
    ticks = itertools.count()
    monkeypatch.setattr(comparison, "time", SimpleNamespace(perf_counter=lambda: next(ticks) / 8))
    for run in compare(tmp_path, budget="0.4 s", seeds=1).runs:
        assert [point["seconds"] for point in run["curve"]] == [0.25, 0.5]
        assert [point["step"] for point in run["curve"]] == [3, 5]


def test_images_have_a_grid_and_labels(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), "uint8")
    data = ganzoo.data.from_arrays(x, np.arange(40) % 4, batch_size=8)
    build = {"A": lambda seed: ganzoo.GAN.from_paper((8, 8, 1), num_classes=4, hidden=(8,), seed=seed)}
    result = ganzoo.compare(
        build, data, 1, 2, [SlicedWasserstein()], num_samples=70, points=1, output_dir=tmp_path, verbose=0
    )
    assert result.scores("A", "sliced_wasserstein")[0].num_fake == 40
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 8 * 8


def run(model, seed, value, lower=True):
    score = {"name": "distance", "value": value, "lower_is_better": lower, "num_real": 10, "num_fake": 10}
    return {"model": model, "seed": seed, "curve": [{"step": 1, "seconds": 0.1, "scores": [score]}]}


def test_the_line_that_a_kill_tore_is_run_again(tmp_path):
    conditions = {"budget": 6}
    first, second = ({**run("A", seed, 1.0), "conditions": conditions} for seed in (0, 1))
    file = tmp_path / "runs.jsonl"
    records.write(file, [first, second])
    file.write_text(file.read_text()[:-20])
    assert comparison.kept_runs(file, conditions, verbose=0) == {("A", 0): first}
    records.append(file, second)
    assert comparison.kept_runs(file, conditions, verbose=0) == {("A", 0): first, ("A", 1): second}


def test_a_name_with_a_comma_is_one_cell():
    text = comparison.Comparison([run("GAN, small", 0, 1.0)]).csv()
    assert next(csv.DictReader(text.splitlines()))["model"] == "GAN, small"


def test_calls_a_difference_one_only_where_it_is_significant():
    values = {"A": [1.0, 1.1, 0.9, 1.0], "B": [1.05, 0.95, 1.1, 0.92], "C": [5.0, 5.2, 4.9, 5.1]}
    result = comparison.Comparison([run(name, s, v) for name, vs in values.items() for s, v in enumerate(vs)])
    assert [(better, worse) for better, worse, _ in result.differences("distance")] == [("A", "C"), ("B", "C")]
    assert "A before C" in str(result) and "A before B" not in str(result) and "B before A" not in str(result)


def test_higher_is_better():
    runs = [run("A", s, 1 + s / 100, False) for s in range(3)] + [run("B", s, 2 + s / 100, False) for s in range(3)]
    assert comparison.Comparison(runs).differences("distance")[0][:2] == ("B", "A")


def test_false_alarms_keep_their_rate():
    """Five models that are equal: with Holm's correction any difference is called in about 5 % of the tables."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        runs = [run(name, s, rng.normal()) for name in "ABCDE" for s in range(5)]
        alarms += bool(comparison.Comparison(runs).differences("distance"))
    assert 2 <= alarms <= 18


def test_one_seed_tells_no_difference():
    text = str(comparison.Comparison([run("A", 0, 1.0), run("B", 0, 9.0)]))
    assert "one seed tells no difference" in text and "±" not in text.splitlines()[2]


def test_holm_by_hand():
    assert comparison.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("10 min", (600, None)),
        ("90 s", (90, None)),
        ("1.5 hours", (5400, None)),
        ("2 minutes", (120, None)),
        (7, (None, 7)),
    ],
)
def test_budgets(text, expected):
    assert comparison.parse_budget(text) == expected


@pytest.mark.parametrize("budget", ["10", "ten min", "0 s", 0, -3, True, None, "5 days"])
def test_refused_budgets(budget):
    with pytest.raises(ValueError, match="`budget` must be a time"):
        comparison.parse_budget(budget)


def test_refusals(tmp_path):
    with pytest.raises(TypeError, match="dictionary of functions of a seed"):
        ganzoo.compare({"GAN": models()["GAN"](0)}, ring(), output_dir=tmp_path)
    with pytest.raises(ValueError, match="no room for 10 evaluations"):
        ganzoo.compare(models(), ring(), budget=5, output_dir=tmp_path)
    with pytest.raises(TypeError, match=r"models\['A'\] must return a model"):
        compare_nothing = {"A": lambda seed: None}
        ganzoo.compare(compare_nothing, ring(), budget=10, metrics=[FrechetDistance()], output_dir=tmp_path)


def test_metrics_of_one_name_have_columns_of_their_own():
    def twice(model, seed, *values):
        scores = [
            {"name": "density", "value": v, "lower_is_better": None, "num_real": 10, "num_fake": 10, "settings": s}
            for v, s in zip(values, ({"k": 3}, {"k": 5}))
        ]
        return {"model": model, "seed": seed, "curve": [{"step": 1, "seconds": 0.1, "scores": scores}]}

    runs = [twice("A", seed, 1 + seed / 100, 9 + seed / 100) for seed in range(3)]
    result = comparison.Comparison(runs + [twice("B", seed, 2 + seed / 100, 8 + seed / 100) for seed in range(3)])
    assert result.metrics == ["density k 3", "density k 5"]
    assert result.mean("A", "density k 5")[0] == pytest.approx(9.01)
    text = str(result)
    assert "density k 3: A below B" in text and "density k 5: B below A" in text  # Neither is better.


def test_constants_differ_by_chance():
    """Two seeds of a score that is 7 or 8 are equal, and different ones, often enough."""
    assert comparison.welch([8, 8], [7, 7]) == pytest.approx(1 / 3)
    assert comparison.welch([8] * 5, [7] * 5) == pytest.approx(2 / 252)
    assert comparison.welch([8, 8], [8, 8]) == 1


def test_runs_of_other_settings_or_data_are_not_taken(tmp_path, capsys):
    def density(k, data=None):
        return ganzoo.compare(
            models(),
            data or ring(),
            1,
            2,
            [ganzoo.metrics.Density(k=k)],
            num_samples=100,
            points=1,
            output_dir=tmp_path,
        )

    def value(result):
        return result.scores("GAN", "density")[0].value

    first = value(density(1))
    assert value(density(5)) != first == value(density(1))
    assert "have other budgets, data or metrics: left aside." in capsys.readouterr().out
    assert value(density(1, ring(radius=5.0))) != first


def test_a_seed_counts_once(tmp_path):
    assert len(compare(tmp_path, seeds=[1, 1, 1]).runs) == 2


def test_a_model_that_diverges_has_no_value_and_stops_no_other(tmp_path, capsys):
    def broken(seed):
        model = models()["GAN"](seed)
        if seed == 1:
            weight = model.generator.weights[0]
            weight.assign(np.full(weight.shape, np.nan, "float32"))
        return model

    both = {"breaks": broken, **models()}
    result = compare(tmp_path, both, seeds=3)
    values = [score.value for score in result.scores("breaks", "frechet_distance")]
    assert np.isnan(values).tolist() == [False, True, False]
    assert result.mean("breaks", "frechet_distance")[0] == pytest.approx(np.nanmean(values))
    assert "breaks: the samples of 1 of 3 seeds are NaN" in str(result)
    assert len(result.scores("GAN", "frechet_distance")) == 3
    again = compare(tmp_path, both, seeds=3)  # Each line of the file is JSON, and no run is repeated.
    assert str(again) == str(result)


def test_runs_of_another_protocol_are_refused():
    def run(model, num_real):
        score = {"name": "density", "value": 1.0, "num_real": num_real, "num_fake": 10}
        return {"model": model, "seed": 0, "curve": [{"step": 1, "seconds": 0.1, "scores": [score]}]}

    with pytest.raises(ValueError, match="different protocols: they differ in num_real"):
        comparison.Comparison([run("A", 10), run("B", 20)])


def test_all_settings_of_a_metric_are_conditions():
    protocols = [
        comparison.protocol_of(metric)
        for metric in (
            ganzoo.metrics.KernelDistance(),
            ganzoo.metrics.KernelDistance(subsets=50),
            ganzoo.metrics.ModeCoverage.ring(),
            ganzoo.metrics.ModeCoverage.ring(radius=2.0),
        )
    ]
    assert len(set(protocols)) == 4


def test_a_metric_of_scores_of_classes_needs_a_classifier(tmp_path):
    with pytest.raises(ValueError, match="InceptionScore reads the scores of a classifier"):
        ganzoo.compare(models(), ring(), metrics=[ganzoo.metrics.InceptionScore()], output_dir=tmp_path)
