"""The names under which layers stand in files: those of a file that an earlier version of the library wrote load."""

import keras
import pytest

from ganzoo import layers

# Class -> its configuration.
LAYERS = {
    "BatchNormalization": {},
    "ConditionalBatchNormalization": {"num_classes": 3},
    "Conv2D": {"filters": 2, "kernel_size": 3},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3},
    "Maxout": {"units": 2, "pieces": 3},
    "OneHot": {"num_classes": 3},
    "SpectralConv2D": {"filters": 2, "kernel_size": 3},
    "SpectralDense": {"units": 2},
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_an_earlier_file_loads(name):
    # As it stood in files when all layers were in one module, `ganzoo.layers`.
    config = {
        "module": "ganzoo.layers",
        "class_name": name,
        "config": LAYERS[name],
        "registered_name": f"ganzoo>{name}",
    }
    assert type(keras.saving.deserialize_keras_object(config)) is getattr(layers, name)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_registered_under_its_name(name):
    layer = getattr(layers, name)(**LAYERS[name])
    assert keras.saving.serialize_keras_object(layer)["registered_name"] == f"ganzoo>{name}"
    assert keras.saving.get_registered_object(f"ganzoo>{name}") is type(layer)
