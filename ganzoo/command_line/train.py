"""The command `ganzoo train`, a run from the data to the exported model.

Each part of it takes only a few lines of Python. See the examples in the repository.
"""

import contextlib
import inspect
import os
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from ganzoo import augmentation, callbacks, metrics, models, networks
from ganzoo.command_line import page, sources, training_flags
from ganzoo.command_line.training_data import image_shapes, load, load_images, load_test_pairs, parts_of
from ganzoo.metrics.measuring import Measuring


def run(options):
    """Trains with the options, an object that has the values of the flags as attributes. Returns the model."""
    logging.set_verbosity(logging.ERROR)
    strategy = make_strategy(options.strategy)  # Must run before any other part of TensorFlow.
    keras.utils.set_random_seed(options.seed)
    output = Path(options.output_dir)
    output.mkdir(parents=True, exist_ok=True)
    train = load(options)
    shapes = image_shapes(train)
    print(
        f"Images {' -> '.join(map(str, shapes))}, batch {options.batch_size}, {strategy.num_replicas_in_sync} "
        f"replica(s), output in {output}"
    )
    with precision(options.mixed_precision), strategy.scope():
        model = build(options, shapes, train)
    distance = Distance(options)
    before = distance.of(model)
    started = time.time()
    model.fit(
        train,
        epochs=options.epochs,
        steps_per_epoch=options.steps_per_epoch,
        callbacks=[
            callbacks.Throughput(),
            callbacks.CollapseGuard(directory=output),
            *own_callbacks(options, output, model),
            picture(options, output),
            callbacks.LearningCurve(output / "learning_curve.png"),
            callbacks.Checkpoint(output / "checkpoints", every_steps=options.checkpoint_every, resume=options.resume),
        ],
    )
    if model.is_chief:
        model.save(output / "model.keras")
        model.export(output / "serving" / "1")
        report(options, output, time.time() - started, [] if before is None else [(before, distance.of(model))])
    return model


def make_strategy(name):
    """The tf.distribute strategy with a name."""
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def precision(policy):
    """A context in which networks are built under a precision policy, if given."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy or before)
    yield
    keras.config.set_dtype_policy(before)


# === Model ===


def build(options, shapes, train):
    """The compiled model. `shapes` are the shapes of the images in an element of the data, with the target last."""
    model_class = getattr(models, sources.models()[options.model])
    settings = settings_of(options)
    if getattr(model_class, "needs_condition", False) and not {"num_classes", "num_attributes"} & set(settings):
        settings |= size_of_condition(options, train)
    if len(shapes) == 2:
        settings["condition_shape"] = shapes[0]
    if training_flags.has_schedules(options.model) and "total_steps" not in settings:
        settings["total_steps"] = steps_of(options, settings, train)
    try:
        model = model_class.from_paper(shapes[-1], **settings)
    except TypeError as error:  # An unknown name in --set, or a word in place of a number.
        raise ValueError(str(error)) from error
    set_optimizers(model, options)
    return model


def settings_of(options):
    """The arguments of `from_paper` in the options."""
    names = [
        name for name in sources.settings(options.model, options.networks) if getattr(options, name, None) is not None
    ]
    settings = {name: getattr(options, name) for name in names}
    settings["jit_compile"] = training_flags.literal(options.jit_compile)
    settings["steps_per_execution"] = options.steps_per_execution
    if options.networks is not None:
        settings["networks"] = getattr(networks, options.networks)
    if options.augmentation is not None:
        settings["augmentation"] = make_augmentation(options.augmentation)
    for text in options.set:
        name, _, value = text.partition("=")
        settings[name.strip()] = training_flags.literal(value.strip())
    return settings


def size_of_condition(options, train):
    """The setting for the number of attributes or classes, if the dataset names them."""
    attributes, classes = (getattr(train, name, None) for name in ("attribute_names", "class_names"))
    if attributes is not None:
        return {"num_attributes": len(attributes)}
    if classes is None:
        raise SystemExit(f"{options.model} needs --num_classes: {options.data} does not name its classes.")
    return {"num_classes": len(classes)}


def steps_of(options, settings, train):
    """The steps of the whole training, over which the schedules of a model go."""
    in_an_epoch = int(train.cardinality()) // (settings.get("discriminator_steps") or 1)
    return max(1, options.epochs * (options.steps_per_epoch or in_an_epoch))


def make_augmentation(name):
    """Makes an augmentation from the name of a class in `ganzoo.augmentation`."""
    known = {key: value for key, value in vars(augmentation).items() if inspect.isclass(value) and key[0] != "_"}
    if name not in known:
        raise SystemExit(f"--augmentation={name} is none of {', '.join(known)}.")
    return known[name]()


def set_optimizers(model, options):
    """Sets the learning rates and the beta_1 of a model's optimizers from the options."""
    for name, (optimizer, _) in model.optimizers.items():
        name = name.removesuffix("_optimizer")
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # mixed_float16 wraps the optimizer.
        rate = getattr(options, f"{name}_learning_rate", None)
        rate = options.learning_rate if rate is None else rate
        if rate is not None:
            optimizer.learning_rate = rate
        if options.beta_1 is not None:
            if not hasattr(optimizer, "beta_1"):
                raise SystemExit(f"--beta_1={options.beta_1}: the optimizer {type(optimizer).__name__} has none.")
            optimizer.beta_1 = options.beta_1


