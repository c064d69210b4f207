"""Pictures of the same translated images, epoch after epoch."""

import numpy as np

from ganzoo import checks, images
from ganzoo.callbacks.sample_grid import SampleGrid


class TranslationGrid(SampleGrid):
    """Writes a picture with rows of input, output and target per epoch, and an animation of the training.

    For models that translate images. Pass images that are not in the training data, or the picture shows what the model
    has memorized.

    Args:
        directory: String or `Path`, made if missing. See `SampleGrid` for the files in it.
        inputs: Float array `(count, height, width, channels)` of images in [-1, 1].
        targets: The same for the true outputs. Defaults to `None`, which shows only input and output.
        rows: Integer, number of rows side by side. Defaults to `2`.
        **settings: `every`, `seed`, `gif`, `duration` and `tensorboard_dir` of `SampleGrid`.

    Example:

        inputs, targets = next(iter(ganzoo.data.load("openmoji_pairs", split="test", batch_size=16)))
        model.fit(train, epochs=50, callbacks=[ganzoo.callbacks.TranslationGrid("samples", inputs, targets)])
    """

    def __init__(self, directory, inputs, targets=None, rows=2, **settings):
        super().__init__(directory, condition=np.asarray(inputs), **settings)
        self.targets = None if targets is None else np.asarray(targets)
        if targets is not None and len(targets) != len(inputs):
            raise ValueError(f"Each input needs one target. Received: {len(inputs)} inputs and {len(targets)} targets.")
        (self.rows,) = checks.counts(rows=rows)

    def picture(self):
        """The rows for the current model, as a single uint8 picture."""
        outputs = self.model.generate(seed=self.seed, condition=self.condition)
        parts = [part for part in (self.condition, outputs, self.targets) if part is not None]
        if len({part.shape[-1] for part in parts}) > 1:
            parts = [in_colour(part) for part in parts]
        rows = np.stack(parts, axis=1)
        return images.grid(rows.reshape(-1, *rows.shape[2:]), columns=self.rows * len(parts))


def in_colour(pictures):
    """Gives grey pictures three equal channels, and removes transparency from coloured pictures."""
    return np.repeat(pictures, 3, axis=-1) if pictures.shape[-1] == 1 else pictures[..., :3]
