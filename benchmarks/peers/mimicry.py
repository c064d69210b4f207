"""`wgan_gp` and `sngan` of [mimicry](https://github.com/kwotsin/mimicry), rewritten: residual networks of 32 and 64 px.

Settings of its table of baselines: batch 64, Adam 2e-4 (0, 0.9), five critic steps, 100,000 updates over which the rate
falls linearly to 0. Generators have 256 channels at 32 px, and 1,024 to 64 at 64 px. Critics have 128, and 64 to 1,024.

- SNGAN: hinge loss, spectral normalization with a power iteration a step, the sum over the last map.
- WGAN-GP: no normalization in the critic, penalty 10, the mean over the last map.

Departures: images come from memory. 28 pixels become 32 by a margin, and grey images have one channel.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from peers.pixels import cropped, padded, to_uint8
from peers.pytorch_gan import Images

BATCH_SIZE, LATENT_DIM, CRITIC_STEPS, UPDATES = 64, 128, 5, 100_000


def convolution(before, after, size=3, gain=2**0.5, spectral=False):
    """A convolution that keeps the size of the map, by Glorot's uniform initializer."""
    layer = nn.Conv2d(before, after, size, padding=size // 2)
    nn.init.xavier_uniform_(layer.weight, gain)
    return nn.utils.parametrizations.spectral_norm(layer) if spectral else layer


def dense(before, after, spectral=False):
    layer = nn.Linear(before, after)
    nn.init.xavier_uniform_(layer.weight)
    return nn.utils.parametrizations.spectral_norm(layer) if spectral else layer


class UpBlock(nn.Module):
    """Normalization, ReLU, doubling (bilinear), convolution, twice; and a 1x1 convolution beside it."""

    def __init__(self, before, after):
        super().__init__()
        double = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        first = nn.BatchNorm2d(before), nn.ReLU(), double, convolution(before, after)
        self.main = nn.Sequential(*first, nn.BatchNorm2d(after), nn.ReLU(), convolution(after, after))
        self.shortcut = nn.Sequential(double, convolution(before, after, 1, 1.0))

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


class DownBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution, perhaps the mean of 2x2 pixels; and a shortcut beside it.

    The first block of a critic begins without ReLU, and shrinks before the convolution of its shortcut.
    """

    def __init__(self, before, after, down=True, first=False, spectral=False):
        super().__init__()
        middle = after if first else before
        layers = [
            convolution(before, middle, spectral=spectral),
            nn.ReLU(),
            convolution(middle, after, 3, spectral=spectral),
        ]
        shrink = [nn.AvgPool2d(2)] if down else []
        self.main = nn.Sequential(*([] if first else [nn.ReLU()]), *layers, *shrink)
        beside = [convolution(before, after, 1, 1.0, spectral)] if before != after or down else []
        self.shortcut = nn.Sequential(*(shrink + beside if first else beside + shrink))

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


def generator(side, channels):
    widths = [256] * 4 if side == 32 else [1024, 512, 256, 128, 64]
    blocks = [UpBlock(before, after) for before, after in zip(widths, widths[1:])]
    end = nn.BatchNorm2d(widths[-1]), nn.ReLU(), convolution(widths[-1], channels, gain=1.0), nn.Tanh()
    return nn.Sequential(dense(LATENT_DIM, 16 * widths[0]), nn.Unflatten(1, (widths[0], 4, 4)), *blocks, *end)


class Critic(nn.Module):
    def __init__(self, side, channels, spectral):
        super().__init__()
        widths, downs = ([128] * 4, (True, True, False, False))
        if side == 64:
            widths, downs = [64, 128, 256, 512, 1024], (True,) * 5
        befores = [channels, *widths]
        blocks = [
            DownBlock(before, after, down, index == 0, spectral)
            for index, (before, after, down) in enumerate(zip(befores, widths, downs))
        ]
        self.blocks = nn.Sequential(*blocks, nn.ReLU())
        self.last = dense(widths[-1], 1, spectral)
        self.pool = torch.sum if spectral else torch.mean

    def forward(self, images):
        return self.last(self.pool(self.blocks(images), dim=(2, 3)))


class Page:
    """What the two share: networks, optimizers, and five critic steps with a batch each."""

    spectral = False

    def __init__(self, images, seed):
        torch.manual_seed(seed)
        self.size = images.shape[1:3]
        images = padded(images, 32)
        side, channels = images.shape[1], images.shape[3]
        if side not in (32, 64):
            raise ValueError(f"mimicry's networks are for 32 and 64 pixels. Received: images {images.shape[1:]}")
        self.loader = DataLoader(Images(images), batch_size=BATCH_SIZE, shuffle=True, num_workers=4)
        self.generator = generator(side, channels)
        self.critic = Critic(side, channels, self.spectral)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), 2e-4, (0.0, 0.9)) for network in (self.generator, self.critic)
        ]

    @property
    def parameters(self):
        networks = {"generator": self.generator, "discriminator": self.critic}
        return {name: sum(weight.numel() for weight in network.parameters()) for name, network in networks.items()}

    def train(self, go_on):
        self.generator.train()
        batches, updates = self.endless(), 0
        while True:
            for _ in range(CRITIC_STEPS):
                real = next(batches)
                self.update_critic(real)
            self.update_generator(len(real))
            updates += 1
            for optimizer in self.optimizers:
                optimizer.param_groups[0]["lr"] = 2e-4 * max(0.0, 1 - updates / UPDATES)
            if not go_on():
                return

    def endless(self):
        while True:
            yield from self.loader

    def update_critic(self, real):
        fake = self.generator(torch.randn(len(real), LATENT_DIM)).detach()
        self.optimizers[1].zero_grad()
        self.critic_loss(real, fake).backward()
        self.optimizers[1].step()

    def update_generator(self, count):
        self.optimizers[0].zero_grad()
        (-self.critic(self.generator(torch.randn(count, LATENT_DIM))).mean()).backward()
        self.optimizers[0].step()

    def sample(self, count):
        self.generator.eval()
        with torch.no_grad():
            batches = [self.generator(torch.randn(BATCH_SIZE, LATENT_DIM)) for _ in range(-(-count // BATCH_SIZE))]
        self.generator.train()
        return to_uint8(cropped(torch.cat(batches)[:count].permute(0, 2, 3, 1).numpy(), *self.size))


class SNGAN(Page):
    spectral = True

    def critic_loss(self, real, fake):
        real_scores, fake_scores = self.critic(real), self.critic(fake)
        return functional.relu(1 - real_scores).mean() + functional.relu(1 + fake_scores).mean()


class WGANGP(Page):
    penalty_weight = 10.0

    def critic_loss(self, real, fake):
        place = torch.rand(len(real), 1, 1, 1)
        between = (place * real + (1 - place) * fake).requires_grad_(True)
        scores = self.critic(between)
        (gradient,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
        penalty = ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        return self.critic(fake).mean() - self.critic(real).mean() + self.penalty_weight * penalty
