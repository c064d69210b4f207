"""Feature networks for metrics."""

from ganzoo.metrics.features.base import Features as Features
from ganzoo.metrics.features.base import Given as Given
from ganzoo.metrics.features.base import ModelFeatures as ModelFeatures
from ganzoo.metrics.features.classifiers import DigitsClassifier as DigitsClassifier
from ganzoo.metrics.features.classifiers import FashionClassifier as FashionClassifier
from ganzoo.metrics.features.efficientnet import EfficientNetLite0 as EfficientNetLite0
from ganzoo.metrics.features.inception import InceptionV3 as InceptionV3
