"""Compares models under the same budget."""

from ganzoo.comparison.runs import Comparison as Comparison
from ganzoo.comparison.runs import compare as compare
