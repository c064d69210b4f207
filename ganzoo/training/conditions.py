"""Conditions: named inputs of the networks besides the latents.

`model.conditions` knows them all. Code that handles data, samples or exported models asks it, so no other file
distinguishes a label from an image. A batch of conditions is `None` for an unconditional model, a tensor for a single
condition, and a dictionary of tensors by name for several. `condition_kinds.py` has a class for each kind of condition.
"""

from ganzoo import checks
from ganzoo.data import from_arrays
from ganzoo.training.condition_kinds import Attributes, Image, Label


def conditions_of(generator, num_classes=None, class_names=None, attribute_names=None, has_latents=True):
    """Reads the conditions off a generator's inputs: images by their rank, attributes as float vectors, else a label.

    Args:
        generator: Built `keras.Model`.
        num_classes: Integer, the number of labels, or `None`.
        class_names: Sequence of strings, a name for each label. Defaults to `None`.
        attribute_names: Sequence of strings, a name for each attribute. Defaults to `None`.
        has_latents: Boolean, whether the first input is the latents.

    Returns:
        `Conditions`.
    """
    inputs = (getattr(generator, "inputs", None) or ())[int(has_latents) :]
    kinds = []
    for tensor in inputs:
        shape = tuple(tensor.shape[1:])
        if len(shape) == 3:
            kinds.append((tensor.name, Image(shape)))
        elif len(shape) == 1:
            kinds.append((tensor.name, Attributes(shape[0], attribute_names)))
        elif num_classes is not None:
            kinds.append((tensor.name, Label(num_classes, class_names)))
        else:
            raise ValueError(
                "`generator` must have one input, for num_classes=None, or further ones for images (rank 4) or "
                f"attributes (rank 2). Received: {generator.name} with {[tensor.name for tensor in generator.inputs]}. "
                f"If {tensor.name!r} is a label, pass num_classes."
            )
    if num_classes is not None and not any(isinstance(kind, Label) for _, kind in kinds):
        label = Label(num_classes, class_names)  # Its own checks come first.
        raise ValueError(
            f"`generator` must have {label.wanted_inputs}, for num_classes={num_classes}. Received: "
            f"{getattr(generator, 'name', generator)} with the inputs "
            f"{[tensor.name for tensor in getattr(generator, 'inputs', None) or ()]}"
        )
    return Conditions(named(kinds))


def named(kinds):
    """Names for kinds of conditions: "label", "attributes", "image", or the inputs' names if a kind repeats."""
    counts = [type(kind) for _, kind in kinds]
    return {kind.name if counts.count(type(kind)) == 1 else name: kind for name, kind in kinds}


