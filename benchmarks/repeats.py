"""Do repeated trainings with the same seed end with the same bits? Trains small models again and again in one process.

    python benchmarks/repeats.py                                     # five minutes on two cores
    TF_NUM_INTEROP_THREADS=1 python benchmarks/repeats.py --models DRAGAN

Each training has 24 steps of a new model. The script prints how many trainings ended with the most frequent sha256 of
the weights. It also prints the largest number of gradients that TensorFlow adds in one operation (`AddN`). From three
on, the order of this sum depends on which buffer is free when the operation starts, and so does its rounding. With
several threads that depends on timing. Run it on a busy machine to see it.
"""

import argparse
import collections
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from weights_digest import BATCH, data, digest

import ganzoo

MODELS = ("DCGAN", "LSGAN", "WGAN", "SNGAN", "WGANGP", "DRAGAN", "R3GAN")
IMAGES = 4 * BATCH


def made(name):
    keras.utils.set_random_seed(0)
    settings = {"networks": ganzoo.networks.dcgan} if name in ("SNGAN", "R3GAN") else {}
    return getattr(ganzoo, name).from_paper((16, 16, 1), seed=0, filters=8, **settings)


def trained(name):
    model = made(name)
    epochs = 6 * model.batches_per_step
    model.fit(data(0)[:IMAGES], batch_size=BATCH, epochs=epochs, verbose=0, check=False)
    return model


def largest_sum(model):
    """The largest number of tensors that an `AddN` of the training step adds."""
    step = tf.function(model.train_step, autograph=False)
    spec = tf.TensorSpec((BATCH * model.batches_per_step, *model.image_shape))
    definition = step.get_concrete_function(spec).graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return max((node.attr["N"].i for node in nodes if node.op == "AddN"), default=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    print("| model | gradients in a sum | trainings | with the same bits |\n|---|---|---|---|")
    for name in options.models:
        model = trained(name)
        found = collections.Counter([digest(model)])
        found.update(digest(trained(name)) for _ in range(options.repeats - 1))
        print(f"| {name} | {largest_sum(model)} | {options.repeats} | {max(found.values())} |", flush=True)


if __name__ == "__main__":
    main()
