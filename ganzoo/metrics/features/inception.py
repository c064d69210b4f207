"""The Inception network of 2015, with which FID, KID and IS are defined.

It differs from the network of the paper and from `keras.applications`, and other weights give other scores. It has four
peculiarities:

- Average pooling does not count the padding.
- The last block has max pooling instead.
- There are 1,008 logits.
- Images are enlarged by TensorFlow 1's bilinear rule, which puts pixels at their corners.

Reference: [Szegedy et al., 2015](https://arxiv.org/abs/1512.00567), Figures 5, 6, 7 and 10, for the blocks.
[Heusel et al., 2017](https://arxiv.org/abs/1706.08500), Section 4, for the 2,048 features.
"""

import dataclasses
import hashlib
import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ganzoo import checks
from ganzoo.metrics.features import checkpoints
from ganzoo.metrics.features.classifiers import Classifier
from ganzoo.metrics.features.resize import fit

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
SIDE = 299

# Names of scores with these features, by resizing rule.
TITLES = {
    "tf1_bilinear": {"frechet_distance": "FID", "kernel_distance": "KID", "inception_score": "IS"},
    "bicubic": {"frechet_distance": "clean-FID", "kernel_distance": "clean-KID"},
}


class InceptionV3(Classifier):
    """The network `inception-2015-12-05`, which gives 2,048 features of an image, and 1,008 logits.

    Images of any size, grey or RGB, are resized to 299x299x3. Scores with this network are called FID, KID and IS. It
    was trained on the photographs of ImageNet. The features are a poor fit for digits or drawings, though you can still
    compare scores.

    A TensorFlow graph is recognized by the names of its nodes, a PyTorch file by its checksum. With any other file the
    scores keep their general names, and the name of the network ends with the first digits of the checksum.

    Reference: [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), Section 4,
    and [Parmar et al., 2021](https://arxiv.org/abs/2104.11222), for `"bicubic"`.

    Args:
        weights: String or `Path` of the PyTorch checkpoint `weights-inception-2015-12-05-6726825d.pth`, also known as
            `pt_inception-2015-12-05-6726825d.pth`, or of the TensorFlow graph `classify_image_graph_def.pb`. By default
            the checkpoint (96 MB) is downloaded once, checked, and kept in Keras' cache, `~/.keras/ganzoo`.
        resize: `"tf1_bilinear"` (the default) as in the original FID, which is bilinear and not antialiased, or
            `"bicubic"` as in clean-fid, which is antialiased.

    Raises:
        OSError: If the download fails.
        ValueError: If the file holds other weights.

    Example:

    >>> inception = ganzoo.metrics.features.InceptionV3("weights-inception-2015-12-05-6726825d.pth")
    >>> metric = ganzoo.metrics.FrechetDistance(features=inception)
    """

    batch_size = 50

    def __init__(self, weights=None, resize="tf1_bilinear"):
        resize = checks.choice("resize", resize, TITLES)
        path = Path(download()) if weights is None else checks.path("weights", weights)
        tensors = checkpoints.read(path)
        model = network()
        set_weights(model, tensors)
        self.kernel, self.bias = model.get_layer("fc").get_weights()
        self.resize = resize
        self.name, self.titles = "InceptionV3", TITLES[resize]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != SHA256 and not is_graph(tensors):
            self.name, self.titles = f"InceptionV3 (sha256 {digest[:8]})", {}
        body = keras.Model(model.input, model.get_layer("features").output)
        # A graph frees intermediate results early. In eager mode all 300 of them would stay in memory.
        signature = tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32)
        self._features = tf.function(lambda pixels: body(pixels, training=False), input_signature=[signature])

    def extract(self, images):
        if self.resize == "bicubic":
            pixels = fit(images, (SIDE, SIDE, 3), "bicubic", self.name).astype("float32")
        else:
            images = fit(images, (None, None, 3), name=self.name)
            # `tf.image.resize` would put pixels at their centres, which changes the scores.
            pixels = tf.raw_ops.ResizeBilinear(
                images=images, size=(SIDE, SIDE), align_corners=False, half_pixel_centers=False
            )
        return self._features(pixels).numpy()

    def logits_of(self, features, bias=False):
        """Float32 logits `(batch, 1008)` of features, without the bias (the default), as in the inception score."""
        logits = np.asarray(features, "float32") @ self.kernel
        return logits + self.bias if bias else logits

    def named(self, score):
        named = super().named(score)
        return dataclasses.replace(named, name=self.titles.get(score.name, score.name))


def download():
    """The path of the checkpoint in Keras' cache. Downloads it the first time."""
    name = URL.rpartition("/")[-1]
    try:
        return keras.utils.get_file(name, URL, cache_subdir="ganzoo", file_hash=SHA256, hash_algorithm="sha256")
    except Exception as error:  # Keras raises nothing more specific.
        raise OSError(
            f"The weights of InceptionV3 could not be downloaded ({error}). Get {URL} (96 MB) on a machine with a "
            f"network, and pass InceptionV3(weights='path/to/{name}')."
        ) from error


