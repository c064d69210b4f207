"""Differentiable augmentations: what the discriminator sees of real and generated samples alike."""

from ganzoo.augmentation.adaptive import ADA
from ganzoo.augmentation.diff_augment import DiffAugment

__all__ = ["ADA", "DiffAugment"]
