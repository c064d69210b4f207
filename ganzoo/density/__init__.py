"""Densities: likelihoods, importance sampling, Hamiltonian Monte Carlo, learned noise.

Public are

- `likelihoods`: log-densities of samples as pure functions: `bernoulli`, `gaussian`, `kl_from_prior`;
- `hmc`: draws from a density that is known up to a factor: `sample`, and the layer `Sampler`, which keeps its step;
- `importance`: `log_likelihood` of a generator with Gaussian noise;
- `noise`: the layer `LearnedNoise`, Gaussian noise whose standard deviations are trained.
"""

from ganzoo.density import hmc as hmc
from ganzoo.density import importance as importance
from ganzoo.density import likelihoods as likelihoods
from ganzoo.density import noise as noise
