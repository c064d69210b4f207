import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.networks import unet
from ganzoo.networks.unet import BatchStatisticsNormalization, NoiseDropout
from tests.check_model import two_replicas

SHAPES = [(64, 64, 3), (32, 32, 1), (28, 28, 1), (96, 64, 3), (64, 128, 4), (100, 60, 2), (256, 256, 3), (8, 8, 1)]


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def latents_for(network, count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, network.inputs[0].shape[1])).astype("float32")


def translate(network, inputs, seed=0, **kwargs):
    return np.array(network([latents_for(network, len(inputs), seed), inputs], **kwargs))


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape(shape):
    network = unet.generator(shape, (*shape[:2], 2), filters=1)
    assert network.output_shape == (None, *shape)
    assert [tensor.name for tensor in network.inputs] == ["latents", "condition"]
    output = translate(network, images(2, *shape[:2], 2))
    assert output.shape == (2, *shape) and 0 < np.abs(output).max() <= 1


@pytest.mark.parametrize(
    ("shape", "depth"),
    [((256, 256, 3), 8), ((64, 64, 3), 6), ((32, 32, 1), 5), ((96, 64, 3), 5), ((100, 60, 3), 2), ((512, 512, 3), 8)],
)
def test_depth_follows_the_size(shape, depth):
    assert unet.depth_of(shape) == depth
    assert unet.depth_of(shape, 2) == 2


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def test_the_network_of_the_paper():
    """Section 6.1.1: C64-C128-C256-C512-C512-C512-C512-C512, and back; here a 32nd of the filters."""
    network = unet.generator((256, 256, 3), filters=2)
    down = [layer for layer in network.layers if layer.name.startswith("down_") and layer.name[-1].isdigit()]
    assert [layer.filters for layer in down] == [2, 4, 8, 16, 16, 16, 16, 16]
    assert down[-1].output.shape[1:3] == (1, 1)
    up = [layer for layer in network.layers if layer.name.startswith("up_") and layer.name[-1].isdigit()]
    assert [layer.filters for layer in up] == [16, 16, 16, 16, 8, 4, 2]
    # The U-Net decoder's maps after the concatenation: 1024-1024-1024-1024-512-256-128.
    assert [layer.output.shape[-1] for layer in kinds(network, keras.layers.Concatenate)] == [32, 32, 32, 32, 16, 8, 4]
    assert [layer.output.shape[1:] for layer in kinds(network, NoiseDropout)] == [(2, 2, 16), (4, 4, 16), (8, 8, 16)]
    assert network.inputs[0].shape == (None, (4 + 16 + 64) * 16)
    assert [layer.negative_slope for layer in kinds(network, keras.layers.LeakyReLU)] == [0.2] * 7
    assert len(kinds(network, keras.layers.ReLU)) == 8


def test_normalization_stands_everywhere_but_at_the_ends_and_the_bottleneck():
    for normalization, kind in (
        ("instance", keras.layers.GroupNormalization),
        ("batch", keras.layers.BatchNormalization),
    ):
        network = unet.generator((16, 16, 1), filters=2, normalization=normalization)
        names = [layer.name.rsplit("_", 2)[0] for layer in kinds(network, kind)]
        assert names == ["down_1", "down_2", "up_3", "up_2", "up_1"]
    network = unet.generator((16, 16, 1), filters=2, normalization=None)
    assert not kinds(network, (keras.layers.GroupNormalization, keras.layers.BatchNormalization))
    assert all(layer.use_bias for layer in kinds(network, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)))


def test_initial_weights():
    network = unet.generator((32, 32, 3), filters=16)
    kernels = np.concatenate([v.numpy().ravel() for v in network.trainable_variables if v.path.endswith("kernel")])
    np.testing.assert_allclose([kernels.mean(), kernels.std()], [0, 0.02], atol=2e-4)


def test_skips_carry_what_the_bottleneck_cannot():
    """With the bottleneck cut, the input reaches the output through the skips alone."""
    with_skips = unet.generator((16, 16, 1), filters=2, dropout=0.0)
    without = unet.generator((16, 16, 1), filters=2, dropout=0.0, skips=False)
    assert len(kinds(with_skips, keras.layers.Concatenate)) == 3
    assert not kinds(without, keras.layers.Concatenate)
    assert without.name == "encoder_decoder_generator"
    for network, passes in ((with_skips, True), (without, False)):
        network.get_layer("up_3").kernel.assign(tf.zeros_like(network.get_layer("up_3").kernel))  # Cut the bottleneck.
        one, other = (translate(network, images(1, 16, 16, 1, seed=seed)) for seed in (0, 1))
        assert (np.abs(one - other).max() > 1e-3) == passes


