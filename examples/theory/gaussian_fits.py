"""KL, reverse KL and Jensen-Shannon of Gaussians, and which Gaussian each divergence fits to two modes.

Claim: KL is not symmetric. As a loss for q, KL(p || q) makes q cover all modes of p, and KL(q || p) makes it seek a
single mode. The Jensen-Shannon divergence is bounded and stands between them. Sources: Goodfellow, 2016
(arXiv:1701.00160), Section 3.2.5 and Figure 14. Bishop, "Pattern Recognition and Machine Learning", 2006, Section
10.1.2.

    python examples/theory/gaussian_fits.py --output_dir docs/images/theory
"""

from pathlib import Path

import figures
import numpy as np
from absl import app, flags
from scipy import optimize

from ganzoo import divergences

# The line as cells of 0.01: a density is the distribution of its probabilities over them.
CELLS = np.linspace(-20, 20, 4001)
MODES, STD = np.array([-3.0, 3.0]), 0.7
CLOSER = np.array([-2.0, 2.0])
DIVERGENCES = {
    "KL(p || q)": divergences.kl,
    "KL(q || p)": divergences.reverse_kl,
    "JS(p, q)": divergences.jensen_shannon,
}
COLOUR = {"KL(p || q)": figures.BLUE, "KL(q || p)": figures.VERMILION, "JS(p, q)": figures.GREEN}


def gaussian(mean, std):
    """The probabilities of the cells."""
    weights = np.exp(-(((CELLS - mean) / std) ** 2) / 2)
    return weights / weights.sum()


def compute(seed=0):
    """Divergences over the distance and the width of a second Gaussian, and fits to two modes. Nothing is random."""
    p, closer = (np.mean([gaussian(mean, STD) for mean in modes], axis=0) for modes in (MODES, CLOSER))
    means = np.linspace(-5, 5, 61)
    return {
        "shifts": over(np.linspace(0, 6, 61), lambda shift: (shift, 1.0)),
        "widths": over(np.geomspace(0.25, 4, 61), lambda width: (0.0, width**2)),
        "p": p,
        "fits": {name: fits(p, divergence) for name, divergence in DIVERGENCES.items()},
        "fits of closer modes": {"JS(p, q)": fits(closer, divergences.jensen_shannon)},
        "means": means,
        "profiles": {name: profile(p, divergence, means) for name, divergence in DIVERGENCES.items()},
    }


def over(values, second):
    """The divergences of p = N(0, 1) from q, whose mean and variance are functions of a value."""
    return {
        "values": values,
        "KL(p || q)": np.array([divergences.gaussian_kl(0.0, 1.0, *second(value)) for value in values]),
        "KL(q || p)": np.array([divergences.gaussian_kl(*second(value), 0.0, 1.0) for value in values]),
        "JS(p, q)": np.array([divergences.gaussian_jensen_shannon(0.0, 1.0, *second(value)) for value in values]),
    }


def fits(p, divergence):
    """The local minima of a divergence over q's mean and width, the best first: list of mean, width and value."""
    found = []
    for start in ((0.1, 3.0), (2.5, 1.0), (-2.5, 1.0)):
        result = optimize.minimize(
            lambda q: divergence(p, gaussian(q[0], np.exp(q[1]))),
            [start[0], np.log(start[1])],
            method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-12},
        )
        fit = {"mean": result.x[0], "std": float(np.exp(result.x[1])), "value": result.fun}
        if all(abs(fit["mean"] - other["mean"]) > 1e-3 for other in found):
            found.append(fit)
    return sorted(found, key=lambda fit: (round(fit["value"], 9), -fit["mean"]))


def profile(p, divergence, means):
    """For each mean of q, the least divergence over 61 widths."""
    widths = np.geomspace(0.2, 10, 61)
    return np.array([divergence(p, np.array([gaussian(mean, std) for std in widths])).min() for mean in means])


