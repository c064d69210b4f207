"""Distances between samples, and nearest neighbours. They are exact wherever a decision depends on them."""

import numpy as np
from scipy.spatial.distance import cdist

from ganzoo.metrics.metric import chunks

# If values are below _LARGEST and differences above _SMALLEST, squares neither overflow nor vanish.
_SMALLEST, _LARGEST = 2.0**-300, 2.0**300


def scaled(*arrays):
    """Rescales sets of samples so that no square of a difference overflows or vanishes.

    Neighbours do not depend on the unit. Almost all samples are returned unchanged.

    Args:
        arrays: Arrays `(samples, dimensions)`, not empty.

    Returns:
        List of the arrays, and the unit. Multiply distances of the arrays by the unit to get distances of the samples.
    """
    first = np.asarray(arrays[0][0], "float64") / 4
    size = spread = 0.0
    for chunk in (chunk for array in arrays for chunk in chunks(array, 1024)):
        size = max(size, float(np.abs(chunk).max()))
        # Take a fourth of the largest difference, because the difference itself may overflow.
        spread = max(spread, float(np.abs(chunk / 4 - first).max()))
    if size < _LARGEST and (spread == 0 or spread > _SMALLEST):
        return list(arrays), 1.0
    unit = np.ldexp(1.0, min(np.frexp(spread)[1], 1023))  # Dividing by a power of two is exact.
    return [(np.asarray(array, "float64") / 4 - first) / unit for array in arrays], 4 * unit


def squared_radii(centres, k, chunk_size):
    """Squared distance from each centre to its k-th nearest neighbour among the others."""
    return nearest(centres, None, k, chunk_size)[0][:, -1]


def nearest(queries, points, k, chunk_size, spare=3):
    """The k nearest points of each query, in order of distance.

    Args:
        queries, points: Arrays `(samples, dimensions)`. With `points=None`, neighbours are the other queries.
        k: Integer.
        chunk_size: Integer.
        spare: Integer, number of extra candidates with exact distances, against ties that rounding makes or breaks.
            Where rounding may hide a nearer point even then, all distances of the query are computed exactly.

    Returns:
        Squared distances and indices, both `(queries, k)`.
    """
    found = []
    itself = points is None
    points = queries if itself else points
    count = min(k + spare, len(points) - itself)
    for chunk, start in zip(chunks(queries, chunk_size, "Nearest neighbours"), range(0, len(queries), chunk_size)):
        own = start if itself else None
        indices, farthest = _candidates(chunk, points, count, own, chunk_size)
        rows = np.repeat(np.arange(len(chunk)), count)
        squares = exact_squares(chunk, points, rows, indices.ravel(), chunk_size).reshape(indices.shape)
        # With all points as candidates, no nearer point can be missing.
        if count < len(points) - itself:
            kth = np.partition(squares, k - 1, axis=1)[:, k - 1]
            # A point outside the candidates may be nearer than the k-th, so look at all points.
            for row in np.flatnonzero((kth > 0) & (kth > farthest)):
                indices[row] = _exact_candidates(chunk[row], points, count, None if own is None else own + row)
                squares[row] = exact_squares(chunk, points, np.full(count, row), indices[row], chunk_size)
        # Equal distances are sorted by index, so that the result is unique.
        order = np.lexsort((indices, squares))[:, :k]
        found.append([np.take_along_axis(array, order, axis=1) for array in (squares, indices)])
    return tuple(np.concatenate(arrays) for arrays in zip(*found))


def _candidates(chunk, points, count, own, chunk_size):
    """The points that are nearest to each query, up to rounding.

    Args:
        chunk: Float64 array `(queries, dimensions)`.
        points: Array `(samples, dimensions)`.
        count: Integer, number of points to return.
        own: Integer, or `None`. The index of the first query, if the queries are among the points. A query is not its
            own neighbour.
        chunk_size: Integer.

    Returns:
        Indices `(queries, count)` in no order. And for each query a squared distance: all points nearer than that are
        among the indices, whatever the rounding.
    """
    squares, indices = np.empty((len(chunk), 0)), np.empty((len(chunk), 0), "int64")
    largest_errors = np.zeros(len(chunk))
    for columns, block, errors in squared_distances(chunk, points, chunk_size):
        largest_errors = np.maximum(largest_errors, errors.max(axis=1))
        if columns.start == own:
            # A query is not its own neighbour.
            np.fill_diagonal(block, np.inf)
        places = smallest(block, count)
        squares = np.concatenate([squares, np.take_along_axis(block, places, axis=1)], axis=1)
        indices = np.concatenate([indices, places + columns.start], axis=1)
        kept = smallest(squares, count)
        squares, indices = (np.take_along_axis(array, kept, axis=1) for array in (squares, indices))
    return indices, squares.max(axis=1) - largest_errors


def _exact_candidates(query, points, count, own):
    """Indices of the `count` nearest points of a query. If the query is a point itself, `own` is its index."""
    exact = cdist(query[None], points, "sqeuclidean")[0]
    if own is not None:
        exact[own] = np.inf
    return np.argpartition(exact, count - 1)[:count]


def smallest(array, count):
    """Indices of the smallest values of each row, in no order."""
    if count >= array.shape[1]:
        return np.broadcast_to(np.arange(array.shape[1]), array.shape)
    return np.argpartition(array, count - 1, axis=1)[:, :count]


def squared_distances(queries, points, chunk_size):
    """Squared distances from queries to all points, block by block, as `|x|^2 + |y|^2 - 2 x.y`.

    This is many times faster than the sum of squared differences, but inaccurate for samples that are close together.
    If a decision depends on such a distance, compute it again by `exact_squares`.

    Args:
        queries: Array `(samples, dimensions)`, float64, a chunk.
        points: Array `(samples, dimensions)`.
        chunk_size: Integer.

    Yields:
        `(columns, squares, errors)`. These are the slice of the points, the block, and bounds of its rounding errors.
    """
    # Centring keeps the norms small, and with them the rounding errors.
    centre = queries.mean(axis=0)
    queries = queries - centre
    norms = np.einsum("ij,ij->i", queries, queries)
    # A sum of d products is off by about d epsilon of its size.
    tolerance = 4 * (queries.shape[1] + 4) * np.finfo("float64").eps
    for start, chunk in zip(range(0, len(points), chunk_size), chunks(points, chunk_size)):
        chunk = chunk - centre
        errors = norms[:, None] + np.einsum("ij,ij->i", chunk, chunk)
        squares = queries @ chunk.T
        squares *= -2
        squares += errors
        errors *= tolerance
        yield slice(start, start + len(chunk)), squares, errors


def exact_squares(x, y, rows, places, chunk_size):
    """Squared distances of the pairs `x[rows]`, `y[places]`. Equal pairs give equal results, and copies give 0."""
    squares = np.empty(len(rows))
    for start in range(0, len(rows), chunk_size):
        part = slice(start, start + chunk_size)
        difference = x[rows[part]] - np.asarray(y[places[part]], "float64")
        squares[part] = np.einsum("ij,ij->i", difference, difference)
    return squares
