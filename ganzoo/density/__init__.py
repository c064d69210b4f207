"""Densities: likelihoods, importance sampling, Hamiltonian Monte Carlo, learned noise."""

from ganzoo.density import likelihoods as likelihoods
