"""The autoencoder, the VAE and the space between: latents, holes, interpolations, and a bound that knows its gap.

Both models squeeze digits through two latents. The autoencoder only reconstructs. Nothing controls where its latents
lie, so draws from N(0, I) decode to samples of nothing. The VAE pays for latents that stray from N(0, I),

    ELBO = E_q[log p(x|z)] - KL(q(z|x) || p(z)) = log p(x) - KL(q(z|x) || p(z|x))

and the second form shows the gap of the bound. With two latents all terms can be calculated: log p(x) and the true
posterior p(z|x) come from sums over a fine grid of latents.

Sources: Kingma & Welling, 2013 (arXiv:1312.6114), Equations 1 to 3 and Figure 4. Burda et al., 2015
(arXiv:1509.00519), Equation 8, for log p(x) during the training.

    python examples/theory/latent_spaces.py
"""

from pathlib import Path

import figures
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from scipy import special

import ganzoo
from ganzoo import divergences
from ganzoo.callbacks.latent_space import grid_of, quantiles, ranges
from ganzoo.density import likelihoods

COLUMNS = 16  # in the pictures of manifolds
PAIRS = ((0, 1), (4, 9), (3, 8))  # digits between which to interpolate
DIGITS = (figures.BLUE, figures.VERMILION, figures.GREEN, figures.PINK, figures.ORANGE)  # circles, then triangles


def compute(seed=0, epochs=20, hidden=(512, 256, 128), num_likelihoods=100, spacing=0.025):
    """Trains both models on binary digits, and measures their latents.

    Args:
        seed: Integer. Defaults to `0`.
        epochs: Integer. Defaults to `20`.
        hidden: Sizes of the encoders' hidden layers, which the decoders reverse. Defaults to
            `(512, 256, 128)`.
        num_likelihoods: Integer, held-out images whose likelihood is calculated. Defaults to `100`.
        spacing: Float, distance of neighbours in the grid of latents at the end. During the training it is twice as
            large. Defaults to `0.025`.

    Returns:
        Dictionary.
    """
    train, _ = digits("train[:9000]", seed)
    test, labels = digits("train[9000:]", seed + 1)
    settings = {"latent_dim": 2, "hidden": hidden, "seed": seed}
    keras.utils.set_random_seed(seed)
    autoencoder = ganzoo.Autoencoder.from_paper((28, 28, 1), **settings)
    keras.utils.set_random_seed(seed)
    vae = ganzoo.VAE.from_paper((28, 28, 1), activation="relu", kernel_initializer="he_uniform", **settings)
    course = Course(test[:num_likelihoods], 2 * spacing)
    autoencoder.fit(train, batch_size=100, epochs=epochs, verbose=0)
    vae.fit(train, batch_size=100, epochs=epochs, verbose=0, callbacks=[course])
    classifier = ganzoo.metrics.features.DigitsClassifier()
    models = {"autoencoder": autoencoder, "VAE": vae}
    return {
        "labels": labels,
        "models": {name: look_at(model, test, labels, classifier, seed) for name, model in models.items()},
        "course": course.rows,
        "exact": exact_bound(vae, test[:num_likelihoods], spacing),
        "importance_sampled": vae.log_likelihood(test[:num_likelihoods], num_samples=2000),
    }


def digits(split, seed):
    """Binary images in {-1, 1} of a part of `mnist_10k`, in hundreds, and their labels."""
    dataset = ganzoo.data.load("mnist_10k", split=split, shuffle=False, batch_size=100)
    images, labels = (np.concatenate(part) for part in zip(*dataset.as_numpy_iterator()))
    grey = ganzoo.images.to_uint8(images).numpy()
    return ganzoo.data.normalize(ganzoo.data.binarize(grey, seed=seed)), labels


# === The space between ===


def look_at(model, images, labels, classifier, seed):
    """Latents of held-out images, the manifold, decoded draws from the prior, and lines between digits."""
    codes = model.encode(images)
    has_prior = isinstance(codes, tuple)
    codes = codes[0] if has_prior else codes
    rng = np.random.default_rng(seed)
    prior = rng.standard_normal((len(images), 2)).astype("float32")
    decoded = model.decode(prior)
    axes = quantiles(COLUMNS) if has_prior else ranges(codes, COLUMNS)
    real = classifier(images)
    return {
        "codes": codes,
        "axes": axes,
        "manifold": model.decode(grid_of(*axes)),
        "prior_samples": decoded[:32],
        "lines": np.concatenate([line_between(model, images, labels, codes, *pair) for pair in PAIRS]),
        "distance_to_prior": divergences.wasserstein(codes, prior),
        # 1 % of N(0, I) lies beyond this radius.
        "outside": float(np.mean(np.square(codes).sum(axis=1) > -2 * np.log(0.01))),
        "spread": codes.std(axis=0),
        "reconstruction_error": float(np.mean(np.square(images - model.reconstruct(images)))),
        "frechet": ganzoo.metrics.frechet_distance(real, classifier(decoded)).value,
        "frechet_reconstructed": ganzoo.metrics.frechet_distance(real, classifier(model.reconstruct(images))).value,
        "entropy": entropy_of_digits(classifier, decoded),
    }


