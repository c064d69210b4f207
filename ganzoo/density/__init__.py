"""Densities: likelihoods, importance sampling, Hamiltonian Monte Carlo, learned noise.

The public parts are:

- `likelihoods`: log-densities of samples as pure functions, `bernoulli`, `gaussian` and `kl_from_prior`.
- `hmc`: draws from a density that is known up to a factor, with `sample`, and the layer `Sampler`, which keeps its step
  size.
- `importance`: `log_likelihood` of a generator with Gaussian noise.
- `noise`: the layer `LearnedNoise`, Gaussian noise with trained standard deviations.
"""

from ganzoo.density import hmc as hmc
from ganzoo.density import importance as importance
from ganzoo.density import likelihoods as likelihoods
from ganzoo.density import noise as noise
