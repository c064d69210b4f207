"""`python -m ganzoo`: what each command writes and prints, and what it says where it cannot."""

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from absl import flags
from PIL import Image

import ganzoo
from ganzoo import __main__ as command_line
from ganzoo.command_line import commands, evaluate, models
from ganzoo.command_line.commands import COMMANDS, METRICS
from ganzoo.command_line.datasets import DATASETS
from ganzoo.export.page import blocks
from ganzoo.metrics import Density, FrechetDistance, Memorization, Metric, Score, frechet_distance
from ganzoo.metrics.classes import ClassHistogram, ClassifierAccuracy
from ganzoo.metrics.features import DigitsClassifier, ModelFeatures
from ganzoo.metrics.features.base import Given
from ganzoo.metrics.inception_score import InceptionScore
from ganzoo.metrics.modes import ModeCoverage
from ganzoo.metrics.pairs import PSNR, psnr
from ganzoo.metrics.parzen import ParzenLogLikelihood
from tests.workers import command, processes

FLAGS = {
    "train": (
        "data_dir manual_dir image_size storage cache_dir data_label split held_out output_dir epochs steps_per_epoch "
        "batch_size resume seed networks augmentation learning_rate beta_1 set mixed_precision strategy jit_compile "
        "steps_per_execution checkpoint_every num_samples"
    ).split(),
    "evaluate": (
        "dataset split data_dir manual_dir image_size storage cache_dir data_label metrics features num_samples "
        "num_real seed output"
    ).split(),
    "generate": "num_samples seed condition label attributes output output_dir".split(),
    "translate": "input_dir output_dir batch_size seed side_by_side".split(),
    "export": ["output", "output_dir"],
    "explore": (
        "output title dataset split data_dir manual_dir image_size storage cache_dir data_label num_real shared_runtime"
    ).split(),
    "presets": ["gallery"],
    "interpolate": "num_samples seed picked label space steps method closed output".split(),
    "traverse": "num_samples seed picked label space latent directions index low high steps output".split(),
    "truncate": "num_samples seed amounts label space output".split(),
    "video": "num_samples seed picked label space tiles steps fps method closed classes blend output".split(),
    "directions": (
        "method count layer reach seed label space output dataset split data_dir manual_dir image_size storage "
        "cache_dir data_label"
    ).split(),
    "project": "input steps starts feature_weight seed label space output".split(),
    "reject": (
        "dataset split data_dir manual_dir image_size storage cache_dir data_label method num_samples seed gamma steps "
        "output"
    ).split(),
    "nearest": (
        "dataset split data_dir manual_dir image_size storage cache_dir data_label num_samples seed output"
    ).split(),
    "info": [],
}


def build(image_shape, **settings):
    model = ganzoo.GAN.from_paper(image_shape, networks=ganzoo.networks.mlp, hidden=(4,), latent_dim=3, **settings)
    if model.ema_generator is not None:  # So that the two generators differ.
        model.generator.set_weights([2 * weight for weight in model.generator.get_weights()])
    model.step.assign(1234)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models of several kinds in files, images to compare them with, and a network of features."""
    folder = tmp_path_factory.mktemp("command_line")
    keras.utils.set_random_seed(0)
    image_model = build((8, 8, 1), ema_decay=0.5)
    image_model.save(folder / "model.keras")
    image_model.export(folder / "serving" / "1")
    (folder / "checkpoints").mkdir()
    build((8, 8, 1)).save(folder / "checkpoints" / "step_0000001000.keras")
    image_model.save(folder / "checkpoints" / "step_0000001234.keras")
    whole = (folder / "model.keras").read_bytes()
    (folder / "checkpoints" / "step_0000002000.keras").write_bytes(whole[: len(whole) // 2])
    (folder / "checkpoints" / ".writing-7.keras").write_bytes(whole[:100])
    labelled = build((8, 8, 1), num_classes=3)
    labelled.save(folder / "labelled.keras")
    labelled.export(folder / "labelled")
    points = build((2,))
    points.save(folder / "points.keras")
    points.export(folder / "points")
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(inputs))
    keras.Model(inputs, outputs).save(folder / "network.keras")
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (60, 8, 8, 1), "uint8"), rng.integers(0, 3, 60)
    np.savez(folder / "images.npz", images=images, labels=labels)
    np.savez(folder / "unlabelled.npz", images=images)
    return folder


def run(*arguments):
    command_line.main([str(argument) for argument in arguments])


def fails(*arguments):
    """The message with which a command ends: one line on stderr, with the exit code of a wrong command line."""
    with contextlib.redirect_stderr(io.StringIO()) as printed, pytest.raises(SystemExit) as error:
        run(*arguments)
    assert error.value.code == 2
    assert printed.getvalue().count("\n") == 1
    return printed.getvalue().rstrip("\n")


# === The command line itself ===


def test_overview_lists_the_commands(capsys):
    run()
    text = capsys.readouterr().out
    run("--help")
    assert capsys.readouterr().out == text
    for name in FLAGS:
        assert sum(line.startswith(f"  {name} ") for line in text.splitlines()) == 1


@pytest.mark.parametrize("name", FLAGS)
def test_help_lists_the_flags_of_the_command(name, capsys):
    run(name, "--help")
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split(":")[0][4:].removeprefix("[no]") for line in lines if line.startswith("  --")]
    assert listed == sorted(FLAGS[name])


def test_no_flag_of_the_process_is_defined():
    """Not on import, and not by a command: a second call, or another program's flags, would clash."""
    run("evaluate", "--help")
    assert not [module for module in flags.FLAGS.flags_by_module_dict() if module.startswith("ganzoo")]


