"""Mode collapse: a GAN that runs around a ring of eight Gaussians, and three models beside it.

The generator's loss does not ask for all modes: a sample is good wherever the discriminator takes it for real. So all
samples move to the same mode, the discriminator learns that this mode is overrun, and they move on. The script trains
the same networks, with the same learning rates and latents, also as

- a WGAN-GP, whose critic asks how far the mass has to be moved, and so for the right amount everywhere
- a PacGAN, whose discriminator sees four samples at once, so that four equal samples give the generator away
- a WGAN-GP with a single latent, whose samples lie on a curve that passes from mode to mode and has no width

Sources: Metz et al., 2016 (arXiv:1611.02163), Section 3.1 and Figure 2, for the picture and the learning rates. Lin et
al., 2018 (arXiv:1712.04086), Section 4.1, for packing and how modes are counted. Gulrajani et al., 2017
(arXiv:1704.00028), for the penalty.

    python examples/theory/mode_collapse.py
"""

from pathlib import Path

import figures
import keras
import numpy as np
from absl import app, flags
from matplotlib.patches import Circle

import ganzoo

STD, MODES = 0.05, 8
MODELS = {
    "GAN": ("GAN", {}),
    "WGAN-GP": ("WGANGP", {"gradient_penalty_weight": 0.1}),
    "PacGAN, packs of 4": ("GAN", {"packing": 4}),
    "WGAN-GP, one latent": ("WGANGP", {"gradient_penalty_weight": 0.1, "latent_dim": 1}),
}
COLOURS = dict(zip(MODELS, (figures.VERMILION, figures.BLUE, figures.GREEN, figures.PINK)))


def compute(seed=0, looks=30, steps=100, models=tuple(MODELS)):
    """Trains the models, and looks at each from time to time.

    Args:
        seed: Integer. Defaults to `0`.
        looks: Integer, number of looks. Defaults to `30`.
        steps: Integer, generator updates between looks. Defaults to `100`.
        models: Names of the models. Defaults to all.

    Returns:
        Dictionary, name -> `steps`, and for each look: 2,500 `samples`, `shares` (of samples, nearest to each mode),
        `modes` (captured), `high_quality` (share within 3 standard deviations of a mode), and `roundness`.
    """
    return {name: follow(name, seed, looks, steps) for name in models}


def build(name, seed):
    """The compiled model: two layers of 128 in each network, two latents, Adam with 1e-3 and 1e-4."""
    keras.utils.set_random_seed(seed)
    cls, own = MODELS[name]
    settings = {
        "hidden": (128, 128),
        "activation": "relu",
        "latent_dim": 2,
        "generator_optimizer": keras.optimizers.Adam(1e-3, beta_1=0.5),
        "discriminator_optimizer": keras.optimizers.Adam(1e-4, beta_1=0.5),
        "seed": seed,
        "steps_per_execution": 50,
        **own,
    }
    return getattr(ganzoo, cls).from_paper((2,), **settings)


def follow(name, seed, looks, steps):
    """Trains a model. Returns what each look saw."""
    model = build(name, seed)
    data = ganzoo.data.ring(modes=MODES, std=STD, batch_size=256, seed=seed)
    centers = ganzoo.data.ring_centers(MODES)
    seen = {"steps": [], "samples": [], "shares": [], "modes": [], "high_quality": [], "roundness": []}
    for look in range(looks):
        # `fit` warns against fewer latents than the data have dimensions. The last model has fewer on purpose.
        check = model.latent_dim > 1
        model.fit(data, epochs=look + 1, initial_epoch=look, steps_per_epoch=steps, verbose=0, check=check)
        samples = model.generate(2500)
        found = ganzoo.metrics.mode_coverage(samples, centers, STD).details
        seen["steps"].append(model.steps_done)
        seen["samples"].append(samples)
        seen["shares"].append(shares_of(samples, centers))
        seen["modes"].append(found["modes"])
        seen["high_quality"].append(found["high_quality"])
        seen["roundness"].append(roundness(samples, centers))
    return {key: np.array(values) for key, values in seen.items()}


def nearest(samples, centers):
    """The index of the nearest centre, and its distance, of each sample."""
    distances = np.linalg.norm(samples[:, None] - centers, axis=2)
    return distances.argmin(axis=1), distances.min(axis=1)


def shares_of(samples, centers):
    """The shares of the samples that are nearest to each mode."""
    return np.bincount(nearest(samples, centers)[0], minlength=len(centers)) / len(samples)


def roundness(samples, centers):
    """0 if samples lie on a curve, about two thirds if they fill an area.

    Takes each sample with its neighbours, 11 in all, and divides their extent across by their longest extent (singular
    values). Returns the median ratio over samples within 3 standard deviations of a mode.
    """
    good = samples[nearest(samples, centers)[1] < 3 * STD]
    if len(good) < 50:
        return np.nan
    squares = np.square(good[:, None] - good).sum(axis=2)
    around = good[np.argsort(squares, axis=1)[:, :11]]
    extents = np.linalg.svd(around - around.mean(axis=1, keepdims=True), compute_uv=False)
    return float(np.median(extents[:, 1] / extents[:, 0]))


