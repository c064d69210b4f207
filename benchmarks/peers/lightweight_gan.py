"""[lightweight-gan](https://github.com/lucidrains/lightweight-gan) with the defaults of its command line, rewritten.

Batch 10 with gradients of 4 batches added up, Adam 2e-4 (0.5, 0.9), hinge loss on two outputs, a decoder that
reconstructs real images from the critic's map, a gradient penalty at real images in every fourth step, the best part of
the batch alone for the generator, shifts and cut-outs with a probability that depends on the size of the data, linear
attention at 32 px, and an average of the generator (0.995) which counts after 20,000 steps.

Departures: images come from memory. Sizes that are no power of 2 get a margin, and grey images become colour, as there.
The page's average is a copy of the generator that is up to 1,000 steps old until step 20,000, so samples come from the
generator itself until then.
"""

import copy
import math
import os
import random

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from peers.pixels import cropped, padded, to_uint8
from peers.pytorch_gan import Images

BATCH_SIZE, ACCUMULATE, LATENT_DIM = 10, 4, 256
AVERAGE_FROM, AVERAGE_DECAY = 20_000, 0.995
PENALTY_WEIGHT, PENALTY_EVERY = 10.0, 4
TOP_K_GAMMA, TOP_K_LEAST = 0.99, 0.5


def width_at(level):
    """Channels of a map of 2^level pixels."""
    return min(512, 2 ** (12 - level))


class LinearAttention(nn.Module):
    """Attention whose cost grows linearly with the pixels, behind a normalization over the channels."""

    heads, size = 8, 64

    def __init__(self, channels):
        super().__init__()
        inner = self.heads * self.size
        self.scale, self.shift = (nn.Parameter(start(1, channels, 1, 1)) for start in (torch.ones, torch.zeros))
        self.queries = nn.Conv2d(channels, inner, 1, bias=False)
        by_channel = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.keys_and_values = nn.Sequential(by_channel, nn.Conv2d(channels, 2 * inner, 1, bias=False))
        self.out = nn.Conv2d(inner, channels, 1)

    def forward(self, x):
        batch, _, height, width = x.shape
        mean, variance = x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)
        normal = (x - mean) / (variance + 1e-5).sqrt() * self.scale + self.shift
        parts = self.queries(normal), *self.keys_and_values(normal).chunk(2, dim=1)
        queries, keys, values = (part.reshape(batch, self.heads, self.size, -1) for part in parts)
        context = torch.einsum("bhdn,bhen->bhde", keys.softmax(-1), values)
        found = torch.einsum("bhdn,bhde->bhen", queries.softmax(2) * self.size**-0.5, context)
        return self.out(functional.gelu(found.reshape(batch, -1, height, width))) + x


class Generator(nn.Module):
    """Doubled maps with gated convolutions and batch normalization."""

    def __init__(self, level):
        super().__init__()
        start = nn.ConvTranspose2d(LATENT_DIM, 2 * LATENT_DIM, 4), nn.BatchNorm2d(2 * LATENT_DIM), nn.GLU(dim=1)
        self.start = nn.Sequential(*start)
        layers, before = [], LATENT_DIM
        for stage in range(2, level):
            after = width_at(stage)
            layers += [LinearAttention(before)] if 2**stage == 32 else []
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, 2 * after, 3, padding=1)]
            layers += [nn.BatchNorm2d(2 * after), nn.GLU(dim=1)]
            before = after
        self.layers = nn.Sequential(*layers)
        self.out = nn.Conv2d(before, 3, 3, padding=1)

    def forward(self, latents):
        x = functional.normalize(self.start(latents[:, :, None, None]), dim=1)
        return self.out(self.layers(x))


class Shrink(nn.Module):
    """Half the size in two ways, added."""

    def __init__(self, before, after):
        super().__init__()
        first = nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.1)
        self.deep = nn.Sequential(*first, nn.Conv2d(after, after, 3, padding=1), nn.LeakyReLU(0.1))
        self.flat = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(before, after, 1), nn.LeakyReLU(0.1))

    def forward(self, x):
        return self.deep(x) + self.flat(x)


class Discriminator(nn.Module):
    """Shrinks to 8x8, and has an output for this map, one for the image at 32x32, and a decoder."""

    def __init__(self, level):
        super().__init__()
        widths = [3, *(width_at(stage) for stage in range(level - 1, 2, -1))]
        layers = []
        for stage, (before, after) in zip(range(level, 3, -1), zip(widths, widths[1:])):
            layers += [LinearAttention(before)] if 2**stage == 32 else []
            layers.append(Shrink(before, after))
        self.layers = nn.Sequential(*layers)
        last = widths[-1]
        self.head = nn.Sequential(nn.Conv2d(last, last, 3, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(last, 1, 4))
        small = nn.Conv2d(3, 64, 3, padding=1), LinearAttention(64), Shrink(64, 32), LinearAttention(32)
        self.small = nn.Sequential(*small, nn.AdaptiveAvgPool2d((4, 4)), nn.Conv2d(32, 1, 4))
        decoder = []
        for stage in range(4):
            before = last >> stage
            after = 6 if stage == 3 else before
            decoder += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.GLU(dim=1)]
        self.decoder = nn.Sequential(*decoder)

    def forward(self, images):
        """Both scores `(batch, 1)`, and the map."""
        features = self.layers(images)
        return self.head(features).flatten(1), self.small(functional.interpolate(images, (32, 32))).flatten(1), features

    def reconstruction_loss(self, images, features):
        decoded = self.decoder(features)
        return functional.mse_loss(decoded, functional.interpolate(images, decoded.shape[2:]))