def test_wrong_commands(folder):
    assert fails("draw") == f"There is no command 'draw'. Commands: {', '.join(COMMANDS)}."
    assert "Did you mean export" in fails("exprot")
    assert fails("info") == "info takes MODEL: python -m ganzoo info MODEL [flags]. Received: none."
    assert "Received: a b." in fails("info", "a", "b")
    assert "Unknown command line flag 'sed'" in fails("generate", folder / "model.keras", "--sed=1")
    assert "--num_samples=0: 0 is not a positive integer" in fails("generate", "model.keras", "--num_samples=0")
    assert "--output_dir must have a value" in fails("export", folder / "model.keras")


def test_as_a_process(folder):
    """Errors are one line without a traceback, and nothing else is on stderr: no word of TensorFlow."""
    child = processes.start(
        folder / "a.txt", command.run, "generate", str(folder / "model.keras"), f"--output={folder}/a.png"
    )
    text = folder / "text.keras"
    text.write_text("text")
    done = ganzoo_process("info", str(text))
    assert done.returncode == 2 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"There is no model to read at {text}: ")
    processes.join(child, folder / "a.txt")
    assert (folder / "a.txt").read_text().splitlines()[-1] == f"Wrote 64 samples to {folder}/a.png"


def ganzoo_process(*arguments, **settings):
    """`python -m ganzoo <arguments>` as a process of its own, in the environment of a user."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "ganzoo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, **settings)


IMPORTED = """
import sys
sys.argv = ["ganzoo", *sys.argv[1:]]
from ganzoo.__main__ import main
try:
    main()
except SystemExit as stop:
    assert stop.code in (None, 2), stop.code
heavy = {"keras", "tensorflow", "numpy", "scipy", "matplotlib", "PIL"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["exprot"],
        *([name, "--help"] for name in COMMANDS),
        ["train", "wgan_gp", "--help"],
        ["train", "wgan_pg", "mnist_10k"],
        ["train", "wgan", "mnist_10k", "--epochs=0"],
        ["train", "wgan", "./missing"],
        ["train", "wgan", "ring", "--output_dir=/dev/null/runs"],
        ["generate", "missing.keras"],
        ["evaluate", "pyproject.toml", "--metrics=fid"],
    ],
    ids=" ".join,
)
def test_answers_without_a_slow_import(arguments):
    """What needs no model does not wait for TensorFlow: seconds, where the rest takes tenths of one."""
    done = subprocess.run([sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 1
    assert done.stdout or done.stderr


def test_output_that_nobody_reads():
    """`ganzoo --help | head -1`, and a reader that is gone before the first line."""
    for reader in ("head -1", "true"):
        command = f"set -o pipefail; {sys.executable} -u -m ganzoo train --help | {reader}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1) and not done.stderr


def test_version(capsys):
    run("--version")
    assert capsys.readouterr().out.startswith(f"ganzoo {ganzoo.__version__}, keras {keras.__version__}, tensorflow ")


def test_the_package_is_whole_after_an_import():
    """`load_model` finds a class of ganzoo after `import ganzoo`, whatever the program is called."""
    script = "import ganzoo, keras; assert keras.saving.get_registered_object('ganzoo>WGAN') is ganzoo.models.wgan.WGAN"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=300)
    names = (
        "import ganzoo; assert ganzoo.WGAN and ganzoo.data.load and ganzoo.likelihoods and not hasattr(ganzoo, 'no')"
    )
    script = f"import sys; sys.argv = ['/home/me/ganzoo']; {names}"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=300)


