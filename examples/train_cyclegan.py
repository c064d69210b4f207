"""CycleGAN (Zhu et al., 2017): two collections of images without pairs, and the way there and back.

    python examples/train_cyclegan.py --x horses --y zebras --size 128

Without folders it takes the outlines and the drawings of OpenMoji, shuffled separately. The model does not know which
outline belongs to which drawing. It only knows that an image must survive the way there and back. All settings are
flags of `python -m ganzoo train cyclegan horses --targets zebras`.
"""

import numpy as np
from absl import app, flags

import ganzoo

FLAGS = flags.FLAGS
flags.DEFINE_string("x", None, "Folder of the first collection.")
flags.DEFINE_string("y", None, "Folder of the second collection.")
flags.DEFINE_integer("size", 32, "Height and width, in pixels.", lower_bound=32)
flags.DEFINE_integer("epochs", 20, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/cyclegan", "Folder of the picture and the model.")


def collections():
    if FLAGS.x and FLAGS.y:
        return FLAGS.x, FLAGS.y
    pairs = ganzoo.data.load("openmoji_pairs").source
    return np.repeat(pairs.images.numpy(), 3, axis=-1), pairs.targets.numpy()


def main(_):
    data = ganzoo.data.unpaired(*collections(), batch_size=4, image_size=(FLAGS.size, FLAGS.size), mirror=True)
    steps = FLAGS.epochs * len(data)  # The rate falls to zero in the second half.
    model = ganzoo.CycleGAN.from_paper((FLAGS.size, FLAGS.size, 3), filters=16, total_steps=steps)
    model.fit(data, epochs=FLAGS.epochs)

    x, _ = next(iter(data))
    there = model.translate(x)
    back = model.translate(there, to="x")
    print(f"an image and its way there and back differ by {np.abs(x - back).mean():.3f} of 2")
    picture = ganzoo.images.grid(np.concatenate([x, there, back]), columns=len(x))
    ganzoo.images.save_png(f"{FLAGS.output_dir}/there_and_back.png", picture)
    model.save(f"{FLAGS.output_dir}/model.keras")


if __name__ == "__main__":
    app.run(main)
