"""The spaces of latents: Z of the prior, or W behind a mapping network."""

import dataclasses

import numpy as np
import tensorflow as tf

from ganzoo import checks, images
from ganzoo.networks.graph import output_of, part_of
from ganzoo.sampling import SeededNumbers, in_full_batches

MAPPING = "mapping"  # The layer's name in a generator with a mapping network.
SPACES = ("z", "w")


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Samples in rows and columns, with their latents.

    Args:
        latents: Float32 array `(rows, columns, ...)`.
        images: Float32 array `(rows, columns, height, width, channels)` in [-1, 1].
        space: `"z"` or `"w"`, where the latents lie.
    """

    latents: np.ndarray
    images: np.ndarray
    space: str = "z"

    def picture(self, **settings):
        """All samples as one picture, `(height, width, channels)` uint8. Settings as in `ganzoo.images.grid`."""
        rows, columns = self.images.shape[:2]
        return images.grid(self.images.reshape(rows * columns, *self.images.shape[2:]), columns=columns, **settings)


def draw(model, num_samples=None, seed=0):
    """Draws latents from the prior, the same as `model.generate(num_samples, seed)`.

    Args:
        model: `ganzoo.GenerativeModel` with latents.
        num_samples: Integer. Defaults to `None`: a latent for each seed.
        seed: Integer, or a list of integers. With a list, latent k is the first latent of seed k. Defaults to `0`.

    Returns:
        NumPy array `(num_samples, ...)`.

    Raises:
        ValueError: If the model has no latents, or the numbers of samples and seeds differ.

    Example:

    >>> latents = ganzoo.latent.draw(model, 64)[[3, 17]]  # Two samples of the picture of generate(64)
    """
    check_model(model)
    seeds = checks.plain_items(seed)
    if seeds is None:
        num_samples = 1 if num_samples is None else checks.check_num_samples(num_samples)
        return np.asarray(model.prior(SeededNumbers(checks.check_seed(seed)), num_samples))
    seeds = [checks.check_seed(each) for each in seeds]
    if not seeds or num_samples not in (None, len(seeds)):
        raise ValueError(
            f"A list of seeds gives one latent for each. Received: {len(seeds)} seeds and num_samples={num_samples}"
        )
    return np.concatenate([np.asarray(model.prior(SeededNumbers(each), 1)) for each in seeds])


def space_of(model, name=None):
    """Returns the space to work in: `Styles` (W) if the generator has a mapping network, otherwise `Latents` (Z).

    A mapping network is a layer called "mapping" of a functional generator.

    Args:
        model: `ganzoo.GenerativeModel` with latents.
        name: `"z"`, `"w"` or `None` (the default): W if the generator has it.

    Raises:
        ValueError: For `"w"` without a mapping network.
    """
    check_model(model)
    name = checks.choice("space", name, (None, *SPACES))
    styles = output_of(model.sampling_generator, MAPPING)
    if name == "w" and styles is None:
        raise ValueError(
            "space='w' needs a generator with a mapping network: a layer called 'mapping'. Received: "
            f"{model.sampling_generator.name} with the layers {[layer.name for layer in model.generator.layers]}. "
            "Leave `space` out."
        )
    return Latents(model) if name == "z" or styles is None else Styles(model, styles)


class Latents:
    """The space Z of the prior.

    Attributes:
        name: `"z"`.
        symbolic: The generator's input.
        shape: Tuple, the shape of a point.
    """

    name = "z"

    def __init__(self, model):
        self.model = model
        self.network = model.sampling_generator
        self.symbolic = self.network.inputs[0]
        self.shape = model.latent_shape

    def points(self, latents, condition=None):
        """The points of latents of the prior: the latents themselves, as a float32 array."""
        latents = np.asarray(self.model.check_latents(latents))
        if latents.dtype.kind != "f":
            raise ValueError(
                f"Latents must be numbers that can be moved. Those of {type(self.model).__name__} are {latents.dtype}."
            )
        return latents.astype("float32")

    def centre(self, seed=0):
        """The mean of the space: 0."""
        return np.zeros(self.shape, "float32")

    def images(self, points, condition=None):
        """Float32 samples of a batch of points, as a tensor that gradients pass through."""
        return self.model.apply_generator(self.network, points, condition, False)

    def decode(self, points, condition=None, batch_size=64):
        """The samples of points `(count, ...)` as an array. `condition` as in `generate`."""
        return self.model.generate(latents=points, condition=condition, batch_size=batch_size)


class Styles:
    """The space W behind a mapping network, the input of the rest of the generator.

    Attributes: as `Latents`, with the name `"w"`.
    """

    name = "w"

    def __init__(self, model, symbolic):
        self.model = model
        self.network = model.sampling_generator
        self.symbolic = symbolic
        self.shape = tuple(symbolic.shape[1:])
        self._mapping, self._mapping_needs = part_of(self.network, self.network.inputs[0], symbolic)
        self._synthesis, self._synthesis_needs = part_of(self.network, symbolic, self.network.outputs[0])
        self._compiled = {}

    def points(self, latents, condition=None):
        """The points of latents of the prior, `(count, ...)`."""
        latents = np.asarray(self.model.check_latents(latents))
        return self._in_batches("points", self._map, latents, condition, 1024)

    def centre(self, seed=0, num_samples=10_000):
        """The mean of 10,000 points, as in StyleGAN."""
        latents = draw(self.model, num_samples, seed)
        return self.points(latents, self.model.conditions.in_turn(num_samples)).mean(axis=0)

    def images(self, points, condition=None):
        """Float32 samples of a batch of points, as a tensor that gradients pass through."""
        return self._run(self._synthesis, self._synthesis_needs, points, condition)

    def decode(self, points, condition=None, batch_size=64):
        """The samples of points `(count, ...)` as an array. `condition` as in `generate`."""
        return self._in_batches("images", self.images, check_points(points, self.shape), condition, batch_size)

    def _map(self, latents, condition=None):
        return self._run(self._mapping, self._mapping_needs, latents, condition)

    def _run(self, part, needed, points, condition):
        return tf.cast(part([points, *needed_parts(self.model, self.network, needed, condition)]), "float32")

    def _in_batches(self, key, function, points, condition, batch_size):
        count, condition = self.model.conditions.for_samples(condition, len(points))
        if key not in self._compiled:
            join, kinds = self.model.conditions.join, list(self.model.conditions)
            signature = [tf.TensorSpec((None, *points.shape[1:]), points.dtype), *self.model.conditions.specs()]
            self._compiled[key] = tf.function(
                lambda points, *parts: function(points, join(dict(zip(kinds, parts)))), input_signature=signature
            )
        inputs = [tf.constant(points), *self.model.conditions.as_inputs(condition)]
        compiled = self._compiled[key]
        return in_full_batches(lambda *parts: compiled(*parts).numpy(), inputs, count, min(batch_size, count))


def needed_parts(model, network, needed, condition):
    """The parts of a condition that some of a network's inputs take, as tensors."""
    order = [id(tensor) for tensor in network.inputs[1:]]
    parts = model.conditions.as_inputs(model.conditions.cast(condition))
    return [parts[order.index(id(tensor))] for tensor in needed]


