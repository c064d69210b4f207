"""Parallel lines: of four distances between two distributions, only W knows how far apart they are.

Claim: for p = (0, z) and q = (theta, z), z ~ U[0, 1], and theta other than 0, W = |theta|, while JS = log 2, TV = 1 and
KL = inf, wherever theta is. So a model that descends W arrives, and the others get no gradient. Source: Arjovsky et
al., 2017 (arXiv:1701.07875), Example 1 and Figure 1.

    python examples/theory/parallel_lines.py --output_dir docs/images/theory
"""

from pathlib import Path

import figures
import keras
import numpy as np
from absl import app, flags
from keras import ops

import ganzoo
from ganzoo import divergences

DISTANCES = ("KL", "JS", "TV", "W")
COLOUR = {"KL": figures.BLUE, "JS": figures.GREEN, "TV": figures.PINK, "W": figures.VERMILION}
NAME = {"KL": "KL, both directions", "JS": "Jensen-Shannon", "TV": "total variation", "W": "Wasserstein-1"}
INFINITE = 2.4  # height at which infinity is drawn
THETAS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0)


def compute(seed=0, thetas=THETAS, steps=1000, updates=100, start=1.0, rate=0.02):
    """The exact distances, the estimates of trained networks, and a line that follows their gradients.

    Args:
        seed: Integer. Defaults to `0`.
        thetas: Floats, values of theta with trained networks. Default to six from 0.1 to 2.
        steps: Integer, updates of each of these networks. Defaults to `1000`.
        updates: Integer, steps of the moving line. Defaults to `100`.
        start: Float, theta before the first step. Defaults to `1.0`.
        rate: Float, the learning rate: theta moves by this times the gradient. Defaults to `0.02`.

    Returns:
        Dictionary.
    """
    grid = np.linspace(-2, 2, 81)
    return {
        "grid": grid,
        "exact": {name: np.array([distances(theta)[name] for theta in grid]) for name in DISTANCES},
        "estimates": [estimates(theta, steps, seed) for theta in thetas],
        "paths": {
            "KL": descend("KL", start, rate, updates),
            "TV": descend("TV", start, rate, updates),
            "JS": train(ganzoo.GAN, start, rate, updates, seed, minimax=True, discriminator_steps=10),
            "W": train(ganzoo.WGANGP, start, rate, updates, seed, discriminator_steps=10),
        },
    }


# === Exact ===


def distances(theta, count=20):
    """All distances between the lines at 0 and at theta, of `count` points each, by the functions for any points."""
    z = (np.arange(count) + 0.5) / count
    p, q = np.stack([0 * z, z], axis=1), np.stack([0 * z + theta, z], axis=1)
    places, of = np.unique(np.concatenate([p, q]), axis=0, return_inverse=True)
    masses = [np.bincount(each, minlength=len(places)) / count for each in (of[:count], of[count:])]
    return {
        "KL": max(divergences.kl(*masses), divergences.reverse_kl(*masses)),
        "JS": divergences.jensen_shannon(*masses),
        "TV": divergences.total_variation(*masses),
        "W": divergences.wasserstein(p, q),
    }


def descend(name, theta, rate, updates, width=1e-4):
    """Gradient descent on an exact distance. An infinite distance has no gradient, and theta stays."""
    path = [theta]
    for _ in range(updates):
        ahead, behind = (distances(path[-1] + step)[name] for step in (width, -width))
        slope = (ahead - behind) / (2 * width) if np.isfinite(ahead + behind) else 0.0
        path.append(path[-1] - rate * slope)
    return np.array(path)


# === By training ===


def samples(theta, count, seed):
    """Points on the line at theta."""
    z = np.random.default_rng([seed, round(1000 * theta)]).random(count)
    return np.stack([np.full(count, theta), z], axis=1).astype("float32")


