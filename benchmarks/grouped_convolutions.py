"""Measures five forms of a grouped 3x3 convolution on one core: forward, and forward with two gradients.

    taskset -c 0 python benchmarks/grouped_convolutions.py

`tensorflow` is `tf.nn.conv2d`, `keras` is `keras.ops.conv`, which compiles it by XLA, `split` is one convolution for
each group, `diagonal` is one convolution with a kernel that is zero between groups, `matmul` is a batched product of
patches with the kernels of the groups. All make the same numbers. The second time is what a step with R1 costs: the
gradient of ||grad f(x)||^2 in the kernel.

The networks of R3GAN use what `ganzoo.layers.GroupedConv2D` has.
"""

import functools
import time

import keras
import numpy as np
import tensorflow as tf

BATCH, REPETITIONS = 32, 5
SHAPES = ((4, 96, 6), (8, 96, 6), (16, 96, 6), (32, 96, 6), (8, 256, 16), (16, 256, 16), (32, 128, 8))


def by_tensorflow(x, kernel, groups):
    """One convolution with groups."""
    return tf.nn.conv2d(x, kernel, 1, "SAME")


def by_keras(x, kernel, groups):
    """The same by Keras."""
    return keras.ops.conv(x, kernel, padding="same")


def by_split(x, kernel, groups):
    """One convolution for each group."""
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
    return tf.concat([tf.nn.conv2d(part, own, 1, "SAME") for part, own in parts], -1)


def by_diagonal(x, kernel, groups):
    """One convolution whose kernel is zero between groups."""
    rows, columns, size, filters = kernel.shape
    blocks = tf.reshape(kernel, (rows, columns, 1, size, groups, filters // groups))
    blocks = blocks * tf.eye(groups)[:, None, :, None]
    return tf.nn.conv2d(x, tf.reshape(blocks, (rows, columns, groups * size, filters)), 1, "SAME")


def by_matmul(x, kernel, groups):
    """A product of patches and kernels, group by group."""
    height, width = x.shape[1:3]
    rows, columns, size, filters = kernel.shape
    x = tf.transpose(tf.reshape(x, (-1, height, width, groups, size)), (3, 0, 1, 2, 4))
    x = tf.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    patches = [x[:, :, i : i + height, j : j + width] for i in range(rows) for j in range(columns)]
    patches = tf.reshape(tf.concat(patches, -1), (groups, -1, rows * columns * size))
    own = tf.reshape(kernel, (rows * columns * size, groups, filters // groups))
    y = tf.matmul(patches, tf.transpose(own, (1, 0, 2)))
    y = tf.reshape(y, (groups, -1, height, width, filters // groups))
    return tf.reshape(tf.transpose(y, (1, 2, 3, 0, 4)), (-1, height, width, filters))


FORMS = {
    "tensorflow": by_tensorflow,
    "keras": by_keras,
    "split": by_split,
    "diagonal": by_diagonal,
    "matmul": by_matmul,
}


def seconds(function, *arguments):
    """The least time of a call."""
    function(*arguments)
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def with_gradients(form, x, kernel, groups):
    """The gradient of a penalty on the gradient in x."""
    with tf.GradientTape() as outer:
        outer.watch(kernel)
        with tf.GradientTape() as inner:
            inner.watch(x)
            total = tf.reduce_sum(form(x, kernel, groups) ** 2)
        penalty = tf.reduce_sum(inner.gradient(total, x) ** 2)
    return outer.gradient(penalty, kernel)


def times_of(side, filters, groups):
    """A row of the table: two times of each form."""
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(BATCH, side, side, filters)), "float32")
    kernel = tf.constant(random.normal(size=(3, 3, filters // groups, filters)), "float32") / 10
    reference, cells = by_split(x, kernel, groups), []
    for form in FORMS.values():
        forward = tf.function(functools.partial(form, groups=groups), autograph=False)
        both = tf.function(functools.partial(with_gradients, form, groups=groups), autograph=False)
        try:
            np.testing.assert_allclose(forward(x, kernel), reference, atol=1e-3)
            cells.append(f"{1e3 * seconds(forward, x, kernel):.1f} / {1e3 * seconds(both, x, kernel):.1f}")
        except tf.errors.OpError as error:
            cells.append(type(error).__name__)
    return cells


def main():
    print(f"batch of {BATCH}; milliseconds forward / with two gradients")
    print("side, filters, groups", *FORMS, sep="\t")
    for shape in SHAPES:
        print(*shape, *times_of(*shape), sep="\t", flush=True)


if __name__ == "__main__":
    main()
