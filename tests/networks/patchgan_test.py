import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.networks import patchgan

FIELDS = (1, 16, 70, 286)


@pytest.mark.parametrize("field", FIELDS)
def test_receptive_field_as_computed(field):
    assert patchgan.receptive_field_of(patchgan.PATCHES[field]) == field


def test_receptive_field_of_known_stacks():
    assert patchgan.receptive_field_of([]) == 1
    assert patchgan.receptive_field_of([(3, 1), (3, 1)]) == 5
    assert patchgan.receptive_field_of([(3, 2), (3, 1)]) == 7  # The second layer's steps are two pixels each.


@pytest.mark.parametrize("field", FIELDS)
def test_receptive_field_is_the_support_of_the_gradient(field):
    """Of one score in the middle, in both inputs: a square of that side, without a hole."""
    side = 512 if field == 286 else 160
    network = patchgan.discriminator((side, side, 2), (side, side, 1), field, filters=1, normalization=None)
    image, condition = (tf.random.stateless_normal((1, side, side, depth), [depth, 0]) for depth in (2, 1))
    with tf.GradientTape() as tape:
        tape.watch([image, condition])
        scores = network([image, condition])
        middle = scores.shape[1] // 2
        score = scores[0, middle, middle, 0]
    for gradient in tape.gradient(score, [image, condition]):
        seen = np.abs(gradient.numpy()[0]).max(-1) > 0
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        assert len(rows) == rows[-1] - rows[0] + 1 == field
        assert len(columns) == columns[-1] - columns[0] + 1 == field
        assert seen.sum() == field**2


@pytest.mark.parametrize(
    ("field", "side", "scores"),
    [
        (70, 256, 30),
        (286, 256, 6),
        (16, 256, 126),
        (1, 256, 256),
        (70, 64, 6),
        (70, 32, 2),
        (70, 28, 2),
        (70, 17, 1),
        (286, 96, 1),
    ],
)
def test_score_maps(field, side, scores):
    network = patchgan.discriminator((side, side, 3), receptive_field=field, filters=1)
    assert network.output_shape == (None, scores, scores, 1)


def test_the_networks_of_the_paper():
    """Section 6.1.2: C64-C128-C256-C512 for 70, C64-C128 for 16 and 1, and two more C512 for 286; here a 32nd."""
    widths = {1: [2, 4], 16: [2, 4], 70: [2, 4, 8, 16], 286: [2, 4, 8, 16, 16, 16]}
    for field, expected in widths.items():
        network = patchgan.discriminator((256, 256, 3), receptive_field=field, filters=2)
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        assert [layer.filters for layer in convolutions] == [*expected, 1]
        norms = [layer.name for layer in network.layers if isinstance(layer, keras.layers.GroupNormalization)]
        assert norms == [f"conv_{index}_instance_norm" for index in range(1, len(expected))]
        assert [layer.use_bias for layer in convolutions] == [True, *[False] * len(norms), True]
        slopes = [layer.negative_slope for layer in network.layers if isinstance(layer, keras.layers.LeakyReLU)]
        assert slopes == [0.2] * len(expected)


def test_both_images_are_judged():
    network = patchgan.discriminator((32, 40, 3), (32, 40, 1), 16, filters=2)
    assert [tensor.name for tensor in network.inputs] == ["image", "condition"]
    random = np.random.default_rng(0)
    image, other = random.uniform(-1, 1, (2, 1, 32, 40, 3)).astype("float32")
    condition, else_where = random.uniform(-1, 1, (2, 1, 32, 40, 1)).astype("float32")
    scores = np.array(network([image, condition]))
    for changed in ([other, condition], [image, else_where]):
        assert np.abs(np.array(network(changed)) - scores).max() > 1e-4


@pytest.mark.parametrize(("filters", "parameters"), [(64, 2_764_737), (16, 175_089)])
def test_parameters_of_the_authors_network_for_cyclegan(filters, parameters):
    """By hand, at 64: 3,136 + 131,200 + 524,544 + 2,097,664 + 8,193; the normalization has no weights."""
    network = patchgan.discriminator((32, 32, 3), filters=filters, conditional=False, affine=False)
    assert network.count_params() == parameters
    assert all(layer.use_bias for layer in network.layers if isinstance(layer, keras.layers.Conv2D))


def test_images_by_themselves():
    network = patchgan.discriminator((32, 40, 3), (7, 7, 1), 16, filters=2, conditional=False)
    assert [tensor.name for tensor in network.inputs] == ["image"]
    assert network.input_shape == (None, 32, 40, 3)  # Whatever the shape of a condition that is not judged.
    image, other = np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 40, 3)).astype("float32")
    assert np.abs(np.array(network(image)) - np.array(network(other))).max() > 1e-4
    packed = patchgan.discriminator((32, 32, 3), filters=2, packing=2, conditional=False)
    assert packed.input_shape == (None, 32, 32, 6)


def test_packing():
    network = patchgan.discriminator((32, 32, 3), (32, 32, 1), filters=2, packing=2)
    assert [tensor.shape[1:] for tensor in network.inputs] == [(32, 32, 6), (32, 32, 2)]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_scores_are_float32(policy):
    keras.config.set_dtype_policy(policy)
    network = patchgan.discriminator((32, 32, 1), filters=2)
    assert network([np.ones((1, 32, 32, 1), "float32")] * 2).dtype == "float32"
    assert network.get_layer("conv_0").compute_dtype == policy.removeprefix("mixed_")


def test_initial_weights():
    network = patchgan.discriminator((32, 32, 3), filters=32)
    kernels = np.concatenate([v.numpy().ravel() for v in network.trainable_variables if v.path.endswith("kernel")])
    np.testing.assert_allclose([kernels.mean(), kernels.std()], [0, 0.02], atol=2e-4)


def test_refusals():
    with pytest.raises(ValueError, match="must be one of 1, 16, 70, 286. Received: receptive_field=64"):
        patchgan.discriminator((64, 64, 3), receptive_field=64)
    words = r"receptive field 286 needs images of 65x65 pixels or more. Received: .*\(64, 64, 3\).*receptive_field=70"
    with pytest.raises(ValueError, match=words):
        patchgan.discriminator((64, 64, 3), receptive_field=286)
    with pytest.raises(ValueError, match="receptive field 70 needs images of 17x17 pixels .*receptive_field=16"):
        patchgan.discriminator((16, 16, 3))
    with pytest.raises(ValueError, match=r"same height and width. Received: condition_shape=\(32, 16, 3\)"):
        patchgan.discriminator((32, 32, 3), (32, 16, 3))
    with pytest.raises(ValueError, match="one of 'instance', 'batch', None. Received: .*'layer'"):
        patchgan.discriminator((32, 32, 3), normalization="layer")
