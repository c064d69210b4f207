"""DRAGAN (Kodali et al., 2017) on a folder of your own images.

    python examples/train_dragan.py --images photos/ --size 64

Without --images it first writes a folder of pictures as an example: a sub-folder for each class, with files of any
usual format. `check` then names set-ups of the model and the data that train badly, before they cost you a night. All
settings are flags of `python -m ganzoo train dragan photos/`.
"""

from pathlib import Path

from absl import app, flags

import ganzoo

flags.DEFINE_string("images", None, "Folder of images. Default: pictures that the example writes.")
flags.DEFINE_integer("size", 32, "Height and width of the samples, in pixels.", lower_bound=8)
flags.DEFINE_integer("epochs", 20, "Passes over the folder.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/dragan", "Where everything is written.")


def write_pictures(folder, count=512):
    """Writes drawings of the embedded set of OpenMoji as PNG files."""
    drawings = ganzoo.data.load("openmoji_pairs", shuffle=False).take(count)
    for index, (_, drawing) in enumerate(drawings):
        ganzoo.images.save_png(folder / "drawings" / f"{index:04d}.png", ganzoo.images.to_uint8(drawing).numpy())
    return folder


def main(_):
    output, side = Path(flags.FLAGS.output_dir), flags.FLAGS.size
    folder = flags.FLAGS.images or write_pictures(output / "pictures")
    images = ganzoo.data.from_folder(folder, image_size=(side, side), batch_size=32)
    print(f"classes: {images.class_names}")

    # Without DiffAugment, the discriminator would learn so few images by heart.
    gan = ganzoo.DRAGAN.from_paper((side, side, 3), filters=32, augmentation=ganzoo.augmentation.DiffAugment())
    for finding in gan.check(images):
        print(finding)
    gan.fit(images, epochs=flags.FLAGS.epochs, callbacks=[ganzoo.callbacks.SampleGrid(output / "samples", 36)])
    gan.save(output / "model.keras")


if __name__ == "__main__":
    app.run(main)
