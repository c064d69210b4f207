"""Loads datasets by name."""

import difflib
import gzip
import os
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from ganzoo import checks
from ganzoo.data import local, npz, packed, toys
from ganzoo.data.folder import from_folder
from ganzoo.data.hints import check_hints
from ganzoo.data.image_files import has_images
from ganzoo.data.indexed import IndexedSource
from ganzoo.data.paired import check_jitter, from_pairs, resize
from ganzoo.data.pixels import check_image_size
from ganzoo.data.split import split_indices, split_name
from ganzoo.data.storing import check_storage

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
_PIXEL_ART = (_FACES, "pixel_faces_32")
# Suffixes of files, which no dataset's name has.
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
    color_hints=0,
    label=None,
    storage="memory",
    cache_dir=None,
):
    """Loads a dataset by its name, as float32 images in `[-1, 1]` and int64 labels.

    The name may be:

    - `mnist_10k`, `fashion_mnist_10k`: the 10,000 test images of each, 28 x 28 x 1, which come with ganzoo and need no
      network. All of them are in the split `train`, which you can slice.
    - `faces_10k`: 10,000 drawn faces in pixel art, 16 x 16 x 3, which come with ganzoo. Each has sixteen known
      attributes, see `label`. Drawings: "Pixel Art" by DiceBear, CC0 1.0.
    - `fashion_edges_10k`, `openmoji_pairs`: pairs of images that come with ganzoo, see below.
    - `ring`, `grid`, `swiss_roll`: the toys with their defaults.
    - `cifar10_jpeg`, `peeps_64`, `pixel_faces_32`: from the file `cifar10_jpeg.tar.gz`, `peeps_64.npz` or
      `pixel_faces_32.npz` in `manual_dir`. The first is an archive `train/<class>/*.jpg`, `test/<class>/*.jpg`. It has
      the pictures of CIFAR-10 as JPEG, not its original pixels, and the splits `train` and `test`.
    - any image dataset of [tensorflow-datasets](https://www.tensorflow.org/datasets/catalog), read once into memory or
      onto the disk. Needs `pip install 'keras-ganzoo[tfds]'`. Without a class label, the elements are only images.
    - the path of an `.npz` file with the arrays `<split>_images` and optionally `<split>_labels`. For the split `train`
      they may be called `images` and `labels`. For other labels see `label`.
    - the path of a folder of images, which become RGB. It uses the sub-folder `<split>` if there are split folders, or
      else the whole folder (see `from_folder`, which has more options). For a folder in the current directory, the name
      is enough. If a folder of images has the name of a dataset, the folder is read and a warning says so. With
      `data_dir` or `manual_dir` the name means the dataset.

    Iterating over the dataset gives the order of epoch 0 each time. `dataset.stream()` gives all epochs, each in its
    own order, starting at any batch. Incomplete batches are dropped. `dataset.class_names` is a list of strings, or
    `None`.

    The elements of the paired datasets are `(input, target)`, both float32 images in `[-1, 1]`:

    - `fashion_edges_10k`: the edges of `fashion_mnist_10k` and the garments, 32 x 32 x 1 with a black margin. An edge
      is where the Sobel gradient of the pixels `0..255` is longer than 300. Splits as in `fashion_mnist_10k`.
    - `openmoji_pairs`: black outlines, 64 x 64 x 1, and their colour drawings, 64 x 64 x 3. 440 pairs in the split
      `train`, 100 in `test`. Drawings by [OpenMoji](https://openmoji.org), CC BY-SA 4.0. Give credit where you show
      them.

    Args:
        name: String or `Path`, see above.
        split: String, the part to load. May be sliced, except for toys: `train[:9000]`, `train[90%:]`,
            `train[:10%]+train[90%:]`. Defaults to `"train"`.
        batch_size: Integer. `None` (the default) gives single samples.
        seed: Integer, the seed of the order (and of a toy's points). Defaults to `0`.
        shuffle: Boolean. `False` keeps the stored order. Defaults to `True`.
        image_size: Pair of integers `(height, width)`. Images are resized to cover it (Lanczos, antialiased) and
            cropped at the centre. If the size is a multiple of 16, the pixels of `faces_10k` are repeated instead.
            Defaults to the images' own size.
        data_dir: Folder where tensorflow-datasets keeps prepared datasets. Defaults to its own default.
        manual_dir: Folder with the archives of a dataset of tensorflow-datasets, to use instead of a download. Their
            checksums are verified. Or the folder with the file of `cifar10_jpeg` and the like.
        jitter, mirror, color_hints: For the paired datasets, see `paired`. By default there are no such changes.
        label: String, the label of the elements, for `faces_10k` or an `.npz` file, such as `"hairColor"`. In a file it
            is the array `<split>_<label>`, with the names of its values in `values_<label>`. A list of labels gives
            float32 attributes `(count,)`, one-hot for each label, side by side. `dataset.attribute_names` says what
            they mean. Defaults to `None`: no label for `faces_10k`, and `<split>_labels` for a file.
        storage: `"memory"` (the default) or `"disk"`. On the disk, the images are written once into a file of raw
            pixels, and batches are read from it, in the same order, the same to the bit. Use it for folders, files and
            datasets of tensorflow-datasets that do not fit into memory. If the process is interrupted, the next call
            continues the file. If the data change, the file is made again.
        cache_dir: Folder for that file. Defaults to `.ganzoo` beside the data.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, or of `(input, target)` for the paired datasets.

    Raises:
        ValueError: If the name, the split or another argument is unknown.
        ImportError: If the name needs tensorflow-datasets, which is not installed.
        OSError: If the file of pixels cannot be written, or the disk has no room for it.

    Example:

    ```python
    train = ganzoo.data.load("fashion_mnist_10k", split="train[:9000]", batch_size=64)
    held_out = ganzoo.data.load("fashion_mnist_10k", split="train[9000:]", batch_size=64)
    ```
    """
    image_size = check_image_size(image_size)
    check_jitter(jitter)
    mirror = checks.boolean("mirror", mirror)
    color_hints = check_hints(color_hints)
    label = check_label(label)
    where = check_storage(storage, cache_dir)
    folders = _folder("data_dir", data_dir), _folder("manual_dir", manual_dir)
    name, path = _name_and_path(name, *folders)
    _check_suitable(name, path, label, jitter or mirror or color_hints, *where)
    if path is None and name in _PAIRED:
        return from_pairs(*_PAIRED[name](split), image_size, batch_size, seed, shuffle, jitter, mirror, color_hints)
    if path is None and name in _TOYS:
        return _load_toy(name, split, batch_size, seed, shuffle, image_size)
    if path is not None and path.is_dir():
        return from_folder(path, image_size, 3, batch_size, seed, shuffle, split, storage, cache_dir)
    if path is not None:
        images, labels, class_names = _read_file(name, path, split, image_size, label, *where)
    elif name in _EMBEDDED:
        images, labels, class_names = _read_embedded(name, split)
        images = images if image_size is None else resize(images, image_size)
    else:
        images, labels, class_names = _read_tensorflow_datasets(name, split, image_size, *folders, *where)
    if isinstance(label, list):
        dataset = IndexedSource(images, labels, batch_size, seed, shuffle).dataset()
        dataset.attribute_names = class_names
        return dataset
    return IndexedSource(images, labels, batch_size, seed, shuffle, class_names).dataset()


