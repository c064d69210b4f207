"""`dcgan` and `wgan_gp` of [PyTorch-GAN](https://github.com/eriklindernoren/PyTorch-GAN), rewritten.

Both: batch 64, Adam 2e-4 (0.5, 0.999), 100 latents, a `DataLoader` that shuffles and converts an image at a time.
Pictures come from the generator in training mode, as there.

Departures: images come from memory, without a picture file to decode and without torchvision. The DCGAN's 28 pixels
become 32 by a margin instead of resizing.
"""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from peers.pixels import cropped, padded, to_uint8

BATCH_SIZE = 64
LATENT_DIM = 100


class Images(Dataset):
    """uint8 images as float tensors `(channels, height, width)` in `[low, 1]`, an image at a time."""

    def __init__(self, images, low=-1.0):
        self.images, self.low = images, low

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index]).permute(2, 0, 1).contiguous().float().div(255)
        return image.mul(1 - self.low).add(self.low)


class Page:
    """What the pages share."""

    multiple = 1

    def __init__(self, images, seed):
        torch.manual_seed(seed)
        np.random.seed(seed)
        self.size = images.shape[1:3]
        images = padded(images, self.multiple)
        self.shape = (images.shape[3], *images.shape[1:3])
        self.loader = DataLoader(Images(images), batch_size=BATCH_SIZE, shuffle=True)
        self.generator, self.discriminator = self.networks()
        self.g_optimizer, self.d_optimizer = (
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
            for network in (self.generator, self.discriminator)
        )

    @property
    def parameters(self):
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: sum(weight.numel() for weight in network.parameters()) for name, network in networks.items()}

    def sample(self, count):
        with torch.no_grad():
            batches = [self.generator(torch.randn(BATCH_SIZE, LATENT_DIM)) for _ in range(-(-count // BATCH_SIZE))]
        images = torch.cat(batches)[:count].permute(0, 2, 3, 1).numpy()
        return to_uint8(cropped(images, *self.size))


class DCGAN(Page):
    """The DCGAN: convolutions behind repeated pixels, batch normalization with 0.8 in the place of epsilon, dropout.

    The generator moves first. Its images train the discriminator too.
    """

    multiple = 16

    def networks(self):
        channels, height, width = self.shape
        start = height // 4, width // 4

        def upsampled(before, after):
            convolution = nn.Conv2d(before, after, 3, padding=1)
            return [nn.Upsample(scale_factor=2), convolution, nn.BatchNorm2d(after, 0.8), nn.LeakyReLU(0.2, True)]

        generator = nn.Sequential(
            nn.Linear(LATENT_DIM, 128 * start[0] * start[1]),
            nn.Unflatten(1, (128, *start)),
            nn.BatchNorm2d(128),
            *upsampled(128, 128),
            *upsampled(128, 64),
            nn.Conv2d(64, channels, 3, padding=1),
            nn.Tanh(),
        )
        layers, before = [], channels
        for filters in (16, 32, 64, 128):
            layers += [nn.Conv2d(before, filters, 3, 2, 1), nn.LeakyReLU(0.2, True), nn.Dropout2d(0.25)]
            layers += [nn.BatchNorm2d(filters, 0.8)] if filters > 16 else []
            before = filters
        ends = nn.Flatten(), nn.Linear(128 * (height // 16) * (width // 16), 1), nn.Sigmoid()
        discriminator = nn.Sequential(*layers, *ends)
        for network in (generator, discriminator):
            for layer in network:
                if isinstance(layer, nn.Conv2d):
                    nn.init.normal_(layer.weight, 0.0, 0.02)
                elif isinstance(layer, nn.BatchNorm2d):
                    nn.init.normal_(layer.weight, 1.0, 0.02)
        return generator, discriminator

    def train(self, go_on):
        loss = nn.BCELoss()
        while True:
            for real in self.loader:
                ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
                self.g_optimizer.zero_grad()
                fake = self.generator(torch.randn(len(real), LATENT_DIM))
                loss(self.discriminator(fake), ones).backward()
                self.g_optimizer.step()
                self.d_optimizer.zero_grad()
                real_loss = loss(self.discriminator(real), ones)
                fake_loss = loss(self.discriminator(fake.detach()), zeros)
                ((real_loss + fake_loss) / 2).backward()
                self.d_optimizer.step()
                if not go_on():
                    return


class WGANGP(Page):
    """The WGAN-GP with dense networks: five critic steps, a batch each, penalty 10.

    As there, the generated images are not detached in the critic's step, so it computes gradients of the generator
    which nobody uses.
    """

    critic_steps = 5
    penalty_weight = 10.0

    def networks(self):
        pixels = int(np.prod(self.shape))
        layers = [nn.Linear(LATENT_DIM, 128), nn.LeakyReLU(0.2, True)]
        for before, after in ((128, 256), (256, 512), (512, 1024)):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after, 0.8), nn.LeakyReLU(0.2, True)]
        generator = nn.Sequential(*layers, nn.Linear(1024, pixels), nn.Tanh(), nn.Unflatten(1, self.shape))
        hidden = nn.Linear(pixels, 512), nn.LeakyReLU(0.2, True), nn.Linear(512, 256), nn.LeakyReLU(0.2, True)
        return generator, nn.Sequential(nn.Flatten(), *hidden, nn.Linear(256, 1))

    def penalty(self, real, fake):
        place = torch.rand(len(real), 1, 1, 1)
        between = (place * real + (1 - place) * fake).requires_grad_(True)
        scores = self.discriminator(between)
        (gradient,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
        return ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()

    def train(self, go_on):
        while True:
            for index, real in enumerate(self.loader):
                latents = torch.randn(len(real), LATENT_DIM)
                self.d_optimizer.zero_grad()
                fake = self.generator(latents)
                loss = self.discriminator(fake).mean() - self.discriminator(real).mean()
                loss = loss + self.penalty_weight * self.penalty(real.data, fake.data)
                loss.backward()
                self.d_optimizer.step()
                if index % self.critic_steps == 0:
                    self.g_optimizer.zero_grad()
                    (-self.discriminator(self.generator(latents)).mean()).backward()
                    self.g_optimizer.step()
                    if not go_on():
                        return
