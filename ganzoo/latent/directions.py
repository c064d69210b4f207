"""Directions in the latents: move along them, and something that has a name changes."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.latent.space import draw, needed_parts, space_of
from ganzoo.networks.graph import first_layers, output_of, part_of
from ganzoo.progress import track


@dataclasses.dataclass(frozen=True)
class Directions:
    """Unit vectors in a space of latents, the strongest first.

    Args:
        vectors: Float array `(count, dimensions)`.
        strengths: Float array `(count,)`. Its meaning depends on the function that found the directions.
        space: `"z"` or `"w"`.
        names: List of strings, or `None`.
    """

    vectors: np.ndarray
    strengths: np.ndarray
    space: str = "z"
    names: list | None = None

    def __len__(self):
        return len(self.vectors)


def sefa(model, count=8, space=None, normalize=True):
    """Finds directions along which the output of the first layer changes most: closed-form factorization (SeFa).

        n* = argmax ||A n||^2 over ||n|| = 1:   the eigenvectors of A^T A

    A is the weight of the layers that read the latents. In W these are the affine layers of all styles, stacked. `sefa`
    needs no samples and no labels. Later layers (normalization, nonlinearities) may undo a large change of the first
    layer's output. So the eigenvalues rank the changes that enter the network, not the changes that you see.

    Reference: [Shen & Zhou, 2021](https://arxiv.org/abs/2007.06600), Equations 5 to 8.

    Args:
        model: `ganzoo.GenerativeModel` whose latents are vectors.
        count: Integer, the number of directions, at most the number of latents. Defaults to `8`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        normalize: Boolean, whether to scale the rows of A to the norm 1 first, as in the authors' code and not in the
            paper. Defaults to `True`.

    Returns:
        `Directions`. Their strengths are the eigenvalues. The largest entry of each vector is positive.

    Raises:
        ValueError: If the latents are not vectors, or the first layer is not linear.

    Example:

    >>> found = ganzoo.latent.sefa(model, count=3)
    >>> sheet = ganzoo.latent.traverse(model, ganzoo.latent.draw(model, 4), found.vectors[0])
    """
    space = vector_space(model, space)
    matrix = first_weights(space)
    if checks.boolean("normalize", normalize):
        norms = np.linalg.norm(matrix, axis=1, keepdims=True)
        matrix = matrix / np.where(norms > 0, norms, 1.0)
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    count = how_many(count, len(values))
    return Directions(with_sign(vectors.T[::-1][:count]), values[::-1][:count].copy(), space.name)


def pca(model, count=8, layer=None, num_samples=5000, seed=0, space=None, condition=None, batch_size=250):
    """Finds directions along which activations vary most: GANSpace.

    In W these are the principal components of the styles w = mapping(z). In Z all directions of N(0, I) are alike. So
    `pca` computes the components V of a layer's activations y, and the directions that move the latents along them:

        x_j = V^T (y_j - mean),    U = argmin sum_j ||U x_j - z_j||^2

    Reference: [Härkönen et al., 2020](https://arxiv.org/abs/2004.02546), Section 2.

    Args:
        model: `ganzoo.GenerativeModel` whose latents are vectors.
        count: Integer, the number of directions, at most the number of components. Defaults to `8`.
        layer: String, the name of the generator's layer to take activations from. Defaults to `None`: the styles in W,
            the samples themselves in Z.
        num_samples: Integer. Defaults to `5000`.
        seed: Integer, of the latents. Defaults to `0`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        condition: As in `generate`. Defaults to `None`.
        batch_size: Integer. Defaults to `250`.

    Returns:
        `Directions`. Their strengths are the components' shares of the variance.

    Raises:
        ValueError: If the latents are not vectors, there is no such layer, or there are fewer samples than latents.

    Example:

    >>> found = ganzoo.latent.pca(model, layer="relu_0")
    """
    space = vector_space(model, space)
    num_samples = check_enough(num_samples, space)
    points = space.points(draw(model, num_samples, seed), condition).astype("float64")
    if layer is None and space.name == "w":
        values, vectors = np.linalg.eigh(np.cov(points.T))
        count = how_many(count, len(values))
        return Directions(with_sign(vectors.T[::-1][:count]), (values / values.sum())[::-1][:count], space.name)
    activations = activations_of(space, points, layer, condition, batch_size)
    activations -= activations.mean(axis=0)
    # The smaller of the two matrices of products: with many activations, the other may not fit into memory.
    wide = activations.shape[1] > num_samples
    values, vectors = np.linalg.eigh(activations @ activations.T if wide else activations.T @ activations)
    order = np.argsort(values)[::-1]
    order = order[values[order] > values.max() * 1e-10]
    count = how_many(count, len(order))
    order = order[:count]
    coordinates = vectors[:, order] * np.sqrt(values[order]) if wide else activations @ vectors[:, order]
    found = np.linalg.lstsq(coordinates, points - points.mean(axis=0), rcond=None)[0]
    return Directions(with_sign(found), values[order] / values.sum(), space.name)


def supervised(model, attribute, num_samples=5000, seed=0, space=None, condition=None, names=None, batch_size=250):
    """Finds directions along which known attributes change, by a linear fit of their scores to the latents.

        w = argmin sum_j (s(G(z_j)) - w . z_j - b)^2,    direction w / ||w||

    InterFaceGAN takes the normal of a linear support vector machine between the samples with and without an attribute.
    Least squares on scores needs no choice of a margin, and uses every sample.

    Reference: [Shen et al., 2020](https://arxiv.org/abs/1907.10786), Section 3.2.

    Departures from the paper: least squares instead of the support vector machine.

    Args:
        model: `ganzoo.GenerativeModel` whose latents are vectors.
        attribute: Function, images `(batch, ...)` in [-1, 1] -> scores `(batch,)` or `(batch, attributes)`: the logits
            of a classifier, or any other measurement.
        num_samples: Integer, generated samples. Defaults to `5000`.
        seed: Integer, of the latents. Defaults to `0`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        condition: As in `generate`. Defaults to `None`.
        names: List of strings, the names of the attributes. Defaults to `None`.
        batch_size: Integer. Defaults to `250`.

    Returns:
        `Directions` in the order of the attributes. Moving along a direction raises the attribute's score. The
        strengths are R^2 of the fit, corrected for the number of latents: the share of the scores' variance that the
        line explains. 0 means that there is no such direction.

    Raises:
        ValueError: If the latents are not vectors, there are fewer samples than latents, or a score is not finite.

    Example:

    >>> brightness = lambda images: images.mean(axis=(1, 2, 3))
    >>> found = ganzoo.latent.supervised(model, brightness)
    """
    space = vector_space(model, space)
    num_samples = check_enough(num_samples, space)
    if not callable(attribute):
        raise checks.refusal("attribute", attribute, "a function of images, such as a classifier's logits")
    latents = draw(model, num_samples, seed)
    points = space.points(latents, condition).astype("float64")
    samples = space.decode(points.astype("float32"), condition, batch_size)
    scores = checks.array("attribute(images)", attribute(samples), "float64")
    if len(scores) != num_samples or scores.ndim not in (1, 2) or not np.isfinite(scores).all():
        raise ValueError(
            f"`attribute` must return finite scores of shape ({num_samples},) or ({num_samples}, attributes). "
            f"Received: shape {scores.shape}"
        )
    scores = scores.reshape(num_samples, -1)
    names = None if names is None else checks.plain_items(names) or ()
    if names is not None and len(names) != scores.shape[1]:
        raise ValueError(f"`names` must be a list, one for each of {scores.shape[1]} attributes. Received: {names}")
    points, scores = points - points.mean(axis=0), scores - scores.mean(axis=0)
    fitted = np.linalg.lstsq(points, scores, rcond=None)[0]
    total = np.sum(scores**2, axis=0)
    unexplained = np.sum((scores - points @ fitted) ** 2, axis=0) / np.where(total > 0, total, 1.0)
    freedom = num_samples - 1
    strengths = np.where(total > 0, 1 - unexplained * freedom / (freedom - points.shape[1]), 0.0)
    return Directions(units(fitted.T), strengths, space.name, None if names is None else list(names))


def without(vector, others):
    """Makes a direction orthogonal to others, so that it leaves them alone. It has length 1.

    Reference: [Shen et al., 2020](https://arxiv.org/abs/1907.10786), Section 3.3, conditional manipulation.

    Args:
        vector: Float array `(dimensions,)`.
        others: Float array `(count, dimensions)`, or a vector.

    Returns:
        Float array `(dimensions,)`.

    Raises:
        ValueError: If `vector` lies in the span of `others`.

    Example:

    >>> ganzoo.latent.without([1.0, 1.0], [0.0, 1.0])  # [1., 0.]
    """
    vector = checks.array("vector", vector, "float64")
    others = np.atleast_2d(checks.array("others", others, "float64"))
    if vector.ndim != 1 or others.ndim != 2 or others.shape[1] != len(vector):
        raise ValueError(f"`others` must be vectors of {vector.shape} like `vector`. Received: shape {others.shape}")
    left = vector - others.T @ np.linalg.lstsq(others.T, vector, rcond=None)[0]
    if np.linalg.norm(left) <= 1e-9 * np.linalg.norm(vector):
        raise ValueError("`vector` lies in the span of `others`: nothing is left of it.")
    return units(left[None])[0]


# === Parts ===


def vector_space(model, name):
    """Returns the space of a model, or raises an error if its points are not vectors."""
    space = space_of(model, name)
    if len(space.shape) != 1:
        raise ValueError(f"Directions need latents that are vectors. Received: latents of shape {space.shape}")
    return space


def first_weights(space):
    """The matrix A of all layers that read the points of a space, `(outputs, dimensions)`."""
    size = space.shape[0]
    # The centre, a step along each axis, and a mixed point: in a linear layer, the steps add up to it.
    mixed = np.where(np.arange(size) % 2, 0.7, -0.7)[None]
    probes = np.concatenate([np.zeros((1, size)), np.eye(size), mixed]).astype("float32")
    found = []
    for layer, parts in first_layers(space.network, space.symbolic):
        if isinstance(layer.input, list):  # Such as a normalization with gains that depend on a part of the latents.
            raise not_linear(layer)
        values = probes
        for part, others in parts:
            zeros = [tf.zeros((len(values), *tensor.shape[1:]), tensor.dtype) for tensor in others]
            values = keras.ops.convert_to_numpy(part([tf.constant(values), *zeros]))
        outputs = np.asarray(linear_part(layer)(values, training=False), "float64").reshape(len(values), -1)
        columns = outputs[1:] - outputs[:1]
        if not np.allclose(columns[-1], mixed[0] @ columns[:-1], rtol=1e-3, atol=1e-4 * np.abs(columns).max()):
            raise not_linear(layer)
        found.append(columns[:-1].T)
    if not found:
        raise ValueError(f"No layer of {space.network.name} with weights reads the latents.")
    return np.concatenate(found)


def not_linear(layer):
    """The error for a first layer without a matrix."""
    return ValueError(
        f"The first layer that reads the latents, {layer.name!r}, is not linear in them: SeFa needs a linear layer. "
        "ganzoo.latent.pca makes no such assumption."
    )


def linear_part(layer):
    """A copy of a layer without its activation."""
    config = {**layer.get_config(), "dtype": "float32"}  # In half precision, rounding would look like nonlinearity.
    if "activation" in config:
        config["activation"] = None
    copy = type(layer).from_config(config)
    copy.build(layer.input.shape)
    copy.set_weights(layer.get_weights())
    return copy


def activations_of(space, points, layer, condition, batch_size):
    """Activations `(samples, units)` of a layer, float64. For `None`, the samples themselves."""
    if layer is None:
        return space.decode(points.astype("float32"), condition, batch_size).reshape(len(points), -1).astype("float64")
    output = output_of(space.network, layer)
    if output is None:
        names = [each.name for each in space.network.layers]
        raise ValueError(f"`layer` must be one of the generator's layers, {names}. Received: layer={layer!r}")
    part, needed = part_of(space.network, space.symbolic, output)
    count, condition = space.model.conditions.for_samples(condition, len(points))
    inputs = [tf.constant(points, "float32"), *needed_parts(space.model, space.network, needed, condition)]
    found = []
    starts = range(0, count, batch_size)
    for start in track(starts, len(starts), "Activations, batches"):
        values = part([each[start : start + batch_size] for each in inputs])
        found.append(keras.ops.convert_to_numpy(values).reshape(values.shape[0], -1))
    return np.concatenate(found).astype("float64")


def how_many(count, most):
    """`count`, but at most `most`."""
    return min(checks.integer("count", count, least=1), most)


def check_enough(num_samples, space):
    """Returns the number of samples, or raises an error if it is too small to fit a line."""
    num_samples = checks.check_num_samples(num_samples)
    if num_samples < space.shape[0] + 2:
        raise ValueError(
            f"`num_samples` must be {space.shape[0] + 2} or more, for {space.shape[0]} latents. Received: "
            f"num_samples={num_samples}"
        )
    return num_samples


def units(vectors):
    """Vectors `(count, dimensions)` of length 1. Zero stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1.0)


def with_sign(vectors):
    """Unit vectors whose largest entry is positive, because the sign of an eigenvector is arbitrary."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return units(vectors * np.where(largest < 0, -1.0, 1.0))
