"""The smallest game: gradient steps on L(a, b) = a b spiral out, orbit, or converge, as their eigenvalues say.

a minimises, b maximises, and the only equilibrium is (0, 0). A WGAN with data at 0, a critic f(x) = a x and a
generator that makes the point b plays exactly this game.

    simultaneous    a <- a - h b,   b <- b + h a
    alternating     a <- a - h b,   b <- b + h a, with the new a
    averaged        the mean of the alternating iterates so far
    optimistic      each gradient g becomes 2 g - (the gradient of the step before)
    penalised       simultaneous, and a descends L + gamma a^2 / 2: R1, the squared gradient of its critic

Source: Gidel et al., 2018 (arXiv:1802.10551), Section 3, for the spiral, the orbit and the average; Daskalakis et al.,
2017 (arXiv:1711.00141), for optimism; Mescheder et al., 2018 (arXiv:1801.04406), Sections 2 to 4, for the game as a
GAN, its eigenvalues and the penalty.

    python examples/theory/bilinear_game.py
"""

from pathlib import Path

import figures
import keras
import numpy as np
from absl import app, flags
from scipy import optimize

import ganzoo

START = np.array([1.0, 0.0])
RATE, GAMMA, STEPS = 0.2, 1.0, 60
NAMES = ("simultaneous", "alternating", "averaged", "optimistic", "penalised")
COLOURS = dict(zip(NAMES, (figures.VERMILION, figures.BLUE, figures.PINK, figures.GREEN, figures.BLACK)))


def compute(rate=RATE, gamma=GAMMA, steps=STEPS, long=2000, rates=None):
    """All five paths, their rates as predicted and as observed, and the path of a WGAN.

    Args:
        rate: Float, the learning rate h. Defaults to `0.2`.
        gamma: Float, weight of the penalty. Defaults to `1.0`.
        steps: Integer, steps of the paths that are drawn. Defaults to `60`.
        long: Integer, steps of the paths whose rate is measured. Defaults to `2000`.
        rates: Array, learning rates for which rates are measured. Defaults to 16 values from 0.02 to 0.62.

    Returns:
        Dictionary.
    """
    rates = np.linspace(0.02, 0.62, 16) if rates is None else np.asarray(rates)
    methods = [name for name in NAMES if name != "averaged"]
    return {
        "rate": rate,
        "gamma": gamma,
        "paths": {name: play(name, rate, gamma, steps) for name in NAMES},
        "predicted": {name: predicted_factor(name, rate, gamma) for name in methods},
        "observed": {name: observed_factor(play(name, rate, gamma, long)) for name in methods},
        "power": power_of_average(play("averaged", rate, gamma, long)),
        "largest_optimistic_rate": optimize.brentq(lambda h: predicted_factor("optimistic", h) - 1, 0.5, 0.7),
        "rates": rates,
        "fine_rates": (fine := np.union1d(rates, np.linspace(rates.min(), rates.max(), 200))),
        "predicted_over_rates": {name: [predicted_factor(name, h, gamma) for h in fine] for name in methods},
        "observed_over_rates": {name: [observed_factor(play(name, h, gamma, long)) for h in rates] for name in methods},
        "wgan": play_as_wgan(rate, steps),
    }


# === The game ===


def play(name, rate, gamma, steps, start=START):
    """The iterates of a method, `(steps + 1, 2)`, by its update: no matrix, no closed form."""
    if name == "averaged":
        path = play("alternating", rate, gamma, steps, start)
        return np.cumsum(path, axis=0) / np.arange(1, steps + 2)[:, None]
    (a, b), path = start, [start]
    last = gradients(a, b)
    for _ in range(steps):
        now = gradients(a, b, gamma if name == "penalised" else 0.0)
        if name == "alternating":
            a = a - rate * now[0]
            b = b + rate * gradients(a, b)[1]
        else:
            used = 2 * now - last if name == "optimistic" else now
            a, b = a - rate * used[0], b + rate * used[1]
        last = now
        path.append(np.array([a, b]))
    return np.array(path)


def gradients(a, b, gamma=0.0):
    """The derivative of `a b + gamma a^2 / 2` in a, and that of `a b` in b."""
    return np.array([b + gamma * a, a])


# === The theory ===


def update_matrix(name, rate, gamma):
    """The linear map of one step: of (a, b); for the optimistic one of (a, b) and the (a, b) of the step before."""
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    identity = np.eye(2)
    if name == "simultaneous":
        return identity + rate * turn
    if name == "alternating":
        return np.array([[1.0, -rate], [rate, 1.0 - rate**2]])
    if name == "penalised":
        return identity + rate * (turn - np.diag([gamma, 0.0]))
    return np.block([[identity + 2 * rate * turn, -rate * turn], [identity, np.zeros((2, 2))]])


def predicted_factor(name, rate, gamma=GAMMA):
    """The largest absolute eigenvalue of a step: by which the distance to (0, 0) is multiplied in the long run."""
    return np.abs(np.linalg.eigvals(update_matrix(name, rate, gamma))).max()


