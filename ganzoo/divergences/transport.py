"""Optimal transport: the least work that turns a distribution into another.

It is exact on the line by sorting, and in any space by linear programming, with the plan and with the dual potentials.
There are two approximations, entropic and sliced. Masses are probabilities and sum to 1.
"""

import numpy as np
import scipy.optimize
import scipy.sparse
from scipy import special
from scipy.spatial.distance import cdist

from ganzoo import checks
from ganzoo.divergences.discrete import check_probabilities
from ganzoo.metrics import sliced


def wasserstein_1d(x, y, p=1, x_weights=None, y_weights=None):
    """Exact p-Wasserstein distance between distributions on the line, by matching sorted masses in order.

        W_p = (integral over t from 0 to 1 of |F^-1(t) - G^-1(t)|^p)^(1/p)

    F and G are the distribution functions. The cost is sorting, even for a million samples.

    Reference: Peyré and Cuturi, "Computational Optimal Transport", [2018](https://arxiv.org/abs/1803.00567),
    Section 2.6.

    Args:
        x, y: Arrays of positions `(n,)` and `(m,)`.
        p: Float, 1 or more. Defaults to `1`.
        x_weights, y_weights: Arrays of the masses of the positions, or `None` (the default) for equal masses.

    Returns:
        Float.

    Raises:
        ValueError: If shapes do not match, weights are negative or do not sum to 1, or p is less than 1.

    Example:

    >>> ganzoo.divergences.wasserstein_1d([0.0, 1.0], [3.0, 5.0])  # (3 + 4) / 2
    3.5
    """
    x, y = check_points(x, y, "x", "y")
    if x.shape[1] != 1:
        raise ValueError(
            f"`wasserstein_1d` takes positions on the line. Received: {x.shape[1]} dimensions; use `wasserstein`"
        )
    check_power(p)
    x, y = x[:, 0], y[:, 0]
    unit = power_of_two(max(np.abs(x).max(), np.abs(y).max()))
    x, y = x / unit, y / unit
    if x_weights is None and y_weights is None:
        return float(unit * sliced.transport_cost(np.sort(x), np.sort(y), p) ** (1 / p))
    (x, x_ends), (y, y_ends) = (
        sorted_masses(*pair) for pair in ((x, x_weights, "x_weights"), (y, y_weights, "y_weights"))
    )
    ends = np.union1d(x_ends, y_ends)
    i, j = (np.searchsorted(each, ends) for each in (x_ends, y_ends))
    return float(unit * (np.diff(ends, prepend=0.0) @ np.abs(x[i] - y[j]) ** p) ** (1 / p))


def wasserstein(x, y, p=1):
    """Exact p-Wasserstein distance between two sets of samples in any number of dimensions.

        W_p = (min over plans of sum_ij plan_ij |x_i - y_j|^p)^(1/p)

    With equal numbers of samples, it solves an assignment problem, otherwise a linear program. On the line it sorts. In
    d dimensions it is biased upwards, and the bias falls only as n^(-1/d).

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Equation 1, for p = 1.

    Args:
        x, y: Arrays `(n, dimensions)` and `(m, dimensions)`, or `(n,)` and `(m,)`. 500 of each take a fraction of a
            second. 2,000 of each take some ten seconds, and so do 500 and 501, where masses must be split.
        p: Float, 1 or more. Defaults to `1`.

    Returns:
        Float.

    Raises:
        ValueError: If the dimensions differ, a value is not finite, or p is less than 1.

    Example:

    >>> ganzoo.divergences.wasserstein([[0.0, 0.0]], [[3.0, 4.0]])
    5.0
    """
    x, y = check_points(x, y, "x", "y")
    check_power(p)
    if x.shape[1] == 1:
        return wasserstein_1d(x, y, p)
    distances = cdist(x, y)
    unit = power_of_two(distances.max())
    cost = (distances / unit) ** p
    if len(x) == len(y):
        return float(unit * cost[scipy.optimize.linear_sum_assignment(cost)].mean() ** (1 / p))
    _, work = optimal_transport(cost, np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)))
    return float(unit * work ** (1 / p))


def optimal_transport(cost, a, b):
    """The plan that moves the masses a to b with the least work (Kantorovich's primal problem).

        min sum_ij plan_ij cost_ij    with    plan_ij >= 0,  sum_j plan_ij = a_i,  sum_i plan_ij = b_j

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Equation 1, with the distance as the cost.
    Peyré and Cuturi, "Computational Optimal Transport", [2018](https://arxiv.org/abs/1803.00567), Section 2.3.

    Args:
        cost: Array `(n, m)`, work for a unit of mass from i to j.
        a, b: Arrays of masses `(n,)` and `(m,)`.

    Returns:
        `(plan, work)`, the plan a float64 array `(n, m)` and the work a float.

    Raises:
        ValueError: If shapes do not match, or masses are negative or do not sum to 1.
        RuntimeError: If the solver finds no solution.

    Example:

    >>> plan, work = ganzoo.divergences.optimal_transport([[0.0, 2.0], [1.0, 1.0]], [0.5, 0.5], [0.25, 0.75])
    >>> work
    1.0
    """
    cost, a, b = check_problem(cost, a, b)
    n, m = cost.shape
    scale = scale_of(cost)
    # All sums of rows and columns together would have a redundant equation, because the masses are equal.
    sums = {"A_eq": sums_of(n, m).T[:-1], "b_eq": np.concatenate([a, b])[:-1]}
    solution = solve(cost.ravel() / scale, bounds=(0, None), **sums)
    plan = np.maximum(solution.reshape(n, m), 0.0)
    return plan, float(np.sum(plan * cost))


