"""WGAN-GP (Gulrajani et al., 2017): the whole life of a model, from the data to the server.

    python examples/train_wgan_gp.py --epochs 60

Every step stands here in plain code: data, model, training, measuring, pictures, saving, loading, serving. All
settings are flags of `python -m ganzoo train wgan_gp fashion_mnist_10k`.
"""

from pathlib import Path

import keras
import tensorflow as tf
from absl import app, flags

import ganzoo

FLAGS = flags.FLAGS
flags.DEFINE_string("dataset", "fashion_mnist_10k", "mnist_10k or fashion_mnist_10k, which come with ganzoo.")
flags.DEFINE_integer("epochs", 60, "Epochs in total.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/wgan_gp", "Where everything is written.")


def main(_):
    output = Path(FLAGS.output_dir)

    # Data: images in [-1, 1], a part of them held out.
    train = ganzoo.data.load(FLAGS.dataset, split="train[:9000]", batch_size=64, seed=0)
    held_out = ganzoo.data.load(FLAGS.dataset, split="train[9000:]", batch_size=64)

    # Model: the settings of the paper, with smaller networks and larger steps for a CPU.
    adam = {"class_name": "Adam", "config": {"learning_rate": 5e-4, "beta_1": 0.5, "beta_2": 0.9}}
    gan = ganzoo.WGANGP.from_paper(
        (28, 28, 1), filters=32, ema_decay=0.99, generator_optimizer=adam, discriminator_optimizer=adam, seed=0
    )

    # Training, with pictures. If the critic learns its images by heart, `val_wasserstein` shows it.
    gan.fit(
        train,
        epochs=FLAGS.epochs,
        validation_data=held_out,
        callbacks=[
            ganzoo.callbacks.Throughput(),
            ganzoo.callbacks.SampleGrid(output / "samples"),
            ganzoo.callbacks.LearningCurve(output / "learning_curve.png"),
            ganzoo.callbacks.Checkpoint(output / "checkpoints"),
        ],
    )

    # Saving and loading: everything that the next `fit` needs.
    gan.save(output / "model.keras")
    gan = keras.saving.load_model(output / "model.keras")
    ganzoo.images.save_png(output / "new.png", ganzoo.images.grid(gan.generate(64, seed=1)))

    # Serving: a SavedModel that needs neither ganzoo nor Keras.
    gan.export(output / "serving" / "1")
    served = tf.saved_model.load(output / "serving" / "1").signatures["generate"]
    images = served(seed=tf.constant(1, "int64"), num_samples=tf.constant(64, "int64"))["images"]
    print(f"The server makes {images.shape[0]} images of {images.dtype.name}, the same as in new.png.")


if __name__ == "__main__":
    app.run(main)
