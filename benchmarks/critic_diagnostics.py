"""What does `CriticDiagnostics` draw of a critic that learns its images by heart, and of a critic that cannot?

    python benchmarks/critic_diagnostics.py

Trains WGAN-GP on the first 100 digits of `mnist_10k`, and on 9,000 digits, and holds out 1,000 others. The generators
make the same number of updates. Pictures go to docs/images.
"""

import argparse
import os
import shutil
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import ganzoo


def train(images, updates, folder):
    """Trains on the first images. Returns the callback."""
    keras.utils.set_random_seed(0)
    settings = {name: keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9) for name in OPTIMIZERS}
    gan = ganzoo.WGANGP.from_paper((28, 28, 1), filters=16, seed=0, **settings)
    train = ganzoo.data.load("mnist_10k", split=f"train[:{images}]", batch_size=20)
    held_out = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=20)
    diagnostics = ganzoo.callbacks.CriticDiagnostics(
        held_out, directory=folder, num_samples=100 if images < 300 else 300
    )
    gan.fit(train, epochs=10, steps_per_epoch=updates // 10, verbose=0, callbacks=[diagnostics])
    return diagnostics


OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=2000, help="of the generator")
    parser.add_argument("--output_dir", type=Path, default=Path("critic_diagnostics"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/images"))
    options = parser.parse_args()

    warnings.simplefilter("ignore", UserWarning)  # Faults are printed below.
    for images in (100, 9000):
        folder = options.output_dir / str(images)
        diagnostics = train(images, options.updates, folder)
        last = (folder / "critic.csv").read_text().splitlines()
        print(f"\n{images} training images: {', '.join(fault.name for fault in diagnostics.faults) or 'no fault'}")
        for fault in diagnostics.faults:
            print(f"  {fault}")
        print(last[0], last[-1], sep="\n", flush=True)
        shutil.copy(folder / "estimates.png", options.pictures / f"critic_estimates_{images}.png")
    for kind in ("layers", "norms"):
        shutil.copy(max(folder.glob(f"{kind}_*.png")), options.pictures / f"critic_{kind}.png")


if __name__ == "__main__":
    main()