def _check_suitable(name, path, label, changes_pairs, on_disk, cache_dir):
    """Refuses arguments that do not apply to a dataset."""
    if label is not None and (path is None or path.is_dir() or _is_archive(path)):
        raise ValueError(f"`label` chooses among the labels of faces_10k or of an .npz file. Received: {name!r}")
    if changes_pairs and (path is not None or name not in _PAIRED):
        raise ValueError(
            f"jitter, mirror and color_hints change pairs of images, and {name!r} is none of {', '.join(_PAIRED)}. For "
            "your own pairs use ganzoo.data.paired."
        )
    if on_disk and (path == _EMBEDDED_FACES or (path is None and name in _IN_MEMORY)):
        raise ValueError(f"storage='disk' is for large sets, and {name!r} fits into any memory. Leave it out.")


def _read_file(name, path, split, image_size, label, on_disk, cache_dir):
    """Images, labels and names of the classes or attributes, from an archive or an `.npz` file."""
    if _is_archive(path):
        return packed.read(path, split, image_size, on_disk, cache_dir)
    resized = None
    if image_size is not None:
        resized = partial(enlarged if name in _PIXEL_ART else resize, image_size=image_size)
    return npz.read(path, split, label, resized, on_disk, cache_dir)


def _is_archive(path):
    return path.name.endswith(".tar.gz") and path.stem.removesuffix(".tar") in local.NAMES