def observed_factor(path):
    """The factor per step of a path, from a straight line through the logarithms of its distances.

    Only its second half, so that what decays faster is gone, and only where the distance is a normal number.
    """
    distances = np.linalg.norm(path, axis=1)
    normal = np.flatnonzero((distances > 1e-250) & (distances < 1e250))
    steps = normal[len(normal) // 2 :]
    return np.exp(np.polyfit(steps, np.log(distances[steps]), 1)[0])


def power_of_average(path):
    """The exponent p of a distance that falls as steps^p: the slope of the upper ends of its waves, log to log."""
    distances = np.linalg.norm(path, axis=1)
    counts = np.arange(1, len(distances) + 1)
    tops = np.flatnonzero((distances[1:-1] > distances[:-2]) & (distances[1:-1] > distances[2:])) + 1
    tops = tops[len(tops) // 2 :]
    return np.polyfit(np.log(counts[tops]), np.log(distances[tops]), 1)[0]


# === The same game, played by the library ===


def play_as_wgan(rate, steps, start=START, clip_value=1e3):
    """The path `(steps + 1, 2)` of a `ganzoo.WGAN` with data at 0, the critic f(x) = a x, and the sample b.

    Its loss of the critic is a b, and that of the generator -a b; the critic moves first. Bounds of 1,000 never clip.
    """
    networks = constant_generator(start[1]), linear_critic(start[0])
    model = ganzoo.WGAN(*networks, clip_value=clip_value, discriminator_steps=1)
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    path = [start]
    for _ in range(steps):
        model.train_on_batch(np.zeros((1, 1), "float32"))
        weights = (*model.discriminator.get_weights(), *model.generator.get_weights())
        path.append(np.array([float(weight.squeeze()) for weight in weights]))
    return np.array(path)


def constant_generator(sample):
    """A network with one weight, which is its sample, whatever the latents are."""
    latents = keras.Input((1,))
    one = keras.layers.Rescaling(0.0, offset=1.0)(latents)
    return keras.Model(latents, one_weight(sample)(one))


def linear_critic(slope):
    """A network with one weight: x -> slope x."""
    sample = keras.Input((1,))
    return keras.Model(sample, one_weight(slope)(sample))


def one_weight(value):
    return keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(value))


# === Showing it ===


def report(results):
    """Prints the numbers."""
    print(f"Learning rate {results['rate']}, weight of the penalty {results['gamma']}")
    for name, predicted in results["predicted"].items():
        print(f"  {name:<13} factor per step: eigenvalue {predicted:.6f}, observed {results['observed'][name]:.6f}")
    print(f"  {'averaged':<13} distance falls as steps^p: p = {results['power']:.4f}")
    print(f"  optimistic steps converge up to the learning rate {results['largest_optimistic_rate']:.4f}")
    error = np.abs(results["wgan"] - results["paths"]["alternating"]).max()
    print(
        f"  ganzoo.WGAN against the alternating path, {len(results['wgan']) - 1} steps: largest difference {error:.1e}"
    )


def draw(results, path):
    """Paths in the plane, distances over the steps, and factors over the learning rate."""
    figure, (plane, distances, factors) = figures.new(1, 3, height=4.2, width_ratios=(1.25, 1, 1))
    for name in NAMES:
        points, color = results["paths"][name], COLOURS[name]
        plane.plot(*points.T, color=color, linewidth=1.4, label=name)
        distances.semilogy(np.linalg.norm(points, axis=1), color=color)
    plane.plot(*results["wgan"][::4].T, "o", color=figures.BLUE, fillstyle="none", markersize=5, label="ganzoo.WGAN")
    plane.plot(0, 0, "+", color=figures.BLACK, markersize=12, markeredgewidth=2)
    plane.set(title="paths; + is the equilibrium", xlabel="a, minimises", ylabel="b, maximises")
    plane.set_aspect("equal")
    steps = np.arange(len(points))
    for name, factor in results["predicted"].items():
        distances.semilogy(steps, factor**steps, color=COLOURS[name], linestyle=":", linewidth=2.5, alpha=0.6)
    distances.set(title="distance from (0, 0),\ndotted: |eigenvalue|$^{step}$", xlabel="step", ylabel="distance")
    for name, predicted in results["predicted_over_rates"].items():
        factors.plot(results["fine_rates"], predicted, color=COLOURS[name])
        factors.plot(results["rates"], results["observed_over_rates"][name], "o", color=COLOURS[name], markersize=4)
    factors.set(title="line: largest |eigenvalue|,\ndot: observed", xlabel="learning rate", ylabel="factor per step")
    figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize="small")
    figures.save(figure, path)


def draw_motion(results, path, every=2):
    """The paths as they grow."""
    frames = []
    for step in range(0, len(results["paths"]["averaged"]), every):
        figure, plane = figures.new(height=4.4, width=6.2)
        for name in NAMES:
            points = results["paths"][name][: step + 1]
            plane.plot(*points.T, color=COLOURS[name], linewidth=1)
            plane.plot(*points[-1], "o", color=COLOURS[name], markersize=8, label=name)
        plane.plot(0, 0, "+", color=figures.BLACK, markersize=12)
        plane.set(
            xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), xlabel="a, minimises", ylabel="b, maximises", title=f"step {step}"
        )
        plane.set_aspect("equal")
        figures.legend(plane, loc="center left", bbox_to_anchor=(1.02, 0.5))
        frames.append(figure)
    figures.save_gif(path, frames, colours=64)


def main(options):
    """Plays the game, prints the rates and draws."""
    results = compute()
    report(results)
    folder = Path(options.output_dir)
    draw(results, folder / "bilinear_game.png")
    draw_motion(results, folder / "bilinear_game.gif")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
