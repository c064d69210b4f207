"""Datasets by name."""

import difflib
import gzip
import os
from pathlib import Path

import numpy as np

from ganzoo import checks
from ganzoo.data import npz, toys
from ganzoo.data.folder import from_folder
from ganzoo.data.indexed import IndexedSource
from ganzoo.data.paired import check_jitter, from_pairs, resize
from ganzoo.data.pixels import check_image_size
from ganzoo.data.split import split_indices, split_name

_EMBEDDED = {
    "mnist_10k": [str(digit) for digit in range(10)],
    "fashion_mnist_10k": [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ],
}
_FACES = "faces_10k"
_EMBEDDED_FOLDER = Path(__file__).parent / "embedded"
_EMBEDDED_FACES = _EMBEDDED_FOLDER / "faces_10k.npz"
# Suffixes that are those of files, and of no dataset's name.
_ARCHIVES = (".npz", ".npy", ".zip", ".tar", ".gz", ".tgz", ".h5", ".hdf5", ".mat", ".csv", ".pkl")
_TOYS = {"ring": toys.ring, "grid": toys.grid, "swiss_roll": toys.swiss_roll}


def load(
    name,
    split="train",
    batch_size=None,
    seed=0,
    shuffle=True,
    image_size=None,
    data_dir=None,
    manual_dir=None,
    jitter=False,
    mirror=False,
    label=None,
):
    """A dataset by its name, as float32 images in `[-1, 1]` and int64 labels.

    A name is one of

    - `mnist_10k`, `fashion_mnist_10k`: the 10,000 test images of each, 28 x 28 x 1, which come
      with ganzoo and need no network. All of them are the split `train`, to be sliced at will;
    - `faces_10k`: 10,000 drawn faces in pixel art, 16 x 16 x 3, which come with ganzoo. Sixteen attributes are known of
      each, see `label`. Drawings: "Pixel Art" by DiceBear, CC0 1.0;
    - `fashion_edges_10k`, `openmoji_pairs`: pairs of images that come with ganzoo, see below;
    - `ring`, `grid`, `swiss_roll`: the toys with their defaults;
    - any image dataset of [tensorflow-datasets](https://www.tensorflow.org/datasets/catalog), read once
      into memory. Needs `pip install 'keras-ganzoo[tfds]'`. Without a class label the elements are
      images only;
    - the path of an `.npz` file with the arrays `<split>_images` and, if there are labels,
      `<split>_labels`; or, for the split `train`, `images` and `labels`. For other labels see `label`;
    - the path of a folder of RGB images, with a `/` in it: its sub-folder `<split>` if it is divided into some,
      or else all of it (see `from_folder`, which has more options).

    Iterating over the dataset gives the order of epoch 0 each time; `dataset.stream()` gives all epochs,
    each in its own order, from any batch on. Incomplete batches are dropped. `dataset.class_names` is a
    list of strings, or `None`.

    The elements of the paired datasets are `(input, target)`, both float32 images in `[-1, 1]`:

    - `fashion_edges_10k`: the edges of `fashion_mnist_10k` and the garments, 32 x 32 x 1 with a black margin. An
      edge is where the Sobel gradient of the pixels `0..255` is longer than 300. Splits as `fashion_mnist_10k`;
    - `openmoji_pairs`: black outlines, 64 x 64 x 1, and their colour drawings, 64 x 64 x 3. 440 pairs in the split
      `train`, 100 in `test`. Drawings by [OpenMoji](https://openmoji.org), CC BY-SA 4.0: name it where you show them.

    Args:
        name: String or `Path`, see above.
        split: String, the part to load. May be sliced, except for toys: `train[:9000]`, `train[90%:]`,
            `train[:10%]+train[90%:]`. Defaults to `"train"`.
        batch_size: Integer. `None` (the default) gives single samples.
        seed: Integer, the seed of the order (and of a toy's points). Defaults to `0`.
        shuffle: Boolean, `False` keeps the stored order. Defaults to `True`.
        image_size: Pair of integers `(height, width)`: images are resized to cover it (Lanczos,
            antialiased) and cropped at the centre; the pixels of `faces_10k` are repeated instead, where the size is a
            multiple of 16. Defaults to the images' own size.
        data_dir: Folder where tensorflow-datasets keeps prepared datasets. Defaults to its own default.
        manual_dir: Folder with the archives of a dataset of tensorflow-datasets, to be used instead of
            a download; their checksums are verified.
        jitter, mirror: Of the paired datasets: see `paired`. Default to `False`.
        label: String, which label the elements have, of `faces_10k` or an `.npz` file: `"hairColor"`; in a file the
            array `<split>_<label>`, with the names of its values in `values_<label>`. A list of them gives float32
            attributes `(count,)`, one-hot for each label, side by side; `dataset.attribute_names` tells what they mean.
            Defaults to `None`: no label of `faces_10k`, and `<split>_labels` of a file.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, or of `(input, target)` for the paired datasets.

    Raises:
        ValueError: If the name, the split or another argument is not known.
        ImportError: If the name asks for tensorflow-datasets, which is not installed.

    Example:

    ```python
    train = ganzoo.data.load("fashion_mnist_10k", split="train[:9000]", batch_size=64)
    held_out = ganzoo.data.load("fashion_mnist_10k", split="train[9000:]", batch_size=64)
    ```
    """
    image_size = check_image_size(image_size)
    check_jitter(jitter)
    mirror = checks.boolean("mirror", mirror)
    label = check_label(label)
    name, path = _name_and_path(name)
    is_file = name == _FACES or (path is not None and not path.is_dir())
    if label is not None and not is_file:
        raise ValueError(f"`label` chooses among the labels of faces_10k or of an .npz file. Received: {name!r}")
    if name in _PAIRED:
        return from_pairs(*_PAIRED[name](split), image_size, batch_size, seed, shuffle, jitter, mirror)
    if jitter or mirror:
        raise ValueError(
            f"jitter and mirror change pairs of images, and {name!r} is none of {', '.join(_PAIRED)}. For your own "
            "pairs use ganzoo.data.paired."
        )
    if name in _TOYS:
        return _load_toy(name, split, batch_size, seed, shuffle, image_size)
    if path is not None and path.is_dir():
        return from_folder(path, image_size, 3, batch_size, seed, shuffle, split)
    if name in _EMBEDDED:
        images, labels, class_names = _read_embedded(name, split)
    elif is_file:
        path = _EMBEDDED_FACES if name == _FACES else path
        images, labels, class_names = npz.read(path, split, label)
    else:
        folders = _folder("data_dir", data_dir), _folder("manual_dir", manual_dir)
        images, labels, class_names = _read_tensorflow_datasets(name, split, image_size, *folders)
    if image_size not in (None, images.shape[1:3]):
        images = enlarged(images, image_size) if name == _FACES else resize(images, image_size)
    if isinstance(label, list):
        dataset = IndexedSource(images, labels, batch_size, seed, shuffle).dataset()
        dataset.attribute_names = class_names
        return dataset
    return IndexedSource(images, labels, batch_size, seed, shuffle, class_names).dataset()


