"""LSGAN (Mao et al., 2016) against the GAN whose cross-entropy it replaces: is it better?

    python examples/train_lsgan.py --budget 1000

A single run of a GAN proves nothing, because its result depends on the seed. `ganzoo.compare` gives every model the
same networks, data and number of updates, and trains it with three seeds. It calls two models different only if a test
says so. It keeps each finished run, so you can stop it and start it again.
"""

from absl import app, flags

import ganzoo

BUDGET = flags.DEFINE_integer("budget", 3000, "Generator updates of each run.", lower_bound=2)
FOLDER = flags.DEFINE_string("output_dir", "runs/lsgan", "Folder for the table, the curves and the samples.")
SETTINGS = {"image_shape": (28, 28, 1), "filters": 16}


def main(_):
    comparison = ganzoo.compare(
        {
            "cross-entropy": lambda seed: ganzoo.DCGAN.from_paper(**SETTINGS, seed=seed),
            "least squares": lambda seed: ganzoo.LSGAN.from_paper(**SETTINGS, seed=seed),
        },
        ganzoo.data.load("mnist_10k", batch_size=64),
        seeds=3,
        budget=BUDGET.value,
        points=2,
        num_samples=2000,
        output_dir=FOLDER.value,
    )
    print(comparison)


if __name__ == "__main__":
    app.run(main)