def test_a_place_that_cannot_be_written(folder, tmp_path):
    """It is found before the model is read, and nothing is left of the attempt."""
    (tmp_path / "file").write_text("")
    model = folder / "model.keras"
    for arguments in (
        ("generate", model, f"--output={tmp_path}/file/new.png"),
        ("generate", model, f"--output_dir={tmp_path}/file"),
        ("evaluate", model, f"--output={tmp_path}/file/scores.json"),
        ("export", model, f"--output_dir={tmp_path}/file/1"),
        ("export", model, f"--output={tmp_path}/file/1.onnx"),
        ("explore", model, f"--output={tmp_path}/file/1.html"),
    ):
        assert f"{tmp_path}/file is a file, not a folder." in fails(*arguments)
    assert "a path was expected" in fails("export", model, "--output_dir=")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_the_command_line_knows_is_what_there_is():
    """The tables of names that need no import."""
    assert set(METRICS) == set(evaluate.known_metrics())
    for name in (name for kind in ("images", "pairs", "points") for name in DATASETS[kind]):
        assert ganzoo.data.load(name) is not None


def test_entry_point():
    scripts = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]
    module, name = scripts["ganzoo"].split(":")
    assert getattr(importlib.import_module(module), name) is command_line.main


# === Models in files ===


@pytest.mark.parametrize("source", ["model.keras", "serving/1", "checkpoints"])
def test_samples_are_those_of_generate(folder, source, capsys):
    sampler = models.open_sampler(folder / source)
    assert (sampler.name, sampler.steps_done, sampler.image_shape) == ("GAN", 1234, (8, 8, 1))
    expected = keras.saving.load_model(folder / "model.keras").generate(11, seed=7)
    np.testing.assert_allclose(sampler.draw(11, 7, batch_size=4), expected, atol=1e-6)
    if source == "checkpoints":
        assert "Cannot read " in capsys.readouterr().err


@pytest.mark.parametrize("source", ["labelled.keras", "labelled"])
def test_samples_of_labels_are_those_of_generate(folder, source):
    labels = np.array([2, 0, 1, 1, 2])
    expected = keras.saving.load_model(folder / "labelled.keras").generate(seed=1, condition=labels)
    np.testing.assert_allclose(models.open_sampler(folder / source).draw(5, 1, labels, 2), expected, atol=1e-6)


def test_files_that_hold_no_model(folder, tmp_path):
    assert "there are no .keras files in it. Pass a .keras file" in fails("info", tmp_path)
    (tmp_path / "text.txt").write_text("text")
    assert "it is no .keras file" in fails("info", tmp_path / "text.txt")
    (tmp_path / "text.keras").write_text("text")
    assert "There is no model to read at" in fails("generate", tmp_path / "text.keras")
    assert "holds no model of ganzoo, but a Functional of another library" in fails("info", folder / "network.keras")
    keras.saving.load_model(folder / "network.keras").export(tmp_path / "1", verbose=False)
    assert "holds no model of ganzoo, but a SavedModel of another library" in fails("generate", tmp_path / "1")
    assert "is a SavedModel, which holds the generator only" in fails(
        "export", folder / "serving" / "1", f"--output_dir={tmp_path}/2"
    )


# === generate ===


@pytest.mark.parametrize("source", ["model.keras", "serving/1", "checkpoints"])
def test_generate(folder, tmp_path, source, capsys):
    model, given = folder / source, ["--num_samples=5", "--seed=3"]
    run("generate", model, *given, f"--output={tmp_path}/grid.png")
    assert f"Wrote 5 samples to {tmp_path}/grid.png" in capsys.readouterr().out
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == (3 * 66 + 2, 2 * 66 + 2)
    run("generate", model, *given, f"--output_dir={tmp_path}/single")
    files = sorted((tmp_path / "single").iterdir())
    assert [file.name for file in files] == [f"0000{index}.png" for index in range(5)]
    images = np.stack([np.asarray(Image.open(file)) for file in files])
    assert images.shape == (5, 8, 8)
    same = keras.saving.load_model(folder / "model.keras").generate(2, seed=3)[..., 0]
    assert np.abs((same + 1) * 127.5 - images[:2]).max() <= 0.51