def check_label(label):
    """Returns `None`, a string, or a list of strings without repetition."""
    if label is None or (isinstance(label, str) and label):
        return label
    names = list(label) if isinstance(label, (tuple, list)) else []
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise checks.refusal("label", label, "the name of a label, or a list of different ones", optional=True)
    return names


def enlarged(images, image_size):
    """Pixel art at a larger size: pixels are repeated where that is possible."""
    (rows, row_rest), (columns, column_rest) = (divmod(to, of) for to, of in zip(image_size, images.shape[1:3]))
    if row_rest or column_rest:
        return resize(images, image_size)
    return np.repeat(np.repeat(images, rows, axis=1), columns, axis=2)


def _name_and_path(name):
    """The name as a string, and the path that it is, or `None` if it is the name of a dataset."""
    path = checks.path("name", name)
    text = os.fspath(name)
    # A dataset of tensorflow-datasets may have a slash in its name, too.
    starts_as_path = text.startswith(("~", ".", os.sep)) or "\\" in text
    is_path = isinstance(name, os.PathLike) or starts_as_path or ("/" in text and path.exists())
    return text, path if is_path or path.suffix in _ARCHIVES else None


def _folder(name, value):
    """A folder of tensorflow-datasets, which may lie in a cloud."""
    return value if isinstance(value, str) and "://" in value else checks.path(name, value, optional=True)


