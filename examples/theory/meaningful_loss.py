"""The loss that means something: a critic's estimate falls with the quality of the samples, a discriminator's does not.

A convolutional and a dense generator train on MNIST as WGAN and as GAN, with the same convolutional network as critic
and as discriminator. Each training keeps a curve:

    WGAN   W = E[f(x)] - E[f(G(z))]                              estimate of the Wasserstein distance, up to a factor
    GAN    JS = log 2 + (E[log D(x)] + E[log(1 - D(G(z)))]) / 2  estimate of the Jensen-Shannon divergence

From time to time a judge that takes no part gives the Fréchet distance of samples and data in the features of a
classifier. Spearman's rank correlation of curve and judge tells whether the loss means something. The script also runs
a training that fails, and lets critics of different architecture judge the same samples.

Source: Arjovsky et al., 2017 (arXiv:1701.07875), Section 4.2, Figures 3 and 4.

    python examples/theory/meaningful_loss.py
"""

from pathlib import Path
from types import SimpleNamespace

import figures
import keras
import numpy as np
from absl import app, flags
from scipy import ndimage, stats

import ganzoo
from ganzoo.networks import dcgan, mlp

IMAGE_SHAPE = (28, 28, 1)
STEPS = 1000
LOOKS = 25
FILTER = 101  # Steps in a running median, as in the authors' code.
FILTERS = 8
HIDDEN = (256, 256, 256)
SAMPLES = 1000
SHOWN = 3

# Model, generator, critic or discriminator, RMSProp's learning rate. The paper has 5e-5, for far longer trainings.
RUNS = {
    "WGAN, DCGAN generator": ("WGAN", dcgan, dcgan, 3e-4),
    "WGAN, dense generator": ("WGAN", mlp, dcgan, 3e-4),
    "WGAN that fails": ("WGAN", mlp, mlp, 0.02),
    "GAN, DCGAN generator": ("GAN", dcgan, dcgan, None),
    "GAN, dense generator": ("GAN", mlp, dcgan, None),
}
# Critics that judge the same samples.
CRITICS = {
    "DCGAN, 8 filters": lambda: dcgan.discriminator(IMAGE_SHAPE, filters=8, normalization=None),
    "DCGAN, 16 filters": lambda: dcgan.discriminator(IMAGE_SHAPE, filters=16, normalization=None),
    "dense, 1 layer": lambda: mlp.discriminator(IMAGE_SHAPE, hidden=(256,)),
    "dense, 3 layers": lambda: mlp.discriminator(IMAGE_SHAPE, hidden=(256,) * 3),
}


def compute(seed=0, steps=STEPS, looks=LOOKS, runs=tuple(RUNS), critic_steps=200):
    """Trains the models, looks at their samples on the way, and lets several critics judge samples of the first model.

    Args:
        seed: Integer. Defaults to `0`.
        steps: Integer, generator updates of each model. Defaults to `1000`.
        looks: Integer, how often the samples are measured, evenly over the training. Defaults to `25`.
        runs: Names of the models. Defaults to all.
        critic_steps: Integer, updates of each critic on fixed samples. Defaults to `200`.

    Returns:
        Dictionary: `runs`, name -> the dictionary of `follow`, and `critics`, name -> pair of estimates, for early and
        late samples of the first model.
    """
    images = np.concatenate([np.asarray(batch) for batch, _ in ganzoo.data.load("mnist_10k", batch_size=1000)])
    judge = ganzoo.metrics.FrechetDistance(ganzoo.metrics.features.DigitsClassifier())
    real = judge.features(images)
    results = {name: follow(name, seed, steps, looks, judge, real) for name in runs}
    first = results[runs[0]]
    return {"runs": results, "critics": verdicts(images, first["early"], first["late"], seed, critic_steps)}


# === Training ===


