"""Presets: round trips to the bit, cards, handles, and words for all that can be wrong with a folder."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo import metrics
from ganzoo.presets import folder, library, shelf, weights
from tests.check_model import dataset_for, digest, samples_like, state, tiny, train
from tests.training.run_record_test import StopAt
from tests.training.seams_test import AUTOENCODERS, MODELS

IMAGE = (8, 8, 1)


def make_cyclegan():
    keras.utils.set_random_seed(0)
    return ganzoo.CycleGAN.from_paper(IMAGE, filters=2, blocks=1, receptive_field=16, pool_size=5, seed=1)


def make_pix2pix():
    keras.utils.set_random_seed(0)
    settings = {"condition_shape": (16, 16, 1), "filters": 2, "receptive_field": 16, "seed": 1}
    return ganzoo.Pix2Pix.from_paper((16, 16, 1), **settings)


EVERY = {**MODELS, **AUTOENCODERS, "CycleGAN": make_cyclegan, "Pix2Pix": make_pix2pix}


def make(**overrides):
    return tiny(ganzoo.WGANGP, IMAGE, **{"filters": 2, "ema_decay": 0.9, "run_eagerly": True, **overrides})


def generated(model, count=5):
    if model.conditions.translates:
        condition = samples_like(model, count)[0]
    else:
        condition = model.conditions.in_turn(count)
    return model.generate(count, seed=3, condition=condition)


def disturb(model):
    """Weights that no initializer makes, and averages that differ from them."""
    random = np.random.default_rng(0)
    for variables in weights.parts_of(model).values():
        for variable in variables:
            if variable.dtype == "float32":
                noise = 0.1 * random.standard_normal(variable.shape).astype("float32")
                variable.assign(variable + np.abs(noise) if "variance" in variable.path else variable + noise)


@pytest.mark.parametrize("name", EVERY)
def test_round_trip_to_the_bit(name, tmp_path):
    model = EVERY[name]()
    disturb(model)
    if model.ema_generator is not None:  # A preset keeps the average in both places.
        model.generator.set_weights(model.ema_generator.get_weights())
    model.save_to_preset(tmp_path / "first")
    loaded = ganzoo.from_preset(tmp_path / "first")
    assert type(loaded) is type(model)
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())  # Where tuples are lists.
    assert generated(loaded).tobytes() == generated(model).tobytes()
    loaded.save_to_preset(str(tmp_path / "second"))
    again = ganzoo.from_preset(tmp_path / "second")
    assert generated(again).tobytes() == generated(model).tobytes()
    for part, variables in weights.parts_of(model).items():
        for one, other in zip(variables, weights.parts_of(again)[part], strict=True):
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes(), (part, one.path)


def test_the_average_is_what_is_kept(tmp_path):
    model = make()
    train(model, steps=2)
    assert not np.array_equal(model.generator.weights[0], model.ema_generator.weights[0])
    model.save_to_preset(tmp_path)
    loaded = ganzoo.from_preset(tmp_path)
    assert generated(loaded).tobytes() == generated(model).tobytes()
    for one, other, average in zip(loaded.generator.weights, loaded.ema_generator.weights, model.ema_generator.weights):
        assert np.array_equal(one, other) and np.array_equal(one, average)
    assert loaded.steps_done == 0 and int(loaded.generator_optimizer.iterations) == 0
    before = [value for _, value in state(loaded)]
    train(loaded, steps=1)  # It is compiled, and trains.
    assert any(not np.array_equal(a, b) for a, (_, b) in zip(before, state(loaded)))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_trained_in_half_precision_for_all_machines(policy, tmp_path):
    """With the weights of a model in float32, to the bit; `dtype=None` keeps the policy."""
    keras.config.set_dtype_policy(policy)
    half = make()
    keras.config.set_dtype_policy("float32")
    whole = make()
    assert generated(half).tobytes() != generated(whole).tobytes()
    half.save_to_preset(tmp_path / "for_all", dtype="float32")
    loaded = ganzoo.from_preset(tmp_path / "for_all")
    assert generated(loaded).tobytes() == generated(whole).tobytes()
    assert type(loaded.generator_optimizer) is type(whole.generator_optimizer)
    half.save_to_preset(tmp_path / "as_it_is")
    assert generated(ganzoo.from_preset(tmp_path / "as_it_is")).tobytes() == generated(half).tobytes()


def test_without_the_discriminator(tmp_path, capsys):
    model = make()
    model.save_to_preset(tmp_path, discriminator=False)
    loaded = ganzoo.from_preset(tmp_path)
    assert "has no weights of discriminator: they are new" in capsys.readouterr().err
    assert generated(loaded).tobytes() == generated(model).tobytes()
    ganzoo.from_preset(folder.save(model, tmp_path / "whole"))
    assert capsys.readouterr().err == ""


def test_half_the_size(tmp_path):
    """Rounded once; a second time changes nothing."""
    model = tiny(ganzoo.WGANGP, (16, 16, 1), filters=48, ema_decay=0.9)
    sizes = {}
    for dtype in ("float32", "float16"):
        model.save_to_preset(tmp_path / dtype, dtype=dtype)
        sizes[dtype] = (tmp_path / dtype / "model.weights.h5").stat().st_size
    assert sizes["float16"] < 0.6 * sizes["float32"]
    half = ganzoo.from_preset(tmp_path / "float16")
    np.testing.assert_allclose(generated(half), generated(model), atol=2e-3)
    assert generated(half).tobytes() != generated(model).tobytes()
    half.save_to_preset(tmp_path / "again", dtype="float16")
    assert generated(ganzoo.from_preset(tmp_path / "again")).tobytes() == generated(half).tobytes()
    with pytest.raises(ValueError, match="`dtype` must be one of None, 'float16', 'float32'. Received: dtype='int8'"):
        model.save_to_preset(tmp_path / "int8", dtype="int8")


def test_freezing_the_discriminator(tmp_path):
    """FreezeD: the first layers stay as they are, the others and the generator learn."""
    make(packing=1).save_to_preset(tmp_path)
    model = ganzoo.from_preset(tmp_path, freeze_discriminator=1)
    layers = [layer for layer in model.discriminator.layers if layer.weights]
    before = [layer.get_weights() for layer in layers]
    train(model, steps=1)
    kernels = [np.array_equal(old[0], layer.get_weights()[0]) for old, layer in zip(before, layers)]
    assert kernels == [True] + [False] * (len(layers) - 1)
    message = f"less than the number of layers with weights, {len(layers)}"
    with pytest.raises(ValueError, match=message):
        ganzoo.from_preset(tmp_path, freeze_discriminator=len(layers))


def test_the_card_is_read_and_written(tmp_path):
    score = ganzoo.metrics.Score("frechet_distance", 12.345, (11.0, 13.5), 400, 500, "pixels")
    card = {"data": "drawings", "licence": "CC0 1.0", "licence_id": "cc0-1.0", "scores": [score], "limits": "none"}
    make().save_to_preset(tmp_path / "drawings", card=card)
    text = (tmp_path / "drawings" / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: keras\nlicense: cc0-1.0\n")
    assert "| frechet_distance | 12.35 | 11 to 13.5 | 400, 500 | pixels |" in text
    assert 'ganzoo.from_preset("drawings")' in text and "`WGANGP`, images 8 x 8 x 1" in text
    kept = folder.read_metadata(tmp_path / "drawings")["card"]["scores"][0]
    assert (kept["value"], kept["interval"], kept["num_fake"]) == (12.345, [11.0, 13.5], 500)


@pytest.mark.parametrize("card", [2, "MNIST", ["data"]])
def test_a_card_is_a_dictionary(card, saved, tmp_path):
    with pytest.raises(ValueError, match="`card` must be a dictionary, such as .*, or None. Received: card="):
        ganzoo.from_preset(saved).save_to_preset(tmp_path / "again", card=card)


def test_custom_objects_are_a_dictionary(saved):
    with pytest.raises(ValueError, match="`custom_objects` must be a dictionary, name -> class, or None. Received"):
        ganzoo.from_preset(saved, custom_objects=(1, 2))


def test_a_fine_tuning_that_is_broken_off_goes_on(tmp_path):
    """The script begins with the preset again, and the checkpoint takes over."""
    make().save_to_preset(tmp_path / "preset")

    def tune(folder, *callbacks):
        model = ganzoo.from_preset(tmp_path / "preset", freeze_discriminator=1)
        callbacks = [*callbacks, ganzoo.callbacks.Checkpoint(folder, every_steps=1)]
        model.fit(dataset_for(model, steps=2), epochs=2, verbose=0, callbacks=callbacks)
        return model

    whole = tune(tmp_path / "whole")
    with pytest.raises(InterruptedError):
        tune(tmp_path / "broken", StopAt(3))
    again = tune(tmp_path / "broken")
    assert again.steps_done == whole.steps_done == 4
    assert digest(again) == digest(whole)


# === What is wrong with a folder ===


@pytest.fixture
def saved(tmp_path):
    return make().save_to_preset(tmp_path / "preset")


@pytest.mark.parametrize("name", folder.FILES)
def test_a_missing_file(saved, name):
    (saved / name).unlink()
    with pytest.raises(ValueError, match=f"is no preset: it lacks {name}"):
        ganzoo.from_preset(saved)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_torn_file(saved, name):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="is not the file that was saved: its sha256 differs"):
        ganzoo.from_preset(saved)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read: .*The file is damaged"),
        ("[]", "does not tell the format of the preset"),
        ('{"format": 2}', "has the format 2, and this version of ganzoo .* reads formats up to 1. Update it: pip"),
        ('{"format": 1, "sha256": {"../x": "0"}}', "has the hash of '../x', which is no file of a preset"),
    ],
)
def test_metadata_that_cannot_be_read(saved, content, message):
    (saved / "metadata.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        ganzoo.from_preset(saved)


def change(saved, function):
    """Changes the config, and the hash with it."""
    config, metadata = (json.loads((saved / name).read_text()) for name in ("config.json", "metadata.json"))
    function(config)
    (saved / "config.json").write_text(json.dumps(config))
    metadata["sha256"]["config.json"] = folder.sha256(saved / "config.json")
    (saved / "metadata.json").write_text(json.dumps(metadata))


def test_a_config_that_runs_code_is_refused(saved):
    """Keras' safe mode: a lambda layer would run whatever the file holds."""
    payload = keras.saving.serialize_keras_object(keras.layers.Lambda(lambda x: x))

    def put_lambda(config):
        config["config"]["generator"]["config"]["layers"][1] = payload | {"name": "lambda", "inbound_nodes": []}

    change(saved, put_lambda)
    with pytest.raises(ValueError, match="(?i)safe_mode|unsafe|lambda"):
        ganzoo.from_preset(saved)


