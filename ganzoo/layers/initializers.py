"""The initializers of kernels and gains in the papers' networks.

They are configs and not initializers. An initializer draws its seed when it is made, so all layers would share the
seed. A config gives each layer an initializer with a new seed.
"""

# Radford et al., 2015, Section 4: zero-centred normal weights of standard deviation 0.02. The authors' code draws the
# gains of batch normalization from N(1, 0.02).
DCGAN_KERNELS = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02}}
DCGAN_GAINS = {"class_name": "RandomNormal", "config": {"mean": 1.0, "stddev": 0.02}}

# For rectifiers, after the code of Gulrajani et al., 2017 (tflib/ops/conv2d.py): uniform, of variance
# 4 / (fan_in + fan_out), without its correction for strides.
WGAN_GP_KERNELS = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
}

# Brock et al., 2018, Section 3: orthogonal matrices, with a column for each filter of a convolution.
ORTHOGONAL_KERNELS = {"class_name": "Orthogonal", "config": {"gain": 1.0}}
