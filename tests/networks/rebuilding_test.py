"""What a built network was made of is read off its layers."""

import inspect

import keras
import pytest

from ganzoo import networks
from ganzoo.networks.rebuilding import layers_in, rebuilder_of

SIZES = [("dcgan", {"filters": 3, "pixel_size": 2, "normalization": "spectral"})]
SIZES += [("dcgan", {"filters": 2, "normalization": "layer", "label": "embedding", "conditioning": "projection"})]
SIZES += [("dcgan", {"filters": 2, "packing": 2, "batch_normalization": False, "heads": {"classes": 3}})]
SIZES += [("mlp", {"hidden": (3, 4)}), ("mlp", {"hidden": (3,), "activation": "tanh", "normalization": "batch"})]
SIZES += [("maxout", {"hidden": (3, 4, 5), "units": ((4, 2), (3, 2), (4, 3))})]
SIZES += [("resnet", {"filters": 2, "growth": 2, "down_blocks": 2, "pooling": "sum"})]
SIZES += [("resnet", {"filters": 2, "normalization": "layer", "down_blocks": 2})]
SIZES += [("r3gan", {"filters": (2, 4, 4), "blocks": (1, 2, 1), "expansion": 3, "cardinality": 2, "embedding_dim": 5})]
SIZES += [("r3gan", {"filters": 16, "blocks": 1, "latent_dim": 3})]
SIZES += [("stylegan2", {"latent_dim": 3, "style_dim": 4, "mapping_layers": 2, "base": 32, "max_filters": 4})]
SIZES += [("stylegan2", {"latent_dim": 3, "base": 16, "residual": False, "group_size": 2, "label_layers": 1})]
SIZES += [("biggan", {"filters": 2, "attention": 1, "normalization": None})]
SIZES += [("biggan", {"filters": 2, "latent_dim": 6, "split_latents": True, "shared_dim": 3})]
# Other arguments that make the same layers, or none without a condition.
AMBIGUOUS = {"label", "conditioning", "hidden", "units", "embedding_dim", "label_layers", "shared_dim"}

SLOW = ("r3gan", "stylegan2")
CONDITIONS = [{}, {"num_classes": 3}, {"num_classes": 3, "num_attributes": 2}]


def names_of(family, role):
    """The arguments of a family's function."""
    return set(inspect.signature(getattr(getattr(networks, family), role)).parameters)


@pytest.mark.parametrize(
    "family, settings, condition, role",
    [
        (family, settings, condition, role)
        for family, settings in SIZES
        for condition in CONDITIONS
        for role in ("generator", "discriminator")
        if set(condition) <= names_of(family, role)  # ResNet's and BigGAN's know no attributes.
        and not (family in SLOW and condition == CONDITIONS[1])  # With attributes, they see labels too.
    ],
    ids=str,
)
def test_arguments(family, settings, condition, role):
    build, names = getattr(getattr(networks, family), role), names_of(family, role)
    known = {"image_shape": (16, 16, 1), "packing": settings.get("packing", 1), "num_classes": None}
    known |= {"num_attributes": None, **condition}
    given = {name: value for name, value in {**known, **settings}.items() if name in names}
    network = build(**given)
    function, arguments = rebuilder_of(network, **known)
    assert function is build
    read = {name: arguments[name] for name in given if name not in AMBIGUOUS}
    assert read == {name: given[name] for name in read}
    assert layers_in(function(**arguments)) == layers_in(network)


def test_the_precision_is_kept():
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = networks.mlp.generator((4,), hidden=(3,))
    keras.config.set_dtype_policy("float32")
    known = {"image_shape": (4,), "packing": 1, "num_classes": None, "num_attributes": None}
    assert rebuilder_of(network, **known)[1]["hidden"] == [3]
    assert keras.config.dtype_policy().name == "float32"


def test_networks_of_ones_own():
    latents = keras.Input((2,))
    known = {"image_shape": (4,), "packing": 1, "num_classes": None, "num_attributes": None}
    for name in ("mine", "mlp_generator", "dcgan_generator", "resnet_discriminator", "maxout_generator"):
        network = keras.Model(latents, keras.layers.Dense(4)(latents), name=name)
        with pytest.raises(ValueError, match=f"The network '{name}' is of no family that can be built again"):
            rebuilder_of(network, **known)
    changed = networks.mlp.generator((4,), hidden=(3,))
    more = keras.Model(changed.inputs, keras.layers.Dropout(0.1)(changed.output), name="mlp_generator")
    with pytest.raises(ValueError, match="of no family"):
        rebuilder_of(more, **known)
