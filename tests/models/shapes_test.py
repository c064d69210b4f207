import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from tests.check_model import tiny

SHAPES = [(28, 28, 1), (32, 32, 3), (48, 40, 3), (100, 60, 4), (64, 64, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_image_builds_trains_and_exports(shape, tmp_path):
    model = tiny(ganzoo.WGANGP, shape, filters=2, discriminator_steps=1, run_eagerly=True)
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), "uint8")
    logs = model.fit(images, batch_size=2, verbose=0).history
    assert np.isfinite(list(logs.values())).all()
    assert model.generate(3).shape == (3, *shape)
    model.export(tmp_path / "1")
    assert {"saved_model.pb", "variables"} <= {path.name for path in (tmp_path / "1").iterdir()}
    served = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    assert served(latents=tf.zeros((2, 3)))["images"].shape == (2, *shape)