class Conditions:
    """All conditions of a model, in the order of the networks' inputs.

    Args:
        kinds: Dictionary, name -> `Label`, `Attributes` or `Image`.

    Attributes:
        kinds: The same.
    """

    def __init__(self, kinds):
        self.kinds = dict(kinds)

    def __len__(self):
        return len(self.kinds)

    def __iter__(self):
        return iter(self.kinds)

    @property
    def translates(self):
        """Whether a condition is an image. The model then translates images, and data are `(input, target)`."""
        return self.image_shape is not None

    @property
    def label(self):
        """The first `Label`, or `None`."""
        return next((kind for kind in self.kinds.values() if isinstance(kind, Label)), None)

    @property
    def attributes(self):
        """The first `Attributes`, or `None`."""
        return next((kind for kind in self.kinds.values() if isinstance(kind, Attributes)), None)

    @property
    def image_shape(self):
        """The shape of the first image, or `None`."""
        return next((kind.shape for kind in self.kinds.values() if isinstance(kind, Image)), None)

    @property
    def wanted_inputs(self):
        """The wanted inputs of a network, in words."""
        if not self.kinds:
            return "one input, for num_classes=None, or a second one of rank 4 for an image"
        if len(self.kinds) == 1:
            return next(iter(self.kinds.values())).wanted_inputs
        return f"{1 + len(self)} inputs, after the first one: {', '.join(self.kinds)}"

    # === Batches of conditions ===

    def parts(self, condition):
        """The values of a batch of conditions by name. The top of this file describes the three forms of a batch.

        Raises:
            ValueError: If the names are not the model's names.
        """
        if condition is None:
            return {}
        if not isinstance(condition, dict):
            if len(self.kinds) == 1:
                return {next(iter(self.kinds)): condition}
            if isinstance(condition, (tuple, list)) and len(condition) == len(self.kinds):
                return dict(zip(self.kinds, condition, strict=True))
            raise ValueError(
                f"The model has the conditions {list(self.kinds)}: pass a dictionary with these names. Received: "
                f"{type(condition).__name__}"
            )
        if set(condition) != set(self.kinds):
            raise ValueError(
                f"The model has the conditions {list(self.kinds)}. Received a dictionary with the keys "
                f"{sorted(map(str, condition))}."
            )
        return {name: condition[name] for name in self.kinds}

    def join(self, parts):
        """The inverse of `parts`."""
        if not parts:
            return None
        return dict(parts) if len(self.kinds) > 1 else next(iter(parts.values()))

    def as_inputs(self, condition):
        """Returns a list of tensors: the networks' inputs after the first."""
        return list(self.parts(condition).values())

    def map(self, function, condition):
        """Applies `function(kind, value)` to each part of a batch of conditions."""
        return self.join({name: function(self.kinds[name], value) for name, value in self.parts(condition).items()})

    def cast(self, condition):
        """Conditions as the networks take them, on the device."""
        return self.map(lambda kind, value: kind.cast(value), condition)

    def augmented(self, condition, augment):
        """Conditions as the discriminator sees them beside augmented samples."""
        return self.map(lambda kind, value: kind.augmented(value, augment), condition)

    # === Elements of datasets ===

    def arrange(self, first, second=None):
        """Finds samples and conditions in an element `(first, second)` of a dataset."""
        if not self.kinds:
            return first, None
        samples, condition = (second, first) if self.translates else (first, second)
        if isinstance(condition, dict) and len(self.kinds) == 1:
            condition = self.join(self.parts(condition))
        return samples, condition

    def keep(self, parts):
        """The parts of an element that the model reads."""
        return parts if self.kinds else parts[0]

    def dataset(self, x, y, batch_size):
        """Builds a dataset from arrays."""
        if not self.translates:
            return from_arrays(x, y, batch_size=batch_size)
        if y is None:
            raise ValueError(
                "The model translates images, and the data have no targets. Pass fit(inputs, targets), or a dataset of "
                "(input, target); see ganzoo.data.paired."
            )
        from ganzoo.data import paired

        return paired(x, y, batch_size=batch_size)

    def check_spec(self, condition):
        """Checks shapes and dtypes of a batch of conditions: tensors, arrays or specs."""
        if condition is None:
            for kind in self.kinds.values():
                kind.check_spec(None)
        for name, value in self.parts(condition).items():
            self.kinds[name].check_spec(value)

    def check_values(self, condition):
        """Checks the numbers of a batch of conditions, NumPy arrays."""
        for name, value in self.parts(condition).items():
            self.kinds[name].check_values(value)

    # === Samples ===

    def for_samples(self, condition, num_samples):
        """Checks the arguments of `generate`. Returns `(num_samples, condition as tensors)`."""
        if not self.kinds:
            if condition is not None:
                raise ValueError(
                    f"The model is unconditional, and `generate` got condition={condition!r}. Leave it out, or build "
                    "the model with num_classes or num_attributes."
                )
            return checks.check_num_samples(num_samples), None
        if condition is None:
            next(iter(self.kinds.values())).missing(num_samples)
        parts = self.spelled_out(condition)
        if num_samples is None and len(parts) > 1:
            counts = [kind.count(parts[name]) for name, kind in self.kinds.items()]
            num_samples = max((count for count in counts if count is not None), default=1)
        done = {}
        for name, value in parts.items():
            num_samples, done[name] = self.kinds[name].for_samples(value, num_samples)
        return num_samples, self.join(done)

    def spelled_out(self, condition):
        """As `parts`, but accepts the values of attributes without their name if the model has no other condition.

        `{"hairColor": "brown"}` is then short for `{"attributes": {"hairColor": "brown"}}`.
        """
        is_short = isinstance(condition, dict) and len(self.kinds) == 1 and self.attributes is not None
        if is_short and set(condition) != set(self.kinds):
            return {next(iter(self.kinds)): condition}
        return self.parts(condition)

    def in_turn(self, count):
        """Conditions for a picture of everything that you can ask for: each class, each value of an attribute, in turn.

        Args:
            count: Integer.

        Returns:
            Batch of conditions, NumPy arrays, or `None`.
        """
        return self.join({name: kind.in_turn(count) for name, kind in self.kinds.items()})

    @property
    def columns(self):
        """The number of columns in a picture of `in_turn`, the values of the first condition, and their names."""
        return next(iter(self.kinds.values())).columns

    def specs(self):
        """The signature of the conditions: a list of `tf.TensorSpec`."""
        return [kind.spec(name) for name, kind in self.kinds.items()]

    def card(self):
        """A description for the card of an exported model, as JSON values."""
        return {name: kind.card() for name, kind in self.kinds.items()}
