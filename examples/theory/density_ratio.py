"""A discriminator is a density ratio, and the loss of a GAN's generator is a Jensen-Shannon divergence.

For fixed distributions p (real) and q (generated) the best discriminator is D* = p / (p + q). Hence

    D* / (1 - D*) = p / q,
    E_p[log D*] + E_q[log(1 - D*)] = 2 JS(p, q) - log 4.

First, p and q are mixtures in the plane whose densities are known, and the ratio is compared point by point. Then p is
N(0, 1) and q is N(theta, 1). A trained discriminator for each theta gives the value of the game and the generator's
gradient. Finally, a `ganzoo.GAN` trains whose generator has the single weight theta.

Source: Goodfellow et al., 2014 (arXiv:1406.2661), Proposition 1 and Theorem 1.

    python examples/theory/density_ratio.py
"""

from pathlib import Path

import figures
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from matplotlib.colors import TwoSlopeNorm

import ganzoo
from ganzoo import divergences, losses

# Weights, means and standard deviations of the mixtures in the plane.
REAL = ((0.4, 0.3, 0.3), ((-1.2, -0.8), (1.3, -0.6), (0.0, 1.3)), (0.5, 0.4, 0.6))
GENERATED = ((1.0,), ((0.0, 0.0),), (1.4,))

THETAS = (-4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0)


def compute(seed=0, thetas=THETAS, steps=4000, line_steps=1000, descent_steps=30, count=50_000):
    """The ratio in the plane, the game over theta, and a descent.

    Args:
        seed: Integer. Defaults to `0`.
        thetas: Floats, means of q for which the game's value is measured. Default to 11 from -4 to 4.
        steps: Integer, updates of the discriminator in the plane. Defaults to `4000`.
        line_steps: Integer, updates of each discriminator on the line. Defaults to `1000`.
        descent_steps: Integer, updates of the generator. Defaults to `30`.
        count: Integer, samples of each distribution. Defaults to `50_000`.

    Returns:
        Dictionary.
    """
    return {
        **ratio_in_the_plane(seed, steps, count),
        "game": [game(theta, line_steps, count, seed + index) for index, theta in enumerate(thetas)],
        "descent": descend(descent_steps, count, seed),
    }


# === The ratio ===


def ratio_in_the_plane(seed, steps, count):
    """The true and the estimated log ratio, on a grid and at fresh samples of both distributions."""
    rng = np.random.default_rng([seed, 0])
    ratio = divergences.estimate_density_ratio(
        draw_samples(REAL, count, rng), draw_samples(GENERATED, count, rng), steps=steps, seed=seed
    )
    fresh = np.concatenate([draw_samples(mixture, 5000, rng) for mixture in (REAL, GENERATED)])
    side = np.linspace(-3.5, 3.5, 141)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    return {
        "side": side,
        "true_map": log_ratio(grid),
        "map": ratio.log(grid.reshape(-1, 2)).reshape(grid.shape[:2]),
        "true_at_samples": log_ratio(fresh),
        "at_samples": ratio.log(fresh),
        "excess": excess(log_ratio(fresh), ratio.log(fresh)),
        # The mean of the ratio over q is the total mass of p.
        "mass": ratio(fresh[5000:]).mean(),
    }


def draw_samples(mixture, count, rng):
    """Samples `(count, 2)` of a mixture of round Gaussians."""
    weights, means, deviations = (np.array(part) for part in mixture)
    component = rng.choice(len(weights), size=count, p=weights)
    return means[component] + deviations[component, None] * rng.normal(size=(count, 2))


def log_density(mixture, points):
    """The logarithm of a mixture's density at points `(..., 2)`."""
    weights, means, deviations = (np.array(part) for part in mixture)
    squares = np.sum((points[..., None, :] - means) ** 2, axis=-1) / deviations**2
    return np.logaddexp.reduce(np.log(weights / (2 * np.pi * deviations**2)) - squares / 2, axis=-1)


