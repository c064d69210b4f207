"""`benchmarks/time_to_quality.py`: its clock, its judge, the minutes to a level, and an update of each peer."""

import importlib
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

from ganzoo.metrics.features import Given

ROOT = Path(__file__).parent.parent
HAS_TORCH = importlib.util.find_spec("torch") is not None


@pytest.fixture(scope="module")
def benchmark():
    """Imports a module of `benchmarks`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module


# === Minutes to a level ===


@pytest.mark.parametrize(
    "curve, level, minutes",
    [
        ([(1, 40.0), (4, 10.0)], 25, 2.0),  # Half of the way down, in the middle of the logarithms.
        ([(1, 40.0), (16, 0.0)], 10, 8.0),  # Three quarters of the way: 16^(3/4).
        ([(1, 40.0), (4, 10.0)], 40, 1.0),
        ([(1, 40.0), (4, 10.0)], 10, 4.0),
        ([(1, 40.0), (4, 10.0)], 9, math.inf),
        ([(2, 5.0), (4, 10.0)], 7, 2.0),  # Reached before the first point.
        ([(1, 40.0), (4, 10.0), (5, 50.0), (6, 1.0)], 20, 4 ** (2 / 3)),  # The first time counts.
        ([(1, 3.0), (9, -1.0)], 1, 3.0),  # An unbiased distance may be negative.
        ([(1, math.nan), (4, 10.0)], 20, 4.0),
        ([], 20, math.inf),
    ],
)
def test_minutes_to_reach(benchmark, curve, level, minutes):
    assert benchmark("lib.reaching").minutes_to_reach(curve, level) == pytest.approx(minutes)


def test_levels_lie_between_the_worst_and_the_best(benchmark):
    levels = benchmark("lib.reaching").levels
    assert levels([[(1, 60.0), (2, 9.0)], [(1, 30.0), (2, 1.5)]]) == [50, 20, 10, 5, 2]
    assert levels([[(1, 0.03), (2, -0.001)]]) == []  # A single positive value has no levels below it.
    assert levels([[(1, math.nan)]]) == []


def test_cells(benchmark):
    in_words = benchmark("lib.reaching").in_words
    assert in_words([2.0], 30) == "2"
    assert in_words([3.0, 1.0, 2.0], 30) == "2 (1 to 3)"
    assert in_words([3.0, math.inf, 2.0], 30) == "3 (2 to > 30)"
    assert in_words([math.inf, math.inf], 30) == "> 30 (> 30 to > 30)"


# === Clock ===


def test_the_clock_stands_still_while_samples_are_written(benchmark):
    time = [100.0]
    written = []

    def write(seconds, updates):
        written.append((seconds, updates))
        time[0] += 7.0

    clock = benchmark("peers.clock").Clock(98.0, [4.0, 8.0, 16.0], write, lambda: time[0])
    goes_on = []
    for _ in range(5):  # Updates of 3 seconds, after 2 seconds of start.
        time[0] += 3.0
        goes_on.append(clock.go_on())
    assert written == [(5.0, 1), (8.0, 2), (17.0, 5)]
    assert goes_on == [True, True, True, True, False]


def test_a_long_update_counts_for_all_moments_that_it_covers(benchmark):
    written = []
    clock = benchmark("peers.clock").Clock(0.0, [4.0, 8.0, 16.0], lambda *point: written.append(point), lambda: 9.0)
    assert clock.go_on() and clock.due == [16.0] and written == [(9.0, 1)]


def test_moments(benchmark):
    moments = benchmark("peers.clock").moments
    assert moments(32.0, 6) == pytest.approx([1, 2, 4, 8, 16, 32])
    assert moments(5.0, 1) == [5.0]


# === Judge ===


def test_the_judge_of_fixed_samples(benchmark):
    """Features are the pixels. The means of the sets differ by 3 and the spreads agree: the distance is 9."""
    rng = np.random.default_rng(0)
    train, held_out = rng.normal(size=(2, 400, 2))
    held_out = (held_out - held_out.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(held_out.T))).T
    judge = benchmark("lib.judge").Judge(train, held_out, Given())
    assert judge.uses_frechet and judge.protocol.startswith("Fréchet distance in features of given, 400 held-out")
    far = judge.scores(held_out + [3.0, 0.0])
    assert far["distance"] == pytest.approx(9.0, rel=1e-3)
    same = judge.scores(held_out)
    assert same["distance"] == pytest.approx(0.0, abs=1e-3) and same["precision"] == 1 and same["recall"] == 1
    assert same["memorization"] == pytest.approx(0, abs=1e-9)  # Copies of held-out samples.
    assert judge.scores(train)["memorization"] == pytest.approx(1)


def test_the_judge_keeps_the_features_of_real_images(benchmark, tmp_path):
    """The second judge gets other images, and compares with the kept features."""
    rng = np.random.default_rng(0)
    train, held_out, other = rng.normal(size=(3, 50, 2))
    make = benchmark("lib.judge").Judge
    first = make(train, held_out, Given(), tmp_path / "features.npz")
    second = make(other, other, Given(), tmp_path / "features.npz")
    assert second.scores(other) == first.scores(other) and second.floor() == first.floor()


def test_colour_is_compared_by_the_kernel_distance(benchmark):
    colour = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), "uint8")
    judge = benchmark("lib.judge").Judge(colour[:3], colour[3:])
    assert not judge.uses_frechet and judge.features.name == "EfficientNetLite0 at 64"
    assert judge.protocol == "kernel distance, all pairs, in features of EfficientNetLite0 at 64, 3 held-out images"


# === Table and resumption ===


def record(competitor, seed, distances, data="faces_10k"):
    scores = {"precision": 0.5, "recall": 0.25, "memorization": 0.5}
    curve = [{"seconds": 60 * 4**i, "updates": 10 * (i + 1), "distance": d, **scores} for i, d in enumerate(distances)]
    return {
        **{"data": data, "competitor": competitor, "seed": seed, "protocol": "a distance", "floor": 1.5},
        "curve": curve,
    }


def test_the_table(benchmark):
    table = benchmark("time_to_quality").table
    found = [record("keras.io DCGAN", 0, [40.0, 10.0]), record("keras.io DCGAN", 1, [40.0, 30.0])]
    lines = table([*found, record("ganzoo DCGAN", 0, [25.0, 4.0])], 4).splitlines()
    assert lines[0] == "faces_10k: a distance. Training images have 1.5."
    assert lines[2].startswith("| Competitor | Seeds | Updates | 20 | 10 | 5 | Last distance |")
    assert lines[4].split(" | ")[1:5] == ["2", "20", "> 4 (2.52 to > 4)", "> 4 (4 to > 4)"]
    assert table([record("ganzoo DCGAN", 0, [25.0])], 4).splitlines()[2:] == [  # A single point spans no level.
        "| Competitor | Seeds | Updates | Last distance | Precision | Recall | Memorization |",
        "|---|---|---|---|---|---|---|",
        "| ganzoo DCGAN | 1 | 10 | 25 | 0.50 | 0.25 | 0.50 |",
    ]
    assert lines[5].split(" | ")[3:] == ["1.39", "2.69", "3.74", "4", "0.50", "0.25", "0.50 |"]


def test_finished_runs_are_not_repeated(benchmark, tmp_path, monkeypatch, capsys):
    module = benchmark("time_to_quality")
    runs = []

    def run(key, data, folder, python, options):
        runs.append((key["competitor"], key["seed"]))
        return {**record(key["competitor"], key["seed"], [40.0, 10.0]), **key}

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "prepare", lambda *arguments: tmp_path)
    monkeypatch.setattr(module, "versions", lambda *packages: {})  # No PyTorch.
    arguments = ["--data", "faces_10k", "--budget", "4", "--seeds", "0", "1", "--output", f"{tmp_path}/records.jsonl"]
    arguments += ["--work_dir", str(tmp_path), "--competitors", "ganzoo DCGAN", "keras.io DCGAN", "mimicry sngan"]
    for expected in ([(name, seed) for seed in (0, 1) for name in ("ganzoo DCGAN", "keras.io DCGAN")], []):
        runs.clear()
        monkeypatch.setattr("sys.argv", ["time_to_quality.py", *arguments])
        module.main()
        assert runs == expected  # Alternating, then nothing.
        printed = capsys.readouterr().out
        assert "| ganzoo DCGAN | 2 |" in printed and "Left out" in printed and "mimicry sngan" in printed
    assert (tmp_path / "curves.png").stat().st_size > 10_000


# === Peers ===


def test_margins_can_be_cut_off(benchmark):
    pixels = benchmark("peers.pixels")
    images = np.arange(28 * 28, dtype="uint8").reshape(1, 28, 28, 1)
    large = pixels.padded(images, 16)
    assert large.shape == (1, 32, 32, 1) and large[0, :2].max() == 0
    np.testing.assert_array_equal(pixels.cropped(large, 28, 28), images)
    np.testing.assert_array_equal(pixels.padded(large, 32), large)


def test_floats_become_uint8(benchmark):
    to_uint8 = benchmark("peers.pixels").to_uint8
    np.testing.assert_array_equal(to_uint8([-2.0, -1.0, 0.0, 1.0, 1.5]), [0, 0, 128, 255, 255])
    np.testing.assert_array_equal(to_uint8([-0.5, 0.0, 0.2, 1.0], low=0.0), [0, 0, 51, 255])


def test_an_unknown_competitor_is_refused(benchmark):
    with pytest.raises(ValueError, match="There is no competitor 'keras.io GAN'. Competitors: keras.io DCGAN, "):
        benchmark("peers").find("keras.io GAN")


# Numbers of weights by hand: kernels, biases, and 4 numbers for each channel of a batch normalization (2 in PyTorch,
# which does not count moving statistics; 3 in GAN-ADA, which has no scale).
DENSE_CRITIC = 784 * 512 + 512 + 512 * 256 + 256 + 257
COUNTS = {
    ("keras.io DCGAN", 28, 1): (128 * 6272 + 6272 + 2 * (2048 * 128 + 128) + 128 * 49 + 1, 640 + 73_856 + 129),
    ("keras.io DCGAN", 64, 3): (3_979_651, 404_801),
    ("keras.io WGAN-GP", 28, 1): (910_660, 4_305_409),
    ("keras.io GAN-ADA", 64, 3): (
        *(64 * 2048 + 3 * 2048 + 3 * (16 * 128 * 128 + 3 * 128) + 16 * 128 * 3 + 3,),
        *(16 * 3 * 128 + 3 * 16 * 128 * 128 + 4 * 3 * 128 + 2049,),
    ),
    ("PyTorch-GAN dcgan", 28, 1): (
        *(100 * 8192 + 8192 + 256 + (1152 * 128 + 128) + 256 + (1152 * 64 + 64) + 128 + 577,),
        *(160 + (144 * 32 + 32) + 64 + (288 * 64 + 64) + 128 + (576 * 128 + 128) + 256 + 513,),
    ),
    ("PyTorch-GAN wgan_gp", 28, 1): (
        *(12_928 + (33_024 + 512) + (131_584 + 1024) + (525_312 + 2048) + 1024 * 784 + 784, DENSE_CRITIC),
    ),
    ("mimicry wgan_gp", 32, 3): (
        *(129 * 4096 + 3 * (2 * (2304 * 256 + 256) + 257 * 256 + 1024) + 512 + 2304 * 3 + 3,),
        *((27 + 1) * 128 + (1152 + 1) * 128 + 4 * 128 + 6 * 1153 * 128 + 129 * 128 + 129,),
    ),
}
COUNTS["mimicry sngan", 32, 3] = COUNTS["mimicry wgan_gp", 32, 3]
PEERS = [*COUNTS, ("lightweight-gan", 32, 3)]


def needs_torch(name):
    return not name.startswith("keras.io")


@pytest.mark.parametrize("name, side, channels", PEERS)
def test_networks_of_a_peer(benchmark, monkeypatch, name, side, channels):
    """Shapes, numbers of weights, and a single update, after which all weights of both networks differ."""
    if needs_torch(name) and not HAS_TORCH:
        pytest.skip("needs PyTorch, which only benchmarks need")
    if name == "keras.io GAN-ADA":  # It leaves out batches that are not full.
        monkeypatch.setattr(benchmark("peers.keras_io").GANADA, "batch_size", 12)
    images = np.random.default_rng(0).integers(0, 256, (12, side, side, channels), "uint8")
    competitor = benchmark("peers").find(name).make(images, seed=0)
    if (name, side, channels) in COUNTS:
        assert tuple(competitor.parameters.values()) == COUNTS[name, side, channels]
    before = competitor.sample(3)
    assert before.dtype == np.uint8 and before.shape == (3, side, side, channels)
    weights = weights_of(competitor)
    updates = []

    def go_on():
        updates.append(1)
        return False

    competitor.train(go_on)
    after = weights_of(competitor)
    assert len(updates) == 1 and weights.keys() == after.keys()
    assert all(np.isfinite(value).all() for value in after.values())
    same = [key for key in weights if np.array_equal(weights[key], after[key])]
    if "wgan" in name.lower().replace("-", ""):  # A constant added to all scores changes nothing of their difference.
        same = [key for key in same if key != list(weights)[-1]]
    assert not same, same


def weights_of(competitor):
    """The trainable weights of both networks, by names."""
    networks = [competitor.generator, getattr(competitor, "critic", None) or competitor.discriminator]
    if hasattr(networks[0], "trainable_weights"):
        return {(i, w.path): w.numpy() for i, network in enumerate(networks) for w in network.trainable_weights}
    return {(i, n): w.detach().numpy().copy() for i, net in enumerate(networks) for n, w in net.named_parameters()}


@pytest.mark.parametrize("name, side, channels", [(n, s, c) for n, *_ in PEERS for s, c in ((28, 1), (64, 3))])
def test_other_sizes(benchmark, name, side, channels):
    if needs_torch(name) and not HAS_TORCH:
        pytest.skip("needs PyTorch, which only benchmarks need")
    images = np.zeros((64, side, side, channels), "uint8")
    samples = benchmark("peers").find(name).make(images, seed=0).sample(2)
    assert samples.shape == (2, side, side, channels)


@pytest.mark.parametrize("name", ["ganzoo DCGAN", "recipe quick_faces --filters=4"])
def test_own_competitors(benchmark, name):
    images = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 3), "uint8")
    competitor = benchmark("peers").find(name).make(images, seed=0)
    assert competitor.parameters["generator"] > 0 and competitor.sample(2).shape == (2, 16, 16, 3)
    if name.startswith("recipe"):  # The settings of the recipe, and the changed one.
        model = competitor.model
        assert type(model).__name__ == "WGANGP" and model.ema_decay == 0.99
        assert float(model.generator_optimizer.learning_rate) == pytest.approx(5e-4)


def test_the_spread_of_the_images_survives_a_peer(benchmark):
    """The real images reach the networks in the range of the page."""
    images = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), "uint8")
    images[0, 0, :2, 0] = 0, 255
    for name, low in (("DCGAN", 0), ("WGANGP", -1)):
        scaled = getattr(benchmark("peers.keras_io"), name)(images, 0).scaled()
        assert scaled.min() == low and scaled.max() == pytest.approx(1.0)