def line_between(model, images, labels, codes, first, second, count=10):
    """Decoded latents on the straight line from one digit to another, both ends as they are."""
    start, end = (int(np.flatnonzero(labels == digit)[0]) for digit in (first, second))
    share = np.linspace(0, 1, count, dtype="float32")[:, None]
    decoded = model.decode((1 - share) * codes[start] + share * codes[end])
    return np.concatenate([images[start : start + 1], decoded, images[end : end + 1]])


def entropy_of_digits(classifier, images):
    """The entropy of the shares of digits that a classifier reads, in nats: log 10 = 2.303 if all are equal."""
    shares = np.bincount(classifier.logits(images).argmax(axis=1), minlength=10) / len(images)
    return float(special.entr(shares).sum())


# === The bound ===


class Course(keras.callbacks.Callback):
    """Keeps the bound of some images after each epoch, as a row of means."""

    def __init__(self, images, spacing):
        super().__init__()
        self.images = images
        self.spacing = spacing
        self.rows = []

    def on_epoch_end(self, epoch, logs=None):
        found = exact_bound(self.model, self.images, self.spacing)
        names = ("elbo", "kl_to_prior", "log_likelihood", "gap")
        self.rows.append({"epoch": epoch + 1, **{name: found[name].mean() for name in names}})


def elbo_of(vae, images, draws, seed=0):
    """The ELBO of each image, the mean over draws, and its KL divergence from the prior, which is exact."""
    mean, log_variance = vae.encode(images)
    rng = np.random.default_rng(seed)
    total = np.zeros(len(images))
    for _ in range(draws):
        noise = rng.standard_normal(mean.shape).astype("float32")
        total += np.asarray(vae.log_prob(images, tf.constant(mean + np.exp(log_variance / 2) * noise)))
    kl = np.asarray(likelihoods.kl_from_prior(mean, log_variance), "float64")
    return total / draws - kl, kl


def exact_bound(vae, images, spacing, draws=200):
    """log p(x) and KL(q(z|x) || p(z|x)) for each image, by sums over a grid of latents.

        p(x) = sum_z p(x|z) N(z; 0, I) h^2,    p(z|x) = p(x|z) N(z; 0, I) / p(x)

    The ELBO beside them comes from random draws, and does not use the grid.
    """
    mean, log_variance = (part.astype("float64") for part in vae.encode(images))
    reach = max(4.5, float(np.max(np.abs(mean) + 6 * np.exp(log_variance / 2))))
    line = np.arange(-reach, reach + spacing, spacing)
    joint = log_joint(vae, images, line)
    log_evidence = special.logsumexp(joint, axis=0) + 2 * np.log(spacing)
    gaps = []
    for index in range(len(images)):
        parts = [
            -np.square(line - m) / (2 * np.exp(v)) - (v + np.log(2 * np.pi)) / 2
            for m, v in zip(mean[index], log_variance[index])
        ]
        log_q = (parts[0][:, None] + parts[1]).ravel()
        log_posterior = joint[:, index] - log_evidence[index]
        gaps.append(np.sum(np.exp(log_q) * (log_q - log_posterior)) * spacing**2)
    elbo, kl = elbo_of(vae, images, draws)
    return {
        "elbo": elbo,
        "kl_to_prior": kl,
        "log_likelihood": log_evidence,
        "gap": np.array(gaps),
        "narrowest": float(np.exp(log_variance / 2).min()),
        "spacing": spacing,
    }


def log_joint(vae, images, line):
    """log p(x|z) + log N(z; 0, I) for all pairs of a grid's latents and images: `(len(line)^2, images)`."""
    bits = (images.reshape(len(images), -1) + 1) / 2
    parts = []
    for first in line:
        latents = np.stack([np.full_like(line, first), line], axis=1).astype("float32")
        logits = np.asarray(vae.decoder(latents, training=False)).reshape(len(line), -1)
        log_prob = logits @ bits.T - np.logaddexp(0, logits).sum(axis=1, keepdims=True)
        log_prior = -(first**2 + line**2) / 2 - np.log(2 * np.pi)
        parts.append(log_prob + log_prior[:, None])
    return np.concatenate(parts).astype("float64")


# === Showing it ===


