"""The earth mover's distance: the plan, its work, and the potential that proves the plan optimal.

Claim: the least work that turns pile p into pile q is the largest difference of means that a function with slope at
most 1 can have between them (Kantorovich and Rubinstein). Sources: Arjovsky et al., 2017 (arXiv:1701.07875), Equations
1 and 2. Peyré and Cuturi, 2018 (arXiv:1803.00567), Sections 2.3 and 2.5.

    python examples/theory/earth_mover.py --output_dir docs/images/theory
"""

from pathlib import Path

import figures
import numpy as np
from absl import app, flags
from scipy.spatial.distance import cdist

from ganzoo import divergences


def compute(seed=0, num_samples=24, regularization=0.5):
    """Two piles on a line, and two clouds of points in the plane: plans, potentials and their values."""
    return {"line": on_the_line(regularization), "plane": in_the_plane(seed, num_samples)}


def on_the_line(regularization):
    """A pile that becomes two, on 12 places a metre apart."""
    places = np.arange(12.0)
    p = np.array([0, 0, 0, 1, 3, 5, 6, 4, 1, 0, 0, 0]) / 20
    q = np.array([1, 3, 4, 2, 0, 0, 0, 0, 1, 4, 3, 2]) / 20
    cost = np.abs(places[:, None] - places)
    plan, work = divergences.optimal_transport(cost, p, q)
    (f, g), value = divergences.kantorovich_dual(cost, p, q)
    _, blurred = divergences.sinkhorn(cost, p, q, regularization)
    return {
        "places": places,
        "p": p,
        "q": q,
        "cost": cost,
        "plan": plan,
        "potential": f,
        "other_potential": g,
        "work": work,
        "dual": value,
        "work of quantiles": divergences.wasserstein_1d(places, places, x_weights=p, y_weights=q),
        "area between distribution functions": float(np.abs(np.cumsum(p - q)).sum()),
        "work of the blurred plan": blurred,
        "work without a plan": float(p @ cost @ q),
    }


def in_the_plane(seed, num_samples):
    """A cloud of points that becomes two."""
    rng = np.random.default_rng(seed)
    x = rng.normal([-1.2, 0.0], 0.45, size=(num_samples, 2))
    centers = np.array([[1.0, 1.1], [1.3, -0.9]])[np.arange(num_samples) % 2]
    y = rng.normal(centers, 0.3)
    masses = np.full(num_samples, 1 / num_samples)
    plan, work = divergences.optimal_transport(cdist(x, y), masses, masses)
    (_, g), value = divergences.kantorovich_dual(cdist(x, y), masses, masses)

    def critic(points):
        """The potential everywhere: the steepest function of slope 1 that never pays more than a way is long."""
        return (cdist(points, y) - g).min(axis=1)

    return {
        "x": x,
        "y": y,
        "plan": plan,
        "critic": critic,
        "work": work,
        "dual": value,
        "difference of means": float(critic(x).mean() - critic(y).mean()),
    }


def report(results):
    """Prints the numbers."""
    line, plane = results["line"], results["plane"]
    slopes = np.abs(np.diff(line["potential"])) / np.diff(line["places"])
    print("Two piles on the line")
    for name in ("work", "dual", "work of quantiles", "area between distribution functions"):
        print(f"  {name:<38}{line[name]:.6f}")
    for name in ("work of the blurred plan", "work without a plan"):
        print(f"  {name:<38}{line[name]:.6f}")
    print(f"  largest slope of the potential        {slopes.max():.6f}")
    print("Two clouds in the plane")
    for name in ("work", "dual", "difference of means"):
        print(f"  {name:<38}{plane[name]:.6f}")


def draw(results, path):
    """Draws flows, the plan, the potential, and the clouds with the critic's level lines."""
    figure, axes = figures.new(2, 2, height=7.2, width_ratios=[1.25, 1])
    line = results["line"]
    draw_flows(axes[0, 0], line)
    draw_plan(figure, axes[0, 1], line)
    draw_potential(axes[1, 0], line)
    draw_clouds(figure, axes[1, 1], results["plane"])
    figures.save(figure, path)


