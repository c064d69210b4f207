"""Clipping against penalty: surfaces of critics, gradients through twelve layers, and where the weights end.

Three claims about a critic that is kept Lipschitz:

- A clipped critic models too simple functions. With the generator held at data + N(0, 1), its surface misses the modes.
- The gradients of a clipped critic vanish or explode with the depth. With n random weights of +-c, of which the
  rectifiers pass half, each layer multiplies them by c sqrt(n / 2). Under the penalty they stay.
- Clipping pushes weights to +c and -c.

Source: Gulrajani et al., 2017 (arXiv:1704.00028), Section 3 and Figure 1. The penalty's weight 0.1 beside 10 is from
the authors' script for toys.

    python examples/theory/clipping_and_penalty.py
"""

from pathlib import Path

import figures
import keras
import numpy as np
from absl import app, flags

import ganzoo
from ganzoo.divergences.estimators import scores_of, slopes

DATASETS = ("8 Gaussians", "25 Gaussians", "Swiss roll")
CLIP = 0.1  # for the critics whose surfaces are drawn
CRITICS = {
    f"clipping, c = {CLIP}": {"constraint": "clip", "clip_value": CLIP},
    "penalty, weight 10": {"constraint": "penalty", "penalty_weight": 10.0},
    "penalty, weight 0.1": {"constraint": "penalty", "penalty_weight": 0.1},
}
CLIPS = (0.1, 0.01, 0.001)
COLOURS = dict(zip(("penalty", *CLIPS), (figures.BLUE, figures.VERMILION, figures.ORANGE, figures.PINK)))
LIMIT = 2.2  # half the side of the surfaces


def compute(seed=0, steps=3000, hidden=(128, 128, 128), layer_steps=100, width=512, depth=12):
    """Trains the critics of the surfaces and the deep pairs.

    Args:
        seed: Integer. Defaults to `0`.
        steps: Integer, updates of a critic of the surfaces. Defaults to `3000`.
        hidden: Sizes of the hidden layers of these critics. Defaults to three layers of 128.
        layer_steps: Integer, generator updates of the deep pairs, 5 critic updates each. Defaults to `100`.
        width, depth: Integers, units and number of the hidden layers of the deep pairs. Default to `512` and `12`.

    Returns:
        Dictionary: `surfaces`, by dataset and critic, and `layers`, by clipping value or `"penalty"`.
    """
    data = {name: points_of(name, seed) for name in DATASETS}
    surfaces = {
        name: {critic: surface(points, seed, steps, hidden, settings) for critic, settings in CRITICS.items()}
        for name, points in data.items()
    }
    layers = {key: deep_critic(key, seed, layer_steps, width, depth) for key in ("penalty", *CLIPS)}
    return {"points": data, "surfaces": surfaces, "layers": layers}


def points_of(name, seed=0, count=16_000):
    """Points of a dataset, in the scale of the authors' script."""
    if name == "8 Gaussians":
        dataset = ganzoo.data.ring(count, radius=2**0.5, std=0.02 / 2**0.5, batch_size=count, seed=seed)
    elif name == "25 Gaussians":
        dataset = ganzoo.data.grid(count, spacing=2 / 8**0.5, std=0.05 / 8**0.5, batch_size=count, seed=seed)
    else:
        dataset = ganzoo.data.swiss_roll(count, batch_size=count, seed=seed)
    batch = next(iter(dataset))
    return np.asarray(batch[0] if isinstance(batch, tuple) else batch)


# === Surfaces: the generator stands still ===


