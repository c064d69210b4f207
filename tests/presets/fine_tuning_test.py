"""Presets for data of another size, or with other classes: the weights that fit are kept to the bit."""

import re

import keras
import numpy as np
import pytest

import ganzoo
from tests.check_model import samples_like, tiny
from tests.presets.presets_test import disturb, make_cyclegan, make_pix2pix


def saved(tmp_path, cls=ganzoo.WGANGP, shape=(16, 16, 1), **settings):
    """A preset of a tiny model with weights that no initializer makes."""
    settings = {"filters": 2, "ema_decay": 0.9, "run_eagerly": True, "discriminator_steps": 1, **settings}
    model = tiny(cls, shape, **{name: value for name, value in settings.items() if value is not None})
    disturb(model)
    for ours, theirs in zip(model.ema_generator.weights, model.generator.weights):
        ours.assign(theirs)
    model.save_to_preset(tmp_path / "preset")
    return model, tmp_path / "preset"


def weights(network):
    return {variable.path: np.asarray(variable) for variable in network.weights}


def differing(old, new):
    """The paths of the weights of a network that another one does not have to the bit."""
    old = weights(old)
    return [path for path, value in weights(new).items() if not np.array_equal(old.get(path), value)]


def check_trains(model):
    """It is compiled, and its average begins with the same weights."""
    for average, network in zip(model.ema_generator.weights, model.generator.weights):
        np.testing.assert_array_equal(average, network)
    images, condition = samples_like(model, 4)
    logs = model.train_on_batch(images, condition if len(model.conditions) else None, return_dict=True)
    assert np.isfinite(list(logs.values())).all() and model.steps_done == 1


def test_classes_for_a_model_without_any(tmp_path, capsys):
    """It begins by making the same samples for each class, and the critic by not telling classes apart."""
    old, path = saved(tmp_path)
    new = ganzoo.from_preset(path, num_classes=3, class_names=["cat", "dog", "owl"])
    assert capsys.readouterr().err == (
        "The preset 'preset' with num_classes=3: these weights are new: of the generator project/kernel for the "
        "condition; of the discriminator down_0/kernel for the condition.\n"
    )
    assert differing(old.generator, new.generator) == ["project/kernel"]
    assert differing(old.discriminator, new.discriminator) == ["down_0/kernel"]
    kernel = weights(new.generator)["project/kernel"]
    np.testing.assert_array_equal(kernel[:3], weights(old.generator)["project/kernel"])
    np.testing.assert_array_equal(kernel[3:], 0)
    kernel = weights(new.discriminator)["down_0/kernel"]
    np.testing.assert_array_equal(kernel[:, :, :1], weights(old.discriminator)["down_0/kernel"])
    np.testing.assert_array_equal(kernel[:, :, 1:], 0)
    expected = old.generate(4, seed=3)
    for name in ("cat", "owl"):
        np.testing.assert_allclose(new.generate(4, seed=3, condition=name), expected, rtol=1e-5, atol=1e-6)
    assert new.get_compile_config() == old.get_compile_config()
    check_trains(new)
    with pytest.raises(ValueError, match="would freeze weights that are new: discriminator down_0/kernel for the cond"):
        ganzoo.from_preset(path, num_classes=3, freeze_discriminator=1)


def test_another_number_of_classes_and_none(tmp_path, capsys):
    old, path = saved(tmp_path, ganzoo.CGAN, networks=ganzoo.networks.dcgan, num_classes=3, conditioning="projection")
    new = ganzoo.from_preset(path, num_classes=5)
    words = "of the generator project/kernel for the condition; of the discriminator projection.\n"
    assert capsys.readouterr().err.endswith(f"num_classes=5: these weights are new: {words}")
    assert isinstance(new, ganzoo.CGAN) and new.num_classes == 5 and new.class_names is None
    assert differing(old.generator, new.generator) == ["project/kernel"]
    assert differing(old.discriminator, new.discriminator) == ["projection/kernel"]
    np.testing.assert_array_equal(
        weights(new.generator)["project/kernel"][:3], weights(old.generator)["project/kernel"][:3]
    )
    check_trains(new)
    plain = ganzoo.from_preset(path, num_classes=0)
    assert capsys.readouterr().err.endswith("num_classes=0: all of its weights are kept.\n")
    assert type(plain) is ganzoo.GAN and plain.num_classes is None and not len(plain.conditions)
    assert differing(old.discriminator, plain.discriminator) == []
    attributes = ganzoo.from_preset(path, num_classes=0, num_attributes=2, attribute_names=["hat", "beard"])
    assert type(attributes) is ganzoo.CGAN and attributes.attribute_names == ["hat", "beard"]