def test_bottleneck_is_not_zeroed():
    network = unet.generator((16, 16, 1), filters=2, dropout=0.0)
    inner = keras.Model(network.inputs, network.get_layer("down_3").output)
    bottleneck = translate(inner, images(2, 16, 16, 1))
    assert bottleneck.shape == (2, 1, 1, 16) and np.abs(bottleneck[0] - bottleneck[1]).max() > 1e-5


def test_instance_normalization_couples_no_images():
    network = unet.generator((16, 16, 1), filters=2)
    inputs, latents = images(3, 16, 16, 1), latents_for(network, 3)
    together = np.array(network([latents, inputs], training=True))
    alone = np.array(network([latents[1:2], inputs[1:2]], training=True))
    np.testing.assert_allclose(alone[0], together[1], atol=1e-6)


# === The noise ===


def test_noise_dropout_is_dropout_of_the_latents():
    layer = NoiseDropout(0.25, start=2)
    features = np.arange(1, 9, dtype="float32").reshape(1, 2, 2, 2)
    latents = np.array([[9, 9, -0.68, -0.67, 0, 5, -5, 1, -0.6744, -0.6745, -9]], "float32")  # Phi(-0.6745) = 0.25
    kept = np.array([0, 1, 1, 1, 0, 1, 1, 0]).reshape(1, 2, 2, 2)
    expected = features * kept / 0.75
    for training in (True, False):
        np.testing.assert_allclose(layer([features, latents], training=training), expected, rtol=1e-6)
    quiet = NoiseDropout(0.25, start=2, at_test=False)
    np.testing.assert_array_equal(quiet([features, latents], training=False), features)
    np.testing.assert_allclose(quiet([features, latents], training=True), expected, rtol=1e-6)
    assert NoiseDropout.from_config(quiet.get_config()).get_config() == quiet.get_config()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_noise_dropout_drops_the_right_fraction_and_keeps_the_mean(rate):
    latents = np.random.default_rng(0).standard_normal((10, 10_000)).astype("float32")
    outputs = np.array(NoiseDropout(rate)([np.ones((10, 100, 100, 1), "float32"), latents]))
    deviation = np.sqrt(rate * (1 - rate) / 100_000)
    assert abs((outputs == 0).mean() - rate) < 4 * deviation
    assert abs(outputs.mean() - 1) < 4 * deviation / (1 - rate)


def test_each_latent_decides_for_one_unit():
    network = unet.generator((16, 16, 1), filters=2, normalization=None)
    size = network.inputs[0].shape[1]
    assert size == 2 * 2 * 8 + 4 * 4 * 4 + 8 * 8 * 2
    drops = keras.Model(network.inputs, [layer.output for layer in kinds(network, NoiseDropout)])
    latents = np.full((1, size), 1.0, "float32")
    before = [np.array(output) for output in drops([latents, images(1, 16, 16, 1)])]
    start = 0
    for index, whole in enumerate(before):
        latents[:] = 1.0
        latents[:, start : start + whole.size] = -1.0
        after = [np.array(output) for output in drops([latents, images(1, 16, 16, 1)])]
        assert not after[index].any()
        for earlier in range(index):
            np.testing.assert_array_equal(after[earlier], before[earlier])
        start += whole.size
    assert start == size


def test_options_of_the_noise():
    inputs = images(2, 16, 16, 1)
    noisy = unet.generator((16, 16, 1), filters=2)
    for training in (True, False):
        one, other = (translate(noisy, inputs, seed=seed, training=training) for seed in (0, 1))
        assert np.abs(one - other).max() > 1e-4
    quiet = unet.generator((16, 16, 1), filters=2, dropout_at_test=False)
    np.testing.assert_array_equal(*(translate(quiet, inputs, seed=seed, training=False) for seed in (0, 1)))
    assert np.ptp([translate(quiet, inputs, seed=seed, training=True) for seed in (0, 1)], axis=0).max() > 1e-4
    none = unet.generator((16, 16, 1), filters=2, dropout=0.0)
    assert none.inputs[0].shape == (None, 1)
    np.testing.assert_array_equal(*(translate(none, inputs, seed=seed, training=True) for seed in (0, 1)))