def shifted(images):
    """Each image moved by up to an eighth, with black behind it."""
    count, _, height, width = images.shape
    rows, columns = int(height * 0.125 + 0.5), int(width * 0.125 + 0.5)
    large = functional.pad(images, (columns, columns, rows, rows))
    down = torch.randint(0, 2 * rows + 1, (count, 1)) + torch.arange(height)
    right = torch.randint(0, 2 * columns + 1, (count, 1)) + torch.arange(width)
    index = torch.arange(count)[:, None, None]
    return large.permute(0, 2, 3, 1)[index, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2)


def cut(images):
    """Each image with a black square of half its side."""
    count, _, *sides = images.shape
    masks = []
    for side in sides:
        length = int(side * 0.5 + 0.5)
        centre = torch.randint(0, side + (1 - length % 2), (count, 1))
        place = torch.arange(side)
        masks.append((place >= centre - length // 2) & (place < centre - length // 2 + length))
    hidden = masks[0][:, None, :, None] & masks[1][:, None, None, :]
    return images * (~hidden).to(images.dtype)


class LightweightGAN:
    def __init__(self, images, seed):
        torch.manual_seed(seed)
        random.seed(seed)
        self.size, self.channels = images.shape[1:3], images.shape[3]
        images = padded(images, 32)
        if images.shape[3] == 1:
            images = images.repeat(3, axis=3)
        level = int(math.log2(images.shape[1]))
        if 2**level != images.shape[1]:
            raise ValueError(f"lightweight-gan needs sides of a power of 2. Received: images {images.shape[1:]}")
        self.count = len(images)
        self.probability = min(0.5, max(0.0, (1e5 - self.count) * 3e-6))
        workers = len(os.sched_getaffinity(0))
        self.loader = DataLoader(Images(images, 0.0), BATCH_SIZE, shuffle=True, drop_last=True, num_workers=workers)
        self.generator, self.discriminator = Generator(level), Discriminator(level)
        for network in (self.generator, self.discriminator):
            for layer in network.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, a=0, mode="fan_in", nonlinearity="leaky_relu")
        self.average = copy.deepcopy(self.generator)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.9)) for network in (self.generator, self.discriminator)
        ]
        self.steps = 0

    @property
    def parameters(self):
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: sum(weight.numel() for weight in network.parameters()) for name, network in networks.items()}

    def endless(self):
        while True:
            yield from self.loader

    def augmented(self, images):
        """All images of a batch are changed, or none."""
        if random.random() < self.probability:
            images = images if random.random() < 0.5 else images.flip(3)
            images = shifted(cut(images))
        return images

    def update_discriminator(self, real):
        real.requires_grad_()
        with torch.no_grad():
            fake = self.generator(torch.randn(BATCH_SIZE, LATENT_DIM))
        changed = self.augmented(real)
        fake_scores, (*real_scores, features) = (
            self.discriminator(self.augmented(fake))[:2],
            self.discriminator(changed),
        )
        loss = sum((functional.relu(1 + r) + functional.relu(1 - f)).mean() for r, f in zip(real_scores, fake_scores))
        loss = loss + self.discriminator.reconstruction_loss(changed, features)
        if self.steps % PENALTY_EVERY == 0:
            ones = [torch.ones_like(scores) for scores in real_scores]
            (gradient,) = torch.autograd.grad(real_scores, real, ones, create_graph=True)
            loss = loss + PENALTY_WEIGHT * ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        (loss / ACCUMULATE).backward()

    def update_generator(self):
        fake = self.generator(torch.randn(BATCH_SIZE, LATENT_DIM))
        scores = sum(part.mean(1) for part in self.discriminator(self.augmented(fake))[:2])
        epochs = self.steps * BATCH_SIZE * ACCUMULATE / self.count
        best = math.ceil(BATCH_SIZE * max(TOP_K_GAMMA**epochs, TOP_K_LEAST))
        (scores.topk(best, largest=False)[0].mean() / ACCUMULATE).backward()

    def train(self, go_on):
        batches = self.endless()
        g_optimizer, d_optimizer = self.optimizers
        while True:
            d_optimizer.zero_grad()
            for _ in range(ACCUMULATE):
                self.update_discriminator(next(batches))
            d_optimizer.step()
            g_optimizer.zero_grad()
            for _ in range(ACCUMULATE):
                self.update_generator()
            g_optimizer.step()
            self.steps += 1
            self.move_average()
            if not go_on():
                return

    @torch.no_grad()
    def move_average(self):
        if self.steps == AVERAGE_FROM:
            self.average.load_state_dict(self.generator.state_dict())
        elif self.steps > AVERAGE_FROM and self.steps % 10 == 0:
            for mean, value in zip(self.average.state_dict().values(), self.generator.state_dict().values()):
                mean.copy_(AVERAGE_DECAY * mean + (1 - AVERAGE_DECAY) * value)

    @torch.no_grad()
    def sample(self, count):
        network = self.average if self.steps > AVERAGE_FROM else self.generator
        network.eval()
        batches = [network(torch.randn(BATCH_SIZE, LATENT_DIM)) for _ in range(-(-count // BATCH_SIZE))]
        network.train()
        images = torch.cat(batches)[:count].permute(0, 2, 3, 1).numpy()
        images = images.mean(3, keepdims=True) if self.channels == 1 else images
        return to_uint8(cropped(images, *self.size), 0.0)
