"""WGAN (Arjovsky et al., 2017): a loss that means something.

    python examples/train_wgan.py

The critic of a WGAN estimates, up to a factor, the earth mover's distance between the data and the samples. So its
estimate falls while the samples improve, which no loss of a GAN does. The example draws both over time: the estimate,
and the Frechet distance of the samples. All settings are flags of `python -m ganzoo train wgan mnist_10k`.
"""

from pathlib import Path

import numpy as np
from absl import app, flags
from matplotlib.figure import Figure

import ganzoo

EPOCHS = flags.DEFINE_integer("epochs", 50, "Passes over the data.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output_dir", "runs/wgan", "Where everything is written.")


def draw(path, estimates, distances):
    figure = Figure(figsize=(6, 4), layout="constrained")
    left = figure.add_subplot(xlabel="epoch", ylabel="estimate of the critic")
    left.plot(estimates, color="#0072B2")
    right = left.twinx()
    right.plot(distances, color="#D55E00")
    right.set_ylabel("Fréchet distance, features of a digits classifier")
    figure.savefig(path)


def main(_):
    output = Path(OUTPUT.value)
    digits = ganzoo.metrics.FrechetDistance(ganzoo.metrics.features.DigitsClassifier())
    train = ganzoo.data.load("mnist_10k", split="train[:9000]", batch_size=64)
    held_out = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=250)
    gan = ganzoo.WGAN.from_paper((28, 28, 1), filters=32, seed=0)
    log = gan.fit(
        train,
        epochs=EPOCHS.value,
        callbacks=[
            ganzoo.callbacks.CriticBurnIn(),  # Trains the critic before the first update of the generator.
            ganzoo.callbacks.Evaluate([digits], held_out, num_samples=1000),
            ganzoo.callbacks.SampleGrid(output / "samples"),
        ],
    ).history
    (distance,) = (name for name in log if name.startswith("frechet_distance"))
    draw(output / "estimate.png", log["wasserstein"], log[distance])
    if EPOCHS.value > 2:
        print("correlation of the two curves:", np.corrcoef(log["wasserstein"], log[distance])[0, 1].round(2))


if __name__ == "__main__":
    app.run(main)
