"""Layers that networks share: convolutions, normalizations, attention, labels, maxout units.

Each file holds a family of layers. `normalization`, `dense_layer` and `convolution_layer` return the layers for the
name of a normalization. Constants such as `DCGAN_KERNELS` are the initializers of papers.
"""

from ganzoo.layers.attention import SelfAttention as SelfAttention
from ganzoo.layers.batch_normalization import BatchNormalization as BatchNormalization
from ganzoo.layers.batch_normalization import ConditionalBatchNormalization as ConditionalBatchNormalization
from ganzoo.layers.batch_normalization import ModulatedBatchNormalization as ModulatedBatchNormalization
from ganzoo.layers.choices import NORMALIZATIONS as NORMALIZATIONS
from ganzoo.layers.choices import convolution_layer as convolution_layer
from ganzoo.layers.choices import dense_layer as dense_layer
from ganzoo.layers.choices import normalization as normalization
from ganzoo.layers.codebook import Codebook as Codebook
from ganzoo.layers.convolutions import Conv2D as Conv2D
from ganzoo.layers.convolutions import Conv2DTranspose as Conv2DTranspose
from ganzoo.layers.convolutions import trilinear_convolution as trilinear_convolution
from ganzoo.layers.equalized import EqualizedConv2D as EqualizedConv2D
from ganzoo.layers.equalized import EqualizedDense as EqualizedDense
from ganzoo.layers.equalized import FilterBeforeStride as FilterBeforeStride
from ganzoo.layers.equalized import FixedNoise as FixedNoise
from ganzoo.layers.equalized import MinibatchStandardDeviation as MinibatchStandardDeviation
from ganzoo.layers.equalized import ModulatedConv2D as ModulatedConv2D
from ganzoo.layers.equalized import PixelNormalization as PixelNormalization
from ganzoo.layers.equalized import ScaledLeakyReLU as ScaledLeakyReLU
from ganzoo.layers.equalized import StyleNoise as StyleNoise
from ganzoo.layers.grouped import GroupedConv2D as GroupedConv2D
from ganzoo.layers.initializers import DCGAN_GAINS as DCGAN_GAINS
from ganzoo.layers.initializers import DCGAN_KERNELS as DCGAN_KERNELS
from ganzoo.layers.initializers import ORTHOGONAL_KERNELS as ORTHOGONAL_KERNELS
from ganzoo.layers.initializers import WGAN_GP_KERNELS as WGAN_GP_KERNELS
from ganzoo.layers.labels import OneHot as OneHot
from ganzoo.layers.masked import MaskedConv2D as MaskedConv2D
from ganzoo.layers.maxout import Maxout as Maxout
from ganzoo.layers.outputs import ClipInInference as ClipInInference
from ganzoo.layers.rectifiers import LeakyReLU as LeakyReLU
from ganzoo.layers.rectifiers import ReLU as ReLU
from ganzoo.layers.rectifiers import piecewise_linear as piecewise_linear
from ganzoo.layers.resampling import LINEAR as LINEAR
from ganzoo.layers.resampling import SMOOTH as SMOOTH
from ganzoo.layers.resampling import FilteredDownsampling2D as FilteredDownsampling2D
from ganzoo.layers.resampling import FilteredUpsampling2D as FilteredUpsampling2D
from ganzoo.layers.spectral import SpectralConv2D as SpectralConv2D
from ganzoo.layers.spectral import SpectralDense as SpectralDense
from ganzoo.layers.spectral import SpectrallyNormalized as SpectrallyNormalized
