"""Conditional GAN (Mirza and Osindero, 2014): labels to pictures, by name.

    python examples/train_cgan.py --epochs 20

The names of the classes go with the data, the model and its file, so you can ask for a "Sneaker". A classifier that has
never seen the model then measures how often it draws the right class. All settings are flags of
`python -m ganzoo train cgan fashion_mnist_10k`.
"""

import keras
import numpy as np
from absl import app, flags

import ganzoo

flags.DEFINE_integer("epochs", 20, "How long to train.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/cgan", "Folder of model and pictures.")


def heeded(gan, per_class=100):
    """The share of samples that a classifier reads as the wanted class."""
    labels = np.repeat(np.arange(gan.num_classes), per_class)
    logits = ganzoo.metrics.features.FashionClassifier().logits(gan.generate(condition=labels))
    return ganzoo.metrics.classifier_accuracy(logits, labels)


def main(_):
    folder, garments = flags.FLAGS.output_dir, ganzoo.data.load("fashion_mnist_10k", batch_size=64)
    classes = garments.class_names
    gan = ganzoo.CGAN.from_paper(
        (28, 28, 1), num_classes=len(classes), networks=ganzoo.networks.dcgan, filters=32, conditioning="projection"
    )
    gan.fit(garments, epochs=flags.FLAGS.epochs, callbacks=[ganzoo.callbacks.SampleGrid(f"{folder}/samples")])
    gan.save(f"{folder}/model.keras")

    gan = keras.saving.load_model(f"{folder}/model.keras")
    for name in ("Sneaker", "Bag"):
        ganzoo.images.save_png(f"{folder}/{name}.png", ganzoo.images.grid(gan.generate(25, condition=name)))
    every_class = gan.generate(condition=classes)
    print(f"{len(every_class)} classes: {', '.join(classes)}")
    print(heeded(gan))


if __name__ == "__main__":
    app.run(main)
