"""Records the course of training as tables and a picture."""

import keras
import numpy as np
from scipy import ndimage

from ganzoo import checks
from ganzoo.callbacks import curves
from ganzoo.training.epoch_means import MeanSince


class LearningCurve(keras.callbacks.Callback):
    """Draws every logged value over the training steps, and keeps the numbers in CSV files.

    For `path = "curve.png"` it rewrites these files at the end of each epoch:

    - `curve.csv`: a row per epoch with `epoch`, `step` and all logged values.
    - `curve_wasserstein.csv`, for models that log `wasserstein`: its estimate at every step.
    - `curve.png`: a plot for each value, training and validation together. The Wasserstein estimate is drawn per step
      with a thin line, and median-filtered with a bold line, as in the figures of the [WGAN
      paper](https://arxiv.org/abs/1701.07875), where it follows the quality of the samples.

    A resumed run continues the curve. Rows at or after the epoch and step where it starts are dropped. A run that
    starts at epoch 0 starts a new curve.

    Keras logs the mean over the epoch so far. The value of a single step is recovered from two of these means, `mean_k
    * k - mean_j * j` over `k - j`. In float32 its rounding error is about `k * 6e-8` of the value, which is 6e-5 for an
    epoch of 1,000 steps. With `steps_per_execution` it is the mean over those steps.

    Args:
        path: String or `Path` of the PNG.
        every: Integer, epochs between drawings. The last epoch is always drawn. Defaults to `1`.
        median_window: Integer, steps. Smaller if there are few steps. Defaults to `101`.

    Example:

        gan.fit(train, epochs=20, callbacks=[ganzoo.callbacks.LearningCurve("curve.png")])
    """

    def __init__(self, path, every=1, median_window=101):
        super().__init__()
        self.path = checks.path("path", path)
        self.every, self.median_window = checks.counts(every=every, median_window=median_window)
        self.table = self.path.with_suffix(".csv")
        self.step_table = self.path.with_name(f"{self.path.stem}_wasserstein.csv")
        self._mean = MeanSince()

    def on_train_begin(self, logs=None):
        self._rows = None  # Read in the first epoch, when its number is known.
        self._drawn = None  # The last row in the picture.

    def on_epoch_begin(self, epoch, logs=None):
        step = self.model.steps_done
        self._mean.begin(step)
        if self._rows is None:
            self._rows = [row for row in curves.read_table(self.table) if row["epoch"] <= epoch]
            known = curves.read_table(self.step_table)
            self._steps = [(row["step"], row["wasserstein"]) for row in known if 0 < row["step"] <= step]

    def on_train_batch_end(self, batch, logs=None):
        if "wasserstein" not in (logs or {}):
            return
        # Use the model's counter, because with `steps_per_execution` the batch index may run ahead.
        step = self.model.steps_done
        value = self._mean.value(step, float(logs["wasserstein"]))
        if value is not None:
            self._steps.append((step, value))

    def on_epoch_end(self, epoch, logs=None):
        values = {name: float(value) for name, value in (logs or {}).items()}
        self._rows.append({"epoch": epoch + 1, "step": self.model.steps_done, **values})
        if getattr(self.model, "is_chief", True):
            curves.write_records(self.table, self._rows)
            if self._steps:
                curves.write_table(self.step_table, ("step", "wasserstein"), self._steps)
            if (epoch + 1) % self.every == 0:
                self._draw()

    def on_train_end(self, logs=None):
        if self._rows and self._rows[-1] is not self._drawn and getattr(self.model, "is_chief", True):
            self._draw()

    def _draw(self):
        names = list(dict.fromkeys(n.removeprefix("val_") for row in self._rows for n in row))
        names = [name for name in names if name not in ("epoch", "step")]
        columns = min(len(names), 3)
        rows = -(-len(names) // columns)
        figure = curves.new_figure(f"Learning curve, {self._rows[-1]['epoch']} epochs", 0.6 + 3.2 * rows)
        for index, name in enumerate(names):
            self._draw_one(figure.add_subplot(rows, columns, index + 1), name)
        curves.save_figure(self.path, figure)
        self._drawn = self._rows[-1]

    def _draw_one(self, axes, name):
        """Draws the curve of a logged value and of its validation."""
        axes.set_title(name, fontsize="medium")
        axes.set_xlabel("training steps")
        axes.set_xlim(0, self._rows[-1]["step"] * 1.02)
        if name == "wasserstein" and self._steps:
            self._plot_filtered(axes)
        else:
            self._plot(axes, name, curves.TRAINING, "training")
        if any(f"val_{name}" in row for row in self._rows):
            self._plot(axes, f"val_{name}", curves.VALIDATION, "validation")
        if len(axes.lines) > 1:
            axes.legend(frameon=False, fontsize="small")

    def _plot(self, axes, name, color, label):
        points = [(row["step"], row[name]) for row in self._rows if name in row]
        marker = "o" if len(points) <= 30 else None
        axes.plot(*zip(*points), color=color, marker=marker, markersize=3, label=label)

    def _plot_filtered(self, axes):
        steps, values = np.array(self._steps).T
        window = max(1, min(self.median_window, len(values) // 10))
        filtered = ndimage.median_filter(values, window)
        axes.plot(steps, values, color=curves.EACH_STEP, linewidth=0.5, label="each step")
        axes.plot(steps, filtered, color=curves.TRAINING, label=f"median of {window} steps")
