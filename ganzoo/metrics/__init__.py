"""How good samples are: each metric as a pure function of two arrays of features, and as a streaming object."""

from ganzoo.metrics import features as features
from ganzoo.metrics.frechet import FrechetDistance as FrechetDistance
from ganzoo.metrics.frechet import frechet_distance as frechet_distance
from ganzoo.metrics.metric import Metric as Metric
from ganzoo.metrics.score import Score as Score