def changes(shares):
    """How often another mode than at the look before has more than a quarter of the samples.

    If all modes have an eighth, chance decides which is the largest. That is no change.
    """
    return int(np.sum((np.diff(shares.argmax(axis=1)) != 0) & (shares[1:].max(axis=1) > 0.25)))


def summary(seen):
    """The numbers that the tests check, over the second half of the looks."""
    half = len(seen["steps"]) // 2
    return {
        "modes": float(np.median(seen["modes"][half:])),
        "fewest": int(seen["modes"][half:].min()),
        "largest_share": float(seen["shares"][half:].max(axis=1).mean()),
        "changes": changes(seen["shares"]),
        "high_quality": float(seen["high_quality"][-1]),
        "roundness": float(seen["roundness"][-1]),
    }


# === Showing it ===


def report(results):
    """Prints the numbers."""
    print("Second half of the training: median and fewest modes of 8; mean share of the mode with most samples")
    for name, seen in results.items():
        found = summary(seen)
        print(
            f"  {name:<20} {found['modes']:.1f}, {found['fewest']}; {found['largest_share']:.2f}; a mode with a "
            f"quarter of the samples took over {found['changes']} times in {len(seen['steps'])} looks"
        )
    data = next(iter(ganzoo.data.ring(2500, std=STD, batch_size=2500)))[0].numpy()
    ideal = roundness(data, ganzoo.data.ring_centers())
    print(f"At the end: share within 3 std (perfect: {1 - np.exp(-4.5):.3f}); roundness (data: {ideal:.2f})")
    for name, seen in results.items():
        found = summary(seen)
        print(f"  {name:<20} {found['high_quality']:.2f}; {found['roundness']:.2f}")


def draw(results, path):
    """Draws the share of samples in each mode over time, and below it modes, quality and roundness."""
    figure, axes = figures.new(2, len(results), height=5.8)
    for plot, (name, seen) in zip(axes[0], results.items()):
        steps = seen["steps"]
        image = plot.imshow(
            seen["shares"].T,
            aspect="auto",
            origin="lower",
            extent=(0, steps[-1], 0.5, MODES + 0.5),
            vmin=0,
            vmax=0.5,
            cmap=figures.SEQUENTIAL,
            interpolation="nearest",
        )
        plot.set(title=name, xlabel="step", yticks=range(1, MODES + 1))
        plot.grid(False)
    axes[0, 0].set_ylabel("mode")
    figure.colorbar(image, ax=axes[0, -1], label="share of samples", extend="max")
    for plot, key, title in zip(
        axes[1],
        ("modes", "high_quality", "roundness"),
        ("modes of 8", "share within 3 std", "roundness (0: a curve)"),
    ):
        for name, seen in results.items():
            plot.plot(seen["steps"], seen[key], color=COLOURS[name])
        plot.set(title=title, xlabel="step", ylim=(0, MODES + 0.4) if key == "modes" else (-0.05, 1))
    last = list(results)[-1]
    axes[1, 3].plot(*results[last]["samples"][-1].T, ".", color=COLOURS[last], markersize=1.5)
    axes[1, 3].set(title=f"{last}:\nsamples at the end", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal")
    for name in results:
        axes[1, 0].plot([], [], color=COLOURS[name], label=name)
    axes[1, 1].axhline(1 - np.exp(-4.5), color=figures.GREY, linewidth=1)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    figures.save(figure, path)


def draw_motion(results, path, points=500):
    """The samples of all models, look by look."""
    frames = []
    centers = ganzoo.data.ring_centers(MODES)
    for look in range(len(next(iter(results.values()))["steps"])):
        figure, axes = figures.new(1, len(results), height=2.9, sharey=True)
        for plot, (name, seen) in zip(axes, results.items()):
            for center in centers:
                plot.add_patch(Circle(center, 3 * STD, color=figures.GREY, fill=False))
            plot.plot(*seen["samples"][look][:points].T, ".", color=COLOURS[name], markersize=2)
            plot.set(
                title=f"{name}\nstep {seen['steps'][look]}",
                xlabel="x$_1$",
                ylabel="x$_2$",
                xlim=(-1.5, 1.5),
                ylim=(-1.5, 1.5),
                aspect="equal",
            )
            plot.grid(False)
        frames.append(figure)
    figures.save_gif(path, frames, duration=0.25, colours=24)


def main(options):
    """Trains all models, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    folder = Path(options.output_dir)
    draw(results, folder / "mode_collapse.png")
    draw_motion(results, folder / "mode_collapse.gif")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