@pytest.mark.parametrize("source", ["points.keras", "points"])
def test_generate_points(folder, tmp_path, source):
    run("generate", folder / source, f"--output={tmp_path}/scatter.png")
    with Image.open(tmp_path / "scatter.png") as picture:
        assert picture.size == (500, 500)
    assert "points in the plane have no image each" in fails("generate", folder / source, f"--output_dir={tmp_path}")


@pytest.mark.parametrize("source", ["labelled.keras", "labelled"])
def test_generate_a_class(folder, tmp_path, source):
    model = keras.saving.load_model(folder / "labelled.keras")
    for flag, labels in ([], [0, 1, 2, 0, 1]), (["--label=2"], [2] * 5):
        output = tmp_path / f"{len(flag)}"
        run("generate", folder / source, "--num_samples=5", f"--output_dir={output}", *flag)
        images = np.stack([np.asarray(Image.open(file)) for file in sorted(output.iterdir())])
        expected = model.generate(condition=np.array(labels), seed=0)[..., 0]
        assert np.abs((expected + 1) * 127.5 - images).max() <= 0.51
    assert "--label=3: the model has the classes 0 to 2" in fails("generate", folder / source, "--label=3")


def test_generate_says_what_is_wrong(folder, tmp_path):
    assert "There is no model to read at" in fails("generate", tmp_path)
    assert "There is no model to read at" in fails("generate", tmp_path / "missing.keras")
    assert "--label=1: the model is unconditional" in fails("generate", folder / "serving" / "1", "--label=1")


# === presets ===


def test_presets(capsys, tmp_path):
    run("presets")
    name = "faces_16"
    assert name in capsys.readouterr().out
    run("presets", f"--gallery={tmp_path}/zoo.html")
    page = (tmp_path / "zoo.html").read_text()
    assert f"ganzoo.from_preset(&quot;{name}&quot;)" in page and "http" not in page and page.count("<img") >= 2
    (tmp_path / "zoo.html").unlink()
    run("generate", "--preset", name, "--num_samples=4", "--seed=3", f"--output_dir={tmp_path}")
    images = np.stack([np.asarray(Image.open(file)) for file in sorted(tmp_path.iterdir())])
    expected = ganzoo.from_preset(name).generate(4, seed=3)
    assert images.shape == (4, 16, 16, 3) and np.abs((expected + 1) * 127.5 - images).max() <= 0.51
    run("info", name)
    printed = capsys.readouterr().out
    assert "16 x 16 x 3" in printed and "saved with" in printed
    run("export", f"--preset={name}", f"--output_dir={tmp_path}/1")
    assert "no such preset. Did you mean faces_16 or" in fails("generate", "faces_17")


# === export ===


def test_export(folder, tmp_path, capsys):
    run("export", folder / "checkpoints", f"--output_dir={tmp_path}/1")
    assert "Wrote the GAN of" in capsys.readouterr().out
    expected = models.open_sampler(folder / "serving" / "1").draw(3, 0)
    np.testing.assert_allclose(models.open_sampler(tmp_path / "1").draw(3, 0), expected, atol=1e-6)
    assert "There is a SavedModel at" in fails("export", folder / "model.keras", f"--output_dir={tmp_path}/1")


def test_export_of_files(folder, tmp_path, capsys):
    for ending in ("onnx", "tflite"):
        run("export", folder / "model.keras", f"--output={tmp_path}/gan.{ending}")
        assert f"to {tmp_path}/gan.{ending}" in capsys.readouterr().out
        assert (tmp_path / f"gan.{ending}").stat().st_size > 500
    assert "must end in .onnx or .tflite or .html" in fails("export", folder / "model.keras", "--output=gan.pt")
    both = fails("export", folder / "model.keras", f"--output={tmp_path}/a.onnx", f"--output_dir={tmp_path}/1")
    assert "Either --output_dir must have a value" in both


