"""How many dimensions data have, as far as samples tell."""

import numpy as np

# Fewer distinct samples tell no dimension.
LEAST_SAMPLES = 500


def intrinsic_dimension(samples, first=10, last=20):
    """Maximum-likelihood estimate of the dimension of the manifold that samples lie on, or `None` for too few of them.

        1 / d = mean over samples and j < k of log(T_k / T_j),   T_j the distance to the j-th neighbour

    averaged over k. It sees distances between neighbours, and tells too few dimensions rather than too many where
    samples are rare. Of images larger than 32 pixels it sees every second, third, ... row and column.

    Reference: Levina & Bickel, 2004, "Maximum likelihood estimation of intrinsic dimension", Equations 8 and 9, with
    the inverse averaged over the samples, as MacKay & Ghahramani, 2005, show to be the maximum-likelihood estimate.

    Args:
        samples: Float array `(count, ...)`.
        first, last: Integers, smallest and largest k. Default to `10` and `20`.

    Returns:
        Float, or `None` for fewer than 500 distinct samples.
    """
    if samples.ndim == 4:
        rows, columns = (-(-side // 32) for side in samples.shape[1:3])
        samples = samples[:, ::rows, ::columns]
    points = np.stack(list({sample.tobytes(): sample for sample in samples.reshape(len(samples), -1)}.values()))
    if len(points) < max(LEAST_SAMPLES, last + 1):
        return None
    points = points - points.mean(axis=0, dtype="float64")
    squares = np.sum(points**2, axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(np.partition(distances, last, axis=1)[:, :last], axis=1)
    logs = np.log(np.maximum(nearest, 1e-12 * squares.mean())) / 2
    inverses = [np.mean(logs[:, k - 1 : k] - logs[:, : k - 1]) for k in range(first, last + 1)]
    return float(np.mean(1 / np.maximum(inverses, 1e-12)))
