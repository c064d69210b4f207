"""Trains the classifiers that come with ganzoo, DigitsClassifier and FashionClassifier, and writes their weights.

    python benchmarks/train_classifiers.py --dataset mnist
    python benchmarks/train_classifiers.py --dataset fashion_mnist --epochs 10

Needs tensorflow-datasets (`pip install 'keras-ganzoo[tfds]'`), which downloads the four original archives of a dataset,
12 MB (MNIST) or 31 MB (Fashion-MNIST), or takes them from `--manual_dir`. Takes 10 to 15 minutes on two cores.

Learns from the 60,000 training images, shifted by up to two pixels and, for garments, mirrored. The learning rate of
Adam falls to 0 along a cosine. Prints the accuracy on the training images and on the 10,000 test images, with the
weights as they are written: float16. The same machine, versions and seed give the same file.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import ganzoo
from ganzoo.metrics.features import classifiers

FILES = {"mnist": classifiers.DigitsClassifier.weights, "fashion_mnist": classifiers.FashionClassifier.weights}
LARGEST_SHIFT = 2


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=FILES, default="mnist")
    parser.add_argument("--data_dir", help="where tensorflow-datasets keeps prepared datasets")
    parser.add_argument("--manual_dir", help="where the four archives lie, if they were downloaded by hand")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--steps_per_epoch", type=int, help="default: all full batches")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="file of the weights; default: the one in the package")
    return parser.parse_args()


def shift(images, seed):
    """Shifts float images `(batch, height, width, channels)` by whole pixels, each image differently."""
    count, height, width, _ = images.shape
    most = 2 * LARGEST_SHIFT + 1
    top, left = tf.unstack(tf.random.stateless_uniform([2, count], seed, maxval=most, dtype=tf.int32))
    padding = [LARGEST_SHIFT] * 2
    padded = tf.pad(images, [[0, 0], padding, padding, [0, 0]])
    rows, columns = top[:, None] + tf.range(height), left[:, None] + tf.range(width)
    return tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


def mirror(images, seed):
    """Flips every other image from left to right, at random."""
    flipped = tf.random.stateless_uniform([len(images), 1, 1, 1], seed) < 0.5
    return tf.where(flipped, images[:, :, ::-1], images)


def batches(options):
    """An endless dataset of augmented images in [0, 1] and labels, and the number of batches in an epoch."""
    source = load(options, "train", batch_size=options.batch_size, seed=options.seed)

    def augment(index, batch):
        images, labels = batch
        images = shift(tf.cast(images, tf.float32) / 255, [options.seed, index])
        if options.dataset == "fashion_mnist":
            images = mirror(images, [options.seed + 1, index])
        return images, labels

    return source.stream().enumerate().map(augment).prefetch(4), len(source)


def load(options, split, **settings):
    return ganzoo.data.load(
        options.dataset, split=split, data_dir=options.data_dir, manual_dir=options.manual_dir, **settings
    )


def accuracy(model, options, split):
    """Accuracy on the images of a split."""
    source = load(options, split, shuffle=False).source
    images = source.images.numpy().astype("float32") / np.float32(255)
    return np.mean(model.predict(images, batch_size=500, verbose=0).argmax(axis=1) == source.labels.numpy())


def main(options):
    keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    model = classifiers.network(options.dropout)
    data, steps = batches(options)
    steps = options.steps_per_epoch or steps
    schedule = keras.optimizers.schedules.CosineDecay(options.learning_rate, options.epochs * steps)
    model.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    start = time.monotonic()
    model.fit(data, epochs=options.epochs, steps_per_epoch=steps, verbose=2, shuffle=False)
    minutes = (time.monotonic() - start) / 60

    weights = [weight.astype("float16") for weight in model.get_weights()]
    model.set_weights([weight.astype("float32") for weight in weights])
    default = Path(classifiers.__file__).parent / "weights" / FILES[options.dataset]
    with ganzoo.images.replacing(options.output or default) as temporary, open(temporary, "wb") as file:
        np.savez(file, **{str(index): weight for index, weight in enumerate(weights)})
    train, test = (accuracy(model, options, split) for split in ("train", "test"))
    print(
        f"{options.dataset}: {100 * test:.2f} % of the test images, {100 * train:.2f} % of the training images; "
        f"{options.epochs} epochs of {steps} steps, seed {options.seed}, {minutes:.0f} minutes"
    )


if __name__ == "__main__":
    main(parse())