# === explore ===


def test_explore(tmp_path, capsys):
    run(
        "explore",
        "faces_16",
        f"--output={tmp_path}/faces.html",
        "--dataset=faces_10k",
        "--image_size=16",
        "--num_real=20",
    )
    assert f"Open it in a browser: file://{tmp_path}/faces.html" in capsys.readouterr().out
    page = (tmp_path / "faces.html").read_text()
    assert "<h1>Pixel faces, 16 x 16</h1>" in page and "<td>CC0 1.0</td>" in page and '"count":20' in page
    run("explore", "faces_16", f"--output={tmp_path}/small.html", "--shared_runtime")
    assert f"needs {blocks.SHARED} beside it" in capsys.readouterr().out
    assert (tmp_path / blocks.SHARED).stat().st_size > 4e6
    assert (tmp_path / "small.html").stat().st_size < (tmp_path / "faces.html").stat().st_size - 4e6
    assert "must end in .html" in fails("explore", "faces_16", "--output=faces.txt")
    assert "faces_10k" in fails("explore", "faces_16", "--dataset=faces_10")
    wrong = fails("explore", "faces_16", f"--output={tmp_path}/a.html", "--dataset=mnist_10k")
    assert "makes samples of shape (16, 16, 3)" in wrong


# === info ===


def facts(capsys, *arguments):
    run("info", *arguments)
    heading, *lines = capsys.readouterr().out.splitlines()
    column = lines[0].index("GAN")
    assert all(line[column - 1] == " " != line[column] for line in lines)  # Aligned.
    return heading, {line[:column].strip(): line[column:] for line in lines}


def test_info(folder, capsys):
    heading, found = facts(capsys, folder / "model.keras")
    assert heading == f"Model in {folder / 'model.keras'}"
    expected = {
        "class": "GAN",
        "samples": "8 x 8 x 1",
        "latents": "3",
        "condition": "none",
        "steps done": "1,234",
        "averaging": "decay 0.5; the averaged generator makes the samples",
        "precision": "float32",
        "averaged generator": "336 parameters (mlp_generator)",  # 3 * 4 + 4 + 4 * 64 + 64
        "discriminator": "265 parameters (mlp_discriminator)",  # 64 * 4 + 4 + 4 + 1
        "discriminator_steps": "1",
        "minimax": "False",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["generator"].startswith("336 parameters")
    assert found["generator optimizer"].startswith("Adam(learning_rate=0.0002, ")
    assert f"keras {keras.__version__}, 20" in found["saved with"]
    assert facts(capsys, folder / "checkpoints")[0].endswith("step_0000001234.keras")
    assert facts(capsys, folder / "labelled.keras")[1]["condition"] == "a label, 0 to 2"


def test_info_of_a_saved_model(folder, capsys):
    heading, found = facts(capsys, folder / "labelled")
    assert heading == f"SavedModel at {folder / 'labelled'}"
    assert (found["samples"], found["condition"], found["steps done"]) == ("8 x 8 x 1", "a label, 0 to 2", "1,234")
    assert f"ganzoo {ganzoo.__version__}, keras {keras.__version__}" in found["exported with"]


def test_info_names_settings_and_precision(tmp_path, capsys):
    keras.config.set_dtype_policy("mixed_float16")
    augmentation = ganzoo.augmentation.DiffAugment(cutout=0.25)
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.9))
    model = build((8, 8, 1), augmentation=augmentation, packing=2, generator_optimizer=optimizer)
    model.save(tmp_path / "model.keras")
    _, found = facts(capsys, tmp_path / "model.keras")
    assert found["precision"] == "mixed_float16" and found["averaging"] == "none"
    assert found["packing"] == "2" and "cutout=0.25" in found["augmentation"]
    assert found["generator optimizer"].startswith("LossScaleOptimizer(inner_optimizer=SGD(")
    assert "learning_rate=ExponentialDecay(initial_learning_rate=0.5," in found["generator optimizer"]


# === evaluate ===


def score(folder, tmp_path, source, *arguments):
    """The scores that `evaluate` writes for `folder / source`, and of the network of features."""
    given = [f"--features={folder}/network.keras", "--metrics=frechet_distance", f"--output={tmp_path}/scores.json"]
    run("evaluate", folder / source, f"--dataset={folder}/images.npz", *given, *arguments)
    return [Score(**fields) for fields in json.loads((tmp_path / "scores.json").read_text())]