def log_ratio(points):
    return log_density(REAL, points) - log_density(GENERATED, points)


def excess(true_logits, logits):
    """Half of the discriminator's loss above its minimum: E KL(D* || D) over (p + q) / 2."""
    weights = np.exp(-np.logaddexp(0.0, -true_logits))
    entropy = weights * np.logaddexp(0.0, -true_logits) + (1 - weights) * np.logaddexp(0.0, true_logits)
    loss = weights * np.logaddexp(0.0, -logits) + (1 - weights) * np.logaddexp(0.0, logits)
    return np.mean(loss - entropy)


# === The game ===


def game(theta, steps, count, seed):
    """The value of the game and the generator's gradient, by a trained discriminator and exactly.

    The generator is G(z) = theta + z. Its gradient is taken with the discriminator fixed, as in a GAN's training. D
    depends on theta, but at its optimum that adds nothing.
    """
    rng = np.random.default_rng([seed, 1])
    x, y = rng.normal(0.0, 1.0, count), rng.normal(theta, 1.0, count)
    estimate = divergences.estimate_jensen_shannon(x, y, steps=steps, seed=seed)
    minimax, _ = generator_gradients(estimate.network, theta, rng.normal(0.0, 1.0, count))
    return {
        "theta": theta,
        "value": 2 * estimate.value - np.log(4),
        "exact_value": 2 * jensen_shannon(theta) - np.log(4),
        "gradient": minimax,
        "exact_gradient": exact_gradient(theta),
    }


def generator_gradients(discriminator, theta, z):
    """Derivatives in theta of the minimax and of the non-saturating loss of the samples theta + z."""
    theta = tf.Variable(theta, dtype="float32")
    with tf.GradientTape(persistent=True) as tape:
        scores = discriminator((theta + tf.constant(z, "float32"))[:, None])
        values = [losses.minimax_generator_loss(scores), losses.non_saturating_generator_loss(scores)]
    return [float(tape.gradient(value, theta)) for value in values]


def jensen_shannon(theta):
    return divergences.gaussian_jensen_shannon(0.0, 1.0, theta, 1.0)


def exact_gradient(theta, width=1e-4):
    """The derivative of 2 JS(N(0, 1), N(theta, 1)) in theta, by a central difference."""
    return (jensen_shannon(theta + width) - jensen_shannon(theta - width)) / width


def descend(steps, count, seed, start=2.5, rate=1.0, discriminator_steps=25, batch_size=512):
    """Trains a GAN with the minimax loss and the generator theta + z.

    Returns:
        Array `(steps + 1, 2)`: theta, and theta of gradient descent on 2 JS itself, with the same learning rate.
    """
    rng = np.random.default_rng([seed, 2])
    x = rng.normal(0.0, 1.0, count)
    ratio = divergences.estimate_density_ratio(x, start + rng.normal(0.0, 1.0, count), steps=500, seed=seed)
    latents = keras.Input((1,))
    shift = Shift(start)
    gan = ganzoo.GAN(keras.Model(latents, shift(latents)), ratio.discriminator, minimax=True, seed=seed)
    gan.compile(keras.optimizers.SGD(rate), keras.optimizers.Adam(1e-3, beta_1=0.5))
    train_discriminator = tf.function(gan.critic_step, autograph=False)

    def batch():
        return rng.choice(x, (batch_size, 1)).astype("float32")

    exact, path = start, [(start, start)]
    for _ in range(steps):
        for _ in range(discriminator_steps - 1):
            train_discriminator(tf.constant(batch()))
        gan.train_on_batch(batch())  # Another update of the discriminator, and the generator's.
        exact -= rate * exact_gradient(exact)
        path.append((float(shift.theta), exact))
    return np.array(path)


class Shift(keras.layers.Layer):
    """z -> theta + z, with the single weight theta."""

    def __init__(self, theta):
        super().__init__()
        self.theta = self.add_weight(shape=(), initializer=keras.initializers.Constant(theta))

    def call(self, z):
        return self.theta + z


