"""BigGAN (Brock et al., 2018): truncate the latents after the training, for better and more alike samples.

    python examples/train_biggan.py --epochs 20

Each column of a picture is a class. `whole.png` has samples of the whole prior, `truncated.png` the same latents nearer
to the centre, with statistics of batch normalization that fit them.
"""

from pathlib import Path

from absl import app, flags

import ganzoo

flags.DEFINE_integer("epochs", 20, "Epochs of the training.", lower_bound=1)
flags.DEFINE_integer("filters", 16, "The paper's ch; 64 for CIFAR-10.", lower_bound=1)
flags.DEFINE_float("truncation", 1.0, "The largest latent.", lower_bound=0.1)
flags.DEFINE_string("output_dir", "runs/biggan", "Folder of the pictures.")


def main(_):
    options, output = flags.FLAGS, Path(flags.FLAGS.output_dir)
    train = ganzoo.data.load("fashion_mnist_10k", batch_size=50, image_size=(16, 16))
    gan = ganzoo.BigGAN.from_paper(
        (16, 16, 1), num_classes=10, filters=options.filters, discriminator_steps=1, ema_decay=0.999, seed=0
    )
    gan.fit(train, epochs=options.epochs)

    classes = [label for _ in range(4) for label in range(10)]
    before = gan.generate(seed=1, condition=classes)
    layers = ganzoo.latent.standing_statistics(gan, truncation=options.truncation, batches=20)
    sheet = ganzoo.latent.truncate(gan, len(classes), amounts=options.truncation, seed=1, condition=classes)
    for name, images in (("whole", before), ("truncated", sheet.images[0])):
        ganzoo.images.save_png(output / f"{name}.png", ganzoo.images.grid(images, columns=10, titles=gan.class_names))
    print(
        f"New statistics in {layers} layers; the spread of pixels is {before.std():.3f} and {sheet.images.std():.3f}."
    )


if __name__ == "__main__":
    app.run(main)