def check_label(label):
    """Returns `None`, a string, or a list of strings without repetition."""
    if label is None or (isinstance(label, str) and label):
        return label
    names = list(label) if isinstance(label, (tuple, list)) else []
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise checks.refusal("label", label, "the name of a label, or a list of different ones", optional=True)
    return names


def enlarged(images, image_size):
    """Enlarges pixel art, by repeating pixels if possible."""
    if images.shape[1:3] == image_size:
        return images
    (rows, row_rest), (columns, column_rest) = (divmod(to, of) for to, of in zip(image_size, images.shape[1:3]))
    if row_rest or column_rest:
        return resize(images, image_size)
    return np.repeat(np.repeat(images, rows, axis=1), columns, axis=2)


def _name_and_path(name, data_dir, manual_dir):
    """The name as a string, and its path, or `None` for the name of a dataset without a file."""
    path = checks.path("name", name)
    text = os.fspath(name)
    if data_dir is None and manual_dir is None and _is_folder_here(name):
        return text, path
    if text in local.NAMES:
        return text, local.find(text, manual_dir)
    if text == _FACES:
        return text, _EMBEDDED_FACES
    # Names in tensorflow-datasets may have a slash, too.
    starts_as_path = text.startswith(("~", ".", os.sep)) or "\\" in text
    is_path = isinstance(name, os.PathLike) or starts_as_path or ("/" in text and path.exists())
    return text, path if is_path or path.suffix in _ARCHIVES else None


def _is_folder_here(name):
    """Whether a folder of images in the current directory has this name. Warns if it hides a dataset."""
    if not isinstance(name, str) or Path(name).name != name or not Path(name).is_dir() or not has_images(Path(name)):
        return False
    if name in (*_IN_MEMORY, *local.NAMES):
        warnings.warn(
            f"The folder {name!r} of images in the current directory is read, and not the dataset of that name. For "
            "the dataset rename the folder, or pass data_dir= or manual_dir=, any folder.",
            UserWarning,
            stacklevel=4,
        )
    return True


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
    garments = np.pad(garments, ((0, 0), (2, 2), (2, 2), (0, 0)))  # 32 x 32 allows five halvings.
    return edges(garments), garments


def edges(images):
    """The edges of uint8 images `(num_samples, height, width, 1)`, 255 on 0.

    An edge is where the gradient by Sobel's filter, which is 8 times the slope, is longer than 300.
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


def _read_tensorflow_datasets(name, split, image_size, data_dir, manual_dir, on_disk, cache_dir):
    embedded = ", ".join(_IN_MEMORY)
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"{name!r} is not embedded (these are: {embedded}) and not a path.{_hint_of_folder(name)} Datasets of "
            "tensorflow-datasets need: pip install 'keras-ganzoo[tfds]'"
        ) from error
    try:
        tfds.builder_cls(name)
    except (tfds.core.DatasetNotFoundError, ValueError):  # The latter for strings that cannot be names.
        here = [path.name for path in Path().iterdir() if path.is_dir()]
        close = difflib.get_close_matches(name, [*here, *_IN_MEMORY, *local.NAMES, *tfds.list_builders()])
        hints = f" Close to it: {', '.join(close)}." if close else ""
        hints += _hint_of_folder(name)
        raise ValueError(
            f"Unknown dataset {name!r}.{hints} Embedded: {embedded}. Else: the path of a folder or an "
            ".npz file, or a name of https://www.tensorflow.org/datasets/catalog."
        ) from None
    from ganzoo.data import tensorflow_datasets

    return tensorflow_datasets.read(name, split, image_size, data_dir, manual_dir, on_disk, cache_dir)


def _hint_of_folder(name):
    return f" There is a folder of this name: pass './{name}' to load it." if Path(name).is_dir() else ""


# Below the functions that it names.
_PAIRED = {"fashion_edges_10k": _read_edges, "openmoji_pairs": _read_openmoji}
_IN_MEMORY = (*_EMBEDDED, _FACES, *_PAIRED, *_TOYS)
