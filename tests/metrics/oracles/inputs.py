"""What the oracles and the metrics of ganzoo are both given.

Everything comes from `RandomState`, whose numbers NumPy has frozen: the stored results stay those of these inputs.
"""

import numpy as np

from ganzoo.metrics.features import inception

# Sizes of images that are enlarged, kept, and of two sides; grey and in colour.
SHAPES = [(28, 28, 1), (64, 64, 3), (299, 299, 3), (40, 56, 3)]
OUTPUTS = ["2048", "logits_unbiased", "logits"]


def features(seed, count, dimensions=32):
    """Positive, skewed and correlated, as those of a network's last pooling; the kinds overlap in part."""
    random = np.random.RandomState(seed)
    mixing = np.random.RandomState(99).normal(size=(8, dimensions)) / 3
    noise = random.normal(size=(count, dimensions)) / 3
    return np.maximum(random.normal(size=(count, 8)) @ mixing + noise + 0.1 * seed, 0)


def lattice(seed, side):
    """Points of a small lattice: many distances are equal, and many points copies of each other."""
    return np.random.RandomState(seed).randint(0, side, size=(200, 3)).astype("float64")


def logits(count, classes):
    return np.random.RandomState(0).normal(size=(count, classes)) * 3


def patches(seed, shape, count):
    """Images of noise in squares of 1 to 32 pixels: what differs between them is left in the features."""
    height, width, channels = shape
    random = np.random.RandomState(seed)
    images = []
    for index in range(count):
        side = 2 ** (index % 6)
        small = random.randint(0, 256, (-(-height // side), -(-width // side), channels)).astype("uint8")
        images.append(small.repeat(side, axis=0).repeat(side, axis=1)[:height, :width])
    return np.stack(images)


def inception_state(statistics):
    """Random weights of the Inception network, in a PyTorch checkpoint's names and layout.

    Args:
        statistics: Dictionary of array, the moving means and variances, at which activations neither die nor explode.
            `{}` stands for means of 0 and variances of 1.
    """
    random = np.random.RandomState(0)
    state = {}
    for layer in inception.network().layers:
        for key, weight in zip(inception.checkpoint_keys(layer.name) if layer.weights else [], layer.weights):
            state[key] = tensor(random, key, tuple(weight.shape), statistics).astype("float32")
        if layer.name.endswith(".bn"):
            state[f"{layer.name}.num_batches_tracked"] = np.array(0, "int64")
    return state


def tensor(random, key, shape, statistics):
    """One of the weights: He's normal ones, and scales and shifts about 1."""
    if key == "fc.weight":
        return random.normal(0, 0.05, shape[::-1])
    if key == "fc.bias":
        return random.normal(0, 1, shape)
    if key.endswith(".conv.weight"):
        filters = random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), (shape[3], shape[2], *shape[:2]))
        # What all of a filter's inputs have in common would only be cancelled, to the last digits, by its mean.
        return filters - filters.mean(axis=(1, 2, 3), keepdims=True)
    if key.endswith(("running_mean", "running_var")):
        return np.asarray(statistics.get(key, np.full(shape, float(key.endswith("var")))))
    return random.uniform(0.5, 1.5, shape)


def sums(outputs):
    """64 sums of the outputs of a network, of random signs: each output counts in each of them."""
    signs = np.random.RandomState(7).choice([-1.0, 1.0], (outputs.shape[1], 64))
    return outputs.astype("float64") @ signs


def in_their_span(real, fake):
    """Two sets of features in an orthonormal basis of what they span: as far from each other, in few dimensions."""
    basis, _ = np.linalg.qr(np.concatenate([real, fake]).T.astype("float64"))
    return real @ basis, fake @ basis


def small_state():
    """Tensors of each type and layout that a checkpoint may have: name -> array."""
    numbers = np.arange(24, dtype="float32").reshape(2, 3, 4) / 7
    return {
        "matrix": numbers[0],
        "double": numbers[0].astype("float64"),
        "half": numbers[0].astype("float16"),
        "long": np.array([1, -2, 3]),
        "int": np.array([1, -2, 3], "int32"),
        "scalar": np.array(5),
        "turned": numbers.transpose(2, 0, 1),  # A view with strides of its own,
        "part": numbers[1, 1:, 2:],  # and another of the same storage, with an offset.
        "parameter": numbers[1],
        "empty": np.zeros((0, 3), "float32"),
    }