def kantorovich_dual(cost, a, b):
    """Kantorovich potentials: prices that pay as much as possible, but nowhere more than the cost (the dual problem).

        max sum_i a_i f_i + sum_j b_j g_j    with    f_i + g_j <= cost_ij

    The value equals the least work of `optimal_transport`. Each potential is as large as the other allows, f_i = min_j
    (cost_ij - g_j) and vice versa, even where there is no mass. So if the cost is a distance and both distributions lie
    on the same points, then g = -f. This f is what a WGAN's critic learns, and its slope is at most 1.

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Equation 2, with the distance as the cost.
    Peyré and Cuturi, "Computational Optimal Transport", [2018](https://arxiv.org/abs/1803.00567), Section 2.5.

    Args:
        cost: Array `(n, m)`, work for a unit of mass from i to j.
        a, b: Arrays of masses `(n,)` and `(m,)`.

    Returns:
        `((f, g), value)`. The potentials are float64 arrays `(n,)` and `(m,)` with f_0 = 0, and the value is a float.

    Raises:
        ValueError: If shapes do not match, or masses are negative or do not sum to 1.
        RuntimeError: If the solver finds no solution.

    Example:

    >>> (f, g), value = ganzoo.divergences.kantorovich_dual([[0.0, 2.0], [1.0, 1.0]], [0.5, 0.5], [0.25, 0.75])
    >>> value
    1.0
    """
    cost, a, b = check_problem(cost, a, b)
    n, m = cost.shape
    scale = scale_of(cost)
    # Fix f_0 = 0, because any constant could move from g to f.
    bounds = [(0, 0)] + [(None, None)] * (n + m - 1)
    solution = solve(-np.concatenate([a, b]), A_ub=sums_of(n, m), b_ub=cost.ravel() / scale, bounds=bounds)
    # Make both potentials as large as the other allows. The solver leaves them free where there is no mass.
    f = (cost - scale * solution[n:]).min(axis=1)
    f -= f[0]
    g = (cost - f[:, None]).min(axis=0)
    return (f, g), float(a @ f + b @ g)


def sinkhorn(cost, a, b, regularization, tolerance=1e-9, max_iterations=100_000):
    """The plan that minimises work plus an entropy term, which favours blurred plans (entropic optimal transport).

        min sum_ij plan_ij cost_ij + regularization * sum_ij plan_ij log(plan_ij / (a_i b_j))

    Sinkhorn's algorithm rescales rows and columns in turn. Here it works in logarithms, so that nothing underflows. The
    work of this plan is above the least work, and approaches it as the regularization goes to 0. With a large
    regularization the plan is a b^T.

    Reference: [Cuturi, 2013](https://arxiv.org/abs/1306.0895), Algorithm 1, whose lambda is 1 / regularization.

    Args:
        cost: Array `(n, m)`, work for a unit of mass from i to j.
        a, b: Arrays of masses `(n,)` and `(m,)`.
        regularization: Float, in units of the cost. Smaller values need more iterations.
        tolerance: Float, the total mass by which the rows of the plan may differ from a. Defaults to `1e-9`.
        max_iterations: Integer. Defaults to `100_000`.

    Returns:
        `(plan, work)`, the plan a float64 array `(n, m)` and the work `sum plan cost` a float, without the entropy.

    Raises:
        ValueError: If shapes do not match, masses are negative or do not sum to 1, or the regularization is not
            positive.
        RuntimeError: If the tolerance is not reached.

    Example:

    >>> plan, work = ganzoo.divergences.sinkhorn([[0.0, 1.0], [1.0, 0.0]], [0.5, 0.5], [0.5, 0.5], 0.5)
    >>> work  # 1 / (1 + e^2)
    0.1192...
    """
    cost, a, b = check_problem(cost, a, b)
    if not 0 < checks.as_float(checks.plain(regularization)) < np.inf:
        wanted = "positive and finite; `optimal_transport` has none, and with an infinite one the plan is a b^T"
        raise checks.refusal("regularization", regularization, wanted)
    tolerance = checks.number("tolerance", tolerance, above=0)
    max_iterations = checks.integer("max_iterations", max_iterations, least=1, most=10**8)
    with np.errstate(divide="ignore"):
        log_a, log_b = np.log(a), np.log(b)
    g = np.zeros(len(b))
    strength = max(float(np.ptp(cost)), regularization)
    for _ in range(max_iterations):
        # Start with much blur, where few iterations are enough, and keep the potentials as the blur shrinks.
        strength = max(0.9 * strength, regularization)
        f = -strength * special.logsumexp((g - cost) / strength + log_b, axis=1)
        g = -strength * special.logsumexp((f[:, None] - cost) / strength + log_a[:, None], axis=0)
        if strength == regularization:
            plan = np.exp((f[:, None] + g - cost) / strength + log_a[:, None] + log_b)
            if np.abs(plan.sum(axis=1) - a).sum() <= tolerance:
                return plan, float(np.sum(plan * cost))
    raise RuntimeError(
        f"The plan did not reach the tolerance {tolerance} in {max_iterations} iterations: raise `regularization` or "
        "`max_iterations`."
    )


