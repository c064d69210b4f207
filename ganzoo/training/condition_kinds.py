"""The kinds of conditions: a label, attributes, an image.

Each kind checks data and the argument `condition` of `generate`, and describes itself to samples, cards and exported
models. `Conditions` puts the kinds of a model together.
"""

import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.data import normalize


class Label:
    """A condition that is one of `num_classes` classes, an integer for each sample.

    Args:
        num_classes: Integer.
        class_names: Sequence of as many strings. Defaults to `None`: classes have only numbers.
    """

    name = "label"
    wanted_inputs = "two inputs, the second one the label"

    def __init__(self, num_classes, class_names=None):
        (self.num_classes,) = checks.counts(num_classes=num_classes)
        self.name_classes(class_names)

    def name_classes(self, class_names):
        """Sets the names of the classes. `None` removes them."""
        self.class_names = check_names("class_names", class_names, self.num_classes)

    def check_spec(self, condition):
        if condition is None:
            raise ValueError(
                f"The model is conditional (num_classes={self.num_classes}), and the data have no labels. "
                "Pass (samples, label)."
            )
        if not tf.as_dtype(condition.dtype).is_integer or len(condition.shape) != 1:
            raise ValueError(
                f"Labels must be integers of shape (batch,). Received: {tf.as_dtype(condition.dtype).name} of shape "
                f"{tuple(condition.shape)}. Turn one-hot labels into integers with argmax."
            )

    def check_values(self, condition):
        if condition.size and (condition.min() < 0 or condition.max() >= self.num_classes):
            raise ValueError(
                f"Labels must lie in 0..{self.num_classes - 1} (num_classes={self.num_classes}). Received labels from "
                f"{condition.min()} to {condition.max()}."
            )

    def cast(self, condition):
        return tf.cast(condition, "int64")

    def augmented(self, condition, augment):
        return condition

    def missing(self, num_samples):
        raise ValueError(
            f"The model is conditional (num_classes={self.num_classes}): pass condition=, one label for all or "
            f"{num_samples or 'an array of'} labels."
        )

    @property
    def columns(self):
        return self.num_classes, self.class_names

    def in_turn(self, count):
        return np.arange(count) % self.num_classes

    def count(self, condition):
        return len(condition) if rank(condition) else None

    def for_samples(self, condition, num_samples):
        labels = self.numbers_of(list(condition) if isinstance(condition, range) else condition)
        if labels.dtype.kind not in "iu":
            raise ValueError(f"`condition` must hold integers. Received: {labels.dtype} {condition!r}")
        if num_samples is None and labels.ndim == 1:
            num_samples = len(labels)
        num_samples = checks.check_num_samples(num_samples)
        if labels.ndim == 0:
            labels = np.full(num_samples, labels)
        if labels.shape != (num_samples,):
            raise ValueError(
                f"`condition` must be one label or num_samples={num_samples} labels. Received the shape {labels.shape}"
            )
        self.check_values(labels)
        return num_samples, tf.constant(labels, "int64")

    def numbers_of(self, labels):
        """Labels as numbers: the names of classes become their positions."""
        try:
            labels = np.asarray(labels)
        except ValueError:  # Lists of different lengths.
            raise checks.refusal("condition", labels, "one label, or a list with a label for each sample") from None
        if labels.dtype.kind not in "US":
            return labels
        if self.class_names is None:
            raise ValueError(
                f"The classes of this model have no names. Received: condition={labels.tolist()!r}. Pass numbers from "
                f"0 to {self.num_classes - 1}, or set model.class_names."
            )
        unknown = sorted(set(labels.ravel().tolist()) - set(self.class_names))
        if unknown:
            raise ValueError(f"There is no class {unknown[0]!r}. The classes are {', '.join(self.class_names)}.")
        return np.vectorize(self.class_names.index, otypes=["int64"])(labels)

    def spec(self, name):
        return tf.TensorSpec((None,), "int64", name=name)

    def card(self):
        return {"kind": "label", "num_classes": self.num_classes, "class_names": self.class_names}