def in_the_gap(probabilities):
    """The probability between the modes, within 1.5 of their middle."""
    return float(probabilities[np.abs(CELLS) < 1.5].sum())


def report(results):
    """Prints the numbers."""
    for kind, label in (("shifts", "N(%g, 1)"), ("widths", "N(0, %g^2)")):
        table = results[kind]
        for index in (20, 40, 60):
            values = ", ".join(f"{name} {table[name][index]:.4f}" for name in DIVERGENCES)
            print(f"p = N(0, 1), q = {label % round(table['values'][index], 3)}: {values}")
    print(f"p = two modes at {MODES[0]:g} and {MODES[1]:g}; of its mass {in_the_gap(results['p']):.4f} in the gap")
    report_fits(results["fits"])
    print(f"p = two modes at {CLOSER[0]:g} and {CLOSER[1]:g}")
    report_fits(results["fits of closer modes"])


def report_fits(found):
    """Prints the minima of each divergence."""
    for name, local in found.items():
        for rank, fit in enumerate(local):
            gap = in_the_gap(gaussian(fit["mean"], fit["std"]))
            numbers = f"mean {fit['mean']:7.4f}, std {fit['std']:.4f}, value {fit['value']:.4f}, in the gap {gap:.4f}"
            print(f"  {'local' if rank else 'least'} {name}: {numbers}")


def draw(results, path):
    """Draws the divergences of two Gaussians, the fits, and the landscapes over the mean."""
    figure, axes = figures.new(2, 2, height=6.6)
    for each, kind, label in ((axes[0, 0], "shifts", "mean of q"), (axes[0, 1], "widths", "standard deviation of q")):
        for name in DIVERGENCES:
            line = "--" if kind == "shifts" and name == "KL(q || p)" else "-"
            each.plot(results[kind]["values"], results[kind][name], line, color=COLOUR[name], label=name)
        each.axhline(np.log(2), color=figures.GREY, linestyle=":", linewidth=1)
        each.text(0.99, np.log(2), "log 2", color="0.4", va="bottom", ha="right", transform=each.get_yaxis_transform())
        each.set(xlabel=label, ylabel="divergence (nats)", ylim=(0, 3))
        figures.legend(each, loc="upper center" if kind == "widths" else "upper left")
    axes[0, 0].set_title("p = N(0, 1), q shifted: both KL are equal")
    axes[0, 1].set_title("p = N(0, 1), q = N(0, std²): they are not")
    axes[0, 1].set(xscale="log", xticks=[0.25, 0.5, 1, 2, 4], xticklabels=["0.25", "0.5", "1", "2", "4"])
    axes[0, 1].minorticks_off()

    density = 1 / (CELLS[1] - CELLS[0])
    axes[1, 0].fill_between(CELLS, density * results["p"], color="0.85", label="p")
    for name, line in zip(DIVERGENCES, ("-", "-", "--")):
        best = results["fits"][name][0]
        q = gaussian(best["mean"], best["std"])
        axes[1, 0].plot(CELLS, density * q, line, color=COLOUR[name], label=f"least {name}")
    axes[1, 0].set(xlabel="x", ylabel="density", xlim=(-9, 9), ylim=(0, 0.85))
    axes[1, 0].set_title("One Gaussian q for two modes")
    figures.legend(axes[1, 0], loc="upper left")

    for name in DIVERGENCES:
        axes[1, 1].plot(results["means"], results["profiles"][name], color=COLOUR[name], label=name)
        for fit in results["fits"][name]:
            axes[1, 1].plot(fit["mean"], fit["value"], "o", color=COLOUR[name])
    axes[1, 1].set(xlabel="mean of q", ylabel="divergence (nats)", ylim=(0, 2.9))
    axes[1, 1].set_title("The landscape, each mean at its best width")
    figures.legend(axes[1, 1], loc="upper center", ncols=3)
    figures.save(figure, path)


def main(options):
    """Computes, prints and draws."""
    results = compute(options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "gaussian_fits.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
