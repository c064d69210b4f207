"""SNGAN (Miyato et al., 2018) in half precision, with residual networks.

    python examples/train_sngan.py

Spectral normalization divides each kernel of the discriminator by its largest singular value. In mixed_bfloat16 a GPU
computes convolutions in half the bytes. Weights, losses and norms stay float32. The example prints the precision and
the largest singular value of each kernel. A power iteration in each step keeps it near 1. All settings are
flags of `python -m ganzoo train sngan mnist_10k`.
"""

from pathlib import Path

import keras
import numpy as np
from absl import app, flags

import ganzoo

DATASET = flags.DEFINE_string("dataset", "mnist_10k", "Images of 28 x 28 pixels.")
OUTPUT = flags.DEFINE_string("output_dir", "runs/sngan", "Where the model goes.")
EPOCHS = flags.DEFINE_integer("epochs", 10, "Epochs.", lower_bound=1)


def build():
    """The policy holds while the networks are built, and only then."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return ganzoo.SNGAN.from_paper((28, 28, 1), networks=ganzoo.networks.resnet, filters=32)
    finally:
        keras.config.set_dtype_policy(before)


def main(_):
    gan = build()
    throughput = ganzoo.callbacks.Throughput()
    log = gan.fit(ganzoo.data.load(DATASET.value, batch_size=64), epochs=EPOCHS.value, callbacks=[throughput]).history
    print({name: round(values[-1], 3) for name, values in log.items()})
    for layer in gan.discriminator.layers:
        if isinstance(layer, (ganzoo.layers.SpectralConv2D, ganzoo.layers.SpectralDense)):
            kernel = np.asarray(layer.kernel).reshape(-1, layer.kernel.shape[-1]) / float(layer.spectral_norm())
            print(f"{layer.name}: {layer.compute_dtype}, largest singular value {np.linalg.norm(kernel, 2):.3f}")
    Path(OUTPUT.value).mkdir(parents=True, exist_ok=True)
    gan.save(f"{OUTPUT.value}/model.keras")


if __name__ == "__main__":
    app.run(main)
