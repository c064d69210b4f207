"""Score: the result of a metric, with the protocol of the measurement."""

import dataclasses
import numbers
import operator

import numpy as np

from ganzoo import records
from ganzoo.checks import plain


def _with_scores_and_numbers(operation, swapped=False):
    """Makes a method that applies an operation to the score's value and to another score or number."""

    def method(self, other):
        number = self.number_beside(other)
        if number is None:
            return NotImplemented
        return operation(number, self.value) if swapped else operation(self.value, number)

    return method


@dataclasses.dataclass(frozen=True, eq=False)
class Score:
    """A measured value with its confidence interval and the protocol of the measurement.

    A score behaves like a number: `f"{score:.3f}"`, `score < 10`, `score / 2`, `np.mean(scores)` and `sorted(scores)`
    use its value, and `float(score)` is the bare value.

    Two scores compare (`<`, `>`, `+`, `-`, `difference`) only if they have the same protocol. A Fréchet distance of
    1,000 samples, or in features of another network, is another quantity. NumPy takes the bare values. Two scores are
    equal (`==`) if all their fields are equal.

    Args:
        name: String, the metric, `"frechet_distance"`.
        value: Float.
        interval: `(low, high)`, or `None`. It is for the value with infinitely many samples, so a biased metric may lie
            outside. Precision, recall, density and coverage depend on the number of samples, so their interval is for
            the expected value with the same number.
        num_real, num_fake: Integers, samples of each kind. `None` if the metric does not use the kind.
        features: String, the feature network, or `"pixels"` for the images themselves.
        resize: String, the rule that resized images for that network, or `None` without resizing.
        dtype: String, the precision of the computation. Defaults to `"float64"`.
        level: Float, the level of the interval. Defaults to `0.95`.
        lower_is_better: Boolean, or `None` if neither is better.
        settings: Dictionary of the metric's settings, part of the protocol.
        details: Dictionary of further results: numbers, strings and lists. It is not part of the protocol. `perfect` is
            the expected value of a perfect sampler, where it is known. It is printed beside the value.
    """

    name: str
    value: float
    interval: tuple | None = None
    num_real: int | None = None
    num_fake: int | None = None
    features: str = "given"
    resize: str | None = None
    dtype: str = "float64"
    level: float = 0.95
    lower_is_better: bool | None = None
    settings: dict = dataclasses.field(default_factory=dict)
    details: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "value", float(self.value))
        if self.interval is not None:
            low, high = map(float, self.interval)
            object.__setattr__(self, "interval", (low, high))

    @property
    def perfect(self):
        """The expected value of a perfect sampler, or `None` if it is not known."""
        return self.details.get("perfect")

    @property
    def protocol(self):
        """Dictionary of everything that two scores must share to be compared."""
        return {
            key: getattr(self, key)
            for key in ("name", "num_real", "num_fake", "features", "resize", "dtype", "settings")
        }

    def check_same_protocol(self, other):
        """Raises a `ValueError` that lists the differences if `other` has another protocol."""
        if not isinstance(other, Score):
            raise TypeError(f"Only scores have a protocol. Received: {other!r}")
        mine, others = self.protocol, other.protocol
        different = [f"{key} ({mine[key]!r}, {others[key]!r})" for key in mine if mine[key] != others[key]]
        if different:
            raise ValueError(
                f"These scores were measured by different protocols: they differ in {', '.join(different)}. Measure "
                "both in the same way, or compare their bare values with float(score), knowing what you do."
            )

    def difference(self, other):
        """`self.value - other.value`.

        Raises:
            ValueError: If the protocols differ.
        """
        self.check_same_protocol(other)
        return self.value - other.value

    def number_beside(self, other):
        """The number to compare the value with, from another score or a number. `None` for anything else.

        Raises:
            ValueError: If the other score has another protocol.
        """
        if isinstance(other, Score):
            self.check_same_protocol(other)
            return other.value
        number = plain(other)
        return float(number) if isinstance(number, numbers.Real) else None

    __lt__ = _with_scores_and_numbers(operator.lt)
    __gt__ = _with_scores_and_numbers(operator.gt)
    __le__ = _with_scores_and_numbers(operator.le)
    __ge__ = _with_scores_and_numbers(operator.ge)
    __add__ = _with_scores_and_numbers(operator.add)
    __radd__ = _with_scores_and_numbers(operator.add, swapped=True)
    __sub__ = _with_scores_and_numbers(operator.sub)
    __rsub__ = _with_scores_and_numbers(operator.sub, swapped=True)
    __mul__ = _with_scores_and_numbers(operator.mul)
    __rmul__ = _with_scores_and_numbers(operator.mul, swapped=True)
    __truediv__ = _with_scores_and_numbers(operator.truediv)
    __rtruediv__ = _with_scores_and_numbers(operator.truediv, swapped=True)

    def __eq__(self, other):
        if isinstance(other, Score):
            return dataclasses.asdict(self) == dataclasses.asdict(other)
        number = plain(other)
        return self.value == number if isinstance(number, numbers.Real) else NotImplemented

    __hash__ = None  # The settings are a dictionary, which has no hash.

    def __float__(self):
        return self.value

    def __array__(self, dtype=None, copy=None):
        return np.array(self.value, dtype)

    def __round__(self, digits=None):
        return round(self.value, digits)

    def __format__(self, spec):
        return format(self.value, spec) if spec else str(self)

    def __str__(self):
        parts = [f"{self.name} {self.value:.4g}"]
        if self.interval is not None:
            parts.append(f"[{self.interval[0]:.4g}, {self.interval[1]:.4g}] ({100 * self.level:.4g}%)")
        if self.perfect is not None:
            parts.append(f"(perfect: {self.perfect:.4g})")
        counts = [f"{n:,} {kind}" for n, kind in ((self.num_real, "real"), (self.num_fake, "fake")) if n is not None]
        facts = [" vs ".join(counts), f"features {self.features}"]
        facts += [f"resized by {self.resize}"] if self.resize else []
        facts += [self.dtype, *(f"{key} {value}" for key, value in self.settings.items())]
        return " ".join(parts) + "; " + ", ".join(fact for fact in facts if fact)

    def to_json(self):
        """The score as a line of JSON. Values that are not finite become strings, `"NaN"` or `"Infinity"`."""
        return records.to_json(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text):
        """Reads a score that `to_json` wrote."""
        fields = records.from_json(text)
        if fields["interval"] is not None:
            fields["interval"] = tuple(fields["interval"])
        return cls(**fields)


def distinct_names(scores):
    """The names of a list of scores. Repeated names also get their features or settings, if these differ."""
    names = [score.name for score in scores]
    for describe in (lambda score: score.features, settings_in_words):
        descriptions = {name: set() for name in names}
        for name, score in zip(names, scores):
            descriptions[name].add(describe(score))
        names = [
            f"{name} {describe(score)}".strip() if len(descriptions[name]) > 1 else name
            for name, score in zip(names, scores)
        ]
    return names


def settings_in_words(score):
    """The settings of a score, in a line of text."""
    return ", ".join(f"{key} {value}" for key, value in sorted(score.settings.items()))