def network():
    """The network, without weights.

    Returns:
        Functional `keras.Model` from pixels `0..255`, `(batch, 299, 299, 3)`, to logits `(batch, 1008)`. Its layer
        `features` has the 2,048 features. Layers have the names of the PyTorch checkpoint.
    """
    x = image = keras.Input((SIDE, SIDE, 3), name="image", dtype="float32")
    # (x - 128) / 128, as in the original graph.
    x = layers.Rescaling(1 / 128, offset=-1, dtype="float32", name="rescaling")(x)
    x = convolution(x, "Conv2d_1a_3x3", 32, 3, strides=2)
    x = convolution(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = convolution(x, "Conv2d_2b_3x3", 64, 3)
    x = max_pooling(x, "MaxPool_1")
    x = convolution(x, "Conv2d_3b_1x1", 80, 1)
    x = convolution(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = max_pooling(x, "MaxPool_2")
    for name, filters in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = block_a(x, name, filters)
    x = block_b(x, "Mixed_6a")
    for name, filters in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = block_c(x, name, filters)
    x = block_d(x, "Mixed_7a")
    x = block_e(x, "Mixed_7b", layers.AveragePooling2D)
    x = block_e(x, "Mixed_7c", layers.MaxPooling2D)
    x = layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)
    x = layers.Dense(1008, kernel_initializer="zeros", dtype="float32", name="fc")(x)
    return keras.Model(image, x, name="inception_2015_12_05")


def block_a(x, name, pool_filters):
    """35x35 maps, Figure 5, where a 5x5 convolution replaces a pair of 3x3 convolutions."""
    name = f"{name}.branch"
    return layers.Concatenate(name=f"{name}es", dtype="float32")(
        [
            convolution(x, f"{name}1x1", 64, 1),
            convolutions(x, f"{name}5x5", (48, 1), (64, 5)),
            convolutions(x, f"{name}3x3dbl", (64, 1), (96, 3), (96, 3)),
            convolution(pooling(x, f"{name}_pool", layers.AveragePooling2D), f"{name}_pool", pool_filters, 1),
        ]
    )


def block_b(x, name):
    """35x35 to 17x17, Figure 10."""
    name = f"{name}.branch"
    double = convolutions(x, f"{name}3x3dbl", (64, 1), (96, 3))
    return layers.Concatenate(name=f"{name}es", dtype="float32")(
        [
            convolution(x, f"{name}3x3", 384, 3, strides=2),
            convolution(double, f"{name}3x3dbl_3", 96, 3, strides=2),
            max_pooling(x, f"{name}_pool"),
        ]
    )


def block_c(x, name, filters):
    """17x17 maps, Figure 6. The 7x7 convolutions are split into 1x7 and 7x1."""
    name, row, column = f"{name}.branch", (1, 7), (7, 1)
    return layers.Concatenate(name=f"{name}es", dtype="float32")(
        [
            convolution(x, f"{name}1x1", 192, 1),
            convolutions(x, f"{name}7x7", (filters, 1), (filters, row), (192, column)),
            convolutions(
                x, f"{name}7x7dbl", (filters, 1), (filters, column), (filters, row), (filters, column), (192, row)
            ),
            convolution(pooling(x, f"{name}_pool", layers.AveragePooling2D), f"{name}_pool", 192, 1),
        ]
    )


def block_d(x, name):
    """17x17 to 8x8."""
    name = f"{name}.branch"
    small = convolutions(x, f"{name}3x3", (192, 1))
    large = convolutions(x, f"{name}7x7x3", (192, 1), (192, (1, 7)), (192, (7, 1)))
    return layers.Concatenate(name=f"{name}es", dtype="float32")(
        [
            convolution(small, f"{name}3x3_2", 320, 3, strides=2),
            convolution(large, f"{name}7x7x3_4", 192, 3, strides=2),
            max_pooling(x, f"{name}_pool"),
        ]
    )


def block_e(x, name, pool):
    """8x8 maps, Figure 7. The 3x3 convolutions are split into 1x3 and 3x1, side by side."""
    name = f"{name}.branch"
    single = convolutions(x, f"{name}3x3", (384, 1))
    double = convolutions(x, f"{name}3x3dbl", (448, 1), (384, 3))
    return layers.Concatenate(name=f"{name}es", dtype="float32")(
        [
            convolution(x, f"{name}1x1", 320, 1),
            convolution(single, f"{name}3x3_2a", 384, (1, 3)),
            convolution(single, f"{name}3x3_2b", 384, (3, 1)),
            convolution(double, f"{name}3x3dbl_3a", 384, (1, 3)),
            convolution(double, f"{name}3x3dbl_3b", 384, (3, 1)),
            convolution(pooling(x, f"{name}_pool", pool), f"{name}_pool", 192, 1),
        ]
    )


def convolutions(x, name, *sizes):
    """A sequence of convolutions, each given by its filters and its kernel."""
    for index, (filters, kernel) in enumerate(sizes, 1):
        x = convolution(x, f"{name}_{index}", filters, kernel)
    return x


def convolution(x, name, filters, kernel, strides=1, padding="same"):
    """A convolution without bias, then batch normalization and ReLU. Strided convolutions have no padding."""
    x = layers.Conv2D(
        filters,
        kernel,
        strides,
        padding="valid" if strides > 1 else padding,
        use_bias=False,
        kernel_initializer="zeros",
        dtype="float32",
        name=f"{name}.conv",
    )(x)
    x = layers.BatchNormalization(epsilon=0.001, dtype="float32", name=f"{name}.bn")(x)
    return layers.ReLU(dtype="float32", name=f"{name}.relu")(x)


def max_pooling(x, name):
    """Halves a map."""
    return layers.MaxPooling2D(3, 2, padding="valid", dtype="float32", name=name)(x)


def pooling(x, name, pool):
    """Pooling that keeps the size. Padding counts neither in a maximum nor in an average."""
    return pool(3, 1, padding="same", dtype="float32", name=f"{name}.pool")(x)


def set_weights(model, tensors):
    """Sets the weights of `network()` from the tensors of the PyTorch checkpoint or the TensorFlow graph.

    Raises:
        ValueError: If a tensor is missing or has another shape.
    """
    keys = graph_keys if is_graph(tensors) else checkpoint_keys
    for layer in filter(lambda layer: layer.weights, model.layers):
        for key, weight in zip(keys(layer.name), layer.weights):
            if key not in tensors:
                raise ValueError(f"The file has no {key!r}: these are not the weights of inception-2015-12-05.")
            array = tensors[key]
            if not is_graph(tensors):  # (out, in, height, width) -> (height, width, in, out), (out, in) -> (in, out)
                array = np.moveaxis(array, (0, 1), (-1, -2)) if array.ndim > 1 else array
            if array.shape != weight.shape:
                raise ValueError(
                    f"{key!r} of the file has the shape {tensors[key].shape}, which does not fit. The Inception "
                    "networks of torchvision and keras.applications are others than FID's, with 1,000 logits: take "
                    f"{URL}."
                )
            weight.assign(array)


def is_graph(tensors):
    """Whether the tensors have the names of the TensorFlow graph."""
    return "softmax/weights" in tensors


def checkpoint_keys(name):
    """Names of a layer's weights in the PyTorch checkpoint."""
    kinds = ("weight", "bias") if name == "fc" else ("weight", "bias", "running_mean", "running_var")
    return [f"{name}.{kind}" for kind in kinds]


STEM = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
BLOCKS = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")
TOWERS = {"5x5": 0, "7x7": 0, "3x3": 0, "3x3dbl": 1, "7x7dbl": 1, "7x7x3": 1, "_pool": 2}


def graph_keys(name):
    """Names of a layer's weights in the TensorFlow graph."""
    if name == "fc":
        return ["softmax/weights", "softmax/biases"]
    name, _, kind = name.rpartition(".")
    if kind == "conv":
        return [f"{graph_scope(name)}/conv2d_params"]
    return [f"{graph_scope(name)}/batchnorm/{part}" for part in ("gamma", "beta", "moving_mean", "moving_variance")]


def graph_scope(name):
    """The scope of a convolution in the TensorFlow graph, such as `mixed_9/tower/mixed/conv` for
    `Mixed_7b.branch3x3_2a`.

    The graph numbers three things, and the first of each has no number: blocks, the towers in a block with more than
    one layer, and the convolutions in a tower.
    """
    if name in STEM:
        return numbered("conv", STEM.index(name))
    block, branch, step, side = re.fullmatch(
        r"Mixed_(..)\.branch(_pool|[0-9x]+(?:dbl)?)(?:_(\d)([ab])?)?", name
    ).groups()
    scopes = [numbered("mixed", BLOCKS.index(block))]
    if block == "6a" and branch == "3x3dbl":
        scopes.append("tower")  # Here the branch before is a single convolution, not a tower.
    elif step or branch == "_pool":
        scopes.append(numbered("tower", TOWERS[branch]))
    if side:
        return "/".join([*scopes, "mixed", numbered("conv", "ab".index(side))])
    return "/".join([*scopes, numbered("conv", int(step or 1) - 1)])


def numbered(name, index):
    """`conv`, `conv_1`, `conv_2`, ..."""
    return f"{name}_{index}" if index else name