def estimates(theta, steps, seed, count=4000):
    """Estimates of a trained discriminator and critic, and the gradients that points on q's line get from them."""
    p, q = samples(0.0, count, seed), samples(theta, count, seed)
    js, discriminator = divergences.estimate_jensen_shannon(p, q, steps=steps, seed=seed)
    w, critic = divergences.estimate_wasserstein(p, q, steps=steps, seed=seed)
    logits, slopes = scores_and_slopes(discriminator, q[:500])
    return {
        "theta": theta,
        "js": js,
        "w": w,
        # d/dx of log(1 - D), the minimax loss of a generator.
        "js_gradient": float(np.mean(np.abs(slopes / (1 + np.exp(-logits))))),
        "w_gradient": float(np.mean(np.abs(scores_and_slopes(critic, q[:500])[1]))),
    }


def scores_and_slopes(network, points):
    """Scores at the points, and their derivatives in the direction of x."""
    step = np.array([1e-3, 0.0])
    scores, ahead, behind = (
        ops.convert_to_numpy(network(ops.cast(points + shift, "float32"))).ravel().astype("float64")
        for shift in (0 * step, step, -step)
    )
    return scores, (ahead - behind) / 2e-3


class Line(keras.layers.Layer):
    """Latents z ~ N(0, 1) -> points (theta, z') with z' ~ U[0, 1]. theta is its only weight."""

    def __init__(self, theta, **kwargs):
        super().__init__(**kwargs)
        self.theta = self.add_weight(shape=(), initializer=keras.initializers.Constant(theta), name="theta")

    def call(self, z):
        return ops.concatenate([0.0 * z + self.theta, (1.0 + ops.erf(z / np.sqrt(2.0))) / 2.0], axis=-1)


def train(model_class, theta, rate, updates, seed, **settings):
    """theta before and after each update of a generator that is a line. Its critic trains well before the first."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((1,))
    line = Line(theta)
    model = model_class(
        keras.Model(inputs, line(inputs)),
        ganzoo.networks.mlp.discriminator((2,), hidden=(64, 64)),
        latent_dim=1,
        seed=seed,
        **settings,
    )
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.99))
    path = [theta]
    record = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: path.append(float(line.theta)))
    burn_in = ganzoo.callbacks.CriticBurnIn(steps=500, first=1, every=10**9)
    data = ganzoo.data.from_arrays(samples(0.0, 4000, seed), batch_size=128, seed=seed)
    model.fit(data, epochs=1, steps_per_epoch=updates, callbacks=[record, burn_in], verbose=0)
    return np.array(path)


# === Numbers and figures ===


def fit_of_proportion(results):
    """The slope of the best line through the origin of the critic's estimates over theta, and its R^2."""
    theta, w = (np.array([row[name] for row in results["estimates"]]) for name in ("theta", "w"))
    slope = theta @ w / (theta @ theta)
    return slope, 1 - np.sum((w - slope * theta) ** 2) / np.sum((w - w.mean()) ** 2)


def report(results):
    """Prints the numbers."""
    for theta in (0.0, 0.1, 1.0, 2.0):
        print(f"theta {theta:g}, exact: " + ", ".join(f"{name} {each:.4f}" for name, each in distances(theta).items()))
    for row in results["estimates"]:
        print(
            f"theta {row['theta']:g}, trained: W {row['w']:.4f}, JS {row['js']:.4f}, "
            f"mean gradient at q: W {row['w_gradient']:.3f}, JS {row['js_gradient']:.1e}"
        )
    slope, r_squared = fit_of_proportion(results)
    print(f"critic's estimate = {slope:.4f} theta, R^2 = {r_squared:.6f}; log 2 = {np.log(2):.4f}")
    for name in DISTANCES:
        path = results["paths"][name]
        print(f"theta after {len(path) - 1} updates along the gradient of {name}: {path[0]:.4f} -> {path[-1]:.4f}")


