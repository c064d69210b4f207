import keras
import numpy as np
import pytest

from ganzoo.networks import translator
from ganzoo.networks.translator import ReflectionPadding2D


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


# === The network of the paper ===


@pytest.mark.parametrize(
    ("side", "filters", "blocks", "parameters"),
    [(256, 64, 9, 11_378_179), (128, 64, 6, 7_837_699), (32, 16, 6, 494_083)],
)
def test_parameters_of_the_authors_network(side, filters, blocks, parameters):
    """The counts of the authors' networks, whose instance normalization has no weights and whose convolutions have
    biases. By hand, for 9 blocks: 9,472 + 73,856 + 295,168 + 9 * 1,180,160 + 295,040 + 73,792 + 9,411.
    """
    network = translator.generator((side, side, 3), filters=filters)
    assert network.count_params() == parameters
    assert len(kinds(network, keras.layers.Add)) == blocks
    assert not network.non_trainable_weights


def test_layers_of_the_paper():
    """Appendix 7.2: c7s1-64, d128, d256, R256 x 9, u128, u64, c7s1-3; here a 32nd of the filters."""
    network = translator.generator((132, 64, 3), (132, 64, 1), filters=2)
    assert [tensor.name for tensor in network.inputs] == ["image"]
    assert network.input_shape == (None, 132, 64, 1) and network.output_shape == (None, 132, 64, 3)
    convolutions = kinds(network, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))
    assert [layer.filters for layer in convolutions] == [2, 4, 8, *[8] * 18, 4, 2, 3]
    assert [layer.kernel_size[0] for layer in convolutions] == [7, *[3] * 22, 7]
    assert [layer.strides[0] for layer in convolutions] == [1, 2, 2, *[1] * 18, 2, 2, 1]
    assert [layer.padding for layer in kinds(network, ReflectionPadding2D)] == [3, *[1] * 18, 3]
    assert len(kinds(network, keras.layers.GroupNormalization)) == len(convolutions) - 1
    # One after each convolution but the last, and none where a block adds.
    assert len(kinds(network, keras.layers.ReLU)) == 3 + 9 + 2
    sides = {layer.output.shape[1:3] for layer in kinds(network, keras.layers.Add)}
    assert sides == {(33, 16)}


@pytest.mark.parametrize(
    ("shape", "blocks"), [((128, 128, 3), 6), ((64, 132, 3), 9), ((256, 256, 3), 9), ((8, 8, 3), 6)]
)
def test_blocks_follow_the_size(shape, blocks):
    assert translator.blocks_for(shape) == blocks


def test_initial_weights():
    network = translator.generator((16, 16, 3), filters=16, blocks=2)
    kernels = np.concatenate([v.numpy().ravel() for v in network.trainable_variables if v.path.endswith("kernel")])
    # 188,448 values: the error of the mean is 0.02 / 434, of the deviation 0.02 / 614; 4 of each.
    np.testing.assert_allclose([kernels.mean(), kernels.std()], [0, 0.02], atol=2e-4)
    assert all(not v.numpy().any() for v in network.trainable_variables if v.path.endswith("bias"))


def reflect(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode="reflect")


def convolve(x, layer, stride=1):
    kernel, bias = layer.get_weights()
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("nhwcij,ijco->nhwo", windows, kernel) + bias


def transposed(x, layer):
    """Each pixel writes a kernel, two pixels apart; what falls outside on the right and below is cut off."""
    kernel, bias = layer.get_weights()
    count, height, width, _ = x.shape
    y = np.zeros((count, 2 * height + 1, 2 * width + 1, kernel.shape[2]))
    for row in range(height):
        for column in range(width):
            y[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += np.einsum(
                "nc,ijoc->nijo", x[:, row, column], kernel
            )
    return y[:, :-1, :-1] + bias


def normalize(x):
    return (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)


def test_the_whole_network_by_hand():
    network = translator.generator((8, 12, 2), (8, 12, 1), filters=2, blocks=2)
    random = np.random.default_rng(0)
    network.set_weights([random.normal(0, 0.3, weight.shape) for weight in network.get_weights()])
    layer = network.get_layer
    x = inputs = images(2, 8, 12, 1)
    x = np.maximum(normalize(convolve(reflect(x.astype("float64"), 3), layer("first"))), 0)
    for name in ("down_1", "down_2"):
        one_more = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))  # "same": one zero, at the end.
        x = np.maximum(normalize(convolve(one_more, layer(name), stride=2)), 0)
    for name in ("block_0", "block_1"):
        change = np.maximum(normalize(convolve(reflect(x, 1), layer(f"{name}a"))), 0)
        x = x + normalize(convolve(reflect(change, 1), layer(f"{name}b")))
    for name in ("up_2", "up_1"):
        x = np.maximum(normalize(transposed(x, layer(name))), 0)
    x = np.tanh(convolve(reflect(x, 3), layer("images")))
    # float32 against float64 through nine normalizations.
    np.testing.assert_allclose(network(inputs), x, atol=1e-4)