def draw_flows(axes, line):
    """Pile p upwards, pile q downwards, and the flows between them."""
    places, scale, gap = line["places"], 3.0, 1.6
    for mass, bottom, sign, color, name in (
        (line["p"], gap, 1, figures.BLUE, "pile p"),
        (line["q"], 0, -1, figures.ORANGE, "pile q"),
    ):
        bars = axes.bar(places, sign * scale * mass, 0.8, bottom=bottom, color=color, label=f"{name}, with its mass")
        axes.bar_label(bars, [f"{part:.2f}".lstrip("0") if part else "" for part in mass], fontsize="x-small")
    for i, j in zip(*np.nonzero(line["plan"] > 1e-9)):
        width = 30 * line["plan"][i, j]
        axes.plot([places[i], places[j]], [gap, 0], color=figures.BLACK, alpha=0.45, linewidth=width, zorder=0)
    axes.set(xlabel="place (m)", xticks=places, yticks=[], ylim=(-1.15, 3.1))
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_title(
        f"The plan: lines as thick as the mass they carry\nwork = sum of mass times way = {line['work']:.2f} m"
    )
    figures.legend(axes, loc="upper right")


def draw_plan(figure, axes, line):
    """The plan as a matrix."""
    image = axes.imshow(np.where(line["plan"] > 1e-9, line["plan"], np.nan), origin="lower", cmap="cividis_r", vmin=0)
    axes.plot(line["places"], line["places"], color=figures.GREY, linewidth=0.8)
    figure.colorbar(image, ax=axes, label="mass", shrink=0.85)
    axes.set(xlabel="to place (m)", ylabel="from place (m)", xticks=line["places"], yticks=line["places"])
    axes.grid(False)
    axes.set_title("The same plan as a matrix\nits rows sum to p, its columns to q")


def draw_potential(axes, line):
    """The potential, and lines of slope 1."""
    places = line["places"]
    for offset in range(-24, 25, 2):
        axes.plot(places, offset + places, color="0.9", linewidth=0.8, zorder=0)
        axes.plot(places, offset - places, color="0.9", linewidth=0.8, zorder=0)
    f = line["potential"]
    axes.plot(places, f, "o-", color=figures.GREEN, label="potential f of p")
    axes.plot(places, -line["other_potential"], "x", color=figures.BLACK, markersize=8, label="-g, of q")
    axes.set(xlabel="place (m)", ylabel="f (m)", xticks=places, ylim=(f.min() - 1.5, f.max() + 1.5))
    axes.grid(False)
    axes.set_title(f"The potential: grey lines have slope 1\nE_p[f] - E_q[f] = {line['dual']:.2f} m, the work again")
    figures.legend(axes, loc="lower center")


def draw_clouds(figure, axes, plane):
    """Both clouds, the way of each point, and the level lines of the potential."""
    x, y = plane["x"], plane["y"]
    ticks = np.linspace(-2.6, 2.6, 200)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    values = plane["critic"](grid.reshape(-1, 2)).reshape(200, 200)
    values -= np.median(values)
    lines = axes.contourf(ticks, ticks, values, levels=16, cmap=figures.SEQUENTIAL, alpha=0.75)
    figure.colorbar(lines, ax=axes, label="potential", shrink=0.85)
    for i, j in zip(*np.nonzero(plane["plan"] > 1e-9)):
        axes.plot(*np.stack([x[i], y[j]]).T, color=figures.VERMILION, linewidth=0.9)
    axes.scatter(*x.T, s=16, color=figures.BLUE, edgecolor="white", linewidth=0.6, label="p", zorder=3)
    axes.scatter(*y.T, s=16, color=figures.ORANGE, edgecolor="white", linewidth=0.6, label="q", zorder=3)
    axes.set(aspect="equal", xlabel="x$_1$", ylabel="x$_2$")
    axes.set_title(f"In the plane: work {plane['work']:.3f},\ndifference of means {plane['difference of means']:.3f}")
    axes.legend(fontsize="small", loc="lower left", framealpha=0.85)


def main(options):
    """Computes, prints and draws."""
    results = compute(options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "earth_mover.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