# === Statistics ===


def test_batch_statistics_at_test():
    """Outputs have mean 0 and spread 1 in each channel in inference, too, and the moving statistics stay."""
    x = 3 * images(4, 5, 5, 2) + 1
    layer = BatchStatisticsNormalization(epsilon=1e-5)
    trained = np.array(layer(x, training=True))
    moving = [weight.numpy() for weight in layer.non_trainable_weights]
    tested = np.array(layer(x, training=False))
    np.testing.assert_allclose(tested, trained, atol=1e-5)
    np.testing.assert_allclose(tested.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(tested.std((0, 1, 2)), 1, atol=1e-4)
    for weight, before in zip(layer.non_trainable_weights, moving):
        np.testing.assert_array_equal(weight.numpy(), before)


def test_batch_statistics_of_one_image_are_instance_statistics():
    """The paper's setting, a batch of one."""
    batch = unet.generator((16, 16, 1), filters=2, normalization="batch", batch_statistics_at_test=True)
    instance = unet.generator((16, 16, 1), filters=2)
    for ours, theirs in zip(instance.trainable_weights, batch.trainable_weights):
        ours.assign(theirs)
    inputs = images(2, 16, 16, 1)
    np.testing.assert_allclose(translate(batch, inputs[:1]), translate(instance, inputs[:1]), atol=1e-5)
    # In a larger batch, images depend on each other.
    latents = latents_for(batch, 1)
    both = np.array(batch([np.repeat(latents, 2, 0), inputs]))
    assert np.abs(both[0] - np.array(batch([latents, inputs[:1]]))[0]).max() > 1e-4


def test_batch_statistics_over_replicas():
    x = images(4, 3, 3, 2)
    strategy = two_replicas()
    alone = BatchStatisticsNormalization()(x, training=False)
    with strategy.scope():
        layer = BatchStatisticsNormalization()
        layer.build(x.shape)
    halves = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(x[2 * context.replica_id_in_sync_group :][:2])
    )
    together = strategy.run(lambda part: layer(part, training=False), args=(halves,))
    together = np.concatenate(strategy.experimental_local_results(together))
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_images_are_float32(policy, normalization):
    keras.config.set_dtype_policy(policy)
    network = unet.generator(
        (16, 16, 1), filters=2, normalization=normalization, batch_statistics_at_test=normalization == "batch"
    )
    latents, inputs = latents_for(network, 2), images(2, 16, 16, 1)
    for training in (True, False):
        output = network([latents, inputs], training=training)
        assert output.dtype == "float32" and np.isfinite(output).all()
    assert network.get_layer("down_0").compute_dtype == policy.removeprefix("mixed_")


def test_refusals():
    with pytest.raises(ValueError, match=r"divide by 4. Received: .*\(30, 32, 1\).*such as \(32, 32\)"):
        unet.generator((30, 32, 1))
    with pytest.raises(ValueError, match=r"5 halvings .* divide by 32. Received: .*such as \(32, 32\)"):
        unet.generator((28, 28, 1), depth=5)
    with pytest.raises(ValueError, match="`depth` must be an integer of at least 2, or None"):
        unet.generator((32, 32, 1), depth=2.5)
    with pytest.raises(ValueError, match="`depth` must be an integer of at least 2, or None. Received: depth=1"):
        unet.generator((32, 32, 1), depth=1)
    with pytest.raises(ValueError, match="must be a finite number of at least 0 and below 1. Received: dropout=1"):
        unet.generator((32, 32, 1), dropout=1)
    with pytest.raises(ValueError, match=r"same height and width. Received: condition_shape=\(16, 32, 3\)"):
        unet.generator((32, 32, 1), (16, 32, 3))
    with pytest.raises(ValueError, match="asks for normalization=\"batch\". Received: normalization='instance'"):
        unet.generator((32, 32, 1), batch_statistics_at_test=True)
    with pytest.raises(ValueError, match="one of 'instance', 'batch', None. Received: .*'layer'"):
        unet.generator((32, 32, 1), normalization="layer")