# === Options ===


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3), (64, 32, 4), (12, 100, 2)])
def test_small_images(shape):
    network = translator.generator(shape, (*shape[:2], 2), filters=2)
    output = np.array(network(images(2, *shape[:2], 2)))
    assert output.shape == (2, *shape) and 0 < np.abs(output).max() <= 1
    assert np.ptp(output, axis=(1, 2)).min() > 0  # The smallest middle map, 2 x 2, still tells pixels apart.


def test_without_gains_the_normalization_cancels_the_biases():
    network = translator.generator((8, 8, 1), filters=2, blocks=1)
    before = np.array(network(images(1, 8, 8, 1)))
    for name in ("first", "down_1", "down_2", "block_0a", "block_0b", "up_2", "up_1"):
        network.get_layer(name).bias.assign_add(np.full(network.get_layer(name).bias.shape, 0.3))
    np.testing.assert_allclose(network(images(1, 8, 8, 1)), before, atol=1e-4)
    network.get_layer("images").bias.assign_add([0.3])
    assert np.abs(np.array(network(images(1, 8, 8, 1))) - before).min() > 0.1


@pytest.mark.parametrize(
    ("settings", "norm", "bias", "norm_weights"),
    [
        ({}, keras.layers.GroupNormalization, True, 0),
        ({"affine": True}, keras.layers.GroupNormalization, False, 2),
        ({"normalization": "batch"}, keras.layers.BatchNormalization, False, 4),
        ({"normalization": None}, (), True, None),
    ],
)
def test_normalization(settings, norm, bias, norm_weights):
    network = translator.generator((8, 8, 1), filters=2, blocks=1, **settings)
    *convolutions, last = kinds(network, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))
    assert {layer.use_bias for layer in convolutions} == {bias} and last.use_bias
    norms = kinds(network, norm) if norm else []
    assert len(norms) == (len(convolutions) if norm else 0)
    assert {len(layer.weights) for layer in norms} == (set() if norm_weights is None else {norm_weights})


def test_instance_normalization_couples_no_images():
    network = translator.generator((8, 8, 1), filters=2, blocks=2)
    together = np.array(network(images(3, 8, 8, 1), training=True))
    np.testing.assert_allclose(network(images(3, 8, 8, 1)[1:2], training=True)[0], together[1], atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_images_are_float32(policy):
    keras.config.set_dtype_policy(policy)
    network = translator.generator((8, 8, 1), filters=2, blocks=1)
    output = network(images(2, 8, 8, 1), training=True)
    assert output.dtype == "float32" and np.isfinite(output).all()
    assert network.get_layer("block_0a").compute_dtype == policy.removeprefix("mixed_")


def test_reflection_padding():
    x = images(2, 4, 5, 3)
    layer = ReflectionPadding2D(2)
    np.testing.assert_array_equal(layer(x), reflect(x, 2))
    assert layer.compute_output_shape((None, 4, None, 3)) == (None, 8, None, 3)
    row = np.array([1, 2, 3, 4], "float32").reshape(1, 1, 4, 1).repeat(3, axis=1)
    assert np.array(layer(row))[0, 0, :, 0].tolist() == [3, 2, 1, 2, 3, 4, 3, 2]


def test_a_saved_network_is_the_same(tmp_path):
    network = translator.generator((8, 8, 1), filters=2, blocks=1)
    network.save(tmp_path / "translator.keras")
    loaded = keras.models.load_model(tmp_path / "translator.keras")
    np.testing.assert_array_equal(loaded(images(2, 8, 8, 1)), network(images(2, 8, 8, 1)))


def test_refusals():
    with pytest.raises(ValueError, match=r"divide by 4 .*Received: .*\(30, 32, 3\).*such as \(32, 32\)"):
        translator.generator((30, 32, 3))
    with pytest.raises(ValueError, match=r"8 or more. Received: .*\(4, 32, 3\).*such as \(8, 32\)"):
        translator.generator((4, 32, 3))
    with pytest.raises(ValueError, match=r"same height and width. Received: condition_shape=\(16, 32, 3\)"):
        translator.generator((32, 32, 3), (16, 32, 3))
    with pytest.raises(ValueError, match="`blocks` must be an integer from 1 to 1,000, or None. Received: blocks=0"):
        translator.generator((32, 32, 3), blocks=0)
    with pytest.raises(ValueError, match="`filters` must be an integer of at least 1. Received: filters=1.5"):
        translator.generator((32, 32, 3), filters=1.5)
    with pytest.raises(ValueError, match="one of 'instance', 'batch', None. Received: .*'layer'"):
        translator.generator((32, 32, 3), normalization="layer")
    with pytest.raises(ValueError, match="`padding` must be an integer of at least 1. Received: padding=0"):
        ReflectionPadding2D(0)