def expected_score(folder, model, count, seed, condition=None, num_real=60):
    network = ModelFeatures(keras.saving.load_model(folder / "network.keras"))
    data = ganzoo.data.load(folder / "images.npz", batch_size=num_real)
    images, labels = next(iter(data))
    if condition is not None:
        condition = condition(labels.numpy())
    fake = keras.saving.load_model(folder / model).generate(count, seed=seed, condition=condition)
    return frechet_distance(network(images), network(fake))


@pytest.mark.parametrize("source", ["model.keras", "serving/1", "checkpoints"])
def test_evaluate(folder, tmp_path, source, capsys):
    (found,) = score(folder, tmp_path, source, "--num_samples=40", "--seed=5", "--num_real=60")
    expected = expected_score(folder, "model.keras", 40, 5)
    # A pixel on the border of two of 256 values may fall to either side.
    assert found.value == pytest.approx(expected.value, rel=2e-3)
    assert found.interval == pytest.approx(expected.interval, rel=2e-2)
    assert (found.name, found.num_real, found.num_fake, found.features) == ("frechet_distance", 60, 40, "network")
    output = capsys.readouterr().out.splitlines()
    assert output[0].startswith(f"GAN of {folder / source} after step 1,234: 40 samples of seed 5, 60 of ")
    assert output[1] == str(found)
    head, rule, row = output[3:6]
    assert head.split() == ["metric", "value", "interval", "level", "perfect", "better", "features"]
    assert row.split() == [
        "frechet_distance",
        f"{found.value:.4g}",
        f"[{found.interval[0]:.4g},",
        f"{found.interval[1]:.4g}]",
        *("95%", "lower", "network"),
    ]
    assert output[-1] == f"Wrote the scores to {tmp_path}/scores.json"


@pytest.mark.parametrize("source", ["labelled.keras", "labelled"])
def test_evaluate_asks_for_the_labels_of_the_data(folder, tmp_path, source):
    (found,) = score(folder, tmp_path, source, "--num_samples=80")  # More than there are: from the start again.
    expected = expected_score(folder, "labelled.keras", 80, 0, lambda labels: np.append(labels, labels[:20]))
    assert found.value == pytest.approx(expected.value, rel=2e-3)
    assert (found.num_real, found.num_fake) == (60, 80)
    others = expected_score(folder, "labelled.keras", 80, 0, lambda labels: np.zeros(80, "int64"))
    assert abs(others.value / expected.value - 1) > 0.02


def test_evaluate_without_features(folder, tmp_path):
    given = "--metrics=frechet_distance", "--features=none", "--num_samples=50", f"--output={tmp_path}/scores.json"
    run("evaluate", folder / "points.keras", "--dataset=ring", *given)
    (found,) = json.loads((tmp_path / "scores.json").read_text())
    points, _ = next(iter(ganzoo.data.ring(batch_size=50)))
    fake = keras.saving.load_model(folder / "points.keras").generate(50)
    assert found["value"] == pytest.approx(frechet_distance(points, fake).value, rel=1e-5)


def test_real_samples_do_not_depend_on_the_seed(folder, tmp_path):
    given = "--metrics=real_mean,frechet_distance", "--features=none", "--num_samples=50"

    class RealMean(Metric):
        kinds = ("real",)

        def compute(self, real, fake):
            assert fake is None
            return Score("real_mean", real.mean(), num_real=len(real))

    def values(seed):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluate, "known_metrics", lambda: {"real_mean": RealMean, "frechet_distance": distance})
            patch.setattr(commands, "METRICS", ("real_mean", "frechet_distance"))
            given_here = [*given, f"--seed={seed}", f"--output={tmp_path}/scores.json"]
            run("evaluate", folder / "points.keras", "--dataset=grid", *given_here)
        return [entry["value"] for entry in json.loads((tmp_path / "scores.json").read_text())]

    distance = FrechetDistance
    (mean_0, distance_0), (mean_1, distance_1) = values(0), values(1)
    assert mean_0 == mean_1 and distance_0 != distance_1


