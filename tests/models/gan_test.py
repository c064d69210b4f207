import functools

import ganzoo
from tests.check_model import check_conditional_model, check_model

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability"}

make = functools.partial(
    ganzoo.GAN.from_paper, (6, 4, 1), latent_dim=3, hidden=(5,), batch_normalization=True, normalization="batch", seed=1
)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_conditional_model
def test_conditional_contract(check, tmp_path):
    check(functools.partial(make, num_classes=3), LOGS, tmp_path)
