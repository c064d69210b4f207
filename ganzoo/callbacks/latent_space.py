"""Pictures of a two-dimensional latent space: where the classes lie, and what is decoded between them."""

import keras
import numpy as np
from scipy import stats

from ganzoo import checks, images
from ganzoo.training.first_samples import first_samples

# Ten colours that are easy to tell apart, also in print. More classes repeat them with other markers.
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
MARKERS = "o^sv"


class LatentSpace(keras.callbacks.Callback):
    """Draws the latent space of an `Autoencoder` or a `VAE` with two latents, after each epoch.

    `directory` receives for each epoch:

    - `latents_0001.png`: the latents of labelled samples (for a VAE the means), coloured by class.
    - `manifold_0001.png`: decoded images from a grid of latents. For a VAE the grid consists of quantiles of N(0, 1),
      from 1 / (2 n) on, so that each cell has the same probability. An autoencoder has no such distribution, so the
      grid covers the middle 96 % of the samples' latents in each direction. Axes are as in the scatter plot.

    Reference: [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), Figure 4.

    Args:
        directory: String or `Path`, made if missing.
        data: Labelled samples, preferably held out. A dataset of batches `(image, label)`, or a pair of arrays. Read
            once.
        num_samples: Integer, number of samples to draw, from the start. Defaults to `5000`.
        columns: Integer, number of images in a row and in a column of the manifold. Defaults to `20`.
        class_names: List of strings for the legend. Defaults to the names of the dataset, or to the numbers of the
            classes.
        every: Integer, epochs between pictures. Defaults to `1`.

    Example:

        test = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=100)
        vae.fit(train, epochs=20, callbacks=[ganzoo.callbacks.LatentSpace("latents", test)])
    """

    def __init__(self, directory, data, num_samples=5000, columns=20, class_names=None, every=1):
        super().__init__()
        num_samples, self.columns, self.every = checks.counts(num_samples=num_samples, columns=columns, every=every)
        self.directory = checks.path("directory", directory)
        self.samples, self.labels = read_labelled(data, num_samples)
        self.class_names = class_names or getattr(data, "class_names", None)

    def on_train_begin(self, logs=None):
        latent_dim = getattr(self.model, "latent_dim", None)
        if not hasattr(self.model, "encode") or latent_dim != 2:
            raise ValueError(
                "LatentSpace draws models that encode to two latents, such as "
                f"ganzoo.VAE.from_paper(image_shape, latent_dim=2). Received: {type(self.model).__name__} with "
                f"latent_dim={latent_dim}."
            )

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0 and getattr(self.model, "is_chief", True):
            codes = self.model.encode(self.samples)
            has_prior = isinstance(codes, tuple)  # The encoder gives a distribution, mean and log-variance.
            codes = codes[0] if has_prior else codes
            name = f"{epoch + 1:04d}.png"
            images.save_png(self.directory / f"latents_{name}", scatter(codes, self.labels, self.class_names))
            if len(self.model.image_shape) == 3:
                axes = quantiles(self.columns) if has_prior else ranges(codes, self.columns)
                decoded = self.model.decode(grid_of(*axes))
                images.save_png(self.directory / f"manifold_{name}", images.grid(decoded, self.columns, padding=0))


def read_labelled(data, count):
    """The first `count` samples and labels of a dataset of batches, or of a pair of arrays."""
    if isinstance(data, (tuple, list)) and len(data) == 2:
        batches = [data]
    elif hasattr(data, "element_spec") and isinstance(data.element_spec, tuple) and len(data.element_spec) == 2:
        batches = data
    else:
        raise ValueError(
            "LatentSpace needs labelled samples: a dataset of batches (image, label), or a pair of arrays. Received: "
            f"{getattr(data, 'element_spec', type(data).__name__)}"
        )
    found = first_samples(checked(batches), count)
    if found is None:
        raise ValueError("LatentSpace got no samples: the dataset yields no batch.")
    return found.first(count)


def checked(batches):
    """Yields batches as arrays. Raises a `ValueError` unless there is a label for each sample."""
    for samples, labels in batches:
        samples, labels = np.asarray(samples), np.asarray(labels)
        if labels.ndim != 1 or len(labels) != len(samples):
            raise ValueError(
                "LatentSpace needs batches with one label for each sample. Received: samples of shape "
                f"{samples.shape} and labels of shape {labels.shape}. Batch the dataset."
            )
        yield samples, labels


def quantiles(count):
    """Centres of `count` cells of N(0, 1) with equal probability, for both axes."""
    centres = stats.norm.ppf((np.arange(count) + 0.5) / count)
    return centres, centres


def ranges(codes, count):
    """`count` equally spaced values over the middle 96 % of each latent."""
    return [np.linspace(*np.quantile(axis, (0.02, 0.98)), count) for axis in codes.T]


def grid_of(horizontal, vertical):
    """Latents row by row from the top of a picture, where the first row has the largest second latent."""
    return np.array([(x, y) for y in vertical[::-1] for x in horizontal], "float32")


def scatter(codes, labels, class_names=None):
    """Draws 2-D latents coloured by class, with a legend.

    The axes leave out the outermost half percent on each side, so that outliers do not hide the rest.

    Args:
        codes: Float array `(count, 2)`.
        labels: Integer array `(count,)`.
        class_names: Optional list of strings.

    Returns:
        A uint8 array `(700, 800, 3)`.
    """
    # Without pyplot, nothing stays in memory, and no display is needed.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(aspect="equal", xlabel="first latent", ylabel="second latent")
    classes, indices = np.unique(labels, return_inverse=True)
    colors = np.array([COLORS[index % len(COLORS)] for index in range(len(classes))])
    markers = np.array([MARKERS[index // len(COLORS) % len(MARKERS)] for index in range(len(classes))])
    for marker in np.unique(markers):  # Plot in the order of the data, so that no class hides another.
        chosen = markers[indices] == marker
        style = {"s": 7, "alpha": 0.8, "linewidths": 0, "marker": marker}
        axes.scatter(*codes[chosen].T, c=colors[indices][chosen], **style)
    for label, color, marker in zip(classes, colors, markers):
        name = str(label) if class_names is None else str(class_names[label])
        axes.scatter([], [], s=7, color=color, marker=marker, label=name)
    low, high = np.quantile(codes, (0.005, 0.995), axis=0)
    margin = 0.05 * (high - low) + 1e-6
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, markerscale=3)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