def sheet_of(space, points, condition=None, batch_size=64):
    """The `Sheet` of points `(rows, columns, ...)`. `condition` is for all, each row, or each sample."""
    rows, columns = points.shape[:2]
    with np.errstate(over="ignore"):  # `decode` refuses values that are too large.
        flat = np.ascontiguousarray(points.reshape(rows * columns, *points.shape[2:]), "float32")
    samples = space.decode(flat, repeated(space.model, condition, rows, columns), batch_size)
    return Sheet(flat.reshape(points.shape), samples.reshape(rows, columns, *samples.shape[1:]), space.name)


def rows_of(model, condition, rows):
    """The conditions of some of the samples."""
    return model.conditions.map(lambda kind, value: tf.gather(value, rows), condition)


def each_changed(model, condition, change):
    """Changes the parts of a condition that have a value for each sample. A value for all samples stays."""
    if condition is None:
        return None

    def changed(name, part):
        of_one = len(model.conditions.kinds[name].spec(name).shape) - 1
        is_text = isinstance(part, str)
        if isinstance(part, dict):  # The values of attributes.
            part = model.conditions.kinds[name].rows_of(part)
        return part if is_text or np.ndim(part) <= of_one else change(np.asarray(part))

    parts = model.conditions.spelled_out(condition)
    return model.conditions.join({name: changed(name, part) for name, part in parts.items()})


def repeated(model, condition, rows, columns):
    """Repeats a condition for each row for the samples of the row. Returns anything else unchanged."""
    return each_changed(model, condition, lambda part: np.repeat(part, columns, axis=0) if len(part) == rows else part)


def check_model(model):
    """Raises an error unless a model makes samples from latents."""
    if not hasattr(model, "prior") or not hasattr(model, "sampling_generator"):
        raise TypeError(
            "`model` must be a model of ganzoo, such as ganzoo.from_preset('faces_16'). Received: "
            f"{checks.shown(model)}"
        )
    if not model.has_latents:
        raise ValueError(
            f"`model` must make samples of latents. Received: {type(model).__name__}, which translates images and has "
            "no latents."
        )


def check_points(points, shape):
    """Returns points as a float32 array `(count, *shape)`, or raises `ValueError`."""
    points = checks.array("latents", points, "float32")
    if points.shape[1:] != tuple(shape) or not len(points) or not np.isfinite(points).all():
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"`latents` must be finite numbers of shape (count, {wanted}). Received: {points.shape}")
    return points


def samples_of(model, name, samples, least=1):
    """Returns samples as float32, and checks that they have the shape of the model's samples.

    Args:
        model: `ganzoo.GenerativeModel`.
        name: String, the name of the argument.
        samples: Array `(count, ...)`. Images are uint8, or in [-1, 1].
        least: Integer, the least number of samples. Defaults to `1`.

    Raises:
        ValueError: If the shape, the number or the range is wrong, or a value is not finite.
    """
    samples = checks.array(name, samples)
    if samples.shape[1:] != model.image_shape or len(samples) < least:
        wanted = ", ".join(map(str, model.image_shape))
        count = {1: "one", 2: "two"}[least]
        raise ValueError(f"`{name}` must have the shape (count, {wanted}), {count} or more. Received: {samples.shape}")
    if samples.dtype == np.uint8:
        return samples.astype("float32") / np.float32(127.5) - np.float32(1)
    samples = samples.astype("float32")
    if not np.isfinite(samples).all():
        raise ValueError(f"`{name}` hold values that are NaN or infinite.")
    if samples.ndim == 4:
        checks.check_pixels(samples, f"`{name}`")
    return samples
