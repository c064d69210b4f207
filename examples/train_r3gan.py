"""R3GAN (Huang et al., 2025) on all devices of a machine.

    python examples/train_r3gan.py                       # all GPUs; without GPUs, two parts of the CPU

Build the model in the scope of a strategy. Data, callbacks and `fit` stay as they are. The batch size is the global
one, and N replicas make the training that one device would make, up to rounding. For several machines, see `python -m
ganzoo train r3gan mnist_10k --strategy multi_worker`.
"""

import tensorflow as tf
from absl import app, flags

import ganzoo

GLOBAL_BATCH = 128
flags.DEFINE_integer("epochs", 20, "Epochs of the training.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/r3gan", "Folder of everything.")


def all_devices():
    """A strategy for all GPUs. Without any, it splits the CPU in two, which shows the same and gains nothing."""
    if tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    except RuntimeError:  # TensorFlow has run already; it keeps the devices that it has.
        pass
    names = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(names)


def main(_):
    strategy = all_devices()  # Before anything else of TensorFlow runs.
    print(f"{strategy.num_replicas_in_sync} replicas, {GLOBAL_BATCH // strategy.num_replicas_in_sync} images each")
    digits = ganzoo.data.load("mnist_10k", batch_size=GLOBAL_BATCH)
    with strategy.scope():
        steps = flags.FLAGS.epochs * (10_000 // GLOBAL_BATCH)  # The paper's schedules go over the whole training.
        gan = ganzoo.R3GAN.from_paper((28, 28, 1), filters=16, blocks=1, total_steps=steps)
    folder = flags.FLAGS.output_dir
    checkpoint = ganzoo.callbacks.Checkpoint(f"{folder}/checkpoints")
    gan.fit(digits, epochs=flags.FLAGS.epochs, callbacks=[checkpoint, ganzoo.callbacks.SampleGrid(folder)])


if __name__ == "__main__":
    app.run(main)
