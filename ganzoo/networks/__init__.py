"""Architectures: one family, one file; functions that return a functional `keras.Model`."""

from ganzoo.networks import dcgan as dcgan
from ganzoo.networks import mlp as mlp
