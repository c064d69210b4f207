"""Reads image datasets of tensorflow-datasets."""

import contextlib
import queue
import socket
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import tensorflow as tf

from ganzoo.data.pixels import cover_array
from ganzoo.data.reading import check_memory
from ganzoo.data.storing import CHUNK_BYTES, Chunk, Origin, fingerprint_of, stored_images
from ganzoo.progress import track

_BATCH = 256


def read(name, split, image_size=None, data_dir=None, manual_dir=None, on_disk=False, cache_dir=None):
    """Reads a split of a dataset, after downloading and preparing it if necessary.

    Args:
        name: String, such as `"cifar10"` or `"mnist:3.0.1"`.
        split: String, such as `"train[:10%]"`.
        image_size: Optional pair of integers `(height, width)` to resize to.
        data_dir: Optional folder of the prepared datasets.
        manual_dir: Optional folder of existing archives, to use instead of a download.
        on_disk, cache_dir: See `check_storage`. Without `on_disk` (the default) images are read into memory.

    Returns:
        `(images, labels, class_names)`. Images are a uint8 array `(num_samples, height, width, channels)` or
        `StoredImages`. Labels are an int64 array and class names a list, or both `None` without a class label.
    """
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=data_dir)
    image_key, label_key = _keys(tfds, name, builder.info.features)
    *size, channels = builder.info.features[image_key].shape
    if image_size is None and None in size:
        raise ValueError(
            f"The images of {name!r} differ in size. Pass image_size=(height, width) to bring them to one."
        )

    _check_before_download(builder)
    builder.download_and_prepare(download_config=_download_config(tfds, builder, manual_dir))
    shape = (*(image_size or size), channels)

    def pick(example):
        image, label = example[image_key], example.get(label_key, 0)
        if image_size is not None:
            image = tf.numpy_function(lambda x: cover_array(x, image_size), [image], tf.uint8)
        return tf.ensure_shape(image, shape), label

    examples = builder.as_dataset(split=split).map(pick, num_parallel_calls=tf.data.AUTOTUNE)
    num_samples = int(examples.cardinality())
    class_names = None if label_key is None else builder.info.features[label_key].names
    if on_disk:
        options = {"kind": "tensorflow-datasets", "name": builder.info.full_name, "split": split, "size": image_size}
        images = stored_images(_origin(builder, options, examples, shape, num_samples, label_key), cache_dir)
        return images, images.labels, class_names
    check_memory(num_samples, *shape, 'Pass a smaller image_size, or storage="disk".')
    images, labels = np.empty((num_samples, *shape), np.uint8), np.empty(num_samples, np.int64)
    batches = examples.batch(_BATCH).prefetch(1).as_numpy_iterator()
    samples = (sample for batch in batches for sample in zip(*batch))
    for row, sample in enumerate(track(samples, num_samples, f"Reading {name}")):
        images[row], labels[row] = sample
    return images, None if label_key is None else labels, class_names


def _origin(builder, options, examples, shape, num_samples, label_key):
    """The `Origin` of the examples of a split, which are read in order, some at a time."""

    def chunks(start, notes):
        rows = max(1, CHUNK_BYTES // int(np.prod(shape)))
        for images, labels in examples.skip(start).batch(rows).prefetch(1).as_numpy_iterator():
            start += len(images)
            yield Chunk(start, images, None if label_key is None else labels)

    folder = Path(builder.data_dir)
    return Origin(
        name=builder.name,
        folder=folder if folder.is_dir() else None,
        options=options,
        fingerprint=lambda: fingerprint_of(sorted(path for path in folder.glob("*") if path.is_file())),
        image_shape=shape,
        count=num_samples,
        chunks=chunks,
    )


def _check_before_download(builder):
    """Makes a download fail at once with a clear message if there is no network. Otherwise it would retry for minutes.

    The check runs when tensorflow-datasets starts a download, so a prepared dataset skips it.
    """
    make = getattr(builder, "_make_download_manager", None)
    if make is None:
        return

    def checked(*args, download_config=None, **kwargs):
        if download_config is None or download_config.manual_dir is None:
            hosts = {urllib.parse.urlparse(url).hostname for url in getattr(builder, "url_infos", {})} - {None}
            if hosts and not urllib.request.getproxies() and not reachable(hosts):
                raise OSError(
                    f"{builder.name!r} would be downloaded from {', '.join(sorted(hosts))}, which cannot be reached "
                    "from here. Get the archives elsewhere and pass their folder as manual_dir=, or pass data_dir=, "
                    "the folder of datasets that tensorflow-datasets has prepared. Without a network there are "
                    "mnist_10k, fashion_mnist_10k, fashion_edges_10k and openmoji_pairs."
                )
        return make(*args, download_config=download_config, **kwargs)

    builder._make_download_manager = checked


def reachable(hosts, seconds=10.0):
    """Whether any of some hosts answers within a time."""

    def answers(host):
        with contextlib.suppress(OSError), socket.create_connection((host, 443), timeout=seconds):
            found.put(True)

    found = queue.Queue()
    threads = [threading.Thread(target=answers, args=(host,), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(thread.is_alive() for thread in threads):
        with contextlib.suppress(queue.Empty):
            return found.get(timeout=0.05)
    return not found.empty()


def _download_config(tfds, builder, manual_dir):
    """The configuration for archives that were downloaded by hand, or `None` without them."""
    if manual_dir is None:
        return None
    # Extracted files are cached by the names of their archives, and MNIST and Fashion-MNIST use the same names.
    extract_dir = Path(builder.data_dir).parents[1] / "downloads" / "extracted" / builder.name
    return tfds.download.DownloadConfig(
        manual_dir=str(manual_dir),
        extract_dir=str(extract_dir),
        force_checksums_validation=True,
        try_download_gcs=False,
    )


def _keys(tfds, name, features):
    """The names of the image feature and of the class label, which may be `None`."""

    def find(kind, usual):
        keys = [key for key, feature in features.items() if isinstance(feature, kind)]
        return usual if usual in keys else keys[0] if len(keys) == 1 else None

    image_key = find(tfds.features.Image, "image")
    if image_key is None or features[image_key].np_dtype != np.uint8:
        raise ValueError(f"{name!r} is not a dataset of 8-bit images; its features are {sorted(features)}.")
    return image_key, find(tfds.features.ClassLabel, "label")
