"""Latent codes: parts of the latents that should each control a single property of a sample."""

import numpy as np
import tensorflow as tf

from ganzoo import checks


class Codes:
    """Where the codes lie in the latents: noise first, then one-hot categorical codes, then continuous codes.

    Args:
        latent_dim: Integer, the width of the latents.
        sizes: Dictionary, name -> width, of all codes in order. `"continuous"` is the total width of the continuous
            codes. All other names are categorical codes.

    Attributes:
        sizes: As in `Args`.
        categories: Dictionary, name -> size, of the categorical codes.
        noise_dim: Integer, number of latents before the codes.

    Raises:
        ValueError: If there are no codes, or more codes than latents.
    """

    def __init__(self, latent_dim, sizes):
        self.sizes = dict(sizes)
        self.categories = {name: size for name, size in sizes.items() if name != "continuous"}
        width = sum(sizes.values())
        self.noise_dim = latent_dim - width
        if not self.sizes:
            raise ValueError("There must be a code. Received: categories=() and continuous=0. Pass categories=(10,).")
        if self.noise_dim < 0:
            raise ValueError(
                f"The codes {self.sizes} take {width} latents. Received: latent_dim={latent_dim}. Use more latents or "
                "fewer codes."
            )

    def draw(self, numbers, batch_size):
        """Latents for `batch_size` samples. See `GenerativeModel.prior`.

        Noise comes from N(0, I) and continuous codes from U[-1, 1]. All values of a categorical code are equally
        likely.
        """
        parts = [numbers.normal((batch_size, self.noise_dim))]
        for size in self.categories.values():
            chosen = tf.cast(float(size) * numbers.uniform((batch_size, 1))[:, 0], "int32")
            # The largest number below 1, times the size, may round up to the size: a category that does not exist.
            parts.append(tf.one_hot(tf.minimum(chosen, size - 1), size))
        if "continuous" in self.sizes:
            parts.append(2.0 * numbers.uniform((batch_size, self.sizes["continuous"])) - 1.0)
        return tf.concat(parts, axis=1)

    def split(self, latents):
        """The codes in latents: a dictionary, name -> tensor `(batch, size)`."""
        _, *codes = tf.split(latents, [self.noise_dim, *self.sizes.values()], axis=1)
        return dict(zip(self.sizes, codes, strict=True))

    def replace(self, latents, codes):
        """Latents with some codes replaced.

        Args:
            latents: Tensor `(batch, latent_dim)`.
            codes: Dictionary, name -> tensor `(batch, size)`.
        """
        parts = {**self.split(latents), **codes}
        return tf.concat([latents[:, : self.noise_dim], *parts.values()], axis=1)

    def read(self, codes, num_samples):
        """Checks the codes that a user set.

        Args:
            codes: Dictionary, name -> a single code for all samples, or a code per sample. A categorical code is an
                integer, the continuous codes are a row of numbers.
            num_samples: Integer, or `None` for the number of codes.

        Returns:
            `(num_samples, codes)`, the codes as `replace` takes them.

        Raises:
            ValueError: If a name is unknown, or a code has the wrong form.
        """
        if not isinstance(codes, dict):
            raise ValueError(
                f"`codes` must be a dictionary with some of the names {', '.join(self.sizes)}. Received: "
                f"{checks.shown(codes)}"
            )
        unknown = [name for name in codes if name not in self.sizes]
        if unknown:
            raise ValueError(f"There is no code {unknown[0]!r}. The codes are {', '.join(self.sizes)}.")
        values = {name: self._checked(name, value) for name, value in codes.items()}
        if num_samples is None:
            num_samples = max((len(value) for value in values.values()), default=None)
        num_samples = checks.check_num_samples(num_samples)
        return num_samples, {name: self._encoded(name, value, num_samples) for name, value in values.items()}

    def _checked(self, name, value):
        """Checks the given values of a code. Returns an array with an axis for the samples."""
        array = as_array(value)
        if name in self.categories:
            size = self.categories[name]
            if array.dtype.kind not in "iu" or array.ndim > 1 or not array.size or not in_range(array, 0, size - 1):
                raise checks.refusal(name, value, f"an integer from 0 to {size - 1}, or an integer for each sample")
            return np.atleast_1d(array).astype("int64")
        size = self.sizes[name]
        is_row = array.ndim in (1, 2) and array.shape[-1] == size and array.size
        if not is_row or array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)):
            raise checks.refusal(name, value, f"a row of {size} finite number(s), or such a row for each sample")
        return np.atleast_2d(array)

    def _encoded(self, name, values, num_samples):
        if len(values) not in (1, num_samples):
            raise ValueError(
                f"`{name}` must be one code, or a code for each of the {num_samples} samples. Received: {len(values)} "
                "codes."
            )
        rows = tf.one_hot(values, self.sizes[name]) if name in self.categories else tf.cast(values, "float32")
        return tf.repeat(rows, num_samples // len(values), axis=0)

    # === In an exported model ===

    def specs(self):
        """The signature of the codes: a list of `tf.TensorSpec`, int64 numbers and float32 rows."""
        return [
            tf.TensorSpec((None,), "int64", name=name)
            if name in self.categories
            else tf.TensorSpec((None, size), "float32", name=name)
            for name, size in self.sizes.items()
        ]

    def encoded(self, tensors):
        """Converts tensors of `specs` to the form that `replace` takes. Unknown categories fail in the graph."""
        codes = dict(zip(self.sizes, tensors, strict=True))
        for name, size in self.categories.items():
            # Without the assertions, `tf.one_hot` would turn an unknown category into zeros.
            message = f"{name} must lie in 0..{size - 1}"
            inside = [
                tf.debugging.assert_non_negative(codes[name], message),
                tf.debugging.assert_less(codes[name], tf.constant(size, "int64"), message),
            ]
            with tf.control_dependencies(inside):
                codes[name] = tf.one_hot(codes[name], size)
        return codes


def as_array(value):
    """A value as a NumPy array. A ragged value becomes an object array, which no check accepts."""
    try:
        return np.asarray(list(value) if isinstance(value, range) else value)
    except ValueError:
        return np.asarray(None)


def in_range(array, least, most):
    """Whether all numbers lie within the bounds."""
    return array.min() >= least and array.max() <= most