def draw(results, path):
    """Draws the exact distances, the estimates, the gradients and the paths."""
    figure, ((exact, trained), (gradients, paths)) = figures.new(2, 2, height=6.6)
    draw_exact(exact, results)
    exact.set_title("Exact distances of the lines at 0 and at theta")
    exact.set_ylim(-0.08, 3.4)
    figures.legend(exact, loc="upper center", ncols=2)

    theta, js, w = (np.array([row[name] for row in results["estimates"]]) for name in ("theta", "js", "w"))
    trained.plot([0, 2], [0, 2], color=COLOUR["W"], linewidth=1, label="W = theta")
    trained.plot(theta, w, "o", color=COLOUR["W"], label="a trained critic's estimate")
    trained.axhline(np.log(2), color=COLOUR["JS"], linewidth=1, label="JS = log 2")
    trained.plot(theta, js, "s", color=COLOUR["JS"], label="a trained discriminator's")
    trained.set(xlabel="theta", ylabel="distance", xlim=(0, 2.1), ylim=(0, 2.15))
    trained.set_title("Trained networks find the same")
    figures.legend(trained, loc="upper left")

    gradients.plot(theta, [row["w_gradient"] for row in results["estimates"]], "o-", color=COLOUR["W"], label="critic")
    of_js = [row["js_gradient"] for row in results["estimates"]]
    gradients.plot(theta, of_js, "s-", color=COLOUR["JS"], label="discriminator: of log(1 - D)")
    gradients.set(xlabel="theta", ylabel="mean |gradient| at q", yscale="log", xlim=(0, 2.1))
    gradients.set_title("What a generator at theta gets from them")
    figures.legend(gradients, loc="center right")

    for name, style, width in zip(DISTANCES, ("-", "--", ":", "-"), (5, 3, 2, 2)):
        paths.plot(results["paths"][name], style, color=COLOUR[name], linewidth=width, label=NAME[name])
    paths.set(xlabel="updates of theta", ylabel="theta", ylim=(-0.15, 1.15))
    paths.set_title("Following the gradient: only W arrives")
    figures.legend(paths, loc="center right")
    figures.save(figure, path)


def draw_exact(axes, results, names=DISTANCES):
    """Draws distances over theta, with infinity as a line of arrows at the top."""
    away = results["grid"] != 0
    for name in names:
        values = results["exact"][name]
        label = f"{NAME[name]}: infinite" if name == "KL" else NAME[name]
        if name == "W":
            axes.plot(results["grid"], values, color=COLOUR[name], label=label)
        elif name == "KL":
            axes.plot(
                results["grid"][away][::4], np.full(away.sum(), INFINITE)[::4], "^", color=COLOUR[name], label=label
            )
        else:
            for side in (results["grid"] < 0, results["grid"] > 0):
                axes.plot(results["grid"][side], values[side], color=COLOUR[name], label=label)
                label = None
        axes.plot(0, values[~away], "o", color=COLOUR[name], markersize=4)
    axes.set(xlabel="theta", ylabel="distance", ylim=(-0.08, 2.55))


def animate(results, path, frames=27):
    """Writes the same as an animation: on each distance a ball rolls where the gradient leads."""
    length = len(results["paths"]["W"]) - 1
    pictures = []
    for update in np.linspace(0, length, frames).round().astype(int):
        figure, axes = figures.new(1, 4, width=7.0, height=2.3, sharey=True)
        for each, name in zip(axes, DISTANCES):
            draw_exact(each, results, [name])
            theta = results["paths"][name][update]
            height = min(distances(theta)[name], INFINITE)
            each.plot(theta, height, "o", color=figures.BLACK, markersize=9)
            each.set_title(NAME[name].split(",")[0])
            each.set(ylabel="distance" if name == "KL" else "", xlim=(-1.6, 1.6), xlabel="theta")
        figure.suptitle(f"update {update}", fontsize="medium")
        pictures.append(figure)
    figures.save_gif(path, pictures, colours=24)


def main(options):
    """Computes, prints and draws."""
    results = compute(options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "parallel_lines.png")
    animate(results, Path(options.output_dir) / "parallel_lines.gif")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
