"""Computes features of many samples, shows progress, and keeps the features in files for the next run."""

import hashlib
import os
from pathlib import Path

import keras
import numpy as np

from ganzoo.metrics.features.base import Given
from ganzoo.metrics.pixels import Pixels, UnitPixels
from ganzoo.progress import track

_AT_ONCE = 1000  # Samples per step of the progress line.
_PROBES = 16  # Samples that are computed again, to check that a cached file is still right.


def extract(features, samples, what):
    """Features of an array of samples, with progress on stderr if it takes long."""
    if isinstance(features, Given):
        return features(samples)
    starts = range(0, len(samples), _AT_ONCE)
    doing = f"{features.name}, thousands of {what} samples"
    parts = [features(samples[start : start + _AT_ONCE]) for start in track(starts, len(starts), doing)]
    return np.concatenate(parts)


def fingerprint(features):
    """A hash of a feature network: its class, settings and weights. Names of layers do not count."""
    if isinstance(features, Given):
        return "given"
    sha = hashlib.sha256(f"{type(features).__module__}.{type(features).__qualname__}".encode())
    models = {key: value for key, value in vars(features).items() if isinstance(value, keras.Model)}
    for key, value in sorted(vars(features).items()):
        # The name of a model depends on how many models were made before it.
        if isinstance(value, (str, int, float, bool, tuple, type(None))) and not (models and key == "name"):
            sha.update(f"{key}={value!r}".encode())
        elif isinstance(value, np.ndarray):
            sha.update(value.tobytes())
    for model in models.values():
        for weight in model.get_weights():
            sha.update(f"{weight.dtype}{weight.shape}".encode() + weight.tobytes())
    return sha.hexdigest()[:16]


def cached_features(features, samples, cache_dir):
    """Features of real samples from the cache. Computes and stores them if they are not there.

    The file name contains hashes of the network and of the samples, in any order. The fingerprint misses some facts,
    such as activations. So the features of a few samples are always computed again and compared.
    """
    if isinstance(features, (Given, Pixels, UnitPixels)) or not cache_dir:
        return extract(features, samples, "real")
    # The fingerprint does not see everything, so compute a few features again, to compare.
    expected = features_of_probes(features, samples)
    # Sort by contents, so that the same samples in another order find the same file.
    hashes = np.array([hashlib.blake2b(sample, digest_size=16).digest() for sample in np.ascontiguousarray(samples)])
    order = np.argsort(hashes, kind="stable")
    contents = hashlib.sha256(f"{samples.shape}{samples.dtype}".encode() + hashes[order].tobytes()).hexdigest()[:16]
    path = Path(cache_dir) / f"{contents}-{fingerprint(features)}.npy"
    found = read_features(path, (len(samples), *expected.shape[1:]))
    if found is not None:
        result = np.empty_like(found)
        result[order] = found
        if np.abs(result[probes_among(samples)] - expected).max() <= 1e-3 * np.abs(expected).max():
            return result
    result = extract(features, samples, "real")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Write to another file first. An interrupted write would leave half a file under the final name.
    temporary = path.with_name(f".writing-{os.getpid()}.npy")
    try:
        np.save(temporary, result[order])
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return result


def probes_among(samples):
    """Indices of a few samples."""
    return np.linspace(0, len(samples) - 1, _PROBES).astype("int64")


def features_of_probes(features, samples):
    """Features of a few samples, to recognize a network."""
    return extract(features, samples[probes_among(samples)], "real")


def read_features(path, shape):
    """The array in a file, or `None` if the file is missing, unreadable or has another shape."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape else None


def default_cache():
    """The default cache, a folder in Keras' cache."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "ganzoo" / "features"
