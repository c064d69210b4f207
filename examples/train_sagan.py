"""SAGAN (Zhang et al., 2018): does the attention do anything? Its gain tells.

    python examples/train_sagan.py --epochs 20

The gain of a layer of self-attention starts at 0, where the layer is the identity. This script prints both networks'
gains after each epoch.
"""

from absl import app, flags

import ganzoo

flags.DEFINE_integer("epochs", 20, "Epochs of the training.", lower_bound=1)
flags.DEFINE_integer("filters", 8, "Channels of a block, in fours.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/sagan", "Folder of the pictures.")


def main(_):
    faces = ganzoo.data.load("faces_10k", batch_size=64)
    gan = ganzoo.SAGAN.from_paper((16, 16, 3), filters=flags.FLAGS.filters, ema_decay=0.999, seed=0)
    grid = ganzoo.callbacks.SampleGrid(flags.FLAGS.output_dir)
    for epoch in range(flags.FLAGS.epochs):
        gan.fit(faces, initial_epoch=epoch, epochs=epoch + 1, callbacks=[grid])
        gains = [float(network.get_layer("attention").gain) for network in (gan.generator, gan.discriminator)]
        print(f"epoch {epoch + 1}: gain {gains[0]:+.4f} in the generator, {gains[1]:+.4f} in the discriminator")


if __name__ == "__main__":
    app.run(main)