def test_a_config_of_something_else(saved):
    other = keras.saving.serialize_keras_object(keras.layers.Dense(2))
    change(saved, lambda config: (config.clear(), config.update(other)))
    with pytest.raises(ValueError, match="describes no model of ganzoo. Received: Dense"):
        ganzoo.from_preset(saved)


def test_weights_of_other_networks(saved, tmp_path):
    other = make(filters=3).save_to_preset(tmp_path / "other")
    (saved / "model.weights.h5").write_bytes((other / "model.weights.h5").read_bytes())
    metadata = json.loads((saved / "metadata.json").read_text())
    metadata["sha256"]["model.weights.h5"] = folder.sha256(saved / "model.weights.h5")
    (saved / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="The weights of 'generator' in .* do not fit its config"):
        ganzoo.from_preset(saved)


# === Handles ===


def test_unknown_handles(tmp_path):
    with pytest.raises(ValueError, match="There is no preset 'faces'.*Presets that come with ganzoo: .*hf://user/name"):
        ganzoo.from_preset("faces")
    with pytest.raises(ValueError, match="Unknown kind of handle 's3://bucket/model'"):
        ganzoo.from_preset("s3://bucket/model")
    for handle in ("hf://name", "hf://a/b/c", "kaggle://user/model"):
        with pytest.raises(ValueError, match="A handle of this hub has the form"):
            ganzoo.from_preset(handle)
    file = tmp_path / "model.keras"
    make().save(file)
    with pytest.raises(ValueError, match="is a file, and a preset is a folder. A .keras file is read by keras"):
        ganzoo.from_preset(file)
    with pytest.raises(ValueError, match="is no preset: it lacks config.json, metadata.json, model.weights.h5"):
        ganzoo.from_preset(tmp_path)


