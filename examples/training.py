"""The skeleton of all examples: the flags, and a run from the data to the exported model.

Each `train_*.py` adds the flags of its model, builds it, and hands it to `run`. `--help` lists everything.
"""

import contextlib
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # The progress bar alone; 0 shows TensorFlow's messages, too.

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags, logging  # noqa: E402

import ganzoo  # noqa: E402


def define_flags(name, dataset="fashion_mnist_10k", epochs=20, batch_size=64, adversarial=True):
    """Defines the flags that all examples have, or all of adversarial models; defaults are those of the example."""
    flags.DEFINE_string(
        "dataset",
        dataset,
        "mnist_10k and fashion_mnist_10k come with the package; ring, grid and swiss_roll are toys; a path is a folder "
        "of images or an .npz file; anything else is a name of tensorflow-datasets (pip install 'keras-ganzoo[tfds]').",
    )
    flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
    flags.DEFINE_string("manual_dir", None, "Where archives lie that were downloaded by hand, for tensorflow-datasets.")
    flags.DEFINE_integer("image_size", None, "Resize to this height and width. Default: the data's own size.")
    flags.DEFINE_integer("epochs", epochs, "Epochs in total: a resumed run trains the rest.", lower_bound=1)
    flags.DEFINE_integer("steps_per_epoch", None, "Generator updates in an epoch. Default: one pass over the data.")
    flags.DEFINE_integer("batch_size", batch_size, "Samples in a minibatch, over all replicas.", lower_bound=1)
    flags.DEFINE_string("output_dir", f"runs/{name}", "Where everything is written.")
    flags.DEFINE_bool("resume", True, "Go on with the newest checkpoint in the output directory.")
    flags.DEFINE_integer("seed", 0, "Seed of the initial weights, the latents and the order of the data.")
    flags.DEFINE_float("ema_decay", None, "Average the generator's weights with this decay, such as 0.999.")
    flags.DEFINE_enum("mixed_precision", None, ["mixed_bfloat16", "mixed_float16"], "Compute in half precision.")
    flags.DEFINE_enum(
        "strategy", "none", ["none", "mirrored", "multi_worker"], "One device, all devices, or TF_CONFIG's workers."
    )
    flags.DEFINE_enum("jit_compile", "auto", ["auto", "true", "false"], "Compile the step with XLA.")
    flags.DEFINE_integer("steps_per_execution", 1, "Steps in one call of the compiled function.", lower_bound=1)
    flags.DEFINE_integer("checkpoint_every", None, "Steps between checkpoints. Default: one per epoch.")
    flags.DEFINE_integer("num_samples", 64, "Images in a sample grid.", lower_bound=1)
    if adversarial:
        define_adversarial_flags()


def define_adversarial_flags():
    """Defines the flags of the arguments that every adversarial model has."""
    flags.DEFINE_integer("discriminator_steps", None, "Critic updates per generator update. Default: the paper's.")
    flags.DEFINE_integer("num_classes", None, "Train a conditional model of labels 0 to num_classes - 1.")
    flags.DEFINE_integer("packing", None, "PacGAN: samples that the discriminator judges at once.")
    flags.DEFINE_bool("diff_augment", False, "DiffAugment: random changes of all that the discriminator sees.")


def make_strategy(name):
    """Returns the tf.distribute strategy of that name."""
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def load_data(options):
    """Returns the training data that the flags ask for."""
    size = options.image_size
    return ganzoo.data.load(
        options.dataset,
        batch_size=options.batch_size,
        seed=options.seed,
        image_size=(size, size) if size else None,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
    )


def sample_grid(options, output):
    """Returns the callback that draws a grid of samples after each epoch."""
    return ganzoo.callbacks.SampleGrid(output / "samples", num_samples=options.num_samples)


GENERATE = "-m ganzoo generate {model} --num_samples 100 --output new.png"


def run(options, build, load=load_data, grid=sample_grid, next_command=GENERATE):
    """Trains a model with the flags' settings and saves it; returns it.

    Args:
        options: Parsed flags (`absl.flags.FLAGS`).
        build: Callable, (options, image_shape, settings of `from_paper`) -> (compiled model, list of more callbacks).
            Of pairs of images, `image_shape` is that of the targets, and `condition_shape` is among the settings.
        load: Callable, options -> training data. Defaults to what the flag `--dataset` says.
        grid: Callable, (options, output directory) -> the callback that draws. Defaults to a grid of samples.
        next_command: String, what to run next with Python, with `{model}` for the saved model.
    """
    logging.set_verbosity(logging.ERROR)
    strategy = make_strategy(options.strategy)  # Before anything else of TensorFlow runs.
    keras.utils.set_random_seed(options.seed)
    output = Path(options.output_dir)
    train = load(options)
    parts = train.element_spec if isinstance(train.element_spec, tuple) else (train.element_spec,)
    shapes = [tuple(part.shape[1:]) for part in parts if part.shape.rank > 1]
    settings = {
        "seed": options.seed,
        "ema_decay": options.ema_decay,
        "steps_per_execution": options.steps_per_execution,
        "jit_compile": {"auto": "auto", "true": True, "false": False}[options.jit_compile],
    }
    if len(shapes) == 2:
        settings["condition_shape"] = shapes[0]
    for name in ("discriminator_steps", "num_classes", "packing"):
        if getattr(options, name, None) is not None:
            settings[name] = getattr(options, name)
    if getattr(options, "diff_augment", False):
        settings["augmentation"] = ganzoo.augmentation.DiffAugment()
    print(
        f"Images {' -> '.join(map(str, shapes))}, batch {options.batch_size}, {strategy.num_replicas_in_sync} "
        f"replica(s), output in {output}"
    )
    with precision(options.mixed_precision), strategy.scope():
        model, callbacks = build(options, shapes[-1], settings)
    started = time.time()
    model.fit(
        train,
        epochs=options.epochs,
        steps_per_epoch=options.steps_per_epoch,
        callbacks=[
            ganzoo.callbacks.Throughput(),
            ganzoo.callbacks.CollapseGuard(directory=output),
            *callbacks,
            grid(options, output),
            ganzoo.callbacks.LearningCurve(output / "learning_curve.png"),
            ganzoo.callbacks.Checkpoint(
                output / "checkpoints", every_steps=options.checkpoint_every, resume=options.resume
            ),
        ],
    )
    if model.is_chief:
        model.save(output / "model.keras")
        model.export(output / "serving" / "1")
        report(output, time.time() - started, next_command)
    return model


@contextlib.contextmanager
def precision(policy):
    """Builds networks under a precision policy, if one is given."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy or before)
    yield
    keras.config.set_dtype_policy(before)


def report(output, seconds, next_command):
    """Prints what lies where, and what to do next."""
    print(f"\nTrained in {seconds / 60:.1f} minutes. In {output}:")
    for name, meaning in (
        ("samples/", "a grid of samples per epoch, and the training as an animation: training.gif"),
        ("learning_curve.png", "all logged values; learning_curve.csv has the numbers"),
        ("guard.jsonl", "diversity, saturation and the like, every 100 steps"),
        ("checkpoints/", "the state to resume from: run the same command with more --epochs"),
        ("model.keras", "the model: keras.saving.load_model(...) after `import ganzoo`"),
        ("serving/1/", "the SavedModel for TensorFlow Serving"),
    ):
        print(f"  {name:<20}{meaning}")
    python = os.path.relpath(sys.executable)  # That of the environment, which has the packages.
    print(f"\nNext: {python} {next_command.format(model=output / 'model.keras')}")
