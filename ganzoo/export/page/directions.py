"""Directions in the latents that change samples most."""

import numpy as np

from ganzoo.networks.graph import layers_of


def of_first_layer(network, latent_dim, count=8):
    """The directions that the first layer stretches most, found without any sample.

    For W, the rows of the first layer's kernel that read the latents, each column divided by its norm, they are the
    eigenvectors of W W^T with the largest eigenvalues.

    Reference: [Shen and Zhou, 2021](https://arxiv.org/abs/2007.06600), Equation 4.

    Args:
        network: Built `keras.Model`.
        latent_dim: Integer, the width of the latents.
        count: Integer, at most how many. Defaults to `8`.

    Returns:
        Float32 array `(count, latent_dim)` of unit vectors, or one without rows if no dense layer reads the latents.
    """
    for layer in layers_of(network, object):
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        weights = np.asarray(kernel, "float64")
        if weights.ndim != 2 or len(weights) < latent_dim:
            break
        weights = weights[:latent_dim]
        weights = weights / np.maximum(np.linalg.norm(weights, axis=0), 1e-12)
        _, vectors = np.linalg.eigh(weights @ weights.T)
        return vectors.T[::-1][:count].astype("float32")
    return np.zeros((0, latent_dim), "float32")
