"""ganzoo: generative models for Keras, each as its paper has it."""

from ganzoo import augmentation as augmentation
from ganzoo import callbacks as callbacks
from ganzoo import constraints as constraints
from ganzoo import data as data
from ganzoo import likelihoods as likelihoods
from ganzoo import losses as losses
from ganzoo import metrics as metrics
from ganzoo import networks as networks
from ganzoo import penalties as penalties
from ganzoo.models import BEGAN as BEGAN
from ganzoo.models import CGAN as CGAN
from ganzoo.models import DCGAN as DCGAN
from ganzoo.models import DRAGAN as DRAGAN
from ganzoo.models import GAN as GAN
from ganzoo.models import LSGAN as LSGAN
from ganzoo.models import R3GAN as R3GAN
from ganzoo.models import SNGAN as SNGAN
from ganzoo.models import VAE as VAE
from ganzoo.models import WGAN as WGAN
from ganzoo.models import WGANGP as WGANGP
from ganzoo.models import AdversarialModel as AdversarialModel
from ganzoo.models import Autoencoder as Autoencoder
from ganzoo.models import GenerativeModel as GenerativeModel
from ganzoo.models import Pix2Pix as Pix2Pix
from ganzoo.models import PresGAN as PresGAN
from ganzoo.version import __version__ as __version__
