"""PresGAN (Dieng et al., 2019): a GAN that gives a density.

    python examples/train_presgan.py

The generator's output is the mean of a Gaussian with a learned noise for each pixel. So an image has a likelihood,
which a GAN lacks, and Hamiltonian Monte Carlo estimates the gradient of the entropy that keeps all modes. The
example draws the noise and compares held-out digits with garments, which it has never seen. All settings are flags of
`python -m ganzoo train presgan mnist_10k`.
"""

import numpy as np
from absl import app, flags

import ganzoo

options = flags.FLAGS
flags.DEFINE_integer("epochs", 15, "Passes over 9,900 digits.", lower_bound=1)
flags.DEFINE_integer("importance_samples", 200, "Of each estimate of a likelihood.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/presgan", "Folder of the pictures and the model.")


def first(name, count):
    """The last images of an embedded dataset."""
    held_out = ganzoo.data.load(name, split=f"train[{10_000 - count}:]", batch_size=count)
    return next(iter(held_out))[0].numpy()


def main(_):
    digits = ganzoo.data.load("mnist_10k", split="train[:9900]", batch_size=64)
    model = ganzoo.PresGAN.from_paper((28, 28, 1), filters=16)
    curve = ganzoo.callbacks.LearningCurve(f"{options.output_dir}/learning_curve.png")
    model.fit(digits, epochs=options.epochs, callbacks=[curve])

    sigma = np.asarray(model.noise.sigma)
    picture = 2 * (sigma - sigma.min()) / max(np.ptp(sigma), 1e-6) - 1
    ganzoo.images.save_png(f"{options.output_dir}/sigma.png", ganzoo.images.grid(picture[None]))
    for name in ("mnist_10k", "fashion_mnist_10k"):
        estimates = model.log_likelihood(first(name, 4), num_samples=options.importance_samples)
        print(f"log p of held-out images of {name}: {np.mean(estimates):,.0f} nats")
    model.save(f"{options.output_dir}/model.keras")


if __name__ == "__main__":
    app.run(main)