def _load_toy(name, split, batch_size, seed, shuffle, image_size):
    if split != "train" or image_size is not None or not shuffle:
        raise ValueError(
            f"{name!r} is a toy: it has the split 'train' only, no image_size, and no order of its own. "
            f"For another number of samples call ganzoo.data.{name}(num_samples=...)."
        )
    return _TOYS[name](batch_size=batch_size, seed=seed)


def _read_embedded(name, split):
    if split_name(split) != "train":
        raise ValueError(
            f"{name!r} has one split, 'train', with all 10,000 images; received split={split!r}. Slice it to "
            "hold images out: split='train[:9000]' and split='train[9000:]'."
        )
    folder, stem = _EMBEDDED_FOLDER, name.removesuffix("_10k")
    images = _read_idx(folder / f"{stem}_t10k-images-idx3-ubyte.gz", header=16)
    labels = _read_idx(folder / f"{stem}_t10k-labels-idx1-ubyte.gz", header=8)
    images = images.reshape(-1, 28, 28, 1)
    indices = split_indices(split, len(images))
    return images[indices], labels[indices], _EMBEDDED[name]


def _read_edges(split):
    garments, _, _ = _read_embedded("fashion_mnist_10k", split)
    garments = np.pad(garments, ((0, 0), (2, 2), (2, 2), (0, 0)))  # 32 x 32: five halvings
    return edges(garments), garments


def edges(images):
    """The edges of uint8 images `(num_samples, height, width, 1)`, 255 on 0.

    An edge is where the gradient by Sobel's filter, which counts 8 times the slope, is longer than 300.
    """
    x = np.pad(images[..., 0].astype("float32"), ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = x[:, :, 2:] - x[:, :, :-2]
    across = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    down = x[:, 2:] - x[:, :-2]
    down = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return np.where(np.hypot(across, down) > 300, 255, 0).astype("uint8")[..., None]


def _read_openmoji(split):
    part = split_name(split)
    if part not in ("train", "test"):
        raise ValueError(f"'openmoji_pairs' has the splits 'train' and 'test'; received split={split!r}.")
    with np.load(_EMBEDDED_FOLDER / "openmoji_pairs_64.npz", allow_pickle=False) as file:
        inputs, targets = file[f"{part}_input"], file[f"{part}_target"]
    indices = split_indices(split, len(inputs))
    return inputs[indices], targets[indices]


def _read_idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def _read_tensorflow_datasets(name, split, image_size, data_dir, manual_dir):
    embedded = ", ".join([*_EMBEDDED, _FACES, *_PAIRED, *_TOYS])
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"{name!r} is not embedded (these are: {embedded}) and not a path.{_hint_of_folder(name)} Datasets of "
            "tensorflow-datasets need: pip install 'keras-ganzoo[tfds]'"
        ) from error
    try:
        tfds.builder_cls(name)
    except (tfds.core.DatasetNotFoundError, ValueError):  # The latter for what is no name at all.
        close = difflib.get_close_matches(name, [*_EMBEDDED, _FACES, *_PAIRED, *_TOYS, *tfds.list_builders()])
        hints = f" Close to it: {', '.join(close)}." if close else ""
        hints += _hint_of_folder(name)
        raise ValueError(
            f"Unknown dataset {name!r}.{hints} Embedded: {embedded}. Else: the path of a folder or an "
            ".npz file, or a name of https://www.tensorflow.org/datasets/catalog."
        ) from None
    from ganzoo.data import tensorflow_datasets

    return tensorflow_datasets.read(name, split, image_size, data_dir, manual_dir)


def _hint_of_folder(name):
    return f" There is a folder of this name: pass './{name}' to load it." if Path(name).is_dir() else ""


# After the functions that it names.
_PAIRED = {"fashion_edges_10k": _read_edges, "openmoji_pairs": _read_openmoji}