def test_classes_for_residual_networks(tmp_path):
    """Gains and biases for each class begin with those for all, and the shortcut reads the images alone."""
    old, path = saved(tmp_path, ganzoo.GAN, networks=ganzoo.networks.resnet)
    new = ganzoo.from_preset(path, num_classes=3)
    images = samples_like(old, 4)[0]
    np.testing.assert_allclose(new.generate(4, condition=2), old.generate(4), rtol=1e-4, atol=1e-5)
    labels = np.array([0, 1, 2, 0])
    scores = [
        network(inputs) for network, inputs in ((old.discriminator, images), (new.discriminator, [images, labels]))
    ]
    np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)
    new.save_to_preset(tmp_path / "three")
    for count, condition in ((5, 4), (0, None)):
        again = ganzoo.from_preset(tmp_path / "three", num_classes=count)
        np.testing.assert_allclose(again.generate(4, condition=condition), old.generate(4), rtol=1e-4, atol=1e-5)
    larger = ganzoo.from_preset(path, image_size=(32, 32))
    ours, theirs = weights(larger.generator), weights(old.generator)
    kernels = [name for name in theirs if name.startswith("up_0") and name.endswith("kernel")]
    assert kernels
    for name in kernels:
        np.testing.assert_array_equal(ours[name.replace("up_0", "up_1")], theirs[name])
        assert not np.array_equal(ours[name], theirs[name])
    with pytest.raises(ValueError, match="resnet.*that has no argument 'num_attributes'"):
        ganzoo.from_preset(path, num_attributes=2)


def test_larger_images(tmp_path, capsys):
    """The stages near the pixels are kept; a new one is put in front of them."""
    old, path = saved(tmp_path, seed=4)
    new = ganzoo.from_preset(path, image_size=(32, 32))
    assert new.image_shape == (32, 32, 1)
    message = capsys.readouterr().err
    assert message.startswith("The preset 'preset' with image_size=(32, 32): these weights are new: of the generator ")
    assert message.endswith("generator project, stage_0_batch_norm, up_0; of the discriminator down_2, score/kernel.\n")
    ours, theirs = weights(new.generator), weights(old.generator)
    for name, source in (("up_1", "up_0"), ("images", "images")):
        np.testing.assert_array_equal(ours[f"{name}/kernel"], theirs[f"{source}/kernel"])
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        for index in (1, 2):
            source = theirs[f"stage_{index - 1}_batch_norm/{name}"]
            np.testing.assert_array_equal(ours[f"stage_{index}_batch_norm/{name}"], source)
    assert differing(old.discriminator, new.discriminator) == ["down_2/kernel", "down_2/bias", "score/kernel"]
    check_trains(new)
    smaller = ganzoo.from_preset(path, image_size=(8, 8))
    np.testing.assert_array_equal(weights(smaller.generator)["images/kernel"], theirs["images/kernel"])


def kept(old, new, rename=str):
    """The paths of the weights of an old network that a new one has to the bit, and of all others."""
    ours = weights(new)
    found = {path for path, value in weights(old).items() if np.array_equal(ours.get(rename(path)), value)}
    return found, set(weights(old)) - found


def test_r3gan(tmp_path, capsys):
    """A larger image has a smallest map more, whose blocks start as the identity. Everything else is kept."""
    settings = {"networks": ganzoo.networks.r3gan, "filters": (2, 4), "blocks": 1, "schedules": False}
    old, path = saved(tmp_path, ganzoo.R3GAN, (8, 8, 1), **settings)
    new = ganzoo.from_preset(path, image_size=(16, 16))
    added = ", ".join(f"map_2_block_0_{name}" for name in ("expand", "grouped", "contract"))
    assert f"new: of the generator {added}; of the discriminator {added}.\n" in capsys.readouterr().err
    assert kept(old.generator, new.generator)[1] == kept(old.discriminator, new.discriminator)[1] == set()
    check_trains(new)
    smaller = ganzoo.from_preset(path, image_size=(4, 4))
    assert {name.split("_")[1] for name in weights(smaller.generator) if name.startswith("map_")} == {"0"}
    capsys.readouterr()
    classes = ganzoo.from_preset(path, num_classes=3)
    words = "generator embedding, coefficients/kernel for the condition; of the discriminator features, embedding.\n"
    assert capsys.readouterr().err.endswith(words)
    np.testing.assert_allclose(classes.generate(4, condition=1), old.generate(4), rtol=1e-5, atol=1e-6)
    assert kept(old.generator, classes.generator)[1] == {"coefficients/kernel"}
    check_trains(classes)


def test_stylegan2(tmp_path, capsys):
    """The maps of a larger image that an old one has keep their weights, in both networks."""
    settings = {"filters": None, "base": 16, "max_filters": 2, "mapping_layers": 1, "group_size": 2}
    settings |= {"latent_dim": 4, "path_length_weight": 0.0}
    old, path = saved(tmp_path, ganzoo.StyleGAN2, (8, 8, 1), **settings)
    new = ganzoo.from_preset(path, image_size=(16, 16))
    message = capsys.readouterr().err
    assert "of the generator synthesis up_2_affine, synthesis up_2" in message
    assert kept(old.generator, new.generator)[1] == set()
    discriminator = kept(old.discriminator, new.discriminator, lambda path: path.replace("down_0", "down_1"))
    assert discriminator[1] == {"from_image/kernel", "from_image/bias"}  # For 1 filter in the place of 2.
    assert message.endswith(
        "of the discriminator from_image, down_0_conv_0, down_0_shortcut, down_0_conv_1.\n"
    ) or message.endswith("of the discriminator from_image, down_0_conv_0, down_0_conv_1, down_0_shortcut.\n")
    check_trains(new)
    classes = ganzoo.from_preset(path, num_classes=3)
    assert "generator mapping condition, mapping mapping_0/kernel for the condition; " in capsys.readouterr().err
    np.testing.assert_allclose(classes.generate(4, condition=1), old.generate(4), rtol=1e-4, atol=1e-5)
    check_trains(classes)


