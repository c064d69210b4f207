"""Trains the pix2pix of Isola et al., 2017, on pairs of images.

    python examples/train_pix2pix.py --epochs 50
    python examples/train_pix2pix.py --dataset facades/train --test_dataset facades/val --direction b_to_a
    python examples/train_pix2pix.py --dataset edges --targets photos --image_size 128

After each epoch it draws rows of input, output and truth. Everything is a flag:
python examples/train_pix2pix.py --help
"""

import numpy as np
import training
from absl import app, flags

import ganzoo

# The held-out part of the pairs that come with ganzoo.
EMBEDDED = {
    "openmoji_pairs": ("train", "test"),
    "fashion_edges_10k": ("train[:9900]", "train[9900:]"),
}


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("pix2pix", dataset="openmoji_pairs", epochs=50, batch_size=4, adversarial=False)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.FLAGS["dataset"].help = (
        "openmoji_pairs and fashion_edges_10k come with the package; a path is a folder of side-by-side images A|B, "
        "or, with --targets, of images A."
    )
    flags.DEFINE_string("targets", None, "Folder of images B, with the names of those in --dataset.")
    flags.DEFINE_string("test_dataset", None, "Like --dataset, for the pictures. Default: the held-out embedded pairs.")
    flags.DEFINE_string("test_targets", None, "Like --targets, for the pictures.")
    flags.DEFINE_enum("direction", "a_to_b", ["a_to_b", "b_to_a"], "Which side of a pair is the input.")
    flags.DEFINE_bool("jitter", True, "Enlarge by 286/256 and crop at random, as in the paper.")
    flags.DEFINE_bool("mirror", True, "Flip every other pair from left to right.")
    flags.DEFINE_float("l1_weight", 100.0, "lambda, the weight of the L1 loss.", lower_bound=0.0)
    flags.DEFINE_float("gan_weight", 1.0, "Weight of the adversarial loss; 0 trains with L1 alone.", lower_bound=0.0)
    flags.DEFINE_enum("receptive_field", "70", ["1", "16", "70", "286"], "Side of the discriminator's patches.")
    flags.DEFINE_enum("normalization", "instance", ["instance", "batch", "none"], "In both networks.")
    flags.DEFINE_bool("skips", True, "U-Net; --noskips is the encoder-decoder of the paper's ablation.")
    flags.DEFINE_bool("dropout_at_test", True, "Noise in the outputs, as in the paper.")
    flags.DEFINE_float("learning_rate", 2e-4, "Learning rate of Adam, for both networks.", lower_bound=0.0)
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map.", lower_bound=1)


def load_pairs(options, test=False):
    """Returns the pairs to train on, or, unchanged and in their own order, those for the pictures."""
    size = options.image_size
    settings = {"batch_size": options.batch_size, "seed": options.seed, "image_size": (size, size) if size else None}
    if test:
        settings |= {"batch_size": None, "shuffle": False}
    else:
        settings |= {"jitter": options.jitter, "mirror": options.mirror}
    given = test and options.test_dataset is not None
    dataset = options.test_dataset if given else options.dataset
    targets = options.test_targets if given else options.targets
    if dataset in EMBEDDED:
        return ganzoo.data.load(dataset, split=EMBEDDED[dataset][test], **settings)
    return ganzoo.data.paired(dataset, targets, direction=options.direction, **settings)


class TranslationGrid(ganzoo.callbacks.SampleGrid):
    """Rows of input, output and truth, twice, and an animation of the training.

    Args:
        directory: String or `Path`.
        inputs, targets: Float arrays of images in [-1, 1].
    """

    def __init__(self, directory, inputs, targets):
        super().__init__(directory, condition=inputs)
        self.targets = targets

    def picture(self):
        outputs = self.model.generate(seed=self.seed, condition=self.condition)
        parts = [self.condition, outputs, self.targets]
        if len({part.shape[-1] for part in parts}) > 1:  # Grey beside colour.
            parts = [np.repeat(part, 3, axis=-1) if part.shape[-1] == 1 else part[..., :3] for part in parts]
        rows = np.stack(parts, axis=1)
        return ganzoo.images.grid(rows.reshape(-1, *rows.shape[2:]), columns=6)


def translation_grid(options, output):
    """Returns the callback that draws held-out images after each epoch."""
    pictures = load_pairs(options, test=True).take(options.num_samples)
    return TranslationGrid(output / "samples", *(np.stack(part) for part in zip(*pictures.as_numpy_iterator())))


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    adam = {"class_name": "Adam", "config": {"learning_rate": options.learning_rate, "beta_1": 0.5}}
    model = ganzoo.Pix2Pix.from_paper(
        image_shape,
        l1_weight=options.l1_weight,
        gan_weight=options.gan_weight,
        receptive_field=int(options.receptive_field),
        normalization=None if options.normalization == "none" else options.normalization,
        skips=options.skips,
        dropout_at_test=options.dropout_at_test,
        filters=options.filters,
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        **settings,
    )
    return model, []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    next_command = "examples/translate.py --model {model} --input_dir FOLDER"
    training.run(options, build, load=load_pairs, grid=translation_grid, next_command=next_command)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
