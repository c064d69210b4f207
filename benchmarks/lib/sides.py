"""The processes that `throughput.py` starts: each measures one thing, when asked, and sleeps meanwhile.

A side has a method `first()`, which makes the first step, `warm_up()`, and `round(...)`, which measures once.
"""

import contextlib
import math
import multiprocessing
import os
import resource
import time

import numpy as np

from lib.workloads import BATCH_SIZE, WORKLOADS, build, flops, layers_of


class Ganzoo:
    """The train function that Keras makes of the model, on a constant uint8 batch."""

    def __init__(self, name, precision):
        import tensorflow as tf

        self.gan = build(name, precision)
        self.gan.make_train_function()
        workload = WORKLOADS[name]
        shape = (BATCH_SIZE * workload.critic_steps, *workload.image_shape)
        batch = np.random.default_rng(0).integers(0, 256, shape, "uint8")
        self.batches = iter(tf.data.Dataset.from_tensors(tf.constant(batch)).repeat())
        self.info = {
            "parameters": [
                sum(math.prod(weight.shape) for weight in net.trainable_weights)
                for net in (self.gan.generator, self.gan.discriminator)
            ],
            "flops": flops(layers_of(name, self.gan)),
        }

    def first(self):
        self.round(1)

    def warm_up(self):
        self.round(1)

    def round(self, updates):
        start = time.perf_counter()
        for _ in range(updates):
            logs = self.gan.train_function(self.batches)
        float(logs["d_loss"])
        return (time.perf_counter() - start) / updates


class Torch:
    """Plain eager PyTorch; see `torch_peer`."""

    tuned = False

    def __init__(self, name, precision):
        import torch

        from lib.torch_peer import TorchTraining

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.training = TorchTraining(name, precision, self.tuned)
        self.info = {"parameters": self.training.parameters()}

    def first(self):
        self.round(1)

    def warm_up(self):
        self.training.choose_memory_format()
        self.info["memory_format"] = self.training.memory_format
        self.round(1)

    def round(self, updates):
        start = time.perf_counter()
        for _ in range(updates):
            self.training.update()
        return (time.perf_counter() - start) / updates


class TunedTorch(Torch):
    """Eager PyTorch with every setting that makes it faster; see `torch_peer`."""

    tuned = True


class Hardware:
    """The rate of the operations that the algorithm needs, alone, at its shapes.

    Each operation of each convolution (of each dense layer, where there are no convolutions) runs in a `tf.function`,
    several times in a row with different kernels or gradients, so that the call costs nothing and no result is shared.
    The rate is the harmonic mean over the operations, weighted by the FLOP that one generator update spends in each:
    the FLOP of all of them divided by the time that they take at their own rates.
    """

    def __init__(self, name, precision):
        layers = layers_of(name, build(name, precision))
        convolutions = [layer for layer in layers if layer.kind != "dense"]
        self.operations = []
        for layer in convolutions or layers:
            for operation in ("forward", "input_gradient", "kernel_gradient"):
                runs = getattr(layer, operation)
                if runs:
                    self.operations.append((layer, operation, runs, *make_operation(layer, operation)))
        self.info = {}

    def first(self):
        for *_, function, operands, _ in self.operations:
            function(*operands)

    def warm_up(self):
        pass

    def round(self, updates):
        """FLOP per second, and the same for each operation."""
        total, needed, rates = 0.0, 0.0, {}
        for index, (layer, operation, runs, function, operands, repeats) in enumerate(self.operations):
            start = time.perf_counter()
            function(*operands)[-1].numpy().flat[0]
            seconds = (time.perf_counter() - start) / repeats
            amount = 2.0 * BATCH_SIZE * layer.macs
            total += runs * seconds
            needed += runs * amount
            shapes = f"{layer.input_shape} -> {layer.output_shape} {layer.kind}"
            rates[f"{index} {shapes} {operation}"] = amount / seconds / 1e9
        return needed / total, rates


