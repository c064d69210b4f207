import keras
import numpy as np
import pytest

from ganzoo.networks import autoencoder

SHAPES = [((5,), None), ((7, 3, 2), None), ((28, 28, 1), 2), ((16, 24, 3), 2), ((11, 14, 4), 2)]


def maps(network, *names):
    return [network.get_layer(name).output.shape[1:] for name in names]


@pytest.mark.parametrize(("shape", "filters"), SHAPES)
@pytest.mark.parametrize("outputs", [1, 2])
def test_any_shape(shape, filters, outputs):
    settings = {"latent_dim": 3, "hidden": (6, 5), "filters": filters}
    encoder = autoencoder.encoder(shape, outputs=outputs, **settings)
    decoder = autoencoder.decoder(shape, **settings)
    assert encoder.input_shape == decoder.output_shape == (None, *shape)
    assert [tuple(output.shape) for output in encoder.outputs] == [(None, 3)] * outputs
    samples = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype("float32")
    codes = encoder(samples)
    assert decoder(codes if outputs == 1 else codes[0]).shape == (2, *shape)


def test_the_decoder_mirrors_the_encoder():
    encoder = autoencoder.encoder((28, 28, 1), latent_dim=3, filters=2)
    decoder = autoencoder.decoder((28, 28, 1), latent_dim=3, filters=2)
    assert maps(encoder, "down_0", "down_1") == [(14, 14, 2), (7, 7, 4)]
    assert maps(decoder, "reshape", "up_0", "head") == [(7, 7, 4), (14, 14, 2), (28, 28, 1)]
    dense = [autoencoder.encoder((4,), 3, (6, 5)), autoencoder.decoder((4,), 3, (6, 5))]
    units = [[layer.units for layer in net.layers if isinstance(layer, keras.layers.Dense)] for net in dense]
    assert units == [[6, 5, 3], [5, 6, 4]]


def test_a_size_that_does_not_divide_is_cropped_at_the_centre():
    decoder = autoencoder.decoder((11, 14, 3), latent_dim=3, filters=2)
    assert maps(decoder, "head") == [(12, 14, 3)]
    latents = np.ones((1, 3), "float32")
    larger = keras.Model(decoder.inputs[0], decoder.get_layer("head").output)(latents)
    np.testing.assert_array_equal(decoder(latents), larger[:, :11])


@pytest.mark.parametrize("filters", [None, 2])
def test_ends_are_float32(filters):
    keras.config.set_dtype_policy("mixed_bfloat16")
    encoder = autoencoder.encoder((16, 16, 1), hidden=(4,), filters=filters, outputs=2)
    decoder = autoencoder.decoder((16, 16, 1), hidden=(4,), filters=filters)
    assert [output.dtype for output in (*encoder.outputs, *decoder.outputs)] == ["float32"] * 3
    hidden = "dense_0" if filters is None else "down_0"
    assert encoder.get_layer(hidden).compute_dtype == "bfloat16"
    assert decoder.get_layer("head").compute_dtype == "float32"


