"""Layers that networks share: convolutions, normalizations, labels, maxout units.

Each file holds one family of layers. `normalization`, `dense_layer` and `convolution_layer` give a network the layers
that go with the name of a normalization. `DCGAN_KERNELS` and its like are the initializers of papers.
"""

from ganzoo.layers.batch_normalization import BatchNormalization as BatchNormalization
from ganzoo.layers.batch_normalization import ConditionalBatchNormalization as ConditionalBatchNormalization
from ganzoo.layers.choices import NORMALIZATIONS as NORMALIZATIONS
from ganzoo.layers.choices import convolution_layer as convolution_layer
from ganzoo.layers.choices import dense_layer as dense_layer
from ganzoo.layers.choices import normalization as normalization
from ganzoo.layers.codebook import Codebook as Codebook
from ganzoo.layers.convolutions import Conv2D as Conv2D
from ganzoo.layers.convolutions import Conv2DTranspose as Conv2DTranspose
from ganzoo.layers.convolutions import trilinear_convolution as trilinear_convolution
from ganzoo.layers.initializers import DCGAN_GAINS as DCGAN_GAINS
from ganzoo.layers.initializers import DCGAN_KERNELS as DCGAN_KERNELS
from ganzoo.layers.initializers import WGAN_GP_KERNELS as WGAN_GP_KERNELS
from ganzoo.layers.labels import OneHot as OneHot
from ganzoo.layers.masked import MaskedConv2D as MaskedConv2D
from ganzoo.layers.maxout import Maxout as Maxout
from ganzoo.layers.spectral import SpectralConv2D as SpectralConv2D
from ganzoo.layers.spectral import SpectralDense as SpectralDense
from ganzoo.layers.spectral import SpectrallyNormalized as SpectrallyNormalized
