"""Layers that two families of networks or more share."""

import keras

# Radford et al., 2015, Section 4: zero-centred normal weights of standard deviation 0.02; the authors' code draws the
# gains of batch normalization from N(1, 0.02).
# Configs, not initializers: an instance draws its seed when it is made, a config when a layer takes it.
DCGAN_KERNELS = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02}}
DCGAN_GAINS = {"class_name": "RandomNormal", "config": {"mean": 1.0, "stddev": 0.02}}

# Gulrajani et al., 2017, authors' code (tflib/ops/conv2d.py): uniform, of variance 4 / (fan_in + fan_out).
WGAN_GP_KERNELS = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
}


def normalization(kind, name):
    """Returns a normalization layer, or the identity.

    Args:
        kind: `"batch"`, `"layer"` or `None`. `"layer"` normalizes each sample over height, width and channels, with a
            gain and a bias for each channel: the layer normalization of WGAN-GP's authors, which couples no samples.
        name: String, name of the layer.
    """
    if kind is None:
        return lambda x: x
    if kind == "batch":
        # Momentum and epsilon of the reference code; Keras' 0.99 lags behind a network that learns fast. The batch
        # of the papers is the global one, so its statistics are taken over all replicas.
        return keras.layers.BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            gamma_initializer=DCGAN_GAINS,
            synchronized=True,
            name=f"{name}_batch_norm",
        )
    if kind == "layer":
        return keras.layers.GroupNormalization(groups=1, epsilon=1e-5, name=f"{name}_layer_norm")
    raise ValueError(f'`normalization` must be "batch", "layer" or None. Received: {kind!r}')