def build(name, seed):
    """The compiled model: WGAN with RMSProp, GAN with Adam (2e-4, beta_1 0.5)."""
    keras.utils.set_random_seed(seed)
    kind, generator, critic, learning_rate = RUNS[name]
    settings = {
        "networks": SimpleNamespace(generator=generator.generator, discriminator=critic.discriminator),
        "seed": seed,
    }
    if dcgan in (generator, critic):
        settings["filters"] = FILTERS
    if mlp in (generator, critic):
        settings["hidden"] = HIDDEN
    if learning_rate:
        for network in ("generator", "discriminator"):
            settings[f"{network}_optimizer"] = keras.optimizers.RMSprop(learning_rate, rho=0.99, epsilon=1e-16)
    return getattr(ganzoo, kind).from_paper(IMAGE_SHAPE, **settings)


class Probe(keras.callbacks.Callback):
    """Keeps the estimate of each step, and the samples and their distance at some of them."""

    def __init__(self, due, distance):
        super().__init__()
        self.due, self.distance = set(due), distance
        self.estimates, self.steps, self.distances, self.samples = [], [], [], []

    def on_train_batch_end(self, batch, logs=None):
        # Epochs of one step: the log shows that step alone.
        self.estimates.append(estimate_of(logs))
        if len(self.estimates) in self.due:
            samples = self.model.generate(SAMPLES, seed=0)
            self.steps.append(len(self.estimates))
            self.samples.append(samples)
            self.distances.append(self.distance(samples))


def estimate_of(logs):
    """The distance of the samples by the loss: W of a WGAN, JS of a GAN."""
    return float(logs["wasserstein"]) if "wasserstein" in logs else float(np.log(2) - logs["d_loss"] / 2)


def follow(name, seed, steps, looks, judge, real):
    """Trains a model.

    Returns:
        Dictionary: `estimates` (of each step), `filtered` (their running median), `steps` (of the looks), `distances`,
        `shown` (a few samples of each look), `early` and `late` (the samples of the first and the last look).
    """
    model = build(name, seed)
    due = np.linspace(0, steps, looks + 1)[1:].round().astype(int)
    probe = Probe(due, lambda samples: judge.score(real, judge.features(samples)).value)
    data = ganzoo.data.load("mnist_10k", batch_size=64, seed=seed)
    burn_in = [ganzoo.callbacks.CriticBurnIn()] if isinstance(model, ganzoo.WGAN) else []
    # Without `check=False`, `fit` warns of the learning rate of the training that is meant to fail.
    model.fit(data, epochs=steps, steps_per_epoch=1, verbose=0, callbacks=[*burn_in, probe], check=False)
    return {
        "estimates": np.array(probe.estimates),
        "filtered": ndimage.median_filter(np.array(probe.estimates), size=min(FILTER, steps), mode="nearest"),
        "steps": np.array(probe.steps),
        "distances": np.array(probe.distances),
        "shown": np.array([samples[:SHOWN] for samples in probe.samples]),
        "early": probe.samples[0],
        "late": probe.samples[-1],
    }


def correlation(run):
    """Spearman's rank correlation of the filtered estimate and the distance, over the looks; NaN if either is flat."""
    estimates, distances = at_looks(run), run["distances"]
    if np.ptp(estimates) == 0 or np.ptp(distances) == 0:
        return np.nan
    return float(stats.spearmanr(estimates, distances).statistic)


def at_looks(run):
    """The filtered estimate at the steps of the looks."""
    return run["filtered"][run["steps"] - 1]


def spread(values):
    """The range of a curve, largest less smallest value, as a share of its mean."""
    return float(np.ptp(values) / np.mean(values))


# === Several critics ===


def verdicts(images, early, late, seed, steps):
    """Estimates of different clipped critics for the same samples: name -> (for early, for late samples)."""
    found = {}
    for name, critic in CRITICS.items():
        found[name] = tuple(
            ganzoo.divergences.estimate_wasserstein(
                images.reshape(len(images), -1),
                samples.reshape(len(samples), -1),
                constraint="clip",
                slope=None,
                network=flat(critic, seed),
                steps=steps,
                batch_size=64,
                learning_rate=1e-3,
                seed=seed,
            ).value
            for samples in (early, late)
        )
    return found


