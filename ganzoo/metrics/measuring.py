"""Several metrics of the same samples: each network of features runs once."""

from ganzoo.metrics.feature_files import cached_features, extract, features_of_probes, fingerprint


class Measuring:
    """Metrics that compare any number of sets of generated samples with one set of real ones.

    The real samples go through each network of features once, each set of generated samples too. Two objects that are
    the same network, by their weights and by what they make of a few samples, count as one.

    Args:
        metrics: Dictionary, any key -> metric of `ganzoo.metrics`.
        real: Array of real samples, two or more.
        cache_dir: Folder where the features of the real samples are kept. Defaults to `None`: they are not.

    Example:

    ```python
    measuring = Measuring({"distance": FrechetDistance(digits), "recall": Recall(digits)}, real)
    scores = measuring.of(model.generate(10_000)).scores()
    ```
    """

    def __init__(self, metrics, real, cache_dir=None):
        self.metrics = metrics
        self.real = real
        known = {}
        for metric in metrics.values():
            network = metric.features
            if id(network) not in known:
                known[id(network)] = fingerprint(network), features_of_probes(network, real).tobytes()
        self._networks = {name: known[id(metric.features)] for name, metric in metrics.items()}
        self._real = {}
        for name, metric in metrics.items():
            if "real" in metric.kinds and self._networks[name] not in self._real:
                self._real[self._networks[name]] = cached_features(metric.features, real, cache_dir)

    def of(self, samples, labels=None):
        """Generated samples, ready to be measured: a `Measured`.

        Args:
            samples: Array `(count, ...)`.
            labels: Integer array, the classes that the samples were asked for. Defaults to `None`.
        """
        return Measured(self, samples, labels)

    def real_features(self, name):
        """Features of the real samples for a metric; `None` if it compares with none."""
        return self._real[self._networks[name]] if "real" in self.metrics[name].kinds else None

    def network(self, name):
        """What tells the network of a metric from others."""
        return self._networks[name]


class Measured:
    """One set of generated samples, as `Measuring.of` makes it; arguments as there."""

    def __init__(self, measuring, samples, labels=None):
        self.measuring = measuring
        self.samples = samples
        self.labels = labels
        self._features = {}

    def score(self, name):
        """The `Score` of a metric by its key; raises the `ValueError` of a metric that refuses the samples."""
        metric, key = self.measuring.metrics[name], self.measuring.network(name)
        if "fake" not in metric.kinds:
            return metric.score(self.measuring.real_features(name), None, self.labels)
        if key not in self._features:
            self._features[key] = extract(metric.features, self.samples, "generated")
        return metric.score(self.measuring.real_features(name), self._features[key], self.labels)

    def scores(self):
        """The `Score` of each metric, a dictionary."""
        return {name: self.score(name) for name in self.measuring.metrics}