class Attributes:
    """A condition of several properties at once, each a number from 0 to 1: one-hot or multi-hot vectors.

    One-hot labels side by side have names such as "hairColor brown", "hairColor black", "glasses none": a label and its
    value. A dictionary sets their values: `{"hairColor": "brown", "glasses": "none"}`.

    Args:
        count: Integer, the width of the vectors.
        attribute_names: Sequence of as many strings. Defaults to `None`.
    """

    name = "attributes"
    wanted_inputs = "two inputs, the second one the attributes (batch, count)"

    def __init__(self, count, attribute_names=None):
        self.size = int(count)
        self.name_attributes(attribute_names)

    def name_attributes(self, attribute_names):
        """Sets the names of the attributes. `None` removes them."""
        self.attribute_names = check_names("attribute_names", attribute_names, self.size)

    @property
    def labels(self):
        """The columns of each one-hot label, `{"hairColor": [0, 1, ...], ...}`. Empty if attributes have no names."""
        labels = {}
        for column, name in enumerate(self.attribute_names or ()):
            labels.setdefault(name.partition(" ")[0], []).append(column)
        return labels

    def check_spec(self, condition):
        wanted = f"(batch, {self.size})"
        if condition is None:
            raise ValueError(
                f"The model is conditional on {self.size} attributes, and the data have none. Pass (samples, "
                f"attributes), of shape {wanted}."
            )
        if len(condition.shape) != 2 or condition.shape[1] != self.size:
            raise ValueError(f"Attributes must have the shape {wanted}. Received: {tuple(condition.shape)}.")

    def check_values(self, condition):
        if condition.size and not (np.min(condition) >= 0 and np.max(condition) <= 1):
            raise ValueError(
                f"Attributes must lie in 0..1: 1 where a sample has one. Received values from {np.min(condition):g} to "
                f"{np.max(condition):g}."
            )

    def cast(self, condition):
        return tf.cast(condition, "float32")

    def augmented(self, condition, augment):
        return condition

    def missing(self, num_samples):
        raise ValueError(
            f"The model is conditional on {self.size} attributes: pass condition=, a row of {self.size} numbers for "
            f"all or {num_samples or 'an array of'} rows{self.values_in_words}."
        )

    @property
    def values_in_words(self):
        """The end of a sentence: an example of a dictionary of attributes. Empty if they have no names."""
        if not self.labels:
            return ""
        values = {label: self.attribute_names[columns[0]].partition(" ")[2] for label, columns in self.labels.items()}
        return f", or a dictionary such as {values}"

    @property
    def columns(self):
        label, columns = next(iter(self.labels.items()), (None, range(self.size)))
        names = None if label is None else [self.attribute_names[column].partition(" ")[2] for column in columns]
        return (2, [label, f"no {label}"]) if names == [""] else (len(columns), names)

    def in_turn(self, count):
        rows, period = np.zeros((count, self.size), "float32"), 1
        for columns in self.labels.values() or [range(self.size)]:
            choices = np.eye(self.size, dtype="float32")[list(columns)]
            if len(choices) == 1:  # Present or absent.
                choices = np.concatenate([choices, np.zeros_like(choices)])
            rows += choices[np.arange(count) // period % len(choices)]
            # A larger period would not change these rows, and could overflow NumPy's integers.
            period = min(period * len(choices), max(1, count))
        return rows

    def count(self, condition):
        rows = self.rows_of(condition) if isinstance(condition, dict) else condition
        return len(rows) if rank(rows) == 2 else None

    def for_samples(self, condition, num_samples):
        if isinstance(condition, dict):
            condition = self.rows_of(condition)
        if isinstance(condition, np.ndarray) and condition.dtype.kind == "U":
            condition = condition.tolist()
        if isinstance(condition, (set, frozenset)) or (
            isinstance(condition, (list, tuple)) and condition and all(isinstance(name, str) for name in condition)
        ):
            condition = self.row_of(condition)
        rows = self.numbers_of(condition)
        if rows.shape == (self.size,):
            rows = np.repeat(rows[None], checks.check_num_samples(num_samples or 1), axis=0)
        self.check_spec(rows)
        num_samples = checks.check_num_samples(len(rows) if num_samples is None else num_samples)
        if len(rows) != num_samples:
            raise ValueError(f"`condition` must be one row or num_samples={num_samples} rows. Received: {len(rows)}")
        self.check_values(rows)
        return num_samples, tf.constant(rows)

    def numbers_of(self, condition):
        """Rows of numbers as a float32 array."""
        try:
            rows = np.asarray(condition)
            if rows.dtype.kind in "cSUMm":
                raise TypeError
            return rows.astype("float32")
        except (TypeError, ValueError, OverflowError):
            row = f"a row of {self.size} numbers from 0 to 1"
            wanted = f"{row}, or an array of such rows"
            if self.labels:
                wanted = (
                    f"{row}, an array of such rows, a list of names{self.values_in_words}, whose values may be lists"
                )
            raise checks.refusal("condition", condition, wanted) from None

    def rows_of(self, values):
        """The rows of a dictionary, label -> value or list of values. Without a list, a single row `(count,)`."""
        values = {label: one_or_list(label, value) for label, value in values.items()}
        counts = {len(value) for value in values.values() if isinstance(value, list)}
        if len(counts) > 1:
            raise ValueError(f"Lists of values must be equally long. Received: the lengths {sorted(counts)}")
        known, told, rows = self.attribute_names or [], set(), np.zeros((max(counts, default=1), self.size), "float32")
        for label, value in values.items():
            told |= {name for name in known if name == label or name.startswith(f"{label} ")}
            for row, word in zip(rows, value if isinstance(value, list) else [value] * len(rows)):
                if label in known:  # Present or absent.
                    row[known.index(label)] = presence(label, word)
                else:
                    row[self.column_of(label, word)] = 1
        if not known:
            raise ValueError(
                "The attributes of this model have no names, and an empty dictionary tells none. Pass rows of "
                f"{self.size} numbers, or set model.attribute_names."
            )
        missing = {name.partition(" ")[0]: None for name in known if name not in told}
        if missing:
            raise ValueError(f"`condition` must tell {', '.join(self.labels)}. Missing: {', '.join(missing)}")
        return rows if counts else rows[0]

    def column_of(self, label, value):
        """The column of a value of a label."""
        if self.attribute_names is None:
            raise ValueError(
                f"The attributes of this model have no names. Received: {label}={value!r}. Pass rows of {self.size} "
                "numbers, or set model.attribute_names."
            )
        name = f"{label} {value}"
        if name in self.attribute_names:
            return self.attribute_names.index(name)
        values = [known.removeprefix(f"{label} ") for known in self.attribute_names if known.startswith(f"{label} ")]
        if not values:
            shown = checks.shown(label)
            raise ValueError(f"There is no attribute {shown}. The attributes are {', '.join(self.labels)}.")
        raise ValueError(f"{label!r} has no value {checks.shown(value)}. Its values are {', '.join(values)}.")

    def row_of(self, names):
        """The vector with a 1 at each of the named attributes."""
        known = self.attribute_names or ()
        unknown = sorted(map(repr, set(names) - set(known)))
        if unknown:
            raise ValueError(f"There is no attribute {unknown[0]}. The attributes are {', '.join(known) or 'unnamed'}.")
        return [float(name in names) for name in known]

    def spec(self, name):
        return tf.TensorSpec((None, self.size), "float32", name=name)

    def card(self):
        return {"kind": "attributes", "count": self.size, "attribute_names": self.attribute_names}


class Image:
    """A condition that is an image, the input of a translation. Elements of a dataset are `(input, target)`.

    Args:
        shape: `(height, width, channels)`.
    """

    name = "image"
    wanted_inputs = "two inputs, the second one the condition, an image"

    def __init__(self, shape):
        self.shape = shape

    def check_spec(self, condition):
        if condition is None:
            raise ValueError("The model translates images, and the data have no input images.")
        shape = tuple(condition.shape)
        if len(shape) != 4 or any(came not in (None, size) for came, size in zip(shape[1:], self.shape)):
            raise ValueError(
                f"The input images do not fit the model. Received: {shape}. Expected: (batch, "
                f"{', '.join(map(str, self.shape))}), the first part of (input, target)."
            )
        dtype = tf.as_dtype(condition.dtype)
        if not dtype.is_floating and dtype != tf.uint8:
            raise ValueError(
                f"The input images must be floats in [-1, 1]. Received: {dtype.name}. {checks.HOW_TO_SCALE}"
            )

    def check_values(self, condition):
        if not np.all(np.isfinite(condition)):
            raise ValueError("The input images hold NaN or infinite values. Find and drop them.")
        checks.check_pixels(condition, "The input images")

    def cast(self, condition):
        return normalize(condition) if condition.dtype == tf.uint8 else tf.cast(condition, "float32")

    def augmented(self, condition, augment):
        return augment(condition)  # A shifted image belongs to a shifted input.

    def missing(self, num_samples):
        raise ValueError(
            f"The model translates images: pass condition=, an array of images (n, {', '.join(map(str, self.shape))})."
        )

    @property
    def columns(self):
        return 1, None

    def in_turn(self, count):
        return self.missing(count)

    def count(self, condition):
        return len(condition) if rank(condition) == 4 else None

    def for_samples(self, condition, num_samples):
        images = checks.array("condition", condition)
        if images.shape == self.shape:  # One image for all.
            images = np.repeat(images[None], checks.check_num_samples(num_samples or 1), axis=0)
        self.check_spec(images)
        num_samples = checks.check_num_samples(len(images) if num_samples is None else num_samples)
        if len(images) != num_samples:
            raise ValueError(
                f"`condition` must be one image or num_samples={num_samples} images. Received: {len(images)} images."
            )
        images = self.cast(tf.constant(images))
        self.check_values(images.numpy())
        return num_samples, images

    def spec(self, name):
        return tf.TensorSpec((None, *self.shape), "float32", name=name)

    def card(self):
        return {"kind": "image", "shape": self.shape}


def rank(condition):
    """The number of axes of a value. 0 if it is not an array, which `for_samples` refuses."""
    try:
        return np.ndim(condition)
    except ValueError:  # Lists of different lengths.
        return 0


def one_or_list(label, value):
    """An entry of a dictionary of attributes: a value for all samples, or a list with a value for each."""
    if isinstance(value, (np.ndarray, tf.Tensor)):
        value = np.asarray(value).tolist()
    elif isinstance(value, (tuple, range)):
        value = list(value)
    if isinstance(value, list) and (not value or any(checks.plain_items(one) is not None for one in value)):
        wanted = "one value for all samples, or a list with a value for each"
        raise ValueError(f"`condition` must tell {label!r} by {wanted}. Received: {label}={checks.shown(value)}")
    return value


def presence(label, value):
    """How much of an attribute is present: a number from 0 to 1."""
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    return checks.number(f"condition[{label!r}]", value, least=0, most=1)


def check_names(argument, names, count):
    """Returns a list of `count` different strings, or `None`."""
    if names is None:
        return None
    items = checks.plain_items(names)
    if items is None:
        raise checks.refusal(argument, names, f"{count} different names", optional=True)
    names = [str(name) for name in items]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"`{argument}` must be {count} different names. Received: {names}")
    return names
