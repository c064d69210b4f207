"""Families of networks. Each file holds a family, with functions that return a functional `keras.Model`."""

from ganzoo.networks import acgan as acgan
from ganzoo.networks import autoencoder as autoencoder
from ganzoo.networks import biggan as biggan
from ganzoo.networks import dcgan as dcgan
from ganzoo.networks import infogan as infogan
from ganzoo.networks import maxout as maxout
from ganzoo.networks import mlp as mlp
from ganzoo.networks import patchgan as patchgan
from ganzoo.networks import r3gan as r3gan
from ganzoo.networks import resnet as resnet
from ganzoo.networks import stylegan2 as stylegan2
from ganzoo.networks import translator as translator
from ganzoo.networks import unet as unet
from ganzoo.networks import vqvae as vqvae