def test_initial_weights_differ():
    """An initializer that is an instance would give layers of one shape the same weights."""
    encoder = autoencoder.encoder((4,), latent_dim=4, hidden=(4, 4), outputs=2)
    kernels = [weight for weight in encoder.get_weights() if weight.ndim == 2]
    assert len(kernels) == 4 and len({kernel.tobytes() for kernel in kernels}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (28, 28)}, "needs the number of channels"),
        ({"image_shape": (5,), "filters": 2}, r"must be \(height, width, channels\) of positive integers"),
        ({"image_shape": (6, 6, 1), "filters": 2}, "need images of 8x8 pixels or more"),
        ({"image_shape": (8, 8, 1), "filters": 0}, "`filters` must be an integer of at least 1"),
        ({"image_shape": (8, 8, 1), "latent_dim": 0}, "`latent_dim` must be an integer of at least 1"),
        ({"image_shape": (8, 8, 1), "outputs": 3}, "`outputs` must be one of 1, 2. Received: outputs=3"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        autoencoder.encoder(**arguments)
    if "outputs" not in arguments:
        with pytest.raises(ValueError, match=message):
            autoencoder.decoder(**arguments)


# === BEGAN ===

BEGAN_SHAPES = [(28, 28, 1), (32, 32, 3), (8, 8, 1), (5, 3, 2), (20, 12, 3)]


@pytest.mark.parametrize("shape", BEGAN_SHAPES)
@pytest.mark.parametrize("packing", [1, 2])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_networks_of_began(shape, packing, num_classes):
    generator = autoencoder.generator(shape, latent_dim=4, filters=2, num_classes=num_classes)
    discriminator = autoencoder.discriminator(
        shape, filters=2, embedding_dim=3, num_classes=num_classes, packing=packing
    )
    packs = (*shape[:2], packing * shape[2])
    random = np.random.default_rng(0)
    latents, image = random.normal(size=(2, 4)), random.uniform(-1, 1, (2, *packs))
    labels = random.integers(0, 3, (2, packing))
    images = generator(latents if num_classes is None else [latents, labels[:, 0]])
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1
    label = labels[:, 0] if packing == 1 else labels
    assert discriminator(image if num_classes is None else [image, label]).shape == (2, *packs)


def test_the_maps_of_began():
    """Filters grow linearly on the way down and stay on the way up; 32 pixels become 8, as in the paper."""
    discriminator = autoencoder.discriminator((32, 32, 3), filters=4, embedding_dim=5)
    names = "from_image", "encoder_0_1", "down_0", "encoder_1_1", "down_1", "encoder_2_1", "embedding", "reshape"
    assert maps(discriminator, *names) == [
        *((32, 32, 4), (32, 32, 4), (16, 16, 8), (16, 16, 8), (8, 8, 12), (8, 8, 12)),
        *((5,), (8, 8, 4)),
    ]
    names = "decoder_0_1", "up_0", "decoder_1_1", "up_1", "decoder_2_1", "to_image"
    upwards = [(8, 8, 4), (16, 16, 4), (16, 16, 4), (32, 32, 4), (32, 32, 4), (32, 32, 3)]
    assert maps(discriminator, *names) == upwards
    assert maps(autoencoder.generator((32, 32, 3), filters=4), *names) == upwards
    for name in ("embedding", "project"):
        assert discriminator.get_layer(name).activation is keras.activations.linear
    assert discriminator.get_layer("encoder_0_0").activation is keras.activations.elu


@pytest.mark.parametrize(("side", "count"), [(5, 0), (8, 0), (9, 1), (16, 1), (28, 2), (32, 2), (64, 3), (128, 4)])
def test_halvings(side, count):
    assert autoencoder.halvings((side, side, 1)) == count


def test_the_generator_of_began_is_linear_in_training():
    generator = autoencoder.generator((8, 8, 1), latent_dim=4, filters=2)
    head = generator.get_layer("to_image")
    head.kernel.assign(100 * head.kernel)
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    images = np.asarray(generator(latents, training=True))
    assert np.abs(images).max() > 2
    np.testing.assert_array_equal(generator(latents, training=False), np.clip(images, -1, 1))
    assert np.abs(generator(latents)).max() == 1


def test_latents_of_began_are_uniform():
    generator = autoencoder.generator((8, 8, 1), latent_dim=4, filters=2)
    uniform = keras.Model(generator.inputs[0], generator.get_layer("uniform_latents").output)
    values = np.sort(np.ravel(uniform(np.random.default_rng(0).normal(size=(50_000, 4)))))
    np.testing.assert_allclose(values, np.linspace(-1, 1, len(values)), atol=0.01)
    assert "uniform_latents" not in [layer.name for layer in plain_generator().layers]


def plain_generator():
    return autoencoder.generator((8, 8, 1), latent_dim=4, filters=2, uniform_latents=False)
