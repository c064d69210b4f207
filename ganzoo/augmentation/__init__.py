"""Differentiable augmentations, which change real and generated samples before the discriminator sees them."""

from ganzoo.augmentation.adaptive import ADA
from ganzoo.augmentation.diff_augment import DiffAugment
from ganzoo.augmentation.flip_and_shift import FlipAndShift

__all__ = ["ADA", "DiffAugment", "FlipAndShift"]
