"""Two Gaussians, far apart: the discriminator saturates, the critic is a straight line with a gradient everywhere.

For N(d/2, 1) and N(-d/2, 1) the best discriminator is D*(x) = 1 / (1 + exp(-d x)), a step for large d, and the best
critic is x, up to a constant. A generator's samples follow the gradient at their own place, here on the left.

Source: Arjovsky et al., 2017 (arXiv:1701.07875), Figure 2. The paper gives no means and no variances.

    python examples/theory/critic_and_discriminator.py
"""

from pathlib import Path

import figures
import numpy as np
import tensorflow as tf
from absl import app, flags
from scipy import stats

from ganzoo import divergences

DISTANCE = 6.0
DISTANCES = (1.0, 2.0, 4.0, 6.0, 8.0)
# The penalty alone leaves the slope 1 + W / (2 lambda): 1.03 for W = 6, where the paper's lambda = 10 would give 1.3.
PENALTY_WEIGHT = 100.0
CRITICS = {"penalty": {"penalty_weight": PENALTY_WEIGHT}, "clip": {"clip_value": 0.01}}


def compute(seed=0, distance=DISTANCE, distances=DISTANCES, steps=2000, count=20_000):
    """Trains a discriminator and two critics at `distance`, and a discriminator and a critic at each of `distances`.

    Args:
        seed: Integer. Defaults to `0`.
        distance: Float, between the means, of the functions that are drawn. Defaults to `6.0`.
        distances: Floats, for the values over the distance. Default to 1, 2, 4, 6 and 8.
        steps: Integer, updates of each network. Defaults to `2000`.
        count: Integer, samples of each Gaussian. Defaults to `20_000`.

    Returns:
        Dictionary.
    """
    settings = {"steps": steps, "seed": seed}
    points = np.linspace(-8, 8, 801)
    x, y = samples(distance, count, seed)
    ratio = divergences.estimate_density_ratio(x, y, **settings)
    critics = {
        name: divergences.estimate_wasserstein(x, y, constraint=name, slope=None, **CRITICS[name], **settings).network
        for name in CRITICS
    }
    return {
        "distance": distance,
        "points": points,
        "logits": ratio.log(points),
        "logit_slopes": slopes(ratio.discriminator, points),
        "critics": {name: values(critic, points) for name, critic in critics.items()},
        "critic_slopes": {name: slopes(critic, points) for name, critic in critics.items()},
        "over_distance": [at_distance(d, count, seed, settings) for d in distances],
    }


def samples(distance, count, seed):
    """Real samples from N(d/2, 1), and generated samples from N(-d/2, 1)."""
    rng = np.random.default_rng([seed, round(1000 * distance)])
    return rng.normal(distance / 2, 1, count), rng.normal(-distance / 2, 1, count)


def at_distance(distance, count, seed, settings):
    """The estimates of both divergences, the exact values, and the mean gradients that generated samples get."""
    x, y = samples(distance, count, seed)
    js, discriminator = divergences.estimate_jensen_shannon(x, y, **settings)
    w, critic = divergences.estimate_wasserstein(x, y, penalty_weight=PENALTY_WEIGHT, **settings)
    generated = y[:4000]
    probabilities = sigmoid(values(discriminator, generated))
    return {
        "distance": distance,
        "js": js,
        "exact_js": divergences.gaussian_jensen_shannon(distance / 2, 1.0, -distance / 2, 1.0),
        "w": w,
        "minimax_gradient": np.mean(np.abs(probabilities * slopes(discriminator, generated))),
        "exact_minimax_gradient": exact_minimax_gradient(distance),
        "critic_gradient": np.mean(np.abs(slopes(critic, generated))),
    }


def exact_minimax_gradient(distance):
    """The mean gradient d D*(y) of log(1 - D*) over the generated samples."""
    return stats.norm.expect(lambda y: distance * sigmoid(distance * y), loc=-distance / 2, lb=-20, ub=20)


def values(network, points):
    """The scores of a network on the line, float64."""
    return network(points[:, None].astype("float32")).numpy()[:, 0].astype("float64")


def slopes(network, points):
    """The derivatives of a network on the line, float64."""
    points = tf.constant(points[:, None], "float32")
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = network(points)
    return tape.gradient(scores, points).numpy()[:, 0].astype("float64")


def sigmoid(logits):
    return np.exp(-np.logaddexp(0.0, -logits))


def gradients(results):
    """The absolute derivatives of the discriminator, its losses, and the critics at each point.

    D' = s' D (1 - D),   (log(1 - D))' = -s' D,   (-log D)' = -s' (1 - D),   s: the logit
    """
    probabilities, others = sigmoid(results["logits"]), sigmoid(-results["logits"])
    slope = np.abs(results["logit_slopes"])
    return {
        "discriminator": slope * probabilities * others,
        "minimax": slope * probabilities,
        "non-saturating": slope * others,
        **{name: np.abs(each) for name, each in results["critic_slopes"].items()},
    }


