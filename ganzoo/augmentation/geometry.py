"""Random geometric transformations of images, as a matrix for each image and a single resampling.

A matrix is `(batch, 3, 3)` and says where a point (x, y, 1) of the picture goes. Coordinates are in pixels, with x to
the right and y down. The origin is the centre of the picture.
"""

import math

import numpy as np
import tensorflow as tf

from ganzoo.augmentation.matrices import normal, spread

# Log-normal factors and normal shifts of Appendix B, as standard deviations.
SCALING = 0.2 * math.log(2.0)
SHIFT = 0.125

# Lobes of the Lanczos kernel on each side.
LOBES = 3


def pixel_blitting(numbers, p, height, width):
    """Flips, quarter turns and shifts by whole pixels, which copy pixels without interpolation.

    Args:
        numbers: Seven float32 tensors `(batch,)` in [0, 1).
        p: Float32 scalar, the probability of each transformation.
        height, width: Integers.

    Returns:
        List of `(applies, matrices)` in order of application. `applies` is a boolean tensor `(batch,)`.
    """
    flip, side, turn, quarters, move, right, down = numbers
    return [
        (flip < p, scaling(1.0 - 2.0 * tf.floor(2.0 * side), tf.ones_like(side))),
        (turn < p, quarter_turns(tf.floor(4.0 * quarters))),
        (move < p, translation(*(tf.round((2.0 * u - 1.0) * SHIFT * n) for u, n in ((right, width), (down, height))))),
    ]


def general_transformations(numbers, p, height, width):
    """Isotropic scaling, rotation, anisotropic scaling, another rotation, and shifts by parts of a pixel.

    A rotation before, after or on both sides of the anisotropic scaling happens with probability p, so each has the
    probability 1 - sqrt(1 - p).

    Args:
        numbers: Eleven float32 tensors `(batch,)` in [0, 1).
        p: Float32 scalar, the probability of each transformation.
        height, width: Integers.

    Returns:
        List of `(applies, matrices)` in order of application. `applies` is a boolean tensor `(batch,)`.
    """
    scale, factor, before, angle_before, stretch, ratio, after, angle_after, move, right, down = numbers
    p_rotation = 1.0 - tf.sqrt(1.0 - p)
    factor, ratio = (tf.exp(SCALING * normal(u)) for u in (factor, ratio))
    return [
        (scale < p, scaling(factor, factor)),
        (before < p_rotation, rotation(angle(angle_before))),
        (stretch < p, scaling(ratio, 1.0 / ratio)),
        (after < p_rotation, rotation(angle(angle_after))),
        (move < p, translation(SHIFT * width * normal(right), SHIFT * height * normal(down))),
    ]


def angle(number):
    """Turns U(0, 1) into an angle from U(-pi, pi)."""
    return math.pi * (2.0 * number - 1.0)


def scaling(x, y):
    """Matrices that stretch by x to the right and by y downwards."""
    return spread(x) * entry(0, 0) + spread(y) * entry(1, 1) + entry(2, 2)


def translation(x, y):
    """Matrices that move by x to the right and by y downwards."""
    return spread(x) * entry(0, 2) + spread(y) * entry(1, 2) + np.eye(3, dtype="float32")


def rotation(angle):
    """Matrices that rotate counterclockwise."""
    return turning(tf.cos(angle), tf.sin(angle))


def quarter_turns(count):
    """Matrices that rotate counterclockwise by 0 to 3 quarters. Their sines and cosines are whole numbers."""
    return turning(tf.abs(2.0 - count) - 1.0, 1.0 - tf.abs(count - 1.0))


def turning(cosine, sine):
    """Rotation matrices, where y points downwards."""
    along, across = entry(0, 0) + entry(1, 1), entry(0, 1) - entry(1, 0)
    return spread(cosine) * along + spread(sine) * across + entry(2, 2)


def entry(row, column):
    """The 3x3 matrix with a 1 at this entry and 0 elsewhere."""
    matrix = np.zeros((3, 3), "float32")
    matrix[row, column] = 1.0
    return matrix


