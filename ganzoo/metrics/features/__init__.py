"""Networks whose features are compared."""

from ganzoo.metrics.features.base import Features as Features
from ganzoo.metrics.features.base import ModelFeatures as ModelFeatures
