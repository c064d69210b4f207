"""StyleGAN2 with ADA (Karras et al., 2020) on few images, at a size for two cores.

    python examples/train_stylegan2.py                   # 16 x 16 pixels; minutes

With fewer images than in the papers, you need an augmentation. ADA raises its probability p while the discriminator
is sure of the real images. After the training the example draws the same samples at three truncations. Towards the
mean style they become alike and have fewer faults.
"""

from pathlib import Path

from absl import app, flags

import ganzoo

EPOCHS = flags.DEFINE_integer("epochs", 20, "Epochs.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output_dir", "runs/stylegan2", "Where everything goes.")


def main(_):
    faces = ganzoo.data.load("faces_10k", batch_size=32)  # The batch size of the configuration "auto".
    gan = ganzoo.StyleGAN2.from_paper(
        (16, 16, 3), base=1024, max_filters=64, latent_dim=64, augmentation=ganzoo.augmentation.ADA()
    )
    folder = Path(OUTPUT.value)
    gan.fit(faces, epochs=EPOCHS.value, callbacks=[ganzoo.callbacks.SampleGrid(folder / "samples")])
    print(f"ADA's probability after {gan.steps_done} steps: {float(gan.augmentation.p):.4f}")
    for truncation in (1.0, 0.7, 0.0):
        picture = ganzoo.images.grid(gan.generate(16, seed=0, truncation=truncation))
        ganzoo.images.save_png(folder / f"truncation_{truncation}.png", picture)
    gan.save(folder / "model.keras")


if __name__ == "__main__":
    app.run(main)
