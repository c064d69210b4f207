"""The slicing syntax of tensorflow-datasets: `train[:9000]`, `train[90%:]`, `train[:10%]+train[90%:]`."""

import hashlib
import os
import re

import numpy as np

_NUMBER = r"(-?\d+(?:\.\d+)?%|-?\d+)?"
_PART = re.compile(rf"\s*([\w-]+)\s*(?:\[\s*{_NUMBER}\s*:\s*{_NUMBER}\s*\])?\s*")


def split_name(split):
    """The name in `split`, which may be sliced: `train` for `train[:10%]`."""
    return _parse(split)[0][0]


def split_indices(split, num_samples):
    """The indices of the samples that `split` selects, an int64 array."""
    ranges = []
    for _, start, stop in _parse(split):
        start = 0 if start is None else _absolute(start, num_samples, split)
        stop = num_samples if stop is None else _absolute(stop, num_samples, split)
        ranges.append(np.arange(start, stop))
    return _some(np.concatenate(ranges), split, num_samples)


def stable_indices(split, names):
    """The indices of the files that `split` selects by a hash of their names, a sorted int64 array.

    The hash is a number in [0, 1). A percentage selects only by this number. So a file stays in its part when others
    are added or deleted, and a part holds only roughly its share of the files. A number of files, `train[:1000]`,
    counts in the order of the hashes and is exact.

    Args:
        split: String, such as `"train[:90%]"`.
        names: List of strings, the names of all files.
    """
    places = np.array([_place(name) for name in names])
    ranks = np.empty(len(names), np.int64)
    ranks[np.argsort(places, kind="stable")] = np.arange(len(names))

    def precede(bound):
        count = _absolute(bound, len(names), split)
        if not bound.endswith("%"):
            return ranks < count
        share = float(bound[:-1]) / 100
        # A negative share counts from the end.
        return places < (share + 1 if bound.startswith("-") else share)

    parts = []
    for _, start, stop in _parse(split):
        chosen = np.ones(len(names), bool) if stop is None else precede(stop)
        parts.append(np.flatnonzero(chosen if start is None else chosen & ~precede(start)))
    return _some(np.sort(np.concatenate(parts)), split, len(names))


def _place(name):
    """A number in [0, 1) from a name, equal on all machines: 53 bits of its hash."""
    return (int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], "big") >> 11) / 2**53


def _some(indices, split, num_samples):
    if not len(indices):
        raise ValueError(f"split={split!r} selects none of the {num_samples} samples. Ask for a larger part.")
    return indices


def _parse(split):
    parts = [_PART.fullmatch(part) for part in str(split).split("+")]
    if None in parts or len({part[1] for part in parts}) != 1:
        raise ValueError(
            f"split={split!r} is not understood; expected a name and perhaps a slice in samples or "
            "percent, such as 'train', 'train[:9000]', 'train[90%:]' or 'train[:10%]+train[90%:]'."
        )
    return [part.groups() for part in parts]


def _absolute(bound, num_samples, split):
    if bound.endswith("%"):
        value = round(float(bound[:-1]) * num_samples / 100)
    else:
        value = int(bound)
    if abs(value) > num_samples:
        raise ValueError(f"split={split!r} reaches beyond the {num_samples} samples.")
    return value + num_samples if value < 0 else value
