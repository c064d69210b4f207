"""ganzoo: generative models for Keras, each as its paper has it."""

from ganzoo import callbacks as callbacks
from ganzoo import constraints as constraints
from ganzoo import data as data
from ganzoo import losses as losses
from ganzoo import networks as networks
from ganzoo import penalties as penalties
from ganzoo.models import DCGAN as DCGAN
from ganzoo.models import GAN as GAN
from ganzoo.models import WGAN as WGAN
from ganzoo.models import WGANGP as WGANGP
from ganzoo.models import AdversarialModel as AdversarialModel
from ganzoo.models import GenerativeModel as GenerativeModel
from ganzoo.version import __version__ as __version__
