"""Update rules: one paper, one file."""

from ganzoo.models.adversarial_model import AdversarialModel as AdversarialModel
from ganzoo.models.dcgan import DCGAN as DCGAN
from ganzoo.models.gan import GAN as GAN
from ganzoo.models.generative_model import GenerativeModel as GenerativeModel
from ganzoo.models.wgan import WGAN as WGAN
from ganzoo.models.wgan_gp import WGANGP as WGANGP
