"""Generated images beside their nearest training images."""

import dataclasses

import numpy as np

from ganzoo import checks, images
from ganzoo.metrics.distances import nearest as nearest_of
from ganzoo.metrics.distances import scaled
from ganzoo.metrics.features.base import as_features


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """The nearest training images of generated images.

    Args:
        generated: Array `(count, ...)`, the generated images.
        found: Array `(count, k, ...)`, the training images, nearest first.
        indices: Integer array `(count, k)`, their places in the training set.
        distances: Float array `(count, k)`.
        features: String, the name of the compared features.
    """

    generated: np.ndarray
    found: np.ndarray
    indices: np.ndarray
    distances: np.ndarray
    features: str

    def picture(self, *others, **settings):
        """A picture: generated images in the first row, their neighbours below. Settings as in `ganzoo.images.grid`.

        Args:
            others: Further `Neighbours` of the same images, in other features. They make further rows.
        """
        generated = as_uint8(self.generated)
        rows = [generated]
        for each in (self, *others):
            if each.generated.shape != self.generated.shape:
                raise ValueError(
                    f"`others` must be neighbours of the same images. Received: {each.generated.shape} beside "
                    f"{self.generated.shape}"
                )
            rows += list(as_uint8(each.found).swapaxes(0, 1))
        return images.grid(np.concatenate(rows), columns=len(generated), **settings)


def nearest(generated, training, features=None, count=1, chunk_size=1024):
    """Finds the training images nearest to generated images: has the generator learned them by heart?

    Neighbours in pixels have the same light and dark places. Neighbours in features show the same thing. A copy is near
    in both. Judge by the pictures, and by `ganzoo.metrics.memorization`, which compares with images that the model has
    not seen.

    Args:
        generated: Images `(samples, ...)`, uint8 or floats in [-1, 1].
        training: Images of the same shape.
        features: Network of `ganzoo.metrics.features`, a `keras.Model`, or `None` (the default): the pixels.
        count: Integer, neighbours of each. Defaults to `1`.
        chunk_size: Integer, the edge of the largest block of distances. Defaults to `1024`.

    Returns:
        `Neighbours`.

    Raises:
        ValueError: If the shapes differ, or there are fewer training images than neighbours.

    Example:

    >>> in_pixels = ganzoo.latent.nearest(model.generate(8), training)
    >>> in_features = ganzoo.latent.nearest(model.generate(8), training, ganzoo.metrics.features.EfficientNetLite0())
    >>> ganzoo.images.save_png("nearest.png", in_pixels.picture(in_features))
    """
    generated, training = checks.array("generated", generated), checks.array("training", training)
    (count,) = checks.counts(count=count)
    if generated.ndim < 2 or generated.shape[1:] != training.shape[1:] or not len(generated):
        raise ValueError(
            "`generated` and `training` must be images of one shape. Received: shapes "
            f"{generated.shape} and {training.shape}"
        )
    if len(training) < count:
        raise ValueError(f"`training` must have {count} images or more. Received: {len(training)}")
    network = as_features(features)
    (points, queries), unit = scaled(network(training), network(generated))
    squares, indices = nearest_of(queries, points, count, checks.integer("chunk_size", chunk_size, least=1))
    name = "pixels" if features is None else network.name
    return Neighbours(generated, training[indices], indices, unit * np.sqrt(squares), name)


def as_uint8(pictures):
    """Pictures as 8 bits, so that training images and generated images fit into a grid."""
    return pictures if pictures.dtype == np.uint8 else images.to_uint8(pictures).numpy()
