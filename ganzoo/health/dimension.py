"""Estimates the intrinsic dimension of data from samples."""

import numpy as np

# Fewer distinct samples do not show the dimension.
LEAST_SAMPLES = 500


def intrinsic_dimension(samples, first=10, last=20):
    """Maximum-likelihood estimate of the dimension of the samples' manifold, or `None` with too few samples.

        1 / d = mean over samples and j < k of log(T_k / T_j),   T_j the distance to the j-th neighbour

    averaged over k. It depends on distances between neighbours. Where samples are sparse, the estimate is too low
    rather than too high. Images larger than 32 pixels are reduced to every second, third, ... row and column.

    Reference: Levina & Bickel, 2004, "Maximum likelihood estimation of intrinsic dimension", Equations 8 and 9. The
    inverse is averaged over the samples, which MacKay & Ghahramani, 2005, show to be the maximum-likelihood estimate.

    Args:
        samples: Float array `(count, ...)`.
        first, last: Integers, smallest and largest k. Default to `10` and `20`.

    Returns:
        Float, or `None` with fewer than 500 distinct samples.
    """
    if samples.ndim == 4:
        rows, columns = (-(-side // 32) for side in samples.shape[1:3])
        samples = samples[:, ::rows, ::columns]
    # Copies have a distance of 0, whose logarithm would spoil the mean.
    points = np.stack(list({sample.tobytes(): sample for sample in samples.reshape(len(samples), -1)}.values()))
    if len(points) < max(LEAST_SAMPLES, last + 1):
        return None
    points = points - points.mean(axis=0, dtype="float64")
    squares = np.sum(points**2, axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(np.partition(distances, last, axis=1)[:, :last], axis=1)
    # Rounding may turn tiny squares negative.
    logs = np.log(np.maximum(nearest, 1e-12 * squares.mean())) / 2
    inverses = [np.mean(logs[:, k - 1 : k] - logs[:, : k - 1]) for k in range(first, last + 1)]
    return float(np.mean(1 / np.maximum(inverses, 1e-12)))
