"""Makes datasets of image pairs, each an input and its target."""

import os

import numpy as np
import tensorflow as tf
from PIL import Image

from ganzoo import checks
from ganzoo.data.arrays import check_images
from ganzoo.data.decoding import decode_all, decode_image
from ganzoo.data.hints import check_colors, check_hints, hinting
from ganzoo.data.image_files import image_files
from ganzoo.data.indexed import IndexedSource, check_batch_size, uniform_numbers
from ganzoo.data.pixels import check_image_size, cover_array
from ganzoo.progress import track

# Isola et al., 2017, Section 6.2: 256 x 256 pixels are resized to 286 x 286, and cropped.
PAPER_JITTER = 286 / 256

_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap height and width.


def paired(
    inputs,
    targets=None,
    image_size=None,
    channels=3,
    direction="a_to_b",
    batch_size=None,
    seed=0,
    shuffle=True,
    jitter=False,
    mirror=False,
    color_hints=0,
):
    """Makes a dataset of pairs `(input, target)` for image-to-image translation.

    The pairs come from:

    - two folders whose files have the same names: `paired("edges", "photos")`. Sub-folders count as part of the name,
      the suffix does not.
    - a folder of side-by-side images, A on the left and B on the right: `paired("facades/train")`.
    - two arrays, as for `from_arrays`: `paired(outlines, drawings)`.

    Iterating over the dataset gives the order of epoch 0 each time. `dataset.stream()` gives all epochs, each in its
    own order, starting at any batch. Jitter, mirroring and hints also depend only on the seed, the epoch and the
    position, so that a training resumes exactly. Incomplete batches are dropped. Files are decoded once, see
    `from_folder`.

    Reference: [Isola et al., 2017](https://arxiv.org/abs/1611.07004), Section 6.2 (jitter and mirroring).

    Args:
        inputs: Folder A, the folder of side-by-side images, or an array `(num_samples, height, width, channels)`.
        targets: Folder B, or an array of as many images of the same height and width. Leave it out for side-by-side
            images.
        image_size: Pair of integers `(height, width)`. Both sides are resized to cover it and cropped at the centre.
            Defaults to the images' own size.
        channels: Integer, 1 (grey), 3 (RGB) or 4 (RGBA), for both sides. Arrays have their own. Defaults to `3`.
        direction: `"a_to_b"` (the default), or `"b_to_a"` to make B, the second argument or the right half, the input.
        batch_size: Integer. `None` (the default) gives single pairs.
        seed: Integer, the seed of the order, the jitter and the mirroring. Defaults to `0`.
        shuffle: Boolean. `False` keeps the order of the names or arrays. Defaults to `True`.
        jitter: Float above 1. Both sides are enlarged by this factor (bilinear) and cut back to size at the same random
            place. `True` means the paper's 286/256. Defaults to `False`. Held-out data need no jitter.
        mirror: Boolean, whether to flip both sides of half of the pairs, at random, from left to right. Defaults to
            `False`.
        color_hints: Integer, the maximum number of dabs of the target's colours under the lines of the input. Their
            number and places are random for each pair and epoch. The trained model then fills in a drawing as its user
            dabs it. Inputs become RGB. Defaults to `0`.

    Returns:
        A `tf.data.Dataset` of `(input, target)`, float32 images in `[-1, 1]`.

    Raises:
        ValueError: If images lack a partner, or if the two sides differ in size or number. The message names them.

    Example:

    ```python
    outlines, drawings = np.random.default_rng(0).integers(0, 256, (2, 100, 32, 32, 3), "uint8")
    dataset = ganzoo.data.paired(outlines, drawings, batch_size=10, jitter=True, mirror=True)
    ```
    """
    image_size = check_image_size(image_size)
    direction = checks.choice("direction", direction, ("a_to_b", "b_to_a"))
    channels = checks.choice("channels", channels, (1, 3, 4))
    seed, shuffle = checks.seed("seed", seed), checks.boolean("shuffle", shuffle)  # Check these before the slow part.
    check_jitter(jitter)
    mirror = checks.boolean("mirror", mirror)
    check_hints(color_hints)
    if isinstance(inputs, (str, os.PathLike)):
        if targets is not None and not isinstance(targets, (str, os.PathLike)):
            raise ValueError(f"inputs are a folder, and so must targets be; received {type(targets).__name__}.")
        inputs, targets = _read_folders(inputs, targets, channels, image_size, batch_size)
    elif targets is None or isinstance(targets, (str, os.PathLike)):
        raise ValueError(
            "inputs are an array, and so must targets be; received "
            f"{'none' if targets is None else repr(targets)}. Pass paired(inputs, targets), or the path of a folder."
        )
    inputs, targets = check_images(inputs, "inputs"), check_images(targets, "targets")
    if direction == "b_to_a":
        inputs, targets = targets, inputs
    return from_pairs(inputs, targets, image_size, batch_size, seed, shuffle, jitter, mirror, color_hints)


