"""The workloads in eager PyTorch: the same networks, batch and algorithm, in two manners.

Both draw fresh latents for each critic step and make its fakes without a graph; real and fake samples pass in separate
batches, each sample has its own epsilon.

- Plain: as PyTorch's own DCGAN example and the GAN collections write it, with the defaults of `torch.optim.Adam`,
  contiguous memory and `loss.backward()`.
- Tuned: every setting that makes it faster. The penalty's backward pass asks for the critic's weights only, these need
  no gradient in the generator's update, Adam is PyTorch's fused one, and convolutions are tried with contiguous and
  with channels-last memory, of which the faster is measured.
"""

import contextlib
import time

import torch
from torch import nn
from torch.nn import functional

from lib.workloads import BATCH_SIZE, MLP_CRITIC, MLP_GENERATOR, WORKLOADS


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape)


def mlp_networks(latent_dim):
    layers, width = [], latent_dim
    for units in MLP_GENERATOR:
        layers += [nn.Linear(width, units), nn.BatchNorm1d(units), nn.ReLU(inplace=True)]
        width = units
    generator = nn.Sequential(*layers, nn.Linear(width, 784), nn.Tanh(), Reshape(1, 28, 28))
    layers, width = [nn.Flatten()], 784
    for units in MLP_CRITIC:
        layers += [nn.Linear(width, units), nn.LeakyReLU(0.2, inplace=True)]
        width = units
    return generator, nn.Sequential(*layers, nn.Linear(width, 1))


def dcgan_networks(size, channels, latent_dim, stages, filters=64, critic_normalization=True):
    depth = filters * 2 ** (stages - 1)
    side = size // 2**stages
    layers = [nn.Linear(latent_dim, depth * side * side, bias=False), Reshape(depth, side, side)]
    for index in range(stages):
        layers += [nn.BatchNorm2d(depth), nn.ReLU(inplace=True)]
        last = index == stages - 1
        layers.append(nn.ConvTranspose2d(depth, channels if last else depth // 2, 4, 2, 1, bias=last))
        depth //= 2
    generator = nn.Sequential(*layers, nn.Tanh())
    layers, depth = [], channels
    for index in range(stages):
        normalized = critic_normalization and index > 0
        layers.append(nn.Conv2d(depth, filters * 2**index, 4, 2, 1, bias=not normalized))
        depth = filters * 2**index
        layers += [nn.BatchNorm2d(depth)] if normalized else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    critic = nn.Sequential(*layers, nn.Flatten(), nn.Linear(depth * side * side, 1))
    return generator, critic


class TorchTraining:
    """One workload; `update()` makes one generator update with its critic steps."""

    def __init__(self, name, precision="float32", tuned=False):
        workload = self.workload = WORKLOADS[name]
        self.tuned = tuned
        size, _, channels = workload.image_shape
        if name == "mlp":
            self.generator, self.critic = mlp_networks(workload.latent_dim)
        elif name == "dcgan":
            self.generator, self.critic = dcgan_networks(size, channels, workload.latent_dim, stages=3)
        else:
            self.generator, self.critic = dcgan_networks(
                size, channels, workload.latent_dim, stages=4, critic_normalization=False
            )
        betas = (0.0, 0.9) if workload.penalty else (0.5, 0.999)
        rate = 1e-4 if workload.penalty else 2e-4
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), rate, betas, fused=tuned or None)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), rate, betas, fused=tuned or None)
        self.half = precision == "mixed_bfloat16"
        self.real = [torch.rand(BATCH_SIZE, channels, size, size) * 2 - 1 for _ in range(workload.critic_steps)]
        self.memory_format = "contiguous"

    def parameters(self):
        return [sum(weight.numel() for weight in net.parameters()) for net in (self.generator, self.critic)]

    def choose_memory_format(self):
        """Times a critic step and a generator step in both formats, twice, and keeps the faster one."""
        if not self.tuned or not any(isinstance(layer, nn.Conv2d) for layer in self.critic):
            return
        seconds = {}
        formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
        for name in ("contiguous", "channels_last") * 2:
            self.use(formats[name])
            start = time.perf_counter()
            self.update_critic(self.real[0])
            self.update_generator()
            seconds[name] = min(seconds.get(name, float("inf")), time.perf_counter() - start)
        self.memory_format = min(seconds, key=seconds.get)
        self.use(formats[self.memory_format])

    def use(self, memory_format):
        self.generator.to(memory_format=memory_format)
        self.critic.to(memory_format=memory_format)
        self.real = [real.contiguous(memory_format=memory_format) for real in self.real]

    def precision(self):
        return torch.autocast("cpu", torch.bfloat16) if self.half else contextlib.nullcontext()

    def latents(self):
        return torch.randn(BATCH_SIZE, self.workload.latent_dim)

    def update(self):
        for real in self.real:
            self.update_critic(real)
        self.update_generator()

    def update_critic(self, real):
        self.critic_optimizer.zero_grad(set_to_none=True)
        with self.precision():
            with torch.no_grad():
                fake = self.generator(self.latents()).float()
            real_scores, fake_scores = self.critic(real).float(), self.critic(fake).float()
            if self.workload.penalty:
                loss = fake_scores.mean() - real_scores.mean() + 10.0 * self.penalty(real, fake)
            else:
                loss = functional.softplus(-real_scores).mean() + functional.softplus(fake_scores).mean()
        loss.backward(inputs=list(self.critic.parameters()) if self.tuned else None)
        self.critic_optimizer.step()

    def penalty(self, real, fake):
        epsilon = torch.rand(BATCH_SIZE, 1, 1, 1)
        between = torch.lerp(fake, real, epsilon).requires_grad_()
        (gradient,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        norms = (gradient.float().square().sum((1, 2, 3)) + 1e-12).sqrt()
        return (norms - 1.0).square().mean()

    def update_generator(self):
        self.critic.requires_grad_(not self.tuned)
        self.generator_optimizer.zero_grad(set_to_none=True)
        with self.precision():
            scores = self.critic(self.generator(self.latents()).float()).float()
            loss = -scores.mean() if self.workload.penalty else functional.softplus(-scores).mean()
        loss.backward()
        self.generator_optimizer.step()
        self.critic.requires_grad_(True)