def flatness(gradient):
    """The smallest gradient on [-8, 8] as a share of the largest."""
    return gradient.min() / gradient.max()


# === Showing it ===


def report(results):
    """Prints the numbers."""
    print(
        f"N({results['distance'] / 2}, 1) and N({-results['distance'] / 2}, 1). Smallest / largest gradient on [-8, 8]:"
    )
    names = {
        "discriminator": "D",
        "minimax": "log(1 - D), minimax",
        "non-saturating": "-log D, non-saturating",
        "penalty": "critic, penalty",
        "clip": "critic, clipped weights",
    }
    for name, gradient in gradients(results).items():
        print(f"  {names[name]:<24} {flatness(gradient):.1e}")
    inside = np.abs(results["points"]) <= results["distance"] / 2
    slope = results["critic_slopes"]["penalty"][inside].mean()
    print(f"Mean slope of the penalised critic between the means: {slope:.3f}")
    print("Distance   JS: exact  trained   W: exact  trained   gradient on the samples: minimax  exact    critic")
    for row in results["over_distance"]:
        print(
            f"{row['distance']:<10g} {row['exact_js']:9.4f} {row['js']:8.4f} {row['distance']:10.4f} {row['w']:8.4f} "
            f"{row['minimax_gradient']:33.1e} {row['exact_minimax_gradient']:8.1e} {row['critic_gradient']:7.3f}"
        )


def draw(results, path):
    """The functions, their gradients, and the values over the distance."""
    figure, ((functions, gradient), (js, w)) = figures.new(2, 2, height=7.2)
    points, d = results["points"], results["distance"]
    for mean, name, color in ((-d / 2, "generated samples", figures.ORANGE), (d / 2, "real samples", figures.SKY)):
        density = stats.norm.pdf(points, mean)
        functions.fill_between(points, density, color=color, alpha=0.35, linewidth=0, label=f"density of {name}")
    functions.plot(points, sigmoid(results["logits"]), color=figures.VERMILION, label="discriminator D(x)")
    critic = results["critics"]["penalty"]
    centred = (critic - np.interp(0.0, points, critic)) / 8 + 0.5
    functions.plot(points, centred, color=figures.BLUE, label="critic (f(x) - f(0)) / 8 + 1/2")
    functions.set(title="the trained functions", xlabel="x", ylabel="value", ylim=(-0.6, 2.1))
    figures.legend(functions, loc="upper left")

    looks = {
        "minimax": (figures.VERMILION, "-", "log(1 - D), minimax loss"),
        "non-saturating": (figures.PINK, "--", "-log D, non-saturating loss"),
        "discriminator": (figures.BLACK, ":", "D"),
        "penalty": (figures.BLUE, "-", "critic, penalty"),
        "clip": (figures.GREEN, "-.", "critic, clipped weights"),
    }
    for name, (color, style, label) in looks.items():
        gradient.semilogy(points, gradients(results)[name], color=color, linestyle=style, label=label)
    gradient.axvspan(-d / 2 - 2, -d / 2 + 2, color=figures.ORANGE, alpha=0.15, linewidth=0)
    gradient.set(title="absolute gradient in x\n(shaded: generated samples)", xlabel="x", ylabel="gradient")
    gradient.set_ylim(1e-22, 1e7)
    figures.legend(gradient, loc="lower center")

    rows = results["over_distance"]
    distances = [row["distance"] for row in rows]
    fine = np.linspace(0, max(distances), 81)
    exact = [divergences.gaussian_jensen_shannon(each / 2, 1.0, -each / 2, 1.0) for each in fine]
    js.plot(fine, exact, color="0.6", linewidth=4, label="exact")
    js.plot(distances, [row["js"] for row in rows], "o", color=figures.VERMILION, label="trained discriminator")
    js.axhline(np.log(2), color=figures.BLACK, linestyle=":", linewidth=1)
    js.annotate("log 2", (0.1, np.log(2)), xytext=(0, -12), textcoords="offset points")
    js.set(title="Jensen-Shannon divergence", xlabel="distance d of the means", ylabel="JS, nats")
    w.plot(fine, fine, color="0.6", linewidth=4, label="exact: W = d")
    w.plot(distances, [row["w"] for row in rows], "o", color=figures.BLUE, label="trained critic")
    w.set(title="Wasserstein distance", xlabel="distance d of the means", ylabel="W")
    for axes in (js, w):
        figures.legend(axes, loc="lower right")
    figures.save(figure, path)


def main(options):
    """Trains, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "critic_and_discriminator.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