def surface(points, seed, steps, hidden, settings):
    """Trains a critic between points and points + N(0, 1), and measures it."""
    rng = np.random.default_rng(seed)
    noisy = points[rng.permutation(len(points))] + rng.standard_normal(points.shape).astype("float32")
    keras.utils.set_random_seed(seed)
    network = ganzoo.networks.mlp.discriminator((2,), hidden=hidden, activation="relu")
    clip = settings.get("clip_value")
    if clip:  # Start inside the bounds, so that a weight at a bound was pushed there.
        for layer in dense_layers(network):
            layer.kernel.assign(rng.uniform(-clip / 2, clip / 2, layer.kernel.shape))
    _, critic = ganzoo.divergences.estimate_wasserstein(
        points, noisy, slope=None, network=network, steps=steps, seed=seed, **settings
    )
    between, at_samples = slopes(critic, points[:2000], noisy[:2000], seed)
    largest = max(between.max(), at_samples.max())
    line = np.linspace(-LIMIT, LIMIT, 121, dtype="float32")
    plane = np.stack(np.meshgrid(line, line), axis=-1)
    angles = np.pi / 8 + np.pi / 4 * np.arange(8)
    gaps = np.sqrt(2) * np.cos(np.pi / 8) * np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def mean_score(places):
        return float(np.mean(scores_of(critic, np.asarray(places, "float32"))))

    modes = mean_score(ganzoo.data.ring_centers(8, 2**0.5))
    return {
        "line": line,
        "values": scores_of(critic, plane.reshape(-1, 2)).reshape(plane.shape[:2]),
        "mean_slope": float(between.mean()),
        "largest_slope": float(largest),
        # The height of the 8 Gaussians' modes above the middle of the ring, and above the gaps between neighbours.
        # Divided by the slope they are lengths.
        "above_middle": (modes - mean_score([[0.0, 0.0]])) / float(largest),
        "above_gaps": (modes - mean_score(gaps)) / float(largest),
        "weights": np.concatenate([weight.ravel() for weight in critic.get_weights()]),
        "clip_value": clip,
    }


def share_at_clip(weights, clip_value):
    """The share of weights beyond 99 % of the bound."""
    return float(np.mean(np.abs(weights) > 0.99 * clip_value))


# === Depth: a generator and a critic of twelve layers ===


def deep_critic(key, seed, steps, width, depth):
    """Trains a WGAN with that clipping value, or a WGAN-GP, on the Swiss roll. Returns the norms before and after.

    The norms belong to the gradient of the score in the output of each hidden layer, averaged over real and generated
    samples.
    """
    keras.utils.set_random_seed(seed)
    settings = {
        "hidden": (width,) * depth,
        "activation": "relu",
        "latent_dim": 2,
        "seed": seed,
    }
    if key == "penalty":
        model = ganzoo.WGANGP.from_paper((2,), **settings)
    else:
        model = ganzoo.WGAN.from_paper((2,), clip_value=key, **settings)
    data = ganzoo.data.swiss_roll(batch_size=64, seed=seed)
    before = norms_of_clipped(model, None if key == "penalty" else key)
    model.fit(data, epochs=1, steps_per_epoch=steps, verbose=0)
    after = norms_of(model)
    weights = np.concatenate([weight.ravel() for weight in model.discriminator.get_weights()])
    return {
        "before": before,
        "after": after,
        "slope": slope_of(after),
        "slope_before": slope_of(before),
        "predicted": 0.0 if key == "penalty" else predicted_slope(key, width),
        "weights": weights,
        "clip_value": None if key == "penalty" else key,
    }


def norms_of_clipped(model, clip_value):
    """`norms_of` with the initial weights clipped. The model keeps its weights."""
    weights = model.discriminator.get_weights()
    if clip_value is not None:
        model.discriminator.set_weights([np.clip(weight, -clip_value, clip_value) for weight in weights])
    norms = norms_of(model)
    model.discriminator.set_weights(weights)
    return norms


def norms_of(model):
    """Norms at the outputs of the critic's hidden layers, for 256 real and 256 generated samples."""
    samples = np.concatenate([points_of("Swiss roll")[:256], model.generate(256)])
    return gradient_norms_of_layers(model.discriminator, samples)


def gradient_norms_of_layers(critic, samples):
    """The mean norm of the gradient of a rectifier network's score in the output of each hidden layer.

    Uses the chain rule in float64, because float32 cannot hold squares of 1e-24.
    """
    layers = dense_layers(critic)
    kernels, biases = zip(*[[part.astype("float64") for part in layer.get_weights()] for layer in layers])
    hidden, passed = np.asarray(samples, "float64"), []
    for kernel, bias in zip(kernels[:-1], biases[:-1]):
        hidden = hidden @ kernel + bias
        passed.append(hidden > 0)
        hidden = np.maximum(hidden, 0)
    gradient, norms = np.tile(kernels[-1].T, (len(hidden), 1)), []
    for kernel, mask in zip(kernels[-2::-1], passed[::-1]):
        norms.append(np.linalg.norm(gradient, axis=1).mean())
        gradient = (gradient * mask) @ kernel.T
    return np.array(norms[::-1])


