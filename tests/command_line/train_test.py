"""`python -m ganzoo train`: each model trains for two steps, writes what it promises, and resumes."""

import contextlib
import inspect
import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from absl import flags
from PIL import Image

import ganzoo
from ganzoo import __main__ as command_line
from ganzoo import models, networks
from ganzoo.command_line import datasets, generate, info, sources, train, training_data, training_flags
from ganzoo.command_line.models import open_sampler
from ganzoo.models.autoencoding_model import AutoencodingModel
from tests.workers import command, processes

TINY = ["--batch_size=8", "--steps_per_epoch=2", "--num_samples=4"]
OWN = {
    "autoencoder": ["mnist_10k", "--hidden=4,3", "--latent_dim=2", "--latent_split=train[:50]+train[100:150]"],
    "began": ["fashion_mnist_10k", "--filters=1", "--num_classes=10", "--patience=2"],
    "cgan": ["mnist_10k", "--networks=dcgan", "--filters=2", "--label=one_hot", "--conditioning=projection"],
    "dragan": ["fashion_mnist_10k", "--filters=2", "--augmentation=DiffAugment", "--ema_decay=0.9"],
    "gan": ["fashion_mnist_10k", "--strategy=mirrored", "--minimax", "--packing=2", "--held_out=train[9950:]"],
    "pix2pix": ["openmoji_pairs", "--filters=2", "--image_size=32"],
    "presgan": ["fashion_mnist_10k", "--filters=2", "--leapfrog_steps=2", "--sigma_learning_rate=0.001"],
    "r3gan": ["fashion_mnist_10k", "--filters=2", "--blocks=1", "--num_classes=10", "--mixed_precision=mixed_bfloat16"],
    "sngan": ["fashion_mnist_10k", "--filters=2", "--nohinge"],
    "stylegan2": ["faces_10k", "--base=32", "--max_filters=2", "--mapping_layers=1", "--penalty_interval=2"],
    "vqvae": ["mnist_10k", "--filters=2", "--num_codes=4", "--prior_filters=2", "--prior_blocks=1"],
    "wgan": ["mnist_10k", "--filters=2", "--image_size=16"],
    "wgan_gp": ["fashion_mnist_10k", "--filters=2", "--discriminator_steps=2", "--learning_rate=0.001", "--beta_1=0.5"],
}
FILES = [
    "index.html",
    "checkpoints/step_0000000002.keras",
    "learning_curve.csv",
    "learning_curve.png",
    "model.keras",
    "samples/epoch_0000.png",
    "samples/epoch_0001.png",
    "samples/training.gif",
    "serving/1/assets.extra/ganzoo.json",
    "serving/1/saved_model.pb",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder where models have trained for an epoch, and WGAN-GP and pix2pix, resumed, for a second."""
    folder = tmp_path_factory.mktemp("train")
    arguments = {name: ["train", name, *own, *TINY, f"--output_dir={folder / name}"] for name, own in OWN.items()}
    run_all(folder, {name: [*given, "--epochs=1"] for name, given in arguments.items()})
    (folder / "after_one_epoch.json").write_text(
        json.dumps(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))
    )
    run_all(folder, {name: [*arguments[name], "--epochs=2"] for name in ("wgan_gp", "pix2pix")})
    return folder


def run_all(folder, arguments):
    processes.run_all(folder, {name: (command.run, *given) for name, given in arguments.items()})


def options_of(*arguments):
    """The options of a command line, as `main` hands them to `train.run`."""
    values = flags.FlagValues()
    training_flags.define_train(values)
    training_flags.define_settings(values, arguments)
    return command_line.parse("train", values, list(arguments))


def fails(*arguments):
    with contextlib.redirect_stderr(io.StringIO()) as printed, pytest.raises(SystemExit) as error:
        command_line.main([str(argument) for argument in arguments])
    assert error.value.code == 2 and printed.getvalue().count("\n") == 1
    return printed.getvalue()


@pytest.mark.parametrize("name", OWN)
def test_writes_what_it_promises(trained, name):
    written = json.loads((trained / "after_one_epoch.json").read_text())
    assert not {f"{name}/{file}" for file in FILES} - set(written)
    output = (trained / f"{name}.txt").read_text()
    assert "2/2" in output
    for promised in ("samples/", "learning_curve.png", "checkpoints/", "model.keras", "serving/1/"):
        assert promised in output
    assert f" {trained / name / 'model.keras'} --" in output


def test_the_options_are_used(trained):
    assert "1 replica(s)" in (trained / "gan.txt").read_text()
    assert "Images (16, 16, 1), batch 8" in (trained / "wgan.txt").read_text()
    assert "Images (32, 32, 1) -> (32, 32, 3), batch 8" in (trained / "pix2pix.txt").read_text()
    assert (trained / "autoencoder" / "latent_space" / "latents_0001.png").is_file()
    assert "ganzoo translate" in (trained / "pix2pix.txt").read_text()


def test_settings_reach_the_model(trained):
    wgan_gp = keras.saving.load_model(trained / "wgan_gp" / "model.keras")
    assert wgan_gp.discriminator_steps == 2
    for optimizer, _ in wgan_gp.optimizers.values():
        assert float(optimizer.learning_rate) == pytest.approx(0.001) and optimizer.beta_1 == 0.5
    presgan = keras.saving.load_model(trained / "presgan" / "model.keras")
    assert presgan.leapfrog_steps == 2
    rates = {name: float(optimizer.learning_rate) for name, (optimizer, _) in presgan.optimizers.items()}
    assert rates == pytest.approx(
        {"generator_optimizer": 2e-4, "discriminator_optimizer": 2e-4, "sigma_optimizer": 1e-3}
    )
    cgan = keras.saving.load_model(trained / "cgan" / "model.keras")
    assert cgan.num_classes == 10 and cgan.class_names[3] == "3"
    assert not keras.saving.load_model(trained / "sngan" / "model.keras").hinge
    r3gan = keras.saving.load_model(trained / "r3gan" / "model.keras")
    assert {layer.dtype_policy.name for layer in r3gan.generator.layers if layer.weights} >= {"mixed_bfloat16"}


def test_resumes(trained):
    for name in ("wgan_gp", "pix2pix"):
        first, second = (trained / f"{name}.txt").read_text().split("Resuming at epoch 2 of 2, after step 0 of 2.")
        assert "2/2" in first and "Epoch 2/2" in second and "Epoch 1/2" not in second
        assert (trained / name / "checkpoints" / "step_0000000004.keras").is_file()
        assert (trained / name / "samples" / "epoch_0002.png").is_file()
        rows = (trained / name / "learning_curve.csv").read_text().splitlines()
        assert len(rows) == 3  # A head and two epochs.


def test_pictures_of_a_translation(trained):
    """Four rows of input, output and truth, two in a line, each image twice its size."""
    for epoch in (0, 1, 2):
        with Image.open(trained / "pix2pix" / "samples" / f"epoch_000{epoch}.png") as picture:
            assert picture.size == (6 * 66 + 2, 2 * 66 + 2)


def test_binary_pixels():
    """Drawn once, with seed 0 to train on and seed 1 for others; labels and order stay."""
    options = options_of("vae", "mnist_10k", "--split=train[:50]", "--binarize", "--batch_size=10", "--seed=3")
    grey = ganzoo.data.load("mnist_10k", "train[:50]", batch_size=10, seed=3)
    drawn = training_data.load(options)
    pixels = grey.source.images.numpy()
    np.testing.assert_array_equal(drawn.source.images, ganzoo.data.binarize(pixels, seed=0))
    np.testing.assert_array_equal(
        training_data.binarized(grey, "test").source.images, ganzoo.data.binarize(pixels, seed=1)
    )
    assert drawn.class_names == grey.class_names and drawn.source.seed == 3
    for (_, ours), (_, theirs) in zip(drawn, grey, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert "Leave out --storage=disk" in fails("train", "vae", "mnist_10k", "--binarize", "--storage=disk")


def test_two_collections(tmp_path):
    def both(*arguments):
        options = options_of("cyclegan", *arguments, f"--output_dir={tmp_path}/out")
        training_flags.check_train(options)
        return training_data.load(options), training_data.load_test_pairs(options)

    train, test = both("openmoji_pairs", "--batch_size=2")
    assert [tuple(part.shape) for part in train.element_spec] == [(2, 64, 64, 1), (2, 64, 64, 3)] and len(test) == 100
    write_images(tmp_path / "a", 3)
    write_images(tmp_path / "b", 5)
    train, test = both(str(tmp_path / "a"), f"--targets={tmp_path}/b", "--image_size=16")
    assert train.source.x.num_samples == 3 and train.source.y.num_samples == 5 and len(test) == 3
    train, test = both(str(tmp_path / "a"), f"--targets={tmp_path}/b", "--image_size=16", "--direction=b_to_a")
    assert train.source.x.num_samples == 5 and len(test) == 5
    message = fails("train", "cyclegan", tmp_path / "a", f"--output_dir={tmp_path}/out")
    assert "cyclegan trains on two collections" in message


def write_images(folder, count):
    """Pictures of one grey each."""
    folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(np.full((20, 20, 3), 40 * index, "uint8")).save(folder / f"{index}.png")


def write_pairs(folder, count=5):
    """Side-by-side pictures: a grey on the left, its negative on the right."""
    folder.mkdir(parents=True)
    for index in range(count):
        both = np.full((20, 40, 3), 40 * index, "uint8")
        both[:, 20:] = 255 - both[:, 20:]
        Image.fromarray(both).save(folder / f"{index}.png")


def test_data_of_pairs(tmp_path):
    def both(*arguments):
        options = options_of("pix2pix", *arguments)
        training_flags.check_train(options)
        return training_data.load(options), training_data.load_test_pairs(options)

    out = f"--output_dir={tmp_path}/out"
    pairs, test = both("openmoji_pairs", out)
    assert pairs.element_spec[0].shape == (4, 64, 64, 1) and len(test) == 100
    pairs, test = both("fashion_edges_10k", out)
    assert pairs.source.num_samples == 9900 and len(test) == 100
    write_pairs(tmp_path / "train")
    write_pairs(tmp_path / "val", 2)
    pairs, test = both(str(tmp_path / "train"), "--direction=b_to_a", "--image_size=16", out)
    assert pairs.element_spec[0].shape == (4, 16, 16, 3) and len(test) == 5
    inputs, targets = next(iter(test))
    assert np.all(inputs == 1) and np.all(targets == -1)
    _, test = both(str(tmp_path / "train"), f"--test_data={tmp_path / 'val'}", out)
    assert len(test) == 2


UNPAIRED = ["openmoji_pairs", "--filters=2", "--image_size=32", "--identity_weight=0"]


@pytest.mark.parametrize("name", sources.models())
def test_every_model_is_built(name, tmp_path):
    dataset, *own = OWN.get(name, UNPAIRED if name == "cyclegan" else ["mnist_10k"])
    filters = ["--filters=2"] if "filters" in sources.settings(name) and not own else []
    options = options_of(name, dataset, f"--output_dir={tmp_path}", *own, *filters)
    training_flags.check_train(options)
    dataset = training_data.load(options)
    model = train.build(options, training_data.image_shapes(dataset), dataset)
    assert type(model).__name__ == sources.models()[name] and model.optimizers
    if name in ("gan", "acgan", "pix2pix", "vae"):  # One of each kind of data; what they train is tested elsewhere.
        logs = model.train_on_batch(*next(iter(dataset.take(1))), return_dict=True)
        assert all(np.isfinite(value) for value in logs.values())


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        (["--epochs=4"], 4 * 7),
        (["--epochs=4", "--discriminator_steps=2"], 4 * 3),
        (["--epochs=4", "--steps_per_epoch=5"], 4 * 5),
        (["--epochs=4", "--total_steps=11"], 11),
        (["--epochs=4", "--set=total_steps=12"], 12),
    ],
    ids=str,
)
def test_schedules_go_over_the_training(given, steps):
    """450 images in batches of 64 are 7 whole batches."""
    small = ["--filters=2", "--blocks=1", "--split=train[:450]", *given]
    options = options_of("r3gan", "mnist_10k", *small)
    model = train.build(options, [(28, 28, 1)], train.load(options))
    assert {model.r1_weight.total_steps, model.augmentation.schedule.total_steps} == {steps}
    assert model.generator_optimizer.get_config()["learning_rate"]["config"]["total_steps"] == steps


def test_help_says_what_the_command_line_computes():
    values = flags.FlagValues()
    training_flags.define_train(values)
    training_flags.define_settings(values, ["r3gan", "mnist_10k"])
    assert values["total_steps"].help.endswith("Default: the steps of this training.")
    assert not training_flags.has_schedules("cyclegan")  # Its rate is constant without the flag.


def test_attributes_come_from_the_data(tmp_path):
    own = ["--data_label=hairColor,glasses", "--networks=dcgan", "--filters=2", "--held_out=train[9990:]"]
    options = options_of("cgan", "faces_10k", f"--output_dir={tmp_path}", *own)
    training_flags.check_train(options)
    dataset = training_data.load(options)
    shapes = training_data.image_shapes(dataset)
    model = train.build(options, shapes, dataset)
    assert shapes == [(16, 16, 3)] and list(model.conditions) == ["attributes"]
    assert model.conditions.attributes.size == 26 == len(dataset.attribute_names)
    assert train.Distance(options).labels.shape == (10, 26)
    model.attribute_names = dataset.attribute_names
    sampler = open_sampler(str(model.save_to_preset(tmp_path / "preset")))
    options = SimpleNamespace(num_samples=4, label=None, attributes=["glasses=dark02"])
    rows = generate.condition_for(sampler, options)
    np.testing.assert_array_equal(rows[:, :11], np.eye(11)[:4])
    np.testing.assert_array_equal(rows[:, 11:], np.eye(15)[[1] * 4])
    for texts, label, message in (
        (["glasses=pink"], None, "'glasses' has no value 'pink'"),
        ([], "3", "the model has attributes. Use --attributes NAME=VALUE"),
    ):
        options = SimpleNamespace(num_samples=4, label=label, attributes=texts)
        with pytest.raises(SystemExit, match=message):
            generate.condition_for(sampler, options)
    card = dict(enumerate(model.conditions.card().values()))
    assert ("condition", "26 attributes: hairColor (11), glasses (15)") in info.shapes((16, 16, 3), 100, card)


@pytest.mark.parametrize("name", ["wgan", "wgan_gp", "vae"])
def test_toys_get_dense_networks(name, tmp_path):
    options = options_of(name, "ring", f"--output_dir={tmp_path}")
    model = train.build(options, [(2,)], training_data.load(options))
    assert not any(isinstance(layer, keras.layers.Conv2D) for layer in model.generator.layers)


# === The settings, read from the source ===


@pytest.mark.parametrize("name", sources.models())
def test_settings_are_those_of_the_code(name):
    """What the syntax tree says is what `inspect` says of the imported class."""
    model_class = getattr(models, sources.models()[name])
    assert (model_class.__doc__ or "").startswith(sources.summary(name))
    read = sources.settings(name)
    parameters = inspect.signature(model_class.from_paper).parameters
    for key, parameter in parameters.items():
        if isinstance(parameter.default, (bool, int, float, str, tuple)) and key not in sources.NOT_SETTINGS:
            assert read[key][0] == parameter.default and type(read[key][0]) is type(parameter.default), key
    own = [base for base in model_class.__mro__ if base.__module__.startswith("ganzoo.") and "__init__" in vars(base)]
    known = {key for base in own for key in inspect.signature(base.__init__).parameters}
    family = getattr(parameters["networks"].default, "__dict__", {})
    roles = ("encoder", "decoder") if issubclass(model_class, AutoencodingModel) else ("generator", "discriminator")
    known |= {key for role in roles for key in inspect.signature(family[role]).parameters}
    assert set(read) <= known | set(parameters)
    optimizers = [key.removesuffix("_optimizer") for key in parameters if key.endswith("_optimizer")]
    assert sources.optimizers(name) == optimizers


def test_networks_bring_their_settings():
    assert "hidden" not in sources.settings("wgan")
    hidden = inspect.signature(networks.mlp.generator).parameters["hidden"].default
    assert sources.settings("wgan", "mlp")["hidden"][0] == hidden
    assert options_of("wgan", "mnist_10k", "--networks", "mlp", "--hidden=8").hidden == (8,)
    assert options_of("wgan", "mnist_10k", "--hidden=8", "--networks=mlp").hidden == (8,)


def test_all_models_are_there():
    classes = {
        value
        for value in vars(models).values()
        if inspect.isclass(value) and hasattr(value, "from_paper") and not value.__module__.endswith("_model")
    }
    assert {getattr(models, name) for name in sources.models().values()} == classes


def test_settings_are_read_as_what_they_are():
    assert options_of("wgan_gp", "ring").gradient_penalty_weight is None  # The paper's value stays.
    given = options_of("wgan_gp", "ring", "--gradient_penalty_weight=3", "--one_sided", "--normalization=layer")
    assert (given.gradient_penalty_weight, given.one_sided, given.normalization) == (3.0, True, "layer")
    assert options_of("wgan_gp", "ring", "--normalization=none").normalization is None
    for text, value in (("8", (8,)), ("8,4", (8, 4)), ("none", None)):
        assert options_of("vae", "ring", f"--hidden={text}").hidden == value
    assert options_of("vae", "ring", "--sigma=0.5").sigma == 0.5
    assert options_of("vae", "ring", "--sigma=learned").sigma == "learned"
    settings = train.settings_of(options_of("gan", "ring", "--set=hidden=8,4", "--set", "generator_hidden=2"))
    assert (settings["hidden"], settings["generator_hidden"]) == ((8, 4), 2)


def test_home_is_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert options_of("gan", "ring", "--output_dir=~/runs").output_dir == str(tmp_path / "runs")


# === What is wrong is said before anything is trained ===


def test_says_what_is_wrong(tmp_path):
    out = f"--output_dir={tmp_path}/out"
    for arguments, message in (
        (["wgan_pg", "ring"], "There is no model 'wgan_pg'. Did you mean wgan_gp"),
        (["wgan"], "train takes MODEL and DATA: python -m ganzoo train MODEL DATA [flags]. Received: wgan."),
        (["wgan", "./no", out], "there is no folder './no'"),
        (["wgan", "no.npz", out], "there is no file 'no.npz'"),
        (["wgan", "openmoji_pairs", out], "openmoji_pairs has pairs of images, and wgan trains on images."),
        (["pix2pix", "mnist_10k", out], "pix2pix translates images, and mnist_10k has no pairs of them."),
        (["wgan", "ring", "--networks=mlpp", out], "--networks=mlpp is none of "),
        (["wgan", "ring", "--set=hidden", out], "--set=hidden: NAME=VALUE was expected."),
        (["wgan", "ring", "--set=hiden=3", out], "from_paper got unknown settings ['hiden']"),
        (["wgan", "ring", "--augmentation=Diff", out], "--augmentation=Diff is none of "),
        (["wgan", "ring", "--clip_value=-1", out], "clip_value"),
        (["wgan", "ring", "--clip_value=much", out], "--clip_value=much"),
        (["wgan", "ring", "--beta_1=0.5", out], "--beta_1=0.5: the optimizer RMSprop has none."),
        (["cgan", "swiss_roll", out], "cgan needs --num_classes"),
        (["wgan", "minst_10k", out], "Did you mean mnist_10k" if not has_tfds() else "Close to it: mnist_10k"),
        (["wgan", "ring", "--output_dir=/dev/null/out"], "/dev/null is "),
    ):
        assert message in fails("train", *arguments), arguments
    assert not (tmp_path / "out" / "model.keras").exists()


def has_tfds():
    return datasets.importlib.util.find_spec("tensorflow_datasets") is not None


def test_families_of_networks():
    found = training_flags.families_of_networks()
    assert {"dcgan", "mlp", "maxout", "resnet"} <= set(found)
    assert all(callable(getattr(networks, name).generator) for name in found)


def test_the_next_command(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/opt/bin/ganzoo"])
    assert train.program() == "ganzoo"
    monkeypatch.setattr("sys.argv", [os.fspath(Path(ganzoo.__file__).parent / "__main__.py")])
    assert train.program().endswith("python -m ganzoo") or train.program().endswith(" -m ganzoo")