def make_operation(layer, operation):
    """Returns a function that runs an operation several times, its operands, and how many times."""
    import tensorflow as tf

    amount = 2.0 * BATCH_SIZE * layer.macs
    repeats = min(16, max(2, math.ceil(0.02 * 2e11 / amount)))
    x, y = (tf.cast(tf.random.normal((BATCH_SIZE, *s)), layer.dtype) for s in (layer.input_shape, layer.output_shape))
    # What differs between the repetitions: the kernel, or for the kernel's gradient the output's.
    shape = y.shape if operation == "kernel_gradient" else layer.kernel_shape
    varied = [tf.cast(tf.random.normal(shape), layer.dtype) for _ in range(repeats)]

    def down(large, kernel):
        return tf.nn.conv2d(large, kernel, layer.strides, "SAME")

    def up(small, kernel, large):
        return tf.raw_ops.Conv2DBackpropInput(
            input_sizes=large.shape, filter=kernel, out_backprop=small, strides=[1, *layer.strides, 1], padding="SAME"
        )

    def kernel_gradient(large, small):
        return tf.raw_ops.Conv2DBackpropFilter(
            input=large,
            filter_sizes=layer.kernel_shape,
            out_backprop=small,
            strides=[1, *layer.strides, 1],
            padding="SAME",
        )

    functions = {
        "convolution": (down, lambda y, w: up(y, w, x), lambda y, x: kernel_gradient(x, y)),
        "transposed": (lambda x, w: up(x, w, y), down, kernel_gradient),
        "dense": (
            tf.matmul,
            lambda y, w: tf.matmul(y, w, transpose_b=True),
            lambda y, x: tf.matmul(x, y, transpose_a=True),
        ),
    }[layer.kind]
    index = ("forward", "input_gradient", "kernel_gradient").index(operation)
    one = functions[index]
    fixed = y if index == 1 else x

    @tf.function(autograph=False)
    def run(fixed, varied):
        results = []
        for operand in varied:
            with tf.control_dependencies(results[-1:]):
                results.append(one(operand, fixed) if operation == "kernel_gradient" else one(fixed, operand))
        return results

    return run, (fixed, varied), repeats


class Fit:
    """`fit` with ganzoo's data, or the bare train function on a constant batch, in turns."""

    def __init__(self, name, precision):
        import tensorflow as tf

        import ganzoo

        self.gan = build(name, precision)
        workload = WORKLOADS[name]
        if name == "mlp":
            self.data = ganzoo.data.load("fashion_mnist_10k", batch_size=BATCH_SIZE)
        else:
            images = np.random.default_rng(0).integers(0, 256, (10_000, *workload.image_shape), "uint8")
            self.data = ganzoo.data.from_arrays(images, batch_size=BATCH_SIZE)
        shape = (BATCH_SIZE * workload.critic_steps, *workload.image_shape)
        batch = tf.constant(np.random.default_rng(0).integers(0, 256, shape, "uint8"))
        self.batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
        self.info = {}

    def first(self):
        self.gan.fit(self.data, epochs=1, steps_per_epoch=2, verbose=0)

    def warm_up(self):
        self.round(2)

    def round(self, updates):
        """Seconds per update of the bare loop and of `fit`."""
        start = time.perf_counter()
        for _ in range(updates):
            logs = self.gan.train_function(self.batches)
            float(logs["d_loss"])
        bare = time.perf_counter() - start
        start = time.perf_counter()
        self.gan.fit(self.data, epochs=1, steps_per_epoch=updates, verbose=0)
        return bare / updates, (time.perf_counter() - start) / updates


class Trace:
    """Tracing the step of a new model: with the critic step as a nested function (the default), and unrolled."""

    def __init__(self, name, precision):
        self.name, self.precision = name, precision
        self.info = {}

    def first(self):
        self.trace(nested=True)

    def warm_up(self):
        pass

    def round(self, updates):
        return [self.trace(nested=True), self.trace(nested=False)]

    def trace(self, nested):
        """Seconds, and nodes of the graph with those of its functions."""
        import keras
        import tensorflow as tf

        keras.backend.clear_session()
        gan = build(self.name, self.precision)
        if not nested:
            gan._run_critic_update = lambda real, condition: gan.update_discriminator(real, condition)
        workload = WORKLOADS[self.name]
        shape = (BATCH_SIZE * workload.critic_steps, *workload.image_shape)
        start = time.perf_counter()
        step = tf.function(gan.train_step).get_concrete_function(tf.TensorSpec(shape, "uint8"))
        seconds = time.perf_counter() - start
        graph = step.graph.as_graph_def()
        return seconds, len(graph.node) + sum(len(function.node_def) for function in graph.library.function)


SIDES = {"ganzoo": Ganzoo, "torch": Torch, "tuned torch": TunedTorch, "hardware": Hardware, "fit": Fit, "trace": Trace}


def serve(connection, side, name, precision, started):
    """The inside of a process: answers until the connection is closed."""
    try:
        running = SIDES[side](name, precision)
        running.first()
        first_step = time.time() - started
        running.warm_up()
        connection.send({**running.info, "start_seconds": first_step})
        while (request := connection.recv()) is not None:
            if request == "memory":
                connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
            else:
                connection.send(running.round(request))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):  # The parent is gone.
        pass


class Process:
    """A side in a process of its own."""

    def __init__(self, side, name, precision="float32"):
        context = multiprocessing.get_context("spawn")
        self.connection, remote = context.Pipe()
        self.process = context.Process(target=serve, args=(remote, side, name, precision, time.time()), daemon=True)
        self.process.start()
        remote.close()
        self.info = self.connection.recv()

    def ask(self, request):
        self.connection.send(request)
        return self.connection.recv()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(None)
        self.process.join(30)
        self.connection.close()