def from_pairs(inputs, targets, image_size, batch_size, seed, shuffle, jitter, mirror, color_hints=0):
    """Makes a dataset from two checked arrays. For the arguments see `paired`."""
    check_jitter(jitter)
    mirror = checks.boolean("mirror", mirror)
    color_hints = check_hints(color_hints)
    if inputs.ndim != 4 or targets.ndim != 4:
        raise ValueError(f"A pair is two images; received arrays of the shapes {inputs.shape} and {targets.shape}.")
    if len(inputs) != len(targets):
        raise ValueError(f"Each input needs one target; received {len(inputs)} inputs and {len(targets)} targets.")
    if inputs.shape[1:3] != targets.shape[1:3]:
        raise ValueError(
            "The two sides of a pair must have the same height and width; received inputs of "
            f"{inputs.shape[1]} x {inputs.shape[2]} and targets of {targets.shape[1]} x {targets.shape[2]}."
        )
    if image_size not in (None, inputs.shape[1:3]):
        inputs, targets = resize(inputs, image_size), resize(targets, image_size)
    changes = []
    if jitter or mirror:
        changes.append(augmentation(seed, inputs.shape[1:3], enlargement(jitter), mirror))
    if color_hints:
        check_colors(inputs, targets)
        changes.append(hinting(seed, color_hints))

    def augment(inputs, targets, epoch, positions):
        for change in changes:
            inputs, targets = change(inputs, targets, epoch, positions)
        return inputs, targets

    augment = augment if changes else None
    return IndexedSource(inputs, None, batch_size, seed, shuffle, targets=targets, augment=augment).dataset()


def augmentation(seed, size, ratio, mirror):
    """Makes a function that jitters and mirrors pairs. Changes depend only on seed, epoch and position.

    Args:
        seed: Integer.
        size: `(height, width)` of the images.
        ratio: Float, the enlargement before the crop. 1 means no crop.
        mirror: Boolean.

    Returns:
        Function `(inputs, targets, epoch, positions)` -> inputs and targets of the same shapes and dtypes.
    """

    def augment(inputs, targets, epoch, positions):
        rows, columns = places(positions, seed, epoch, size, ratio, mirror)
        return crop(inputs, ratio, rows, columns), crop(targets, ratio, rows, columns)

    return augment


def places(positions, seed, epoch, size, ratio, mirror):
    """The rows and columns of the enlarged images that a batch shows, depending only on seed, epoch and positions.

    Args:
        positions: int64 tensor `(batch,)`.
        seed: Integer.
        epoch: Integer or int64 scalar tensor.
        size, ratio, mirror: As in `augmentation`.

    Returns:
        Two int32 tensors, `(batch, height)` and `(batch, width)`.
    """
    numbers = uniform_numbers(positions, seed, epoch, 3)
    # Row and column of the crop's corner, all equally likely.
    spare = tf.constant([enlarged(length, ratio) - length + 1 for length in size], tf.float32)
    top, left = tf.unstack(tf.cast(tf.floor(numbers[:2] * spare[:, None]), tf.int32))
    rows = top[:, None] + tf.range(size[0])
    columns = left[:, None] + tf.range(size[1])
    if mirror:
        columns = tf.where(numbers[2][:, None] < 0.5, columns, columns[:, ::-1])
    return rows, columns


