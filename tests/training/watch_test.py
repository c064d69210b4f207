"""What is wrong behind a clean first batch is named by batch and sample."""

import numpy as np
import pytest
import tensorflow as tf

import ganzoo

IMAGES = np.random.default_rng(0).uniform(-1, 1, (40, 4, 4, 1)).astype("float32")
LABELS = np.arange(40) % 3


def with_value(value):
    images = IMAGES.copy()
    images[21, 0, 0, 0] = value
    return images


def model(num_classes=3):
    gan = ganzoo.GAN.from_paper((4, 4, 1), hidden=(2,), num_classes=num_classes)
    gan.compile("sgd", "sgd", run_eagerly=True)
    return gan


def stream(*parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(8, drop_remainder=True)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((with_value(np.nan), LABELS), "samples with NaN or infinite values: first in sample 5 of batch 2"),
        ((with_value(np.inf), LABELS), "samples with NaN or infinite values: first in sample 5 of batch 2"),
        ((with_value(-7.0), LABELS), "samples outside of -1 to 1: first in sample 5 of batch 2"),
        ((IMAGES, np.where(np.arange(40) == 38, 3, LABELS)), r"labels outside of 0\.\.2.*first in sample 6 of batch 4"),
        ((IMAGES, np.where(np.arange(40) == 9, -1, LABELS)), r"labels outside of 0\.\.2.*first in sample 1 of batch 1"),
    ],
)
def test_a_stream_is_checked_as_it_passes(parts, words):
    with pytest.raises(ValueError, match=words):
        model().fit(stream(*parts), verbose=0, check=False)


def test_a_clean_stream_passes():
    assert model().fit(stream(IMAGES, LABELS), verbose=0).history.keys() >= {"d_loss", "g_loss"}


def test_input_images_are_checked():
    unet, patchgan = ganzoo.networks.unet, ganzoo.networks.patchgan
    generator = unet.generator((8, 8, 1), filters=2, dropout=0.0)
    discriminator = patchgan.discriminator((8, 8, 1), filters=2, receptive_field=16)
    translator = ganzoo.Pix2Pix(generator, discriminator)
    translator.compile("sgd", "sgd", run_eagerly=True)
    inputs = np.zeros((8, 8, 8, 1), "float32")
    targets = inputs.copy()
    inputs[6, 0, 0, 0] = np.nan
    data = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(2, drop_remainder=True)
    with pytest.raises(ValueError, match="input images with NaN or infinite values: first in sample 0 of batch 3"):
        translator.fit(data, verbose=0, check=False)


def test_all_labels_in_memory_are_checked_before_the_first_step():
    gan = model()
    with pytest.raises(ValueError, match=r"Labels must lie in 0\.\.2.*from 0 to 9"):
        gan.fit(IMAGES, np.where(np.arange(40) == 39, 9, LABELS), batch_size=8, verbose=0)
    assert gan.steps_done == 0
