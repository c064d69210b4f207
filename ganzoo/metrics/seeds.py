"""Where the random numbers of metrics come from."""

import numpy as np

from ganzoo import checks


def numbers_of(seed):
    """NumPy's generator of random numbers for a seed from 0 to 2**63 - 1."""
    return np.random.default_rng(checks.seed("seed", seed))


def legacy_numbers_of(seed):
    """NumPy's older generator, whose numbers NumPy keeps for ever, for a seed from 0 to 2**63 - 1.

    torch-fidelity draws from it. It takes seeds below 2**32. The two halves of a larger seed make a seed of two words.
    """
    seed = checks.seed("seed", seed)
    return np.random.RandomState(seed if seed < 2**32 else [seed % 2**32, seed >> 32])
