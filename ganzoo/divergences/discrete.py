"""Divergences of discrete distributions, in nats.

A distribution is an array of probabilities along its last axis. Further axes are batches, and broadcast. An infinite
divergence returns `inf` without a warning. 0 log 0 is 0.
"""

import numpy as np
from scipy import special

from ganzoo import checks

# Largest deviation of a sum of probabilities from 1, which allows for rounding in float32.
SUM_TOLERANCE = 1e-5


def total_variation(p, q):
    """Total variation: the largest difference in probability that two distributions give to the same event.

        TV(p, q) = sup over A of |p(A) - q(A)| = 1/2 sum |p - q|

    It lies between 0 and 1. It is 1 as soon as the supports are disjoint, however near they are.

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Section 2.

    Args:
        p, q: Arrays of probabilities along the last axis.

    Returns:
        Float, or an array if `p` or `q` has further axes.

    Raises:
        ValueError: If entries are negative or do not sum to 1, or the numbers of entries differ.

    Example:

    >>> ganzoo.divergences.total_variation([0.5, 0.5], [0.75, 0.25])
    0.25
    """
    p, q = check_pair(p, q)
    return scalar(np.abs(p - q).sum(axis=-1) / 2)


def kl(p, q):
    """Kullback-Leibler divergence: the nats wasted when a code made for q describes samples of p.

        KL(p || q) = sum p log(p / q)

    It is infinite if q is zero somewhere p is not. As a loss for q, it makes q cover all of p.

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Section 2.

    Args:
        p, q: Arrays of probabilities along the last axis.

    Returns:
        Float, or an array if `p` or `q` has further axes. `inf` if q is 0 where p is not.

    Raises:
        ValueError: If entries are negative or do not sum to 1, or the numbers of entries differ.

    Example:

    >>> ganzoo.divergences.kl([1.0, 0.0], [0.5, 0.5])  # log 2
    0.6931471805599453
    >>> ganzoo.divergences.kl([0.5, 0.5], [1.0, 0.0])
    inf
    """
    p, q = check_pair(p, q)
    return scalar(terms(p, q).sum(axis=-1))


def reverse_kl(p, q):
    """Kullback-Leibler divergence with exchanged arguments: `KL(q || p) = sum q log(q / p)`.

    It is infinite if p is zero somewhere q is not. As a loss for q, it makes q stay in a single mode of p.

    Arguments, result and errors are as for `kl`.

    Example:

    >>> ganzoo.divergences.reverse_kl([0.5, 0.5], [1.0, 0.0])  # log 2
    0.6931471805599453
    """
    p, q = check_pair(p, q)
    return kl(q, p)


def jensen_shannon(p, q):
    """Jensen-Shannon divergence: the mean of the KL divergences of both distributions from their mixture.

        JS(p, q) = 1/2 KL(p || m) + 1/2 KL(q || m),    m = (p + q) / 2

    It is symmetric and at most log 2 = 0.693. It is log 2 as soon as the supports are disjoint, however near they are.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Section 4.1. The definition in Section 2 of
    [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875) lacks the factor 1/2, but their values have it.

    Args:
        p, q: Arrays of probabilities along the last axis.

    Returns:
        Float, or an array if `p` or `q` has further axes.

    Raises:
        ValueError: If entries are negative or do not sum to 1, or the numbers of entries differ.

    Example:

    >>> ganzoo.divergences.jensen_shannon([1.0, 0.0], [0.0, 1.0])  # log 2
    0.6931471805599453
    """
    p, q = check_pair(p, q)
    mixture = (p + q) / 2
    return scalar((terms(p, mixture) + terms(q, mixture)).sum(axis=-1) / 2)


