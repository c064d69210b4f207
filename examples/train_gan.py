"""The two losses of the first GAN (Goodfellow et al., 2014), on points in the plane that you can look at.

    python examples/train_gan.py

The ring has eight modes. Equation 1 of the paper trains the generator with the minimax loss, log(1 - D(G(z))), whose
gradient vanishes if the discriminator is sure. So the paper advises to maximise log D(G(z)). The example trains with
both losses and counts the modes. All settings are flags of `python -m ganzoo train gan ring`.
"""

from pathlib import Path

from absl import app, flags

import ganzoo

FLAGS = flags.FLAGS
flags.DEFINE_string("output_dir", "runs/gan", "Folder for the pictures.")
flags.DEFINE_integer("epochs", 20, "Epochs of 200 updates.", lower_bound=1)


def train(minimax):
    gan = ganzoo.GAN.from_paper((2,), hidden=(128, 128), minimax=minimax, seed=0)
    points = ganzoo.data.ring(std=0.05, batch_size=256)
    history = gan.fit(points, epochs=FLAGS.epochs, steps_per_epoch=200, verbose=2)
    # At the equilibrium the discriminator answers 1/2 everywhere, so its loss is log 4.
    print(f"d_loss {history.history['d_loss'][-1]:.3f}; at the equilibrium it is 1.386")
    return gan


def main(_):
    for name, minimax in (("minimax", True), ("non_saturating", False)):
        samples = train(minimax).generate(2500, seed=0)
        print(name, ganzoo.metrics.mode_coverage(samples, ganzoo.data.ring_centers(), std=0.05))
        ganzoo.images.save_png(Path(FLAGS.output_dir) / f"{name}.png", ganzoo.images.scatter(samples))


if __name__ == "__main__":
    app.run(main)