def test_a_metric_that_refuses_does_not_cost_the_others(folder, tmp_path, monkeypatch, capsys):
    class Picky(Metric):
        def compute(self, real, fake):
            raise ValueError("Samples of nine dimensions are needed.\nReceived: 3")

    known = {"picky": Picky, "frechet_distance": FrechetDistance}
    monkeypatch.setattr(evaluate, "known_metrics", lambda: known)
    monkeypatch.setattr(commands, "METRICS", tuple(known))
    with pytest.raises(SystemExit, match="^1$"):
        score(folder, tmp_path, "model.keras", "--metrics=picky,frechet_distance", "--num_samples=20")
    assert [entry["name"] for entry in json.loads((tmp_path / "scores.json").read_text())] == ["frechet_distance"]
    lines = capsys.readouterr().err.splitlines()
    assert "Picky: Samples of nine dimensions are needed." in lines
    assert lines[-1] == "Not measured, for the reasons above: Picky."
    assert "frechet_distance, metric 2 of 2 ..." in lines


@pytest.fixture
def exported(monkeypatch):
    """Makes sure that some metrics can be named."""
    for metric in (ClassHistogram, ClassifierAccuracy, InceptionScore, Memorization, ModeCoverage, ParzenLogLikelihood):
        monkeypatch.setattr(ganzoo.metrics, metric.__name__, metric, raising=False)
    monkeypatch.setattr(ganzoo.metrics, "PSNR", PSNR, raising=False)


def test_known_metrics(exported):
    known = evaluate.known_metrics()
    assert known["frechet_distance"] is FrechetDistance and known["psnr"] is PSNR
    assert known["parzen_log_likelihood"] is ParzenLogLikelihood
    assert known["classifier_accuracy"] is ClassifierAccuracy and known["mode_coverage"] is ModeCoverage
    # A base class, and what needs held-out samples.
    assert not {Metric, Memorization} & set(known.values())
    assert list(known) == sorted(known)


def chosen(names, network, image_shape=(28, 28, 1), dataset="mnist_10k"):
    sampler = models.Sampler("GAN", 0, image_shape, None, None, None, None, None)
    options = SimpleNamespace(model="gan.keras", dataset=dataset, features=None)
    classes = None if names is None else [evaluate.metric_of(name) for name in names]
    return evaluate.choose(classes, network, np.zeros((4, *image_shape), "float32"), sampler, options)


def test_metrics_get_the_features_that_suit_them(exported, monkeypatch):
    digits, asked = DigitsClassifier(), Given()
    monkeypatch.setattr(evaluate, "default_metrics", lambda samples: [FrechetDistance(digits), Density(digits)])
    assert [type(metric) for metric in chosen(None, None)] == [FrechetDistance, Density]
    names = ["inception_score", "parzen_log_likelihood", "classifier_accuracy"]
    suited = [metric.features for metric in chosen(names, None)]
    assert suited[0] is suited[2] is digits and suited[1].name == "pixels in [0, 1]"
    metrics = chosen(None, asked)
    assert [type(metric) for metric in metrics] == [FrechetDistance, Density]
    assert all(metric.features is asked for metric in metrics)
    assert chosen(["parzen_log_likelihood"], asked)[0].features.name == "pixels in [0, 1]"
    network = ModelFeatures(keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]))
    assert chosen(["class_histogram"], network)[0].features.model is network.model
    (coverage,) = chosen(["mode_coverage"], asked, (2,), "grid")
    assert coverage.centers.shape == (25, 2)
    for name, message in (
        ("psnr", "psnr compares pairs: of models that translate images. gan.keras does not."),
        ("mode_coverage", "mode_coverage knows the modes of ring and grid, not of mnist_10k."),
        (
            "class_histogram",
            "class_histogram needs a classifier: --features=digits, fashion, inception or a .keras file.",
        ),
        (
            "inception_score",
            "inception_score needs a classifier: --features=digits, fashion, inception or a .keras file.",
        ),
    ):
        with pytest.raises(SystemExit, match=f"^{message}$"):
            chosen([name], asked)


