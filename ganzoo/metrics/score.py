"""Score: what a metric returns, a value that says how it was measured."""

import dataclasses

from ganzoo import records


@dataclasses.dataclass(frozen=True)
class Score:
    """A measured value, its confidence interval, and the protocol it was measured by.

    Scores compare (`<`, `>`, `difference`) only if they were measured alike: a Fréchet distance of 1,000 samples, or in
    the features of another network, is another quantity. `float(score)` is the bare value.

    Args:
        name: String, the metric, `"frechet_distance"`.
        value: Float.
        interval: `(low, high)`, or `None` where there is none. It is for the value that infinitely many samples would
            give, so that a biased metric may lie outside of it. Of precision, recall, density and coverage, whose
            meaning depends on the number of samples, it is for the expected value of as many.
        num_real, num_fake: Integers, samples of each kind; `None` where the metric has no such kind.
        features: String, the network whose features were compared, `"pixels"` for the images themselves.
        resize: String, how images were brought to the size of that network, or `None`: not at all.
        dtype: String, the precision of the computation. Defaults to `"float64"`.
        level: Float, the level of the interval. Defaults to `0.95`.
        lower_is_better: Boolean, or `None` where neither is.
        settings: Dictionary of the metric's settings, part of the protocol.
        details: Dictionary of whatever else was found; not part of the protocol. Numbers, strings and lists. `perfect`
            is what a perfect sampler is expected to have, where that is known; it is printed beside the value.
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
        """What a perfect sampler is expected to have, or `None` where that is not known."""
        return self.details.get("perfect")

    @property
    def protocol(self):
        """Dictionary of everything that two scores must share to be compared."""
        return {
            key: getattr(self, key)
            for key in ("name", "num_real", "num_fake", "features", "resize", "dtype", "settings")
        }

    def check_same_protocol(self, other):
        """Raises `ValueError` if `other` was measured in another way, and says in which."""
        if not isinstance(other, Score):
            raise TypeError(f"A score compares with scores only; take float(score). Received: {other!r}")
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

    def __lt__(self, other):
        return self.difference(other) < 0

    def __gt__(self, other):
        return self.difference(other) > 0

    def __le__(self, other):
        return self.difference(other) <= 0

    def __ge__(self, other):
        return self.difference(other) >= 0

    def __float__(self):
        return self.value

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
        """The score as one line of JSON, in which a value that is not finite is a string, `"NaN"` or `"Infinity"`."""
        return records.to_json(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text):
        """The score that `to_json` wrote."""
        fields = records.from_json(text)
        if fields["interval"] is not None:
            fields["interval"] = tuple(fields["interval"])
        return cls(**fields)


def distinct_names(scores):
    """The names of a list of scores; those that repeat have their features or settings with them, if these differ."""
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
    """The settings of a score, in one line."""
    return ", ".join(f"{key} {value}" for key, value in sorted(score.settings.items()))
