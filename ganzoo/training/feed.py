"""The data of a training: checked before the first step, then an endless stream that can begin at any step."""

import numpy as np
import tensorflow as tf

from ganzoo.checks import HOW_TO_SCALE, check_count, check_pixels
from ganzoo.data import normalize
from ganzoo.training.batches import batching_of
from ganzoo.training.watch import watched

DEFAULT_BATCH_SIZE = 64

# AutoGraph converts branches on tensors. There are no such branches here, and the conversion is slow.
AS_IT_STANDS = tf.autograph.experimental.do_not_convert


class Feed:
    """The stream of batches that `fit` reads.

    Args:
        model: `GenerativeModel`.
        x: `tf.data.Dataset` of batches, or arrays.
        y: Labels, for arrays.
        batch_size: Integer, for arrays.
        steps_per_epoch: Integer, or `None` for one pass.

    Raises:
        TypeError, ValueError: If the data do not fit the model.
    """

    def __init__(self, model, x, y=None, batch_size=None, steps_per_epoch=None):
        check_count("steps_per_epoch", steps_per_epoch)
        dataset = self.dataset = as_dataset(model, x, y, batch_size)
        self.model = model
        self.steps = model.batches_per_step
        self.keep = model.conditions.keep
        self.packing = model.packing
        check_dataset(model, dataset)
        if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY and steps_per_epoch is None:
            raise ValueError(
                "The dataset is endless, so `fit` cannot know where an epoch ends. Pass `steps_per_epoch`, the number "
                "of generator updates in an epoch."
            )
        static = first_part(dataset.element_spec).shape[0]
        endless = int(dataset.cardinality()) < 0 and steps_per_epoch is not None
        batching = batching_of(dataset, count_samples, static, endless)
        self.batch_size, batches = batching.size, batching.full
        # Without `steps_per_epoch`, an epoch ends with the data. Leftover batches that do not make a step are left out.
        spare = batches % self.steps if batches is not None and steps_per_epoch is None else 0
        self.batches_per_epoch = None if batches is None else batches - spare
        self.left_out = batching.left_out + spare * self.batch_size
        self.check_size(batches)
        self.check_replicas(model.distribute_strategy.num_replicas_in_sync)
        self.first_batch = self.check_first_batch(model)
        self.steps_per_epoch = steps_per_epoch or self.batches_per_epoch // self.steps
        self.samples_per_step = self.batch_size * self.steps

    def from_step(self, step):
        """The data of a step and all later steps: batches of `samples_per_step`, see `interleave`."""
        stream = self.batches(step * self.steps)
        if self.steps > 1:
            stream = stream.batch(self.steps, drop_remainder=True).map(AS_IT_STANDS(self._interleave), tf.data.AUTOTUNE)
        return stream.prefetch(tf.data.AUTOTUNE)

    def batches(self, start, apart=False):
        """The endless stream of minibatches from number `start` on.

        Args:
            start: Integer.
            apart: Boolean, whether to go through the data in another order. Datasets that are not from `ganzoo.data`
                keep their order, but start half an epoch ahead, or 1,000 batches ahead if they are endless. Defaults to
                `False`.
        """
        indexed = getattr(self.dataset, "stream", None)
        if indexed is not None:
            # The order depends on the number of the epoch. No training reaches these numbers.
            start += apart * 2**31 * self.batches_per_epoch
            stream = indexed(start=start, batches_per_epoch=self.batches_per_epoch)
        elif self.batches_per_epoch is None:
            stream = watched(self.model, self._whole_batches().repeat().skip(start + apart * 1000), start)
        else:
            # `take` leaves out the spare batches, so that an epoch of the stream is an epoch of `fit`.
            start = (start + apart * (self.batches_per_epoch // 2)) % self.batches_per_epoch
            stream = self._whole_batches().take(self.batches_per_epoch).repeat().skip(start)
            stream = watched(self.model, stream, start)
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        return stream.map(AS_IT_STANDS(self._select)).with_options(options)

    def _whole_batches(self):
        return self.dataset.filter(lambda *batch: count_samples(batch) == self.batch_size)

    def _select(self, *batch):
        """Keeps the parts that the model reads, with static shapes."""
        shaped = tf.nest.map_structure(lambda part: tf.ensure_shape(part, [self.batch_size, *part.shape[1:]]), batch)
        return self.keep(shaped)

    def _interleave(self, *parts):
        return self.keep(tf.nest.map_structure(interleave_grouped, parts))

    def check_size(self, batches):
        if batches == 0 or not self.batch_size:
            raise ValueError(
                "The dataset is empty: it yields no batch. With drop_remainder=True, a dataset smaller than one batch "
                "has none; use a smaller batch size."
            )
        if batches is not None and 0 < batches < self.steps:
            raise ValueError(
                f"The dataset has {batches} batch(es) of {self.batch_size}, and one step reads {self.steps}: a fresh "
                f"one for each of discriminator_steps={self.steps}. Use more data or a smaller batch size."
            )

    def check_replicas(self, replicas):
        if self.batch_size % replicas:
            raise ValueError(
                f"A batch of {self.batch_size} samples does not divide by {replicas} replicas. Use a global batch size "
                f"that is a multiple of {replicas}."
            )
        check_packs(self.batch_size // replicas, self.packing)

    def check_first_batch(self, model):
        labels = getattr(getattr(self.dataset, "source", None), "labels", None)
        if labels is not None and len(model.conditions) and not model.conditions.translates:
            model.conditions.check_values(tf.nest.map_structure(np.asarray, labels))  # All of them are in memory.
        for batch in self.dataset.take(1):
            check_values(model, *arrange(model, batch))
            return batch
        self.check_size(0)


def as_dataset(model, x, y=None, batch_size=None):
    """Builds a dataset from arrays. Returns a `tf.data.Dataset` unchanged."""
    check_count("batch_size", batch_size)
    if isinstance(x, tf.data.Dataset):
        if y is not None or batch_size is not None:
            name, value = ("y", type(y).__name__) if y is not None else ("batch_size", batch_size)
            raise ValueError(
                f"A dataset holds its labels and its batches itself. Received a tf.data.Dataset and {name}={value}. "
                f"Leave out `{name}`."
            )
        return x
    if isinstance(x, (np.ndarray, tf.Tensor, list)):
        images = np.asarray(x)
        count = len(images) if images.ndim else 0
        size = batch_size or min(DEFAULT_BATCH_SIZE, max(count, 1))
        return model.conditions.dataset(images, y if y is None or isinstance(y, dict) else np.asarray(y), size)
    raise TypeError(
        "The data must be a tf.data.Dataset (see ganzoo.data) or NumPy arrays. "
        f"Received: {type(x).__module__}.{type(x).__name__}"
    )


def evaluation_dataset(model, data, batch_size=None):
    """Builds a checked dataset from held-out data: a dataset, samples or `(samples, labels)`. Drops partial batches."""
    if isinstance(data, (tuple, list)) and len(data) == 2:
        data = as_dataset(model, *data, batch_size)
    else:
        data = as_dataset(model, data, None, batch_size)
    check_dataset(model, data)
    first = next(iter(data.take(1)), None)
    if first is None:
        raise ValueError("The dataset for evaluation is empty: it yields no batch.")
    check_values(model, *arrange(model, first))
    static = first_part(data.element_spec).shape[0]
    endless = int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    batching = batching_of(data, count_samples, static, endless)
    check_packs(batching.size, model.packing)
    if static is not None:
        return data
    # The mean over batches weighs them equally, and packs and replicas need full batches. Keras asks for their number.
    whole = data.filter(lambda *batch: count_samples(batch) == batching.size)
    count = data.cardinality() if batching.full is None else batching.full
    return whole.apply(tf.data.experimental.assert_cardinality(count))


def check_dataset(model, dataset):
    """Checks the element spec of a dataset without reading any data."""
    spec = dataset.element_spec
    if isinstance(spec, dict):
        raise ValueError(
            f"The dataset yields dictionaries with the keys {sorted(spec)}. Map them to (image, label), as in "
            "dataset.map(lambda row: (row['image'], row['label']))."
        )
    first, second = split_element(spec)
    if not isinstance(first, tf.TensorSpec):
        raise ValueError(f"The dataset must yield samples or (samples, label). Received elements of the form {spec}")
    check_element(model, *model.conditions.arrange(first, second))


def arrange(model, element):
    """The samples and the condition of an element, as NumPy arrays."""
    parts = model.conditions.arrange(*split_element(element))
    return tuple(tf.nest.map_structure(lambda value: None if value is None else value.numpy(), part) for part in parts)


def concatenate(batches):
    """Joins batches of samples, or of conditions (arrays, dictionaries of arrays, or `None`), along the first axis."""
    return tf.nest.map_structure(lambda *parts: None if parts[0] is None else np.concatenate(parts), *batches)


def split_element(element):
    """Splits an element of a dataset into samples and label, which may be `None`."""
    if not isinstance(element, (tuple, list)):
        return element, None
    if len(element) == 1:
        return element[0], None
    if len(element) == 2:
        return element[0], element[1]
    raise ValueError(
        f"The dataset must yield samples or (samples, label), and it yields tuples of {len(element)}. "
        "Sample weights are not supported: drop them with dataset.map."
    )


def count_samples(element):
    """The number of samples in an element, a scalar tensor."""
    return tf.shape(first_part(element))[0]


def first_part(element):
    """The samples of an element."""
    while isinstance(element, (tuple, list, dict)):
        element = next(iter(element.values() if isinstance(element, dict) else element))
    return element


def check_element(model, samples, condition, trusted=False):
    """Checks shape and dtype of a batch (tensors, arrays or specs) against a model.

    Args:
        trusted: Boolean, whether uint8 values are known to be images in 0..255, as in the streams of `ganzoo.data`.
    """
    if samples is None:
        raise ValueError(
            "The model translates images, and the data have no targets. The dataset must yield (input, target); see "
            "ganzoo.data.paired."
        )
    check_shape(samples, model.image_shape)
    dtype = tf.as_dtype(samples.dtype)
    if not dtype.is_floating and not (trusted and dtype == tf.uint8):
        raise ValueError(f"The samples must be floats in [-1, 1]. Received: {dtype.name}. {HOW_TO_SCALE}")
    model.conditions.check_spec(condition)


def check_shape(samples, expected):
    """Raises a `ValueError` unless a batch (a tensor, an array or a spec) holds samples of the expected shape."""
    wanted = f"(batch, {', '.join(map(str, expected))})"
    if tf.TensorShape(samples.shape).rank is None:
        raise ValueError(f"The samples have an unknown rank. Expected: {wanted}. Set it with tf.ensure_shape.")
    shape = tuple(samples.shape)
    if shape == expected:
        raise ValueError(
            f"The dataset is not batched: its samples have the shape {shape}. Expected: {wanted}. "
            "Use dataset.batch(64, drop_remainder=True)."
        )
    if len(shape) != len(expected) + 1:
        hint = ""
        if len(shape) == len(expected):
            hint = " Grey images need a last axis of 1: images[..., None]."
        raise ValueError(f"The samples have the wrong rank. Received: {shape}. Expected: {wanted}.{hint}")
    if any(came not in (None, size) for came, size in zip(shape[1:], expected, strict=True)):
        raise ValueError(
            f"The samples do not fit the model. Received: {shape}. Expected: {wanted}. Build the model with "
            f"image_shape={tuple(shape[1:])}, or load the data with another size or number of channels."
        )


def check_values(model, samples, condition):
    """Checks the numbers of a batch, as NumPy arrays."""
    if not np.all(np.isfinite(samples)):
        raise ValueError(
            "The samples hold NaN or infinite values. Find and drop them; training would only spread them."
        )
    if len(model.image_shape) == 3:
        check_pixels(samples)
    if condition is not None:
        model.conditions.check_values(condition)


def check_packs(samples, packing):
    """Raises a `ValueError` if the samples of a replica do not divide into packs."""
    if samples % packing:
        raise ValueError(
            f"A batch of {samples} samples a replica does not divide into packs of packing={packing}. Use a batch size "
            f"that is a multiple of {packing}."
        )


def check_batch(model, x, y=None, batches=None):
    """Checks the arrays of `train_on_batch`."""
    batches = batches or model.batches_per_step
    if x is None or not hasattr(x, "shape"):
        raise TypeError(f"A batch must be an array or tensor of samples. Received: {type(x).__name__}")
    x, y = np.asarray(x), tf.nest.map_structure(lambda part: None if part is None else np.asarray(part), y)
    samples, condition = model.conditions.arrange(x, y)
    check_element(model, samples, condition)
    if len(x) == 0 or len(x) % batches:
        raise ValueError(
            f"`train_on_batch` makes one step of {batches} minibatches, so the number of samples must be a multiple of "
            f"discriminator_steps={batches}. Received: {len(x)} samples."
        )
    for part in tf.nest.flatten(y):
        if part is not None and len(part) != len(x):
            raise ValueError(
                f"There must be one label for each sample. Received: {len(x)} samples and {len(part)} labels."
            )
    check_packs(len(x) // batches, model.packing)
    check_values(model, samples, condition)


def to_float(samples):
    """Float32 samples in [-1, 1], on the device."""
    return normalize(samples) if samples.dtype == tf.uint8 else tf.cast(samples, "float32")


def interleave(samples, steps):
    """Reorders `steps` minibatches, one after the other, as `AdversarialModel.critic_batches` splits them."""
    if samples is None or steps == 1:
        return samples
    samples = tf.convert_to_tensor(samples)
    return interleave_grouped(tf.reshape(samples, [steps, -1, *samples.shape[1:]]))


def interleave_grouped(grouped):
    """`(steps, m, ...)` -> `(m * steps, ...)`: sample j of minibatch i goes to `j * steps + i`.

    A strategy gives each replica a contiguous part. In this order, each part holds the same share of every minibatch.
    """
    order = [1, 0, *range(2, grouped.shape.rank)]
    return tf.reshape(tf.transpose(grouped, order), [-1, *grouped.shape[2:]])