def resample(images, matrices):
    """Moves the content of each image by a matrix. Outside of an image lies its reflection.

    Each pixel of the result is read at its source, `matrices^-1` times its position. Sources lie between the pixels. So
    the image is enlarged twice by Lanczos interpolation, which keeps the pixels themselves, and read by bilinear
    interpolation. A source at the centre of a pixel gives that pixel exactly.

    Args:
        images: Float32 tensor `(batch, height, width, channels)`, at least 2x2.
        matrices: Float32 tensor `(batch, 3, 3)`, invertible.

    Returns:
        Tensor of the shape of `images`.
    """
    height, width, channels = images.shape[1:]
    x, y = sources(inverse(matrices), height, width)
    fine = swapped(enlarged(swapped(enlarged(images))))
    rows, columns = fine.shape[1:3]
    column, right = cell(x, columns)
    row, down = cell(y, rows)
    index = row * columns + column
    pixels = tf.reshape(fine, [-1, rows * columns, channels])
    corners = [
        (0, (1.0 - down) * (1.0 - right)),
        (1, (1.0 - down) * right),
        (columns, down * (1.0 - right)),
        (columns + 1, down * right),
    ]
    return tf.add_n([tf.gather(pixels, index + k, axis=1, batch_dims=1) * weight[..., None] for k, weight in corners])


def inverse(matrices):
    """Inverses of affine matrices. Exact if all entries are whole numbers and the determinant is 1 or -1."""
    (a, b, x), (c, d, y) = entries(matrices)
    determinant = a * d - b * c
    # The adjugate, divided by the determinant.
    rows = [[d, -b, b * y - d * x], [-c, a, c * x - a * y], [tf.zeros_like(a), tf.zeros_like(a), determinant]]
    return tf.stack([tf.stack(row, axis=1) for row in rows], axis=1) / spread(determinant)


def entries(matrices):
    """The two rows of affine matrices as lists of tensors `(batch,)`."""
    return [tf.unstack(row, axis=1) for row in tf.unstack(matrices, axis=1)[:2]]


def sources(matrices, height, width):
    """The source of each pixel: x and y `(batch, height, width)`, in pixels from the first, inside of the image."""
    across, along = (tf.constant(np.arange(n) - (n - 1) / 2, "float32") for n in (width, height))
    across, along = across[None, None, :], along[None, :, None]
    (a, b, x), (c, d, y) = entries(matrices[..., None, None])
    x = a * across + b * along + x + (width - 1) / 2
    y = c * across + d * along + y + (height - 1) / 2
    return folded(x, width), folded(y, height)


def folded(place, size):
    """Reflects positions outside of an image of `size` pixels at the centres of its first and last pixel."""
    last = size - 1.0
    # A triangle wave of period 2 * last.
    return last - tf.abs(tf.math.floormod(place, 2.0 * last) - last)


def cell(place, size):
    """The index below a position in the enlarged image, and the rest of the way to the next index, in [0, 1]."""
    place = 2.0 * place
    # The last pixel ends the last cell, instead of starting a new cell outside of the image.
    below = tf.minimum(tf.floor(place), size - 2.0)
    return tf.cast(below, "int32"), place - below


def enlarged(images):
    """Inserts a row below each row, halfway to the next."""
    size, *rest = images.shape[1:]
    rows = tf.reshape(images, [-1, size, math.prod(rest)])
    # The rows themselves skip the product, which a GPU may compute with fewer digits.
    pairs = tf.stack([rows, tf.matmul(tf.constant(halfway(size)), rows)], axis=2)
    return tf.reshape(pairs, [-1, 2 * size, *rest])


def halfway(size):
    """Matrix `(size, size)` that interpolates a reflected signal half a step after each of its values."""
    matrix = np.zeros((size, size))
    offsets = np.arange(1 - LOBES, LOBES + 1)
    weights = np.sinc(offsets - 0.5) * np.sinc((offsets - 0.5) / LOBES)
    for row in range(size):
        places = (size - 1) - np.abs((row + offsets) % (2 * size - 2) - (size - 1))
        np.add.at(matrix[row], places, weights / weights.sum())
    return matrix.astype("float32")


def swapped(images):
    """Swaps rows and columns."""
    return tf.transpose(images, [0, 2, 1, 3])
