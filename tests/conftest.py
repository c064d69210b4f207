"""The environment of every test: two logical CPU devices, offline, fixed random numbers."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import gc
import socket

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

# For MirroredStrategy(["CPU:0", "CPU:1"]). TensorFlow accepts this only before its first operation.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

# Tracing makes very many objects. Looking through all of them less often saves a tenth of the time.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def fresh_keras():
    """Each test starts from seed 0 and leaves no dtype policy or layer names to the next."""
    keras.utils.set_random_seed(0)
    gradients = ops.gradient_registry._registry
    known = set(gradients)
    yield
    keras.config.set_dtype_policy("float32")
    keras.backend.clear_session(free_memory=False)
    # TensorFlow registers the gradient of each traced function for good, and with it the graph. After a thousand tests
    # these are gigabytes, and Python takes half a minute to look through them for garbage.
    for name in set(gradients) - known:
        del gradients[name]


@pytest.fixture(autouse=True, scope="session")
def offline():
    """A Python connection to anything but this machine fails the test that tries it."""

    def guarded(connect):
        def connect_to_this_machine(self, address):
            local = self.family == socket.AF_UNIX or (
                address[0] in ("localhost", "::1") or address[0].startswith("127.")
            )
            if not local:
                raise RuntimeError(f"The tests run offline, but something connected to {address}.")
            return connect(self, address)

        return connect_to_this_machine

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        yield
