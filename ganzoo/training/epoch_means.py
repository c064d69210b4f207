"""Means over the latest steps, from the means over the epoch so far that Keras logs."""


class MeanSince:
    """Recovers the mean of a logged value over the latest steps from two means over the epoch so far.

        mean over (j, k] = (mean_k * k - mean_j * j) / (k - j)

    with j and k counted from the start of the epoch. In float32 the rounding error is about `k * 6e-8` of the value.
    """

    def begin(self, step):
        """Starts an epoch.

        Args:
            step: Integer, the model's steps so far.
        """
        self.first_step = self._last_step = step
        self._last_mean = 0.0

    def value(self, step, mean):
        """The mean over the steps since the last call, or since the start of the epoch.

        Args:
            step: Integer, the model's steps so far.
            mean: Float, the value that Keras logs, which is the mean since the start of the epoch.

        Returns:
            Float, or `None` if there was no step since the last call.
        """
        done, before = step - self.first_step, self._last_step - self.first_step
        value = (mean * done - self._last_mean * before) / (done - before) if done > before else None
        self._last_step, self._last_mean = step, mean
        return value