def report(results):
    """Prints the numbers."""
    for name, found in results["models"].items():
        print(f"{name}, held-out images")
        print(
            f"  latents: standard deviations {found['spread'][0]:.2f} and {found['spread'][1]:.2f}; beyond the 99 % "
            f"circle of N(0, I): {found['outside']:.1%}; Wasserstein distance from it {found['distance_to_prior']:.2f}"
        )
        print(
            f"  reconstructions: mean squared error {found['reconstruction_error']:.3f}, Frechet distance "
            f"(DigitsClassifier) {found['frechet_reconstructed']:.1f}"
        )
        print(
            f"  decoded draws from N(0, I): Frechet distance {found['frechet']:.1f}; entropy of their digits "
            f"{found['entropy']:.2f} of {np.log(10):.2f}"
        )
    exact, sampled = results["exact"], results["importance_sampled"]
    rest = exact["log_likelihood"] - exact["elbo"] - exact["gap"]
    print("The bound of the VAE, nats for an image, mean over held-out ones")
    print(f"  ELBO, by random draws                {exact['elbo'].mean():.2f}")
    print(f"  log p(x), on a grid of latents       {exact['log_likelihood'].mean():.2f}")
    gaps = exact["gap"]
    print(f"  KL(q || posterior), on the same grid {gaps.mean():.2f} (median {np.median(gaps):.2f})")
    print(f"  log p(x) - ELBO - KL                 {rest.mean():+.3f} +- {rest.std() / len(rest) ** 0.5:.3f}")
    missed = exact["log_likelihood"] - sampled
    print(
        f"  log p(x), by 2,000 importance samples {sampled.mean():.2f}; {np.mean(missed > 1):.0%} of the images "
        "miss more than 1 nat"
    )
    print(f"  narrowest q: {exact['narrowest']:.3f}, spacing of the grid: {exact['spacing']}")


def draw(results, path):
    """Latents, manifolds, samples and lines of both models, side by side."""
    figure, axes = figures.new(4, 2, height=13.2, height_ratios=(1.0, 1, 0.5, 0.28))
    for column, (name, found) in enumerate(results["models"].items()):
        scatter, manifold, samples, lines = axes[:, column]
        for digit in range(10):
            chosen = found["codes"][results["labels"] == digit]
            scatter.plot(*chosen.T, "o^"[digit // 5], color=DIGITS[digit % 5], markersize=3, label=str(digit))
            scatter.text(
                *np.median(chosen, axis=0),
                str(digit),
                fontsize="large",
                weight="bold",
                ha="center",
                bbox={"facecolor": "white", "alpha": 0.7, "pad": 1, "edgecolor": "none"},
            )
        angles, radius = np.linspace(0, 2 * np.pi, 100), np.sqrt(-2 * np.log(0.01))
        scatter.plot(radius * np.cos(angles), radius * np.sin(angles), color=figures.BLACK, label="99 % of N(0, I)")
        scatter.set(title=f"{name}: latents of held-out digits", xlabel="first latent", ylabel="second latent")
        scatter.set(aspect="equal")
        horizontal, vertical = found["axes"]
        manifold.imshow(ganzoo.images.grid(found["manifold"], COLUMNS, padding=0, scale=1), cmap="gray")
        where = f"{horizontal[0]:.1f} to {horizontal[-1]:.1f}, {vertical[0]:.1f} to {vertical[-1]:.1f}"
        manifold.set(title=f"decoded grid of latents, {where}")
        samples.imshow(ganzoo.images.grid(found["prior_samples"], 8, padding=1, scale=1), cmap="gray")
        samples.set(title="decoded draws from N(0, I)")
        lines.imshow(ganzoo.images.grid(found["lines"], 12, padding=1, scale=1), cmap="gray")
        lines.set(title="from digit to digit; the ends are data")
        for plot in (manifold, samples, lines):
            plot.set_axis_off()
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=6, markerscale=2, frameon=False, fontsize="small")
    figures.save(figure, path)


def draw_bound(results, path):
    """ELBO and its gap, stacked, over the epochs."""
    figure, axes = figures.new(height=3.8)
    rows = results["course"]
    epochs, elbo, kl, likelihood = (
        np.array([row[name] for row in rows]) for name in ("epoch", "elbo", "kl_to_prior", "log_likelihood")
    )
    axes.fill_between(epochs, elbo, likelihood, color=figures.SKY, label="KL(q(z|x) || p(z|x)), what the bound misses")
    axes.plot(epochs, likelihood, color=figures.BLACK, label="log p(x), on a grid of latents")
    axes.plot(epochs, elbo, color=figures.VERMILION, label="ELBO, by random draws")
    axes.plot(epochs, elbo + kl, "--", color=figures.GREEN, label="E[log p(x|z)] = ELBO + KL(q(z|x) || p(z))")
    axes.set(xlabel="epoch", ylabel="nats for a held-out image", title="VAE with two latents, binary digits")
    axes.set_xticks(epochs[::2])
    figures.legend(axes, loc="lower right")
    figures.save(figure, path)


def main(options):
    """Trains, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    folder = Path(options.output_dir)
    draw(results, folder / "latent_spaces.png")
    draw_bound(results, folder / "latent_spaces_bound.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
