"""Random number generators for metrics."""

import numpy as np

from ganzoo import checks


def numbers_of(seed):
    """NumPy's generator for a seed from 0 to 2**63 - 1."""
    return np.random.default_rng(checks.seed("seed", seed))


def legacy_numbers_of(seed):
    """NumPy's older generator for a seed from 0 to 2**63 - 1. NumPy guarantees that its numbers never change.

    torch-fidelity uses it. It takes seeds below 2**32. A larger seed is passed as two words, its halves.
    """
    seed = checks.seed("seed", seed)
    return np.random.RandomState(seed if seed < 2**32 else [seed % 2**32, seed >> 32])
