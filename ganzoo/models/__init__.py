"""The update rules of the zoo. Each file holds the model of a paper."""

from ganzoo.models.acgan import ACGAN as ACGAN
from ganzoo.models.adversarial_model import AdversarialModel as AdversarialModel
from ganzoo.models.autoencoder import Autoencoder as Autoencoder
from ganzoo.models.began import BEGAN as BEGAN
from ganzoo.models.biggan import BigGAN as BigGAN
from ganzoo.models.cgan import CGAN as CGAN
from ganzoo.models.cramer_gan import CramerGAN as CramerGAN
from ganzoo.models.cyclegan import CycleGAN as CycleGAN
from ganzoo.models.dcgan import DCGAN as DCGAN
from ganzoo.models.dragan import DRAGAN as DRAGAN
from ganzoo.models.gan import GAN as GAN
from ganzoo.models.generative_model import GenerativeModel as GenerativeModel
from ganzoo.models.infogan import InfoGAN as InfoGAN
from ganzoo.models.lsgan import LSGAN as LSGAN
from ganzoo.models.pix2pix import Pix2Pix as Pix2Pix
from ganzoo.models.presgan import PresGAN as PresGAN
from ganzoo.models.r3gan import R3GAN as R3GAN
from ganzoo.models.sagan import SAGAN as SAGAN
from ganzoo.models.sngan import SNGAN as SNGAN
from ganzoo.models.stylegan2 import StyleGAN2 as StyleGAN2
from ganzoo.models.vae import VAE as VAE
from ganzoo.models.wgan import WGAN as WGAN
from ganzoo.models.wgan_div import WGANDiv as WGANDiv
from ganzoo.models.wgan_gp import WGANGP as WGANGP
