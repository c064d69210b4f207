"""The slicing syntax of tensorflow-datasets: `train[:9000]`, `train[90%:]`, `train[:10%]+train[90%:]`."""

import re

import numpy as np

_NUMBER = r"(-?\d+(?:\.\d+)?%|-?\d+)?"
_PART = re.compile(rf"\s*([\w-]+)\s*(?:\[\s*{_NUMBER}\s*:\s*{_NUMBER}\s*\])?\s*")


def split_name(split):
    """The name in `split`, which may be sliced: `train` of `train[:10%]`."""
    return _parse(split)[0][0]


def split_indices(split, num_samples):
    """The indices of the samples that `split` selects, an int64 array."""
    ranges = []
    for _, start, stop in _parse(split):
        start = 0 if start is None else _absolute(start, num_samples, split)
        stop = num_samples if stop is None else _absolute(stop, num_samples, split)
        ranges.append(np.arange(start, stop))
    indices = np.concatenate(ranges)
    if not len(indices):
        raise ValueError(f"split={split!r} selects none of the {num_samples} samples.")
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