# === Callbacks ===


def own_callbacks(options, output, model):
    """The callbacks for the kind of model."""
    if options.model == "wgan" and options.critic_burn_in:
        return [callbacks.CriticBurnIn()]
    if options.model == "began":
        return [callbacks.ReduceLearningRate("M", patience=options.patience)]
    if training_flags.has_encoder(options.model) and model.latent_dim == 2:
        return latent_space(options, output)
    return []


def latent_space(options, output):
    """A list with the callback that draws a latent space of two dimensions, if the data have labels."""
    dataset = load_images(options, options.latent_split, batch_size=100)
    if len(parts_of(dataset)) != 2:
        return []
    return [callbacks.LatentSpace(output / "latent_space", dataset)]


def picture(options, output):
    """The callback that draws samples after each epoch."""
    if not training_flags.is_paired(options.model):
        return callbacks.SampleGrid(output / "samples", num_samples=options.num_samples)
    pairs = load_test_pairs(options)
    has_targets = len(parts_of(pairs)) == 2 and parts_of(pairs)[1].shape.rank == 3
    elements = list(pairs.take(options.num_samples).as_numpy_iterator())
    inputs = np.stack([element[0] if isinstance(element, tuple) else element for element in elements])
    targets = np.stack([element[1] for element in elements]) if has_targets else None
    return callbacks.TranslationGrid(output / "samples", inputs, targets)


class Distance:
    """Measures the distance of generated images to held-out images, if the options name held-out data."""

    def __init__(self, options):
        self.measuring = None
        if options.held_out is not None:
            source = load_images(options, options.held_out).source
            real, self.labels = source.images.numpy(), source.labels
            self.measuring = Measuring({"distance": metrics.default_metrics(real)[0]}, real)

    def of(self, model):
        """A `Score` of generated images, as many as held-out images, or `None`."""
        if self.measuring is None:
            return None
        condition = self.labels.numpy() if len(model.conditions) else None
        fake = model.generate(len(self.measuring.real), seed=1, condition=condition)
        return self.measuring.of(fake).score("distance")


# === Words ===


def report(options, output, seconds, scores=()):
    """Prints the written files and the next commands, and writes the page of the training."""
    print(f"\nTrained in {seconds / 60:.1f} minutes. In {output}:")
    for before, after in scores:
        print(f"  {after.name} to {after.num_real:,} held-out images: {before.value:.4g} before, {after.value:.4g} now")
    for name, meaning in (
        ("index.html", "the page of this training: open it in a browser"),
        ("samples/", "a grid of samples per epoch, and the training as an animation: training.gif"),
        ("learning_curve.png", "all logged values; learning_curve.csv has the numbers"),
        ("guard.jsonl", "diversity, saturation and the like, every 100 steps"),
        ("checkpoints/", "the state to resume from: run the same command with more --epochs"),
        ("model.keras", "the model: keras.saving.load_model(...) after `import ganzoo`"),
        ("serving/1/", "the SavedModel for TensorFlow Serving"),
    ):
        print(f"  {name:<20}{meaning}")
    command, follow = "generate", "--num_samples 100 --output new.png"
    if training_flags.is_paired(options.model):
        command, follow = "translate", "--input_dir FOLDER --output_dir translated"
    following = f"{program()} {command} {output / 'model.keras'} {follow}"
    print(f"\nNext: {following}")
    facts = [("Model", options.model), ("Data", options.data), ("Training", f"{seconds / 60:.1f} minutes")]
    rows = [(after.name, f"{before.value:.4g}", with_interval(after)) for before, after in scores]
    facts += [("Measured", measured(after)) for _, after in scores]
    page.write(output, f"{options.model} on {Path(options.data).stem}", facts, rows, [following])


def with_interval(score):
    """A score and its interval, rounded."""
    interval = "" if score.interval is None else " ({:.4g} to {:.4g})".format(*score.interval)
    return f"{score.value:.4g}{interval}"


def measured(score):
    """How a score was measured, in words."""
    return f"{score.num_fake:,} generated and {score.num_real:,} held-out images, in the features of {score.features}"


def program():
    """The way this program was called: `ganzoo`, or Python with `-m ganzoo`."""
    if Path(sys.argv[0]).stem == "ganzoo":
        return "ganzoo"
    return f"{os.path.relpath(sys.executable)} -m ganzoo"
