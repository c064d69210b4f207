"""Measures several metrics on the same samples. Each feature network runs only once."""

from ganzoo.metrics.feature_files import cached_features, extract, features_of_probes, fingerprint


class Measuring:
    """Metrics that compare sets of generated samples with one set of real samples.

    Each feature network runs once on the real samples, and once on each set of generated samples. Two objects count as
    the same network if they have equal weights and give equal features for a few samples.

    Args:
        metrics: Dictionary from any keys to metrics of `ganzoo.metrics`.
        real: Array of two or more real samples.
        cache_dir: Folder to keep the features of the real samples in. Defaults to `None`, which keeps none.

    Example:

    ```python
    measuring = Measuring({"distance": FrechetDistance(digits), "recall": Recall(digits)}, real)
    scores = measuring.of(model.generate(10_000)).scores()
    ```
    """

    def __init__(self, metrics, real, cache_dir=None):
        self.metrics = metrics
        self.real = real
        # Two objects may be the same network. Compare their weights, and their features of a few samples.
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
        """A `Measured` of generated samples, which computes their scores.

        Args:
            samples: Array `(count, ...)`.
            labels: Integer array, the requested classes of the samples. Defaults to `None`.
        """
        return Measured(self, samples, labels)

    def real_features(self, name):
        """Features of the real samples for a metric, or `None` if the metric does not use them."""
        return self._real[self._networks[name]] if "real" in self.metrics[name].kinds else None

    def network(self, name):
        """The key of a metric's network, equal for equal networks."""
        return self._networks[name]


class Measured:
    """The scores of one set of generated samples. Made by `Measuring.of`, which documents the arguments."""

    def __init__(self, measuring, samples, labels=None):
        self.measuring = measuring
        self.samples = samples
        self.labels = labels
        self._features = {}

    def score(self, name):
        """The `Score` of a metric by its key. Raises the `ValueError` of a metric that cannot use the samples."""
        metric, key = self.measuring.metrics[name], self.measuring.network(name)
        if "fake" not in metric.kinds:
            return metric.score(self.measuring.real_features(name), None, self.labels)
        if key not in self._features:
            self._features[key] = extract(metric.features, self.samples, "generated")
        return metric.score(self.measuring.real_features(name), self._features[key], self.labels)

    def scores(self):
        """Dictionary with the `Score` of each metric."""
        return {name: self.score(name) for name in self.measuring.metrics}
