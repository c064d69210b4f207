import keras
import numpy as np
import tensorflow as tf

import ganzoo
from tests.check_model import check_model, tiny
from tests.models.gan_test import LOGS


def make(**overrides):
    return tiny(ganzoo.DCGAN, (16, 16, 1), **{"filters": 2, **overrides})


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.DCGAN.from_paper((64, 64, 3), filters=8)
    assert model.latent_dim == 100
    assert model.discriminator_steps == 1
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        np.testing.assert_allclose(float(optimizer.learning_rate), 2e-4, rtol=1e-6)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)


def test_real_and_generated_samples_pass_the_discriminator_in_separate_batches():
    """Batch normalization of a mixture would see the statistics of both."""
    model = make()
    batches = []
    forward = model.discriminator.call

    def recording(inputs, **kwargs):
        batches.append(np.array(inputs))
        return forward(inputs, **kwargs)

    model.discriminator.call = recording
    real = tf.fill((4, 16, 16, 1), 0.5)
    model.update_discriminator(real)
    assert [len(batch) for batch in batches] == [4, 4]
    assert (batches[0] == 0.5).all()
    assert not (batches[1] == 0.5).any()