def sliced_wasserstein(x, y, p=1, projections=512, seed=0):
    """Wasserstein distance averaged over random directions: `ganzoo.metrics.sliced_wasserstein` as a number.

        SW_p = (E_u [ W_p(u.x, u.y)^p ])^(1/p),    |u| = 1

    Reference: [Bonneel et al., 2015](https://doi.org/10.1007/s10851-014-0506-3).

    Args:
        x, y: Arrays `(n, dimensions)` and `(m, dimensions)`.
        p: Integer, 1 or 2. Defaults to `1`.
        projections: Integer, number of random directions. Defaults to `512`.
        seed: Integer, for the directions. Defaults to `0`.

    Returns:
        Float.

    Raises:
        ValueError: As `ganzoo.metrics.sliced_wasserstein`.

    Example:

    >>> ganzoo.divergences.sliced_wasserstein(points, gan.generate(10_000), p=2)
    """
    return sliced.sliced_wasserstein(x, y, p=p, projections=projections, seed=seed).value


def sums_of(n, m):
    """Sparse matrix `(n m, n + m)`. Row (i, j) adds entry i of f to entry j of g. Its transpose sums a plan."""
    rows = scipy.sparse.kron(scipy.sparse.eye_array(n), np.ones((m, 1)))
    columns = scipy.sparse.kron(np.ones((n, 1)), scipy.sparse.eye_array(m))
    return scipy.sparse.hstack([rows, columns], format="csr")


def power_of_two(size):
    """A unit in which this size is at most 1, so that its powers do not overflow. Dividing by it is exact."""
    return float(np.ldexp(1.0, min(np.frexp(size)[1], 1023))) if size else 1.0


def scale_of(cost):
    """The largest cost. The solver's tolerances are absolute, so it would ignore small costs without scaling."""
    return np.abs(cost).max() or 1.0


def solve(objective, **constraints):
    """The x that minimises `objective @ x`."""
    result = scipy.optimize.linprog(objective, method="highs", **constraints)
    if result.x is None:
        raise RuntimeError(f"The linear program was not solved: {result.message}")
    return result.x


def sorted_masses(positions, weights, name):
    """Sorted positions that have mass, and the cumulative mass at each. The last entry is 1."""
    if weights is None:
        weights = np.full(len(positions), 1 / len(positions))
    weights = check_probabilities(weights, name)
    if weights.shape != positions.shape:
        raise ValueError(
            f"`{name}` must have one weight for each position. Received: {weights.shape} for {positions.shape}"
        )
    order = np.argsort(positions)
    # A position without mass would share its end with the position before.
    order = order[weights[order] > 0]
    ends = np.minimum(np.cumsum(weights[order]), 1.0)
    # Rounding must not leave mass behind the last position.
    ends[-1] = 1.0
    return positions[order], ends


def check_points(x, y, x_name, y_name):
    """Returns both sets of samples as float64 arrays `(samples, dimensions)`, or raises a `ValueError`."""
    sets = []
    for name, values in ((x_name, x), (y_name, y)):
        array = checks.array(name, values, "float64")
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"`{name}` must be an array (samples, dimensions). Received: shape {np.shape(values)}")
        if not np.isfinite(array).all():
            raise ValueError(f"Samples must be finite. Received: {name} with {array[~np.isfinite(array)][0]}")
        sets.append(array)
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(
            f"`{x_name}` and `{y_name}` must have equally many dimensions. Received: {sets[0].shape[1]} and "
            f"{sets[1].shape[1]}"
        )
    return sets


def check_power(p):
    """Raises a `ValueError` unless p is a number of at least 1."""
    checks.number("p", p, least=1)


def check_problem(cost, a, b):
    """Returns the cost and masses of a transport in float64, or raises a `ValueError`."""
    cost, a, b = checks.array("cost", cost, "float64"), check_probabilities(a, "a"), check_probabilities(b, "b")
    if a.ndim != 1 or b.ndim != 1 or cost.shape != (len(a), len(b)):
        raise ValueError(
            "The cost must have a row for each mass in `a` and a column for each in `b`. Received: shapes "
            f"{cost.shape}, {a.shape}, {b.shape}"
        )
    if not np.isfinite(cost).all():
        raise ValueError("The cost must be finite: for a forbidden way, give a cost above all others.")
    return cost, a, b