def flat(critic, seed):
    """A critic of images that takes vectors."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((int(np.prod(IMAGE_SHAPE)),)), keras.layers.Reshape(IMAGE_SHAPE), critic()])


# === Showing it ===


def said(run):
    """The rank correlation in words."""
    value = correlation(run)
    if np.isnan(value):
        return f"distance constant, W ±{spread(at_looks(run)) / 2:.1%}"
    return f"rank correlation {value:+.2f}"


def report(results):
    """Prints the numbers."""
    for name, run in results["runs"].items():
        estimates, distances = at_looks(run), run["distances"]
        print(
            f"{name:<22} {said(run)}; estimate {estimates[0]:.3f} to {estimates[-1]:.3f}, mean {estimates.mean():.3f}; "
            f"distance {distances[0]:.0f} to {distances[-1]:.0f}"
        )
    steps = next(iter(results["runs"].values()))["steps"]
    print(f"Several critics on the same samples of the first model, of update {steps[0]} and of {steps[-1]}")
    for name, (early, late) in results["critics"].items():
        print(f"  {name:<18} {early:8.3f} {late:8.3f}   {late / early:.2f} of it left")


def strip(shown):
    """Samples as a single picture: a column for each look, the same latents in a row."""
    looks, count, height, width, _ = shown.shape
    return shown[..., 0].transpose(1, 2, 0, 3).reshape(count * height, looks * width)


def draw(results, path):
    """Estimate and distance of each run, above samples of that time, and the verdicts of the critics."""
    figure, axes = figures.new(4, 3, height=9.0, height_ratios=[3, 1.7, 3, 1.7])
    places = [(row, column) for row in (0, 2) for column in range(3)]
    for (row, column), (name, run) in zip(places, results["runs"].items()):
        js = name.startswith("GAN")
        color = figures.GREEN if js else figures.BLUE
        left, below = axes[row, column], axes[row + 1, column]
        steps = np.arange(1, len(run["estimates"]) + 1)
        left.plot(steps, run["estimates"], color=color, alpha=0.25, linewidth=0.6)
        left.plot(steps, run["filtered"], color=color)
        left.set_title(f"{name}\n{said(run)}")
        left.set_ylabel("estimate of JS (nats)" if js else "estimate of W", color=color)
        left.set_xlim(0, steps[-1])
        left.set_ylim(min(0, run["filtered"].min()), 0.75 if js else 1.1 * run["filtered"].max())
        if js:
            left.axhline(np.log(2), color=figures.GREY, linewidth=1)
        right = left.twinx()
        right.plot(run["steps"], run["distances"], "o--", color=figures.VERMILION, markersize=2.5, linewidth=1)
        right.set_ylim(0, 1.1 * run["distances"].max())
        right.set_ylabel("Fréchet distance", color=figures.VERMILION)
        right.spines["top"].set_visible(False)
        chosen = np.linspace(0, len(run["steps"]) - 1, min(5, len(run["steps"]))).round().astype(int)
        below.imshow(strip(run["shown"][chosen]), cmap="gray", vmin=-1, vmax=1)
        below.set(xticks=[], yticks=[], xlabel=f"its samples, update {run['steps'][0]} to {run['steps'][-1]}")
        left.set_xlabel("updates of the generator", fontsize="small")
        below.grid(False)
    panel = axes[2, 2]
    colors = (figures.BLUE, figures.SKY, figures.VERMILION, figures.ORANGE)
    for (name, pair), color, mark in zip(results["critics"].items(), colors, "osD^"):
        panel.plot([0, 1], pair, color=color, marker=mark, label=name)
    first = next(iter(results["runs"].values()))["steps"]
    panel.set(yscale="log", xlim=(-0.2, 1.2), ylabel="estimate of W", title="Four critics,\nthe same samples")
    panel.set_xticks([0, 1], [f"update {first[0]}", f"update {first[-1]}"])
    axes[3, 2].axis("off")
    axes[3, 2].legend(*panel.get_legend_handles_labels(), loc="center", frameon=False, fontsize="small")
    figures.save(figure, path)


def main(options):
    """Trains all models, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "meaningful_loss.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