def test_labels_that_were_asked_for_are_checked(capsys):
    def read(images):
        """The class k of an image of the grey k / 10."""
        return -np.abs(images[:, 0, 0] - np.arange(3) / 10)

    fake = np.repeat(np.array([0.0, 0.1, 0.1, 0.0], "float32"), 4).reshape(4, 2, 2, 1)
    (found,), failed = evaluate.measure([ClassifierAccuracy(read)], fake, fake, np.array([0, 1, 2, 0]))
    assert not failed and found.value == 0.75 and found.details["by_class"] == [1.0, 1.0, 0.0]
    # An unconditional model was asked for none.
    assert evaluate.measure([ClassifierAccuracy(read)], fake, fake) == ([], ["classifier_accuracy"])
    assert "classifier_accuracy: " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.filterwarnings("ignore:The best sigma")  # Of a model that has learned nothing.
def test_every_metric_measures(tmp_path):
    build((28, 28, 1)).save(tmp_path / "model.keras")
    names = set(evaluate.known_metrics()) - {"psnr", "ssim", "l1_distance"}
    names -= {"mode_coverage", "stacked_mnist_coverage", "classifier_accuracy"}
    given = f"--metrics={','.join(names)}", "--features=digits", "--num_samples=200", f"--output={tmp_path}/scores.json"
    run("evaluate", tmp_path / "model.keras", *given)
    found = [Score(**fields) for fields in json.loads((tmp_path / "scores.json").read_text())]
    assert len(found) == len(names) and all(np.isfinite(score.value) for score in found)


def test_evaluate_says_what_is_wrong(folder, tmp_path):
    model, images = folder / "model.keras", f"--dataset={folder}/images.npz"
    given = f"--features={folder}/network.keras", "--metrics=frechet_distance", "--num_samples=20"
    assert "There is no metric 'fid'. The metrics are " in fails("evaluate", model, images, "--metrics=fid")
    assert "frechet_distance" in fails("evaluate", model, images, "--metrics=fid")
    assert "--features=cats is none of digits, fashion, inception" in fails("evaluate", model, "--features=cats")
    assert "--features=no.keras: " in fails("evaluate", model, "--features=no.keras")
    assert "there is no file 'no/no.npz'" in fails("evaluate", model, *given, "--dataset=no/no.npz")
    assert "Unknown dataset 'minst_10k'. Close to it: mnist_10k" in fails(
        "evaluate", model, *given, "--dataset=minst_10k"
    )
    text = fails("evaluate", model, *given, "--split=train[:30]")
    assert "makes samples of shape (8, 8, 1), and those of mnist_10k have the shape (28, 28, 1)" in text
    assert "--image_size=8 resizes them." in text
    labelled = folder / "labelled.keras"
    assert "is conditional, and" in fails("evaluate", labelled, *given, f"--dataset={folder}/unlabelled.npz")
    assert "has labels up to 9" in fails("evaluate", labelled, *given, "--dataset=mnist_10k", "--image_size=8")


def test_evaluate_a_translation(tmp_path, monkeypatch):
    """Its inputs are those of the data, and its outputs are compared with their targets."""
    model = ganzoo.Pix2Pix.from_paper((32, 32, 1), condition_shape=(32, 32, 1), filters=2, receptive_field=16)
    model.save(tmp_path / "model.keras")
    seen = {}

    class Pairs(Metric):
        def __init__(self):
            super().__init__()

        def compute(self, real, fake):
            seen.update(real=real, fake=fake)
            return Score("pairs", 0.0)

    monkeypatch.setattr(evaluate, "known_metrics", lambda: {"pairs": Pairs, "psnr": PSNR})
    monkeypatch.setattr(commands, "METRICS", ("pairs", "psnr"))
    given = (
        "--metrics=pairs,psnr",
        "--features=none",
        "--num_samples=6",
        "--split=train[:20]",
        f"--output={tmp_path}/s.json",
    )
    run("evaluate", tmp_path / "model.keras", "--dataset=fashion_edges_10k", *given)
    data = ganzoo.data.load("fashion_edges_10k", split="train[:20]", batch_size=6)
    inputs, targets = next(iter(data))
    np.testing.assert_array_equal(seen["real"], targets.numpy().reshape(6, -1))
    expected = model.generate(seed=0, condition=inputs.numpy())
    np.testing.assert_allclose(seen["fake"], expected.reshape(6, -1), atol=1e-5)
    found = json.loads((tmp_path / "s.json").read_text())[1]
    assert found["value"] == pytest.approx(psnr(targets.numpy(), expected).value, abs=0.01)
    assert "has no pairs" in fails("evaluate", tmp_path / "model.keras", *given, "--dataset=mnist_10k")
