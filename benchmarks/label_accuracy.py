"""Does a conditional GAN draw the digit that you ask for? A classifier reads 1,000 generated digits.

    python benchmarks/label_accuracy.py --data_dir ~/tensorflow_datasets

Trains a classifier on the 60,000 training images of MNIST, which must read more than 99 % of the 10,000 test images,
and a CGAN with convolutional networks on the same images (or loads --model_file). Prints the share of generated digits,
100 for each label, that the classifier reads as wanted, and draws ten for each label. A model that draws the same digit
each time for a label would score well too, so the script also prints the spread: the standard deviation of a pixel
within a class.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np

import ganzoo
from ganzoo.images import grid, save_png

SAMPLES = 1000


def mnist(options, split, **settings):
    return ganzoo.data.load("mnist", split=split, data_dir=options.data_dir, manual_dir=options.manual_dir, **settings)


def make_classifier():
    """Two convolutions and two dense layers: images -> logits."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(10),
        ]
    )


def classifier_for(options):
    """Trains or loads the classifier. Its accuracy on the test images decides whether it may judge."""
    path = Path(options.classifier_file)
    if path.exists():
        classifier = keras.saving.load_model(path)
    else:
        classifier = make_classifier()
        classifier.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, options.classifier_epochs * 468)),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        data = mnist(options, "train", batch_size=128).stream()  # Raw pixels, and another order in each epoch.
        data = data.map(lambda images, labels: (ganzoo.data.normalize(images), labels))
        classifier.fit(data, epochs=options.classifier_epochs, steps_per_epoch=468, verbose=2, shuffle=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        classifier.save(path)
    images, labels = (np.concatenate(part) for part in zip(*mnist(options, "test", batch_size=500).as_numpy_iterator()))
    accuracy = np.mean(read(classifier, images) == labels)
    print(f"classifier: {100 * accuracy:.2f} % of the {len(labels)} test images", flush=True)
    if accuracy <= 0.99:
        raise SystemExit("The classifier reads 99 % or less, and may not judge. Raise --classifier_epochs.")
    return classifier


def read(classifier, images):
    """The classifier's digits."""
    return classifier.predict(images, batch_size=500, verbose=0).argmax(axis=1)


def spread(images, labels):
    """The standard deviation of a pixel within a class, on average over pixels and classes."""
    return np.mean([images[labels == digit].std(axis=0).mean() for digit in range(10)])


def train(options):
    """Trains the conditional GAN."""
    gan = ganzoo.CGAN.from_paper(
        (28, 28, 1),
        num_classes=10,
        networks=ganzoo.networks.dcgan,
        filters=options.filters,
        label=options.label,
        conditioning=options.conditioning,
        ema_decay=options.ema_decay,
        seed=options.seed,
    )
    started = time.time()
    gan.fit(mnist(options, "train", batch_size=64, seed=options.seed), epochs=options.epochs, verbose=2)
    print(f"CGAN: {gan.steps_done} steps in {(time.time() - started) / 60:.1f} minutes", flush=True)
    return gan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--manual_dir", help="where MNIST's four archives lie, if they were downloaded by hand")
    parser.add_argument("--model_file", help="a trained conditional model to judge; default: train one")
    parser.add_argument(
        "--classifier_file", default="runs/label_accuracy/classifier.keras", help="kept for the next run"
    )
    parser.add_argument("--classifier_epochs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--label", default="one_hot", choices=["one_hot", "embedding"])
    parser.add_argument("--conditioning", default="concatenate", choices=["concatenate", "projection"])
    parser.add_argument("--ema_decay", type=float, default=0.99)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", default="docs/images/cgan_mnist.png")
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    classifier = classifier_for(options)
    keras.utils.set_random_seed(options.seed)
    gan = keras.saving.load_model(options.model_file) if options.model_file else train(options)
    if not options.model_file:
        gan.save(Path(options.classifier_file).with_name("model.keras"))

    labels = np.arange(SAMPLES) % 10
    images = gan.generate(SAMPLES, seed=options.seed, condition=labels)
    right = read(classifier, images) == labels
    for digit in range(10):
        print(f"digit {digit}: {100 * np.mean(right[labels == digit]):.0f} %")
    print(f"read as asked: {100 * np.mean(right):.1f} % of {SAMPLES} generated digits (seed {options.seed})")
    real, real_labels = next(mnist(options, "test", batch_size=10000).as_numpy_iterator())
    print(f"spread within a class: {spread(images, labels):.3f}, of the test images {spread(real, real_labels):.3f}")
    Path(options.picture).parent.mkdir(parents=True, exist_ok=True)
    save_png(options.picture, grid(images[:100], columns=10))
    print(f"Drawn: {options.picture}")


if __name__ == "__main__":
    main()
