"""Standing statistics: fits batch normalization to the latents that you will use."""

import keras
import numpy as np

from ganzoo import checks
from ganzoo.latent.space import check_model
from ganzoo.latent.walks import TruncatedNumbers
from ganzoo.networks import graph
from ganzoo.sampling import SeededNumbers


def standing_statistics(model, truncation=None, batches=100, batch_size=64, seed=0):
    """Replaces the statistics of a generator's batch normalization by the statistics of samples.

    In training, batch normalization keeps a running mean over the newest batches, with earlier weights, and with
    latents from the whole prior. Truncated latents have other statistics, so samples fade or burn. This function makes
    passes in training mode over truncated latents, and keeps the plain mean over the batches. It changes the network
    that generates in place: the averaged generator if there is an average.

    Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096), Section 3.1 and Appendix B.

    Args:
        model: `ganzoo.GenerativeModel` with latents. Labels come in turn.
        truncation: Float above 0, the threshold t of `ganzoo.latent.truncate`. Defaults to `None`: the whole prior.
        batches: Integer, passes. Defaults to `100`, as in the paper.
        batch_size: Integer, samples in a pass. Defaults to `64`.
        seed: Integer, of the latents. Defaults to `0`.

    Returns:
        Integer, the number of layers with batch normalization.

    Raises:
        ValueError: If the generator has no batch normalization.

    Example:

    >>> ganzoo.latent.standing_statistics(gan, truncation=0.5)
    >>> images = ganzoo.latent.truncate(gan, 64, amounts=0.5).images[0]
    """
    check_model(model)
    batches, batch_size = checks.counts(batches=batches, batch_size=batch_size)
    seed = checks.check_seed(seed)
    numbers = SeededNumbers(seed) if truncation is None else TruncatedNumbers(seed, truncation)
    network = model.sampling_generator
    layers = graph.batch_normalizations(network)
    if not layers:
        raise ValueError(
            f"The generator {network.name!r} has no batch normalization, and its samples need no statistics."
        )
    # A copy, since the vectors of spectral normalization must not move. An average is frozen, and frozen layers measure
    # nothing.
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    latents = np.asarray(model.prior(numbers, batches * batch_size))
    _, condition = model.conditions.for_samples(model.conditions.in_turn(batches * batch_size), batches * batch_size)
    inputs = [latents, *map(np.asarray, model.conditions.as_inputs(condition))]
    copies = graph.batch_normalizations(copy)
    for layer in copies:
        layer.trainable = True
    for index in range(batches):
        for layer in copies:
            layer.momentum = index / (index + 1)  # Of what has been before: the plain mean over the batches.
        part = [each[index * batch_size : (index + 1) * batch_size] for each in inputs]
        copy(part if len(part) > 1 else part[0], training=True)
    for layer, measured in zip(layers, copies, strict=True):
        layer.moving_mean.assign(measured.moving_mean)
        layer.moving_variance.assign(measured.moving_variance)
    return len(layers)
