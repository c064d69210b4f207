"""Reads weights from files of other libraries as numpy arrays: PyTorch state dicts and frozen TensorFlow graphs.

PyTorch is not needed. Its files are pickles, and unpickling may run any code. This reader makes only dictionaries and
arrays of numbers, and refuses everything else.
"""

import collections
import dataclasses
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

_NUMBERS = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def read(path):
    """Reads the named tensors of a file.

    Args:
        path: String or `Path` of a state dict saved by `torch.save`, in the format since 1.6 (a zip file) or the older
            format. Or a TensorFlow graph (`.pb`), whose constants are read.

    Returns:
        Dictionary from names to arrays, in the layout of the file.

    Raises:
        ValueError: If the file is something else, or a pickle that asks for more than tensors.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(2)
    # The first bytes of a zip file, and of a pickle of protocol 2.
    if start == b"PK":
        return _read_zip(path)
    if start == b"\x80\x02":
        return _read_legacy(path)
    return _read_graph(path)


def _read_graph(path):
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(
            f"{str(path)!r} is neither a PyTorch state dict nor a TensorFlow graph. Unpack archives first."
        ) from error
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph.node if node.op == "Const"}


def _read_zip(path):
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(pickles) != 1:
            raise ValueError(f"{str(path)!r} is a zip file, but none that torch.save wrote.")
        folder = pickles[0].removesuffix("data.pkl")
        with archive.open(pickles[0]) as file:
            tensors = _Unpickler(file).load_tensors(path)
        storages = {tensor.storage.key: None for tensor in tensors.values()}
        storages = {key: archive.read(f"{folder}data/{key}") for key in storages}
    return {name: tensor.array(storages) for name, tensor in tensors.items()}


def _read_legacy(path):
    """Reads the format before 1.6.

    The file holds five pickles (magic number, version, byte order, state dict, keys of the storages), then the
    storages.
    """
    with path.open("rb") as file:
        if _Unpickler(file).load() != _LEGACY_MAGIC:
            raise ValueError(f"{str(path)!r} is a pickle, but none that torch.save wrote.")
        _Unpickler(file).load(), _Unpickler(file).load()
        tensors = _Unpickler(file).load_tensors(path)
        sizes = {tensor.storage.key: np.dtype(tensor.storage.dtype).itemsize for tensor in tensors.values()}
        storages = {}
        for key in _Unpickler(file).load():
            (count,) = struct.unpack("<q", file.read(8))
            storages[key] = file.read(count * sizes[key])
    return {name: tensor.array(storages) for name, tensor in tensors.items()}


@dataclasses.dataclass
class _Storage:
    dtype: str
    key: str


@dataclasses.dataclass
class _Tensor:
    """A view of a storage, which may not be loaded yet."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple

    def array(self, storages):
        numbers = np.frombuffer(storages[self.storage.key], self.storage.dtype)
        # A damaged file could ask for memory outside of the storage, and `as_strided` would read it.
        last = self.offset + sum((side - 1) * stride for side, stride in zip(self.shape, self.strides))
        if min((0, self.offset, *self.shape, *self.strides)) < 0 or (0 not in self.shape and last >= len(numbers)):
            raise ValueError("A tensor of this file lies outside of its storage: the file is damaged.")
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False).copy()


class _Unpickler(pickle.Unpickler):
    """Makes only dictionaries and tensors, so that no code of the file runs."""

    def load_tensors(self, path):
        tensors = self.load()
        if not isinstance(tensors, dict) or not all(isinstance(value, _Tensor) for value in tensors.values()):
            raise ValueError(f"{str(path)!r} is no state dict, a dictionary of tensors only.")
        return tensors

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in _NUMBERS:
            return _NUMBERS[name]
        raise ValueError(f"This file asks for {module}.{name} to be run. Only state dicts, of tensors alone, are read.")

    def persistent_load(self, identifier):
        _, dtype, key, *_ = identifier
        return _Storage(dtype, key)