def f_divergence(p, q, f, slope_at_infinity=None):
    """f-divergence: the divergence defined by a convex function f.

        D_f(p || q) = sum q f(p / q) + f'(inf) p(q = 0),    f'(inf) = lim f(t) / t,    f(1) = 0

    f(t) = t log t gives KL(p || q), -log t the reverse KL, |t - 1| / 2 the total variation, and (t - 1)^2 Pearson's
    chi-squared.

    Reference: [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), Section 2.1. The second term is from Csiszár,
    1967.

    Args:
        p, q: Arrays of probabilities along the last axis.
        f: Callable, array of ratios -> array, convex, with f(1) = 0. Its value at 0 may be `inf`, but not NaN. For t
            log t, write `scipy.special.xlogy(t, t)`.
        slope_at_infinity: Float, f'(inf), such as `inf` for KL. Only needed if q is 0 where p is not. Defaults to
            `None`.

    Returns:
        Float, or an array if `p` or `q` has further axes.

    Raises:
        ValueError: If entries are negative or do not sum to 1, if the numbers of entries differ, if f(1) is not 0, if f
            is NaN somewhere, or if `slope_at_infinity` is needed but missing.

    Example:

    >>> ganzoo.divergences.f_divergence([0.5, 0.5], [0.75, 0.25], lambda t: abs(t - 1) / 2)  # total variation
    0.25
    """
    p, q = np.broadcast_arrays(*check_pair(p, q))
    if not callable(f):
        raise checks.refusal("f", f, "a function of an array")
    slope_at_infinity = checks.number("slope_at_infinity", slope_at_infinity, finite=False, optional=True)
    # f may take the logarithm of 0.
    with np.errstate(all="ignore"):
        at_one = float(np.asarray(f(np.ones(1)))[0])
        values = np.asarray(f(np.divide(p, q, out=np.ones_like(p), where=q > 0)), "float64")
    if not abs(at_one) <= 1e-12:
        raise ValueError(f"`f` must be 0 at 1: otherwise equal distributions differ. Received: f(1) = {at_one}")
    if np.isnan(values).any():
        raise ValueError(
            "`f` gave NaN. Where p is 0 and q is not, it is evaluated at 0: make it return its limit there, such as "
            "scipy.special.xlogy(t, t) for t log t."
        )
    missed = (q == 0) & (p > 0)
    if missed.any() and slope_at_infinity is None:
        raise ValueError(
            "q is 0 where p is not: this part of the divergence is p times the limit of f(t) / t for large t. Pass it "
            "as `slope_at_infinity`; it is inf for KL, 1/2 for the total variation."
        )
    covered = np.multiply(q, values, out=np.zeros_like(p), where=q > 0).sum(axis=-1)
    beyond = np.multiply(p, slope_at_infinity or 0.0, out=np.zeros_like(p), where=missed).sum(axis=-1)
    return scalar(covered + beyond)


def terms(p, q):
    """Terms `p log(p / q) - p + q` of a KL divergence. They are never negative, and the added part sums to 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.maximum(special.kl_div(p, q), 0.0)
        ratio_overflows = np.isinf(values) & (q > 0)
        # p / q overflows for a tiny q, although the difference of the logarithms is finite.
        return np.where(ratio_overflows, p * (np.log(p) - np.log(q)) - p + q, values)


def check_pair(p, q):
    """Both distributions in float64, see `check_probabilities`. Checks that they have equally many events."""
    p, q = check_probabilities(p, "p"), check_probabilities(q, "q")
    if p.shape[-1] != q.shape[-1]:
        raise ValueError(
            "`p` and `q` must be distributions over the same events. Received: "
            f"{p.shape[-1]} and {q.shape[-1]} probabilities"
        )
    return p, q


def check_probabilities(values, name):
    """Returns probabilities as a float64 array whose last axis sums to 1, or raises a `ValueError`."""
    array = checks.array(name, values, "float64")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"`{name}` must be an array of probabilities. Received: {values!r}")
    if not (array >= 0).all():
        raise ValueError(f"Probabilities must not be negative or NaN. Received: {name} with {array.min()}")
    sums = array.sum(axis=-1, keepdims=True)
    worst = sums.flat[np.argmax(np.abs(sums - 1))]
    if not abs(worst - 1) <= SUM_TOLERANCE:
        raise ValueError(
            f"Probabilities must sum to 1. Received: {name} with the sum {worst:.6g}. Divide counts by their sum."
        )
    # Removes the rounding error of the sum.
    return array / sums


def scalar(values):
    """Returns a single value as a float, and any other array unchanged."""
    return float(values) if np.ndim(values) == 0 else values
