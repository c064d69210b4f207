import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.constraints import WeightClip, clip_weights


def test_clips_each_entry():
    clipped = WeightClip(0.5)(np.array([[-2.0, -0.5], [0.25, 0.75]], "float32"))
    np.testing.assert_array_equal(clipped, [[-0.5, -0.5], [0.25, 0.5]])


def test_default_is_that_of_the_paper():
    assert WeightClip().clip_value == 0.01


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf"), True, "0.01", None])
def test_the_bound_must_be_positive(value):
    with pytest.raises(ValueError, match="`clip_value` must be a finite number above 0. Received: clip_value="):
        WeightClip(value)


def test_round_trip():
    clip = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(WeightClip(0.25)))
    assert isinstance(clip, WeightClip)
    assert clip.clip_value == 0.25


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("clip_normalization", [True, False])
def test_is_attached_to_every_trainable_variable(normalization, clip_normalization):
    critic = ganzoo.networks.dcgan.discriminator((16, 16, 1), 2, normalization, num_classes=3, label="embedding")
    clip_weights(critic, 0.1, clip_normalization)
    names = [variable.path.rsplit("/", 1)[-1] for variable in critic.trainable_variables]
    assert {"kernel", "bias", "gamma", "beta", "embeddings"} == set(names)
    for name, variable in zip(names, critic.trainable_variables):
        free = {"embeddings"} if clip_normalization else {"embeddings", "gamma", "beta"}
        assert isinstance(variable.constraint, WeightClip) == (name not in free), variable.path
    assert all(variable.constraint is None for variable in critic.non_trainable_variables)


def test_bounds_what_a_projection_adds_to_the_score():
    critic = ganzoo.networks.dcgan.discriminator((8, 8, 1), 2, None, num_classes=3, conditioning="projection")
    clip_weights(critic, 0.1)
    assert "projection" in {variable.path.split("/")[0] for variable in critic.trainable_variables}
    assert all(variable.constraint.clip_value == 0.1 for variable in critic.trainable_variables)


def test_reaches_nested_models():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)])
    image = keras.Input((3,))
    critic = keras.Model(image, keras.layers.Dense(1)(inner(image)))
    clip_weights(critic, clip_normalization=False)
    clipped = [variable for variable in critic.trainable_variables if variable.constraint is not None]
    assert len(clipped) == 4  # two kernels, two biases
    clip_weights(critic, clip_normalization=True)
    assert all(variable.constraint is not None for variable in critic.trainable_variables)


def test_another_constraint_is_refused():
    critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_constraint="non_neg")])
    with pytest.raises(ValueError, match="has the constraint .*NonNeg.* already.*without constraints"):
        clip_weights(critic)
