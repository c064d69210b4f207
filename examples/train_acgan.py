"""AC-GAN (Odena et al., 2017): the second head of the discriminator is a classifier.

    python examples/train_acgan.py

The second head names the class of an image, and right names lower the losses of both networks. After the training the
head is a classifier of digits, for free. The example prints its accuracy on held-out digits. All settings are flags of
`python -m ganzoo train acgan mnist_10k`.
"""

from absl import app, flags

import ganzoo

flags.DEFINE_integer("epochs", 10, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/acgan", "Folder of the pictures.")


def main(_):
    train = ganzoo.data.load("mnist_10k", split="train[:9000]", batch_size=100)
    images, labels = next(iter(ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=1000)))
    gan = ganzoo.ACGAN.from_paper((28, 28, 1), num_classes=10, filters=32)
    grid = ganzoo.callbacks.SampleGrid(flags.FLAGS.output_dir, num_samples=50)  # A column for each class.
    gan.fit(train, epochs=flags.FLAGS.epochs, callbacks=[grid])

    heads = gan.discriminator.predict(images, batch_size=250, verbose=0)
    read = (heads["classes"].argmax(axis=1) == labels.numpy()).mean()
    print(f"The head reads {read:.1%} of 1,000 digits that it was not trained on.")


if __name__ == "__main__":
    app.run(main)
