import numpy as np
import pytest

import ganzoo
from ganzoo.layers import SelfAttention
from tests.check_model import config_round_trip, logs_of_one_step, resumes_with_the_same_bits, tiny

LOGS = {"d_loss", "g_loss", "real_score", "fake_score"}


def make(**overrides):
    return tiny(ganzoo.SAGAN, (16, 16, 1), **{"num_classes": 3, "filters": 1, **overrides})


# The step is SNGAN's, and BigGAN's test has the networks.
@pytest.mark.parametrize(
    "check", [config_round_trip, logs_of_one_step, resumes_with_the_same_bits], ids=lambda check: check.__name__
)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.SAGAN.from_paper((32, 32, 3), num_classes=3, filters=1)
    assert model.hinge and model.discriminator_steps == 1 and model.latent_dim == 128
    rates = [float(optimizer.learning_rate) for optimizer, _ in model.optimizers.values()]
    np.testing.assert_allclose(rates, [1e-4, 4e-4], rtol=1e-6)
    assert all((optimizer.beta_1, optimizer.beta_2) == (0.0, 0.9) for optimizer, _ in model.optimizers.values())
    for network in (model.generator, model.discriminator):
        (attention,) = (layer for layer in network.layers if isinstance(layer, SelfAttention))
        assert attention.output.shape[1:3] == (16, 16) and float(attention.gain) == 0.0


def test_attention_can_be_left_out():
    model = make(generator_attention=None, discriminator_attention=None)
    assert not [layer for layer in model.generator.layers if isinstance(layer, SelfAttention)]
