"""How fast this machine is: convolutions, matrix products, traffic, and the overhead of an operation, in seconds."""

import dataclasses
import time

import tensorflow as tf

SECONDS = 0.4  # For each rate.


@dataclasses.dataclass(frozen=True)
class Rates:
    """What the machine does in a second.

    Args:
        convolution, product: Floats, FLOP per second.
        bytes: Float, bytes per second that an operation on large tensors reads and writes.
        overhead: Float, seconds of an operation on a single number.
    """

    convolution: float
    product: float
    bytes: float
    overhead: float

    def seconds(self, cost):
        """The predicted seconds of a call with a `Cost`: its parts, one after the other."""
        return sum(self.parts(cost).values())

    def parts(self, cost):
        """Dictionary, part of a call -> seconds."""
        return {
            "convolutions": cost.convolution / self.convolution,
            "matrix products": cost.product / self.product,
            "other operations": cost.bytes / self.bytes,
            "overhead": cost.operations * self.overhead,
        }


def measure_rates(dtype="float32"):
    """Measures the `Rates` of the device that TensorFlow would use, in about two seconds and the time of four traces.

    Args:
        dtype: String, the precision of convolutions and products. Defaults to `"float32"`.
    """
    images, kernel = random((64, 16, 16, 64), dtype), random((5, 5, 64, 128), dtype)
    first, second = random((1024, 1024), dtype), random((1024, 1024), dtype)
    long, number, links = random((2**22,), "float32"), tf.constant(1.0), 500

    def chain(x):
        for _ in range(links):
            x = tf.sin(x)  # TensorFlow does not merge it with its neighbours, as it merges sums.
        return x

    return Rates(
        convolution=2 * 64 * 8 * 8 * 25 * 64 * 128 / fastest(lambda: tf.nn.conv2d(images, kernel, 2, "SAME")),
        product=2 * 1024**3 / fastest(lambda: tf.matmul(first, second)),
        bytes=3 * 4 * 2**22 / fastest(lambda: long + tf.abs(number) * long),
        overhead=fastest(lambda: chain(number)) / links,
    )


def random(shape, dtype):
    """A variable of random numbers, so that TensorFlow cannot compute with it ahead of time."""
    return tf.Variable(tf.cast(tf.random.stateless_normal(shape, (0, 0)), dtype), trainable=False)


def fastest(function):
    """The least seconds of a call of a compiled function, of all calls in `SECONDS`."""
    compiled = tf.function(lambda: tf.reduce_max(tf.cast(function(), "float32")), autograph=False)
    compiled().numpy()
    found, end = [], time.perf_counter() + SECONDS
    while not found or time.perf_counter() < end:
        start = time.perf_counter()
        compiled().numpy()
        found.append(time.perf_counter() - start)
    return min(found)
