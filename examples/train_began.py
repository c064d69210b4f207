"""BEGAN (Berthelot et al., 2017): the balance k, and M, which measures the progress of the training.

    python examples/train_began.py

The discriminator is an autoencoder. A control loop moves k so that generated images are reconstructed gamma times as
badly as real images. M adds the error on real images and the distance from that balance. It falls while the samples
improve, and the rates are halved when it stops falling. The example prints both after each epoch. All settings are
flags of `python -m ganzoo train began fashion_mnist_10k`.
"""

import keras
from absl import app, flags

import ganzoo

flags.DEFINE_float("gamma", 0.75, "Low for good images, high for diverse images.", lower_bound=0.01, upper_bound=1.0)
flags.DEFINE_integer("epochs", 20, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/began", "Folder of the samples.")


class PrintBalance(keras.callbacks.Callback):
    """Prints the state of the control loop."""

    def on_epoch_end(self, epoch, logs=None):
        rate = float(self.model.generator_optimizer.learning_rate)
        print(f"epoch {epoch + 1}: k = {float(self.model.k):.4f}, M = {logs['M']:.4f}, learning rate {rate:g}")


def main(_):
    model = ganzoo.BEGAN.from_paper((28, 28, 1), gamma=flags.FLAGS.gamma, filters=16, latent_dim=32)
    for optimizer, _ in model.optimizers.values():
        optimizer.learning_rate = 4e-4  # Small images and networks bear more than the paper's 1e-4.
    model.fit(
        ganzoo.data.load("fashion_mnist_10k", batch_size=16),
        epochs=flags.FLAGS.epochs,
        verbose=0,
        callbacks=[
            PrintBalance(),
            ganzoo.callbacks.ReduceLearningRate("M", patience=3),
            ganzoo.callbacks.SampleGrid(flags.FLAGS.output_dir),
        ],
    )


if __name__ == "__main__":
    app.run(main)
