import keras
import numpy as np
import pytest

from ganzoo.networks import maxout


def test_the_networks_of_the_paper():
    generator = maxout.generator((28, 28, 1), num_classes=10)
    discriminator = maxout.discriminator((28, 28, 1), num_classes=10)
    # Section 4.1: 100 -> 200, 10 -> 1000, 1200 -> 1200 -> 784.
    assert generator.count_params() == 101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784
    # 784 -> 240 of 5 pieces, 10 -> 50 of 5, 290 -> 240 of 4, and a logit.
    assert discriminator.count_params() == 785 * 240 * 5 + 11 * 50 * 5 + 291 * 240 * 4 + 241
    assert [tensor.name for tensor in generator.inputs] == ["latents", "label"]
    assert [tensor.name for tensor in discriminator.inputs] == ["image", "label"]


def test_without_classes():
    generator, discriminator = maxout.generator((28, 28, 1)), maxout.discriminator((28, 28, 1))
    assert generator.count_params() == 101 * 200 + 201 * 1200 + 1201 * 784
    assert discriminator.count_params() == 785 * 240 * 5 + 241 * 240 * 4 + 241


@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 3, 4), (2,)])
def test_any_shape(shape):
    generator = maxout.generator(shape, 5, hidden=(3, 4, 6), num_classes=3)
    discriminator = maxout.discriminator(shape, units=((3, 2), (2, 2), (4, 3)), num_classes=3)
    latents, labels = 1000 * np.ones((3, 5), "float32"), np.arange(3)
    samples = np.array(generator([latents, labels]))
    assert samples.shape == (3, *shape) and (np.abs(samples).max() <= 1) == (len(shape) == 3)
    assert not np.allclose(samples[0], samples[1])
    scores = np.array(discriminator([np.repeat(samples[:1], 3, axis=0), labels]))
    assert len(set(scores.ravel())) == 3


def test_score_by_hand():
    discriminator = maxout.discriminator((2,), units=((3, 2), (2, 2), (4, 3)), num_classes=2)
    weights = [np.random.default_rng(0).normal(size=weight.shape) for weight in discriminator.get_weights()]
    discriminator.set_weights(weights)
    by_name = {variable.path: weight for variable, weight in zip(discriminator.weights, weights)}

    def layer(name, x, pieces):
        return (x @ by_name[f"{name}/kernel"] + by_name[f"{name}/bias"]).reshape(len(x), -1, pieces).max(-1)

    x, labels = np.array([[0.5, -1.0], [2.0, 0.1]], "float32"), np.array([1, 0])
    both = np.concatenate([layer("from_image", x, 2), layer("from_label", np.eye(2)[labels], 2)], axis=1)
    wanted = layer("score", layer("joint", both, 3), 1)
    np.testing.assert_allclose(discriminator([x, labels]), wanted, rtol=1e-5)


def test_ends_are_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    generator, discriminator = maxout.generator((4, 4, 1), 5, (3, 3, 3)), maxout.discriminator((4, 4, 1))
    images = generator(np.ones((2, 5), "float32"))
    assert images.dtype == "float32"
    assert discriminator(images).dtype == "float32"
