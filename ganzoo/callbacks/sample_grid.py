"""Pictures of samples from a fixed set of latents, epoch after epoch."""

import contextlib
import re
import warnings

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from ganzoo import checks, images

_MAX_FRAMES = 100


class SampleGrid(keras.callbacks.Callback):
    """Writes a grid of samples per epoch, and an animation of the training.

    Every epoch uses the same latents, given by `seed`, so that the pictures show only the change of the generator.
    `directory` receives:

    - `epoch_0000.png` before the first step, then `epoch_0001.png`, ... after each epoch.
    - `training.gif` at the end of `fit`, from all pictures, so that a resumed run has the whole film.

    A new run removes the pictures of the run before: files whose names are exactly `epoch_`, four digits and `.png`.
    Other files are left alone. Images become a grid (small images are enlarged), 2-D points a scatter plot. For a
    conditional model, each column is a class, or a value of the first of its attributes. If there are few, they repeat.

    Args:
        directory: String or `Path`, made if missing.
        num_samples: Integer. Defaults to `64`. A model with classes draws as many full rows as fit, with a column per
            class.
        every: Integer, epochs between pictures. Defaults to `1`.
        seed: Integer, for the latents. Defaults to `0`.
        condition: Optional array of conditions for a conditional model, with an entry for each sample (its length sets
            their number). Defaults to each class in turn if the model has `num_classes`, and to each value of its
            attributes in turn if it has attributes.
        real: Optional array `(count, 2)`, drawn behind the samples of a 2-D model.
        gif: Boolean, whether to write `training.gif`. Defaults to `True`.
        duration: Float, seconds per frame of the GIF. The first and the last frame are shown longer. Long runs are
            thinned to 100 frames. Defaults to `0.2`.
        tensorboard_dir: Optional string, a log directory for the pictures (needs `tensorboard`).

    Example:

        gan.fit(train, epochs=20, callbacks=[ganzoo.callbacks.SampleGrid("samples")])
    """

    def __init__(
        self,
        directory,
        num_samples=64,
        every=1,
        seed=0,
        condition=None,
        real=None,
        gif=True,
        duration=0.2,
        tensorboard_dir=None,
    ):
        super().__init__()
        self.directory = checks.path("directory", directory)
        self.num_samples, self.every = checks.counts(num_samples=num_samples, every=every)
        self.seed = checks.seed("seed", seed)
        self.condition = condition
        self.real = real
        self.gif = checks.boolean("gif", gif)
        self.duration = checks.number("duration", duration, above=0)
        self.tensorboard_dir = tensorboard_dir
        if tensorboard_dir is not None and not hasattr(tf.summary, "image"):
            raise ImportError(
                f"SampleGrid(tensorboard_dir={tensorboard_dir!r}) needs the package `tensorboard`: "
                "pip install tensorboard"
            )

    def picture(self):
        """The samples of the current model, as a single uint8 picture."""
        condition, columns, titles = self.condition, None, None
        if condition is None and len(getattr(self.model, "conditions", ())):
            columns, titles = images.repeated_columns(*self.model.conditions.columns, self.num_samples)
            condition = self.model.conditions.in_turn(columns * max(1, self.num_samples // columns))
        count = self.num_samples if np.ndim(condition) == 0 else len(condition)
        samples = self.model.generate(count, seed=self.seed, condition=condition)
        if np.ndim(samples) == 2:
            return images.scatter(samples, self.real)
        return images.grid(samples, columns, titles=titles)

    def pictures(self):
        """The paths of the pictures in the directory, in the order of their epochs."""
        found = [path for path in self.directory.glob("epoch_*.png") if epoch_of(path) is not None and path.is_file()]
        return sorted(found, key=epoch_of)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0 and self.model.steps_done == 0 and self._is_chief():
            with told_if_refused(self.directory):
                for leftover in self.pictures():
                    leftover.unlink()
            self._write(0)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0 and self._is_chief():
            self._write(epoch + 1)

    def on_train_end(self, logs=None):
        if self.gif and self._is_chief():
            with told_if_refused(self.directory):
                self._write_gif()

    def _is_chief(self):
        return getattr(self.model, "is_chief", True)

    def _write(self, epoch):
        picture = self.picture()
        with told_if_refused(self.directory):
            images.save_png(self.directory / f"epoch_{epoch:04d}.png", picture)
        if self.tensorboard_dir is not None:
            writer = tf.summary.create_file_writer(str(self.tensorboard_dir))
            with writer.as_default(step=epoch):
                tf.summary.image("samples", picture[None])
            writer.close()

    def _write_gif(self):
        paths = self.pictures()
        chosen = np.linspace(0, len(paths) - 1, min(len(paths), _MAX_FRAMES)).round().astype(int)
        frames = [frame for frame in map(read_picture, (paths[index] for index in chosen)) if frame is not None]
        if not frames:
            return
        durations = np.full(len(frames), self.duration)
        durations[0] = max(self.duration, 1.0)
        durations[-1] = max(self.duration, 2.0)
        mode, size = frames[-1].mode, frames[-1].size
        images.save_gif(
            self.directory / "training.gif",
            # A run resumed with another `num_samples` has pictures of different sizes.
            (np.asarray(frame.convert(mode).resize(size)) for frame in frames),
            durations,
        )


@contextlib.contextmanager
def told_if_refused(directory):
    """Turns an error of the file system into a warning. A picture must not end a training."""
    try:
        yield
    except OSError as error:
        warnings.warn(
            f"A picture could not be written to {directory}: {error}. The training goes on without it.",
            UserWarning,
            stacklevel=3,
        )


def epoch_of(path):
    """The epoch in a picture's name, or `None` if the name is not from `SampleGrid`."""
    found = re.fullmatch(r"epoch_([0-9]{4,})\.png", path.name)
    # Epochs beyond 9,999 have more digits, and no leading zeros.
    return int(found[1]) if found and path.name == f"epoch_{int(found[1]):04d}.png" else None


def read_picture(path):
    """Reads the picture in a file. Returns `None` with a warning if the file is damaged."""
    with contextlib.suppress(OSError, SyntaxError):  # PIL calls broken PNG files a `SyntaxError`.
        with Image.open(path) as picture:
            picture.load()
            return picture
    warnings.warn(f"{path} cannot be read, and is left out of the film.", UserWarning, stacklevel=2)
    return None
