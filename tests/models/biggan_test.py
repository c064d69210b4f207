import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.layers import SelfAttention
from ganzoo.models.biggan import orthogonal_variables
from ganzoo.penalties import orthogonal_penalty
from tests.check_model import CHECKS, jit_compiles, tiny, train

LOGS = {"d_loss", "g_loss", "real_score", "fake_score", "orthogonal"}


def make(**overrides):
    # Wide enough that no kernel has one output: the vector of its spectral norm is 1 or -1, and never moves.
    settings = {"num_classes": 3, "filters": 4, "orthogonal_weight": 1e-3, "ema_decay": None, "discriminator_steps": 2}
    settings |= {"latent_dim": 4, "shared_dim": 2, "split_latents": True, "kernel_initializer": "glorot_uniform"}
    model = tiny(ganzoo.BigGAN, (8, 8, 2), **{**settings, "generator_attention": 1, **overrides})
    for network in filter(None, (model.generator, model.ema_generator)):
        for layer in network.layers:
            if isinstance(layer, SelfAttention):
                layer.gain.assign(0.5)  # Where it starts, at 0, the kernels behind it have no gradient.
    return model


make.generator_logs = ("orthogonal",)


# Without XLA, which takes half a minute for these networks: tests/layers/attention_test.py compiles what is new.
@pytest.mark.parametrize(
    "check", [check for check in CHECKS if check is not jit_compiles], ids=lambda check: check.__name__
)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_authors_for_cifar_10():
    model = ganzoo.BigGAN.from_paper((16, 16, 1), num_classes=3, filters=1)
    assert model.hinge and model.discriminator_steps == 4 and model.latent_dim == 128
    assert model.ema_decay == 0.9999 and model.orthogonal_weight == 0.0
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        settings = [float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2]
        np.testing.assert_allclose(settings, [2e-4, 0.0, 0.999], rtol=1e-6)
    kernels = [layer.kernel for layer in model.generator.layers if hasattr(layer, "kernel")]
    np.testing.assert_allclose(np.std(np.concatenate([np.ravel(kernel) for kernel in kernels])), 0.02, rtol=0.1)
    assert not [layer for layer in model.generator.layers if isinstance(layer, SelfAttention)]


def test_the_orthogonal_term():
    """It goes over the kernels of the generator without the shared embedding, and is weighted."""
    weights = {}
    logs = {}
    for beta in (0.0, 1e-3):
        model = make(orthogonal_weight=beta, run_eagerly=True)
        kernels = [w for w in model.generator.trainable_variables if len(w.shape) > 1]
        shared = [w for w in kernels if "shared_embedding" in w.path]
        assert len(shared) == 1
        weights[beta] = orthogonal_penalty([w for w in kernels if w is not shared[0]])
        logs[beta] = {name: values[0] for name, values in train(model, steps=1).history.items()}
    assert logs[1e-3]["orthogonal"] == pytest.approx(float(weights[1e-3]), rel=1e-4)
    expected = logs[0.0]["g_loss"] + 1e-3 * logs[1e-3]["orthogonal"]
    assert logs[1e-3]["g_loss"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_kernels_of_the_orthogonal_term():
    """Without the shared embedding the tables of the classes are left out; with it they are kernels of the latents."""
    alone = make(shared_dim=None, split_latents=False)
    paths = [variable.path for variable in orthogonal_variables(alone.generator)]
    assert paths and not [path for path in paths if path.endswith(("gain/kernel", "bias/kernel"))]
    shared = [variable.path for variable in orthogonal_variables(make().generator)]
    assert [path for path in shared if path.endswith("gain/kernel")]
    assert not [path for path in shared if "shared_embedding" in path]


def test_without_classes():
    model = make(num_classes=None, shared_dim=None, run_eagerly=True)
    assert np.isfinite(train(model, steps=1).history["g_loss"]).all()
    assert model.generate(3).shape == (3, 8, 8, 2)


def test_vectors_have_dense_networks():
    assert ganzoo.BigGAN.from_paper((2,), hidden=(4,)).generator.name == "mlp_generator"


def test_round_trip():
    model = ganzoo.BigGAN.from_config(make().get_config())
    assert isinstance(model, ganzoo.BigGAN) and model.orthogonal_weight == 1e-3
    assert isinstance(keras.models.clone_model(model.generator).get_layer("attention"), SelfAttention)
