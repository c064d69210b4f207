"""Makes the small pictures of the models in README.md.

    python benchmarks/thumbnails.py                 # all of them, about twenty minutes of a core
    python benchmarks/thumbnails.py vqvae wae

Cuts the first four samples out of a picture of the documentation, whose page says what made it. A model without such a
picture trains for some hundred steps, with the flags below, and its samples look like it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo import images

IMAGES = Path(__file__).parent.parent / "docs" / "images"
FOLDER = IMAGES / "models"

# Four samples of `ganzoo.images.grid`: of 28 x 28 pixels, and of 16, 32 or 64.
GREY, COLOUR = (0, 0, 234, 60), (0, 0, 266, 68)
CUTS = {
    "gan": ("gan_mnist.png", GREY),
    "dcgan": ("dcgan_mnist.png", GREY),
    "cgan": ("cgan_mnist.png", GREY),
    "infogan": ("infogan_faces.png", COLOUR),
    "lsgan": ("same_conditions/lsgan.png", GREY),
    "wgan": ("zoo/wgan_mnist_samples.png", GREY),
    "wgan_gp": ("zoo/faces_16_samples.png", COLOUR),
    "dragan": ("same_conditions/dragan.png", GREY),
    "began": ("began_samples.png", GREY),
    "sngan": ("sngan_mnist.png", GREY),
    "presgan": ("presgan_mnist.png", GREY),
    "r3gan": ("same_conditions/r3gan.png", GREY),
    "pix2pix": ("pix2pix_openmoji.png", (264, 330, 530, 398)),  # Input, L1 alone, L1 + cGAN, truth.
    "cyclegan": ("cyclegan_glasses.png", (0, 66, 200, 134)),  # Input, there, and back.
    "autoencoder": ("autoencoder_samples_16.png", GREY),
    "vae": ("zoo/vae_mnist_samples.png", GREY),
}
FACES = "faces_10k --ema_decay 0.98"
FASTER = "--filters 16 --learning_rate 5e-4 --beta_1 0.5 --steps_per_epoch 500"
TRAININGS = {
    "acgan": "mnist_10k --filters 16 --steps_per_epoch 1500",
    "wgan_div": f"{FACES} {FASTER}",
    "cramer_gan": f"{FACES} {FASTER}",
    "sagan": f"{FACES} --data_label hairColor --num_classes 11 --filters 8 --steps_per_epoch 600",
    "biggan": f"{FACES} --data_label hairColor --num_classes 11 --filters 8 --steps_per_epoch 600",
    "stylegan2": f"{FACES} --base 512 --max_filters 32 --steps_per_epoch 1500",
    "iwae": "mnist_10k --learning_rate 1e-3 --steps_per_epoch 1000",
    "vqvae": "mnist_10k --filters 32 --steps_per_epoch 600",
    "wae": "mnist_10k --steps_per_epoch 300",
}


def trained(name):
    """Trains a model, and returns four of its samples side by side."""
    with tempfile.TemporaryDirectory() as folder:
        train = ["train", name, *TRAININGS[name].split(), "--epochs", "1", "--output_dir", folder]
        generate = ["generate", f"{folder}/model.keras", "--num_samples", "4", "--output_dir", f"{folder}/new"]
        for command in (train, generate):
            print("ganzoo", *command, flush=True)
            subprocess.run([sys.executable, "-m", "ganzoo", *command], check=True, stdout=subprocess.DEVNULL)
        samples = [np.asarray(Image.open(file)) for file in sorted(Path(folder, "new").glob("*.png"))]
    samples = np.stack(samples)
    return images.grid(samples if samples.ndim == 4 else samples[..., None], columns=4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[*CUTS, *TRAININGS], help="models; all by default")
    for name in parser.parse_args().names:
        if name in CUTS:
            file, box = CUTS[name]
            picture = np.asarray(Image.open(IMAGES / file).crop(box))
        else:
            picture = trained(name)
        images.save_png(FOLDER / f"{name}.png", picture)


if __name__ == "__main__":
    main()