def test_attention_and_tables_of_classes(tmp_path, capsys):
    """The networks of SAGAN and BigGAN: a layer of several kernels keeps each, and tables begin with gains for all."""
    old, path = saved(tmp_path, ganzoo.SAGAN, filters=1)
    new = ganzoo.from_preset(path, image_size=(32, 32))
    names = [name for name in weights(old.generator) if name.startswith("attention/")]
    assert len(names) == 9  # Four kernels with a vector of their spectral norm each, and the gain.
    for name in names:
        np.testing.assert_array_equal(weights(new.generator)[name], weights(old.generator)[name])
    convolutions = [name for name in weights(old.generator) if re.fullmatch(r"up_\d_(conv_\d|shortcut)/.*", name)]
    for name in convolutions:
        later = f"up_{int(name[3]) + 1}{name[4:]}"
        np.testing.assert_array_equal(weights(new.generator)[later], weights(old.generator)[name])
    assert kept(old.discriminator, new.discriminator)[1] == set()
    check_trains(new)
    capsys.readouterr()
    classes = ganzoo.from_preset(path, num_classes=3)
    assert capsys.readouterr().err.endswith(": these weights are new: of the discriminator projection.\n")
    np.testing.assert_allclose(classes.generate(4, condition=1), old.generate(4), rtol=1e-4, atol=1e-5)
    classes.save_to_preset(tmp_path / "three")
    for count, condition in ((5, 4), (0, None)):
        again = ganzoo.from_preset(tmp_path / "three", num_classes=count)
        np.testing.assert_allclose(again.generate(4, condition=condition), old.generate(4), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="biggan.*that has no argument 'num_attributes'"):
        ganzoo.from_preset(path, num_attributes=2)


def test_what_stays_as_it_is(tmp_path, capsys):
    old, path = saved(tmp_path, num_classes=2, class_names=["cat", "dog"])
    new = ganzoo.from_preset(path, num_classes=2, image_size=(16, 16))
    assert "all of its weights are kept" in capsys.readouterr().err and new.class_names == ["cat", "dog"]
    np.testing.assert_array_equal(new.generate(condition=[0, 1]), old.generate(condition=[0, 1]))
    renamed = ganzoo.from_preset(path, class_names=["Katze", "Hund"])
    assert renamed.class_names == ["Katze", "Hund"] and capsys.readouterr().err == ""


def test_an_auxiliary_classifier(tmp_path):
    old, path = saved(tmp_path, ganzoo.ACGAN, num_classes=2)
    new = ganzoo.from_preset(path, num_classes=3)
    assert new.discriminator.output["classes"].shape == (None, 3)
    assert differing(old.discriminator, new.discriminator) == ["classes/kernel", "classes/bias"]
    check_trains(new)


def test_a_preset_without_a_discriminator(tmp_path, capsys):
    old, _ = saved(tmp_path)
    old.save_to_preset(tmp_path / "half", discriminator=False)
    new = ganzoo.from_preset(tmp_path / "half", num_classes=3)
    err = capsys.readouterr().err
    assert (
        "has no weights of discriminator" in err and "new: of the generator project/kernel for the condition.\n" in err
    )
    assert differing(old.generator, new.generator) == ["project/kernel"]


def test_what_cannot_be_built_again(tmp_path):
    def refused(model, message, **changes):
        model.save_to_preset(tmp_path / "preset")
        with pytest.raises(ValueError, match=message):
            ganzoo.from_preset(tmp_path / "preset", **changes)

    refused(make_cyclegan(), "CycleGAN translates images, and its networks", image_size=(16, 16))
    refused(make_pix2pix(), "Pix2Pix translates images", num_classes=3)
    refused(
        tiny(ganzoo.VAE, (8, 8, 1), hidden=(4,)), "VAE has the networks decoder, encoder, generator, and", num_classes=2
    )
    latents, image = keras.Input((2,)), keras.Input((3,))
    own = ganzoo.GAN(
        keras.Model(latents, keras.layers.Dense(3)(latents), name="mine"),
        keras.Model(image, keras.layers.Dense(1)(image)),
    )
    own.compile("adam", "adam")
    refused(
        own, "The network 'mine' is of no family that can be built again .*: these are biggan, dcgan, .*", num_classes=2
    )
    points = tiny(ganzoo.GAN, (2,), hidden=(3,))
    refused(points, r"`image_size` is for images, and the model's samples have the shape \(2,\)", image_size=(8, 8))
    refused(points, "`num_classes` must be an integer of at least 0, or None. Received: num_classes=-1", num_classes=-1)
