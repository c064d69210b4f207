"""InfoGAN (Chen et al., 2016): latents that mean something, found without labels.

    python examples/train_infogan.py

Part of the latents is a code: one of ten categories and two numbers. The network Q must read the code off the image,
so the generator cannot ignore it. The example draws a column for each category, and rows along each number. Then it
asks which digit each category is. All settings are flags of `python -m ganzoo train infogan mnist_10k`.
"""

import numpy as np
from absl import app, flags

import ganzoo

where = flags.DEFINE_string("output_dir", "runs/infogan", "Folder.")
how_long = flags.DEFINE_integer("epochs", 30, "Epochs.", lower_bound=1)


def turn(gan, number):
    """A row for each of the ten categories. A number of the code grows from left to right."""
    values = np.linspace(-2, 2, 10)  # Beyond [-1, 1], the range of the training, the effect is clearer.
    continuous = np.zeros((10, len(values), 2))
    continuous[:, :, number] = values
    codes = {"category_0": np.repeat(np.arange(10), len(values)), "continuous": continuous.reshape(-1, 2)}
    # The same noise everywhere: only the code differs.
    noise = np.repeat(np.asarray(gan.prior(ganzoo.sampling.SeededNumbers(0), 1)), 10 * len(values), axis=0)
    return gan.generate(latents=noise, codes=codes)


def main(_):
    gan = ganzoo.InfoGAN.from_paper((28, 28, 1), filters=32)
    gan.fit(ganzoo.data.load("mnist_10k", batch_size=128), epochs=how_long.value)
    for number in range(2):
        ganzoo.images.save_png(f"{where.value}/number_{number}.png", ganzoo.images.grid(turn(gan, number), columns=10))

    images, digits = next(iter(ganzoo.data.load("mnist_10k", batch_size=2000)))
    category = gan.read_codes(images.numpy())["category_0"].argmax(axis=1)
    for code in range(10):
        counts = np.bincount(digits.numpy()[category == code], minlength=10)
        print(f"category {code}: mostly {counts.argmax()}, {counts.max() / max(1, counts.sum()):.0%} of {counts.sum()}")


if __name__ == "__main__":
    app.run(main)
