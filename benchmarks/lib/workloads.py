"""The models that `throughput.py` measures, and how much arithmetic their algorithms need.

Counting. One multiplication and addition (MAC) is 2 FLOP. Only convolutions and dense layers count. Of a layer that
does `a` MAC for a sample, each of these is `a` MAC again: the forward pass, the gradient of its input, and the gradient
of its kernel. For a discriminator with `D` MAC for a sample, `D1` of them in its first layer, and a generator with `G`
(first layer: `G1`), in minibatches of m:

- Training a network on data: forward `D`, kernel gradients `D`, input gradients `D - D1`: nobody asks for the gradient
  of the data.
- A GAN's discriminator update: fakes `G`, and `3D - D1` each for the real and the fake minibatch.
- A WGAN-GP's critic update: the same, and the penalty `4D`: forward at x_hat; the gradient of x_hat (the first layer's
  too, that is what is penalised); and the derivative of that gradient, which for a piecewise linear critic is a
  forward pass of tangents and one kernel gradient for each layer. Second derivatives of LeakyReLU are zero.
- A generator update: fakes `G`; scores `D`; their gradient at the fakes `D` (with the first layer, without kernels); in
  the generator kernel gradients `G` and input gradients `G - G1`: nobody asks for the gradient of the latents.

For one generator update:

    GAN, DCGAN, k = 1:   m (4G + 8D - 2 D1 - G1)
    WGAN-GP, n critics:  n m (10D - 2 D1 + G) + m (3G + 2D - G1)
"""

import dataclasses
import math

BATCH_SIZE = 64


@dataclasses.dataclass(frozen=True)
class Workload:
    title: str
    image_shape: tuple
    critic_steps: int
    penalty: bool
    latent_dim: int
    # Least ratio to PyTorch in float32, by precision of ganzoo; least fraction of the hardware's rate in float32; most
    # time of `fit` relative to a bare loop.
    ratio_targets: dict
    fraction_target: float | None = None
    fit_target: float | None = None


WORKLOADS = {
    "dcgan": Workload("DCGAN 32x32x3", (32, 32, 3), 1, False, 100, {"float32": 1.5, "mixed_bfloat16": 2.0}, 0.75, 1.05),
    "mlp": Workload("WGAN-GP MLP 28x28x1, n_critic 5", (28, 28, 1), 5, True, 100, {"float32": 1.9}, None, 1.10),
    "wgan_gp": Workload("WGAN-GP 64x64x3, n_critic 5", (64, 64, 3), 5, True, 128, {"float32": 1.2}, 0.65),
}

# The sizes of PyTorch-GAN's wgan_gp.py.
MLP_GENERATOR, MLP_CRITIC = (128, 256, 512, 1024), (512, 256)


def build(name, precision="float32"):
    """Returns the compiled ganzoo model of a workload."""
    import keras

    import ganzoo

    keras.config.set_dtype_policy(precision)
    workload = WORKLOADS[name]
    if name == "dcgan":
        return ganzoo.DCGAN.from_paper(workload.image_shape, seed=0)
    if name == "wgan_gp":
        return ganzoo.WGANGP.from_paper(workload.image_shape, filters=64, seed=0)
    mlp = ganzoo.networks.mlp
    gan = ganzoo.WGANGP(
        mlp.generator(workload.image_shape, workload.latent_dim, MLP_GENERATOR, batch_normalization=True),
        mlp.discriminator(workload.image_shape, MLP_CRITIC),
        seed=0,
    )
    gan.compile(keras.optimizers.Adam(1e-4, 0.0, 0.9), keras.optimizers.Adam(1e-4, 0.0, 0.9))
    return gan


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution or dense layer, and how often one generator update runs each of its three operations."""

    kind: str  # "convolution", "transposed" or "dense"
    input_shape: tuple
    output_shape: tuple
    kernel_shape: tuple
    strides: tuple | None
    dtype: str
    macs: int
    forward: int
    input_gradient: int
    kernel_gradient: int


def layers_of(name, gan):
    """The counted `Layer`s of both networks of a model."""
    workload = WORKLOADS[name]
    steps = workload.critic_steps
    critic, generator = [], []
    for index, layer in enumerate(counted(gan.discriminator)):
        first = index == 0
        if workload.penalty:
            runs = 4 * steps + 1, (1 if first else 3) * steps + 1, 3 * steps
        else:
            runs = 2 * steps + 1, (0 if first else 2) * steps + 1, 2 * steps
        critic.append(describe(layer, *runs))
    for index, layer in enumerate(counted(gan.generator)):
        generator.append(describe(layer, steps + 1, 0 if index == 0 else 1, 1))
    return critic + generator


def counted(network):
    return [layer for layer in network.layers if type(layer).__name__ in ("Conv2D", "Conv2DTranspose", "Dense")]


def describe(layer, forward, input_gradient, kernel_gradient):
    kind = {"Conv2D": "convolution", "Conv2DTranspose": "transposed", "Dense": "dense"}[type(layer).__name__]
    input_shape, output_shape = tuple(layer.input.shape[1:]), tuple(layer.output.shape[1:])
    kernel_shape = tuple(layer.kernel.shape)
    # The kernel is applied at each pixel of the smaller map.
    pixels = {"convolution": output_shape[:-1], "transposed": input_shape[:-1], "dense": ()}[kind]
    return Layer(
        kind,
        input_shape,
        output_shape,
        kernel_shape,
        tuple(layer.strides) if kind != "dense" else None,
        layer.compute_dtype,
        math.prod(pixels) * math.prod(kernel_shape),
        forward,
        input_gradient,
        kernel_gradient,
    )


def flops(layers):
    """FLOP of one generator update."""
    runs = (2 * layer.macs * (layer.forward + layer.input_gradient + layer.kernel_gradient) for layer in layers)
    return BATCH_SIZE * sum(runs)