# === Showing it ===


def report(results):
    """Prints the numbers."""
    true, found = results["true_at_samples"], results["at_samples"]
    print("The plane, 10,000 fresh points of p and q:")
    print(f"  correlation of the log ratios     {np.corrcoef(true, found)[0, 1]:.4f}")
    common = true > -3
    print(f"  the same above -3, {common.mean():.0%} of them   {np.corrcoef(true[common], found[common])[0, 1]:.4f}")
    print(f"  median absolute error             {np.median(np.abs(true - found)):.3f}")
    print(f"  loss above its minimum, half      {results['excess']:.5f} nats")
    print(f"  E_q of the ratio, exactly 1       {results['mass']:.3f}")
    print("Theta   value of the game  2 JS - log 4    gradient in theta  that of 2 JS")
    for row in results["game"]:
        print(
            f"{row['theta']:5.1f} {row['value']:19.4f} {row['exact_value']:13.4f} {row['gradient']:20.4f} "
            f"{row['exact_gradient']:13.4f}"
        )
    theta, exact = results["descent"][-1]
    print(f"After {len(results['descent']) - 1} steps: theta = {theta:.3f} of the GAN, {exact:.3f} of descent on 2 JS")


def draw(results, path):
    """Maps of the ratio, their agreement, the game's value, its gradient, and the descent."""
    figure, ((true, found, both), (value, gradient, descent)) = figures.new(2, 3, height=6.6)
    side = results["side"]
    levels = [-6, -5, -4, -3, -2, -1, 0, 0.5, 1, 1.5, 2]
    for axes, name, title in ((true, "true_map", "log p/q, exact"), (found, "map", "log D/(1-D), trained")):
        clipped = np.clip(results[name], -6, 2)
        filled = axes.contourf(side, side, clipped, levels, cmap=figures.DIVERGING, norm=TwoSlopeNorm(0, -6, 2))
        axes.contour(side, side, clipped, [0.0], colors=figures.BLACK, linewidths=1)
        axes.set(title=title, xlabel="x$_1$", ylabel="x$_2$", aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    figure.colorbar(filled, ax=[true, found], shrink=0.75, label="nats, cut at -6; black line: 0", location="bottom")
    both.plot(results["true_at_samples"], results["at_samples"], ".", color=figures.BLUE, markersize=2, alpha=0.2)
    ends = (-12, 3)
    both.plot(ends, ends, color=figures.BLACK, linewidth=1, label="equal")
    both.set(
        xlim=ends, ylim=ends, title="at samples of p and q", xlabel="log p/q, exact (nats)", ylabel="log D/(1-D) (nats)"
    )
    figures.legend(both)

    theta = [row["theta"] for row in results["game"]]
    fine = np.linspace(min(theta), max(theta), 161)
    value.plot(fine, [2 * jensen_shannon(t) - np.log(4) for t in fine], color="0.6", linewidth=4, label="2 JS - log 4")
    value.plot(theta, [row["value"] for row in results["game"]], "o", color=figures.VERMILION, label="trained D")
    value.set(title="value of the game", xlabel=r"$\theta$, mean of q", ylabel="nats")
    gradient.plot(fine, [exact_gradient(t) for t in fine], color="0.6", linewidth=4, label="d/dθ 2 JS")
    gradient.plot(theta, [row["gradient"] for row in results["game"]], "o", color=figures.VERMILION, label="through D")
    gradient.set(title="generator's gradient", xlabel=r"$\theta$, mean of q", ylabel="nats per unit of θ")
    descent.plot(results["descent"][:, 1], color="0.6", linewidth=4, label="descent on 2 JS")
    descent.plot(results["descent"][:, 0], color=figures.VERMILION, label="GAN")
    descent.set(title="the generator learns", xlabel="step", ylabel=r"$\theta$")
    for axes in (value, gradient, descent):
        figures.legend(axes)
    figures.save(figure, path)


def main(options):
    """Trains, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "density_ratio.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