def dense_layers(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]


def predicted_slope(clip_value, width):
    """log10 of the factor of a layer towards the output, if its weights are +-c with random signs."""
    return -np.log10(clip_value * np.sqrt(width / 2))


def slope_of(norms):
    """Slope of log10 of the norms over the layers, from the first to the last."""
    return float(np.polyfit(np.arange(1, len(norms) + 1), np.log10(norms), 1)[0])


# === Showing it ===


def report(results):
    """Prints the numbers."""
    for name, critics in results["surfaces"].items():
        print(name)
        for critic, found in critics.items():
            text = f"  {critic:<20} mean slope between data and noise {found['mean_slope']:8.3f}"
            if name == "8 Gaussians":
                text += (
                    f"; modes above the middle {found['above_middle']:+.3f}, above the gaps {found['above_gaps']:+.3f}"
                )
            if found["clip_value"]:
                clip, weights = found["clip_value"], found["weights"]
                text += (
                    f"; weights at +-c {share_at_clip(weights, clip):.1%}, at +c {np.mean(weights > 0.99 * clip):.1%}"
                )
            print(text)
    print("Twelve layers: slope of log10 |gradient| per layer, from the input to the output")
    for key, found in results["layers"].items():
        name = key if key == "penalty" else f"c = {key}"
        at_clip = "" if key == "penalty" else f"; weights at +-c {share_at_clip(found['weights'], key):.1%}"
        print(
            f"  {name:<10} initial weights, clipped {found['slope_before']:+.3f}, trained {found['slope']:+.3f}, "
            f"predicted {found['predicted']:+.3f}{at_clip}"
        )


def draw_surfaces(results, path):
    """The critics' surfaces, with data."""
    figure, axes = figures.new(len(CRITICS), len(DATASETS), height=9.2, sharex=True, sharey=True)
    for column, (name, critics) in enumerate(results["surfaces"].items()):
        for row, (critic, found) in enumerate(critics.items()):
            plot = axes[row, column]
            plot.contourf(found["line"], found["line"], found["values"], 24, cmap=figures.SEQUENTIAL)
            plot.plot(*results["points"][name][:400].T, ".", color=figures.VERMILION, markersize=2.5)
            plot.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal")
            axes[0, column].set_title(name)
            axes[row, 0].set_ylabel(critic, fontsize="large")
    figure.supxlabel(
        "x$_1$ to the right, x$_2$ upwards; dots: the data. Brighter: more real, by the scale of each critic"
    )
    figures.save(figure, path)


def draw(results, path):
    """Norms over the layers, and histograms of the weights."""
    figure, axes = figures.new(1, 3, height=4.2, width_ratios=(1.6, 1, 1))
    for key, found in results["layers"].items():
        layers = np.arange(1, len(found["after"]) + 1)
        name = "penalty" if key == "penalty" else f"c = {key}"
        axes[0].semilogy(layers, found["after"], "o-", markersize=4, color=COLOURS[key], label=name)
        if key != "penalty":
            line = found["after"][-1] * 10 ** (found["predicted"] * (layers - layers[-1]))
            axes[0].semilogy(layers, line, ":", color=COLOURS[key])
    axes[0].plot([], [], ":", color=figures.GREY, label="c sqrt(n / 2) a layer")
    axes[0].set(title="gradient of the score, twelve layers", xlabel="hidden layer; 1 is next to the sample")
    axes[0].set(ylabel="mean norm", xticks=layers)
    figures.legend(axes[0], loc="lower right")
    for plot, name, color, end in zip(axes[1:], CRITICS, (COLOURS[CLIP], COLOURS["penalty"]), (1.1 * CLIP, 0.5)):
        weights = results["surfaces"]["8 Gaussians"][name]["weights"]
        plot.hist(weights, bins=101, range=(-end, end), color=color)
        plot.set(title=name, xlabel="weight (8 Gaussians)", ylabel="number", yscale="log")
    figures.save(figure, path)


def main(options):
    """Trains all critics, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    folder = Path(options.output_dir)
    draw(results, folder / "clipping_and_penalty.png")
    draw_surfaces(results, folder / "clipping_and_penalty_surfaces.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