# === The presets that come with ganzoo ===


def test_the_list():
    presets = ganzoo.list_presets()
    assert [row["name"] for row in presets] == shelf.names() and len(presets) >= 1
    lines = repr(presets).splitlines()
    assert len(lines) == 2 + len(presets) and lines[0].split() == [*lines[0].split()[:6], "MB"]
    assert sum(row["megabytes"] for row in presets) < 40


@pytest.mark.parametrize("name", shelf.names())
def test_a_preset_generates_and_says_what_it_is(name):
    model = ganzoo.from_preset(name)
    card = folder.read_metadata(library.locate(name))["card"]
    assert {"data", "licence", "command", "training", "limits", "scores", "picture"} <= set(card)
    assert (library.locate(name) / card["picture"]).is_file()
    images = generated(model, 4) if not model.conditions.translates else None
    if images is not None:
        assert images.shape == (4, *model.image_shape) and np.ptp(images) > 1
        assert not np.allclose(images[0], images[1])
    assert tf.reduce_all([tf.math.is_finite(tf.reduce_sum(weight)) for weight in model.generator.weights])


def test_a_card_tells_the_truth():
    """Measured again on the held-out images, a score lies in its interval; `benchmarks/presets.py check` does all."""
    network = metrics.features.EfficientNetLite0()
    held_out = ganzoo.data.load("faces_10k", split="train[9000:]").source.images.numpy()
    fake = ganzoo.from_preset("faces_16").generate(1000, seed=0)
    (told,) = [
        score
        for score in folder.read_metadata(library.locate("faces_16"))["card"]["scores"]
        if score["name"] == "kernel_distance"
    ]
    low, high = told["interval"]
    value = metrics.kernel_distance(network(held_out), network(fake)).value
    assert low < value < high and value == pytest.approx(told["value"], rel=1e-3)