def crop(images, ratio, rows, columns):
    """Enlarges images by `ratio` and crops each to its own rows and columns. Shape and dtype do not change."""
    large = [enlarged(length, ratio) for length in images.shape[1:3]]
    changed = images
    if large != list(images.shape[1:3]):
        changed = tf.image.resize(changed, large)
        if images.dtype == tf.uint8:
            changed = tf.cast(tf.round(changed), tf.uint8)
    changed = tf.gather(tf.gather(changed, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
    return tf.ensure_shape(changed, images.shape)


def enlarged(length, ratio):
    """The length of a side before the crop."""
    return round(length * ratio)


def enlargement(jitter):
    """The factor that a checked `jitter` stands for. 1 means no crop."""
    return 1.0 if jitter is False else PAPER_JITTER if jitter is True else float(jitter)


def resize(images, image_size):
    """Resizes uint8 images `(num_samples, height, width, channels)` to cover `(height, width)`, and crops them."""
    if images.shape[1:3] == image_size:
        return images
    if images.dtype != np.uint8:
        raise ValueError(f"image_size needs uint8 images; received {images.dtype} images.")
    resized = np.empty((len(images), *image_size, images.shape[-1]), np.uint8)
    for row, image in enumerate(track(images, len(images), "Resizing images")):
        resized[row] = cover_array(image, image_size)
    return resized


def check_jitter(jitter):
    """Raises a `ValueError` unless `jitter` is a boolean or a factor above 1."""
    if not (isinstance(jitter, bool) or 1 < checks.as_float(checks.plain(jitter)) <= 2):
        wanted = "True (the paper's 286/256), False, or a factor above 1 and of at most 2 by which images are enlarged"
        raise checks.refusal("jitter", jitter, wanted)


# === Files ===


def _read_folders(first, second, channels, image_size, batch_size):
    """Returns both sides as uint8 arrays."""
    first = checks.path("inputs", first)
    second = checks.path("targets", second, optional=True)
    files = image_files(first)
    if second is None:
        check_batch_size(batch_size, len(files))  # Check this before the slow part.
        _check_widths(files)

        def decode(file, both, size, depths):
            sides = np.split(decode_image(file, both // 2, None, depths), 2, axis=1)
            return np.concatenate([side if size is None else cover_array(side, size) for side in sides], axis=-1)
    else:
        partners = _partners(files, first, second)
        check_batch_size(batch_size, len(files))
        _check_sizes(partners, image_size)

        def decode(file, both, size, depths):
            sides = [decode_image(side, both // 2, size, depths) for side in (file, partners[file])]
            return np.concatenate(sides, axis=-1)

    pairs, _ = decode_all(files, 2 * channels, image_size, decode)
    return pairs[..., :channels], pairs[..., channels:]


def _partners(files, first, second):
    """Dictionary from each file of the first folder to the file with the same name in the second folder."""
    sides = []
    for root, found in ((first, files), (second, image_files(second))):
        names = {}
        for file in found:
            name = file.relative_to(root).with_suffix("").as_posix()
            if name in names:
                both = f"{names[name].name!r} and {file.name!r}"
                raise ValueError(f"The partner of {name!r} is not certain: {str(root)!r} holds {both}.")
            names[name] = file
        sides.append(names)
    alone = [f"{name!r} only in {str(first)!r}" for name in sides[0] if name not in sides[1]]
    alone += [f"{name!r} only in {str(second)!r}" for name in sides[1] if name not in sides[0]]
    if alone:
        raise ValueError(f"{len(alone)} images have no partner of the same name: {_some(alone)}.")
    return {file: sides[1][name] for name, file in sides[0].items()}


def _check_widths(files):
    sizes = {file: _size(file) for file in files}
    odd = [f"{file.name} ({size[1]} pixels)" for file, size in sizes.items() if size and size[1] % 2]
    if odd:
        raise ValueError(
            "A side-by-side image has two halves of the same width, so its width is even; these are odd: "
            f"{_some(odd)}. For single images pass two folders, paired(inputs, targets)."
        )


def _check_sizes(partners, image_size):
    """Refuses pairs of different size, or of different shape if they will be resized."""
    found = []
    for file, partner in partners.items():
        one, other = _size(file), _size(partner)
        if one is None or other is None or one == other:
            continue  # The reader reports broken files.
        stretched = abs(one[0] * other[1] - other[0] * one[1]) > 0.01 * one[0] * other[1]
        if image_size is None or stretched:
            found.append(f"{file.name} is {one[0]} x {one[1]}, its partner {other[0]} x {other[1]}")
    if found:
        fix = "" if image_size else " If they have the same shape, pass image_size=(height, width)."
        raise ValueError(f"The two sides of a pair must have the same size (height x width): {_some(found)}.{fix}")


def _size(file):
    """`(height, width)` from the header of a file, or `None` if it cannot be read."""
    try:
        with Image.open(file) as image:
            width, height = image.size
            return (width, height) if image.getexif().get(0x0112) in _TURNED else (height, width)
    except Exception:  # A broken file may make Pillow raise any exception.
        return None


def _some(items):
    return ", ".join(items[:5]) + (f", and {len(items) - 5} more" if len(items) > 5 else "")
