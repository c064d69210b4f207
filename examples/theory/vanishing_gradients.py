"""The better the discriminator, the smaller the gradient of the minimax loss.

A GAN trains on MNIST for 1, 10 and 25 epochs. Each of the three generators is then frozen. A new discriminator and a
new critic train against it, and every few updates the script measures the gradient that the generator would get:

    minimax          E[log(1 - D(G(z)))]    gradient of a sample: -D(x) grad s(x),          D = sigmoid(s)
    non-saturating   -E[log D(G(z))]        gradient of a sample: -(1 - D(x)) grad s(x)
    Wasserstein      -E[f(G(z))]            gradient of a sample: -grad f(x)

The script also shows log(1 - D) in float32 when D rounds to 1, and how logits avoid the failure.

Source: Arjovsky and Bottou, 2017 (arXiv:1701.04862), Theorem 2.4, Figures 1 to 3 and Section 2.2.2.

    python examples/theory/vanishing_gradients.py
"""

from pathlib import Path

import figures
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import ganzoo
from ganzoo import losses

EPOCHS = (1, 10, 25)
STEPS = 4000
BATCH_SIZE = 64
LATENT_DIM = 64
# Batches of latents for each measurement of a gradient: for its mean, and its spread.
MEASURED = 8


def compute(seed=0, epochs=EPOCHS, steps=STEPS, hidden=(128, 128), batch_size=BATCH_SIZE):
    """The gradients over the discriminator's updates, for each generator, and the cross entropy in float32.

    Args:
        seed: Integer. Defaults to `0`.
        epochs: Integers, passes over 10,000 images after which the generator is frozen. Default to 1, 10 and 25.
        steps: Integer, updates of the new discriminator and critic. Defaults to `4000`.
        hidden: Sizes of the hidden layers of all networks. Defaults to `(128, 128)`.
        batch_size: Integer. Defaults to `64`.

    Returns:
        Dictionary.
    """
    keras.utils.set_random_seed(seed)
    data = ganzoo.data.load("mnist_10k", batch_size=batch_size, seed=seed)
    images = np.concatenate([np.asarray(batch) for batch, _ in data])
    gan = ganzoo.GAN.from_paper((28, 28, 1), latent_dim=LATENT_DIM, hidden=hidden, seed=seed)
    per_epoch, curves = len(images) // batch_size, {}
    for count in epochs:
        updates = count * per_epoch - gan.steps_done
        gan.fit(data, epochs=1, steps_per_epoch=updates, verbose=0)
        curves[count] = probe(gan.generator, images, steps, hidden, batch_size, seed)
    return {"curves": curves, "cross_entropy": cross_entropy_in_float32()}


# === The gradients ===


def probe(generator, images, steps, hidden, batch_size, seed):
    """Trains a new discriminator and a new critic against a frozen generator.

    Returns:
        Dictionary of arrays, with an entry for each measurement: `step`, `js` (the discriminator's estimate) and
        `accuracy`. `minimax`, `non_saturating` and `wasserstein` have the gradients' norms `(measurements, batches)`.
    """
    models = {}
    for kind in (ganzoo.GAN, ganzoo.WGANGP):
        # All start with the same weights.
        keras.utils.set_random_seed(seed + 1)
        network = ganzoo.networks.mlp.discriminator(images.shape[1:], hidden=hidden)
        models[kind] = kind(generator, network, discriminator_steps=1, seed=seed)
    models[ganzoo.GAN].compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(2e-4, beta_1=0.5))
    models[ganzoo.WGANGP].compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9))
    updates = [tf.function(model.critic_step, autograph=False) for model in models.values()]
    measure = [
        norms_of(generator, models[ganzoo.GAN].discriminator, discriminator_losses),
        norms_of(
            generator, models[ganzoo.WGANGP].discriminator, lambda scores: {"wasserstein": -tf.reduce_mean(scores)}
        ),
    ]
    rng = np.random.default_rng(seed)
    due = {0, *np.unique(np.geomspace(1, steps, 40).round().astype(int)).tolist()}
    rows = []
    for step in range(steps + 1):
        if step in due:
            latents = rng.normal(size=(MEASURED, batch_size, LATENT_DIM)).astype("float32")
            rows.append({"step": step, **verdict(models[ganzoo.GAN].discriminator, generator, images, rng)})
            for each in measure:
                batches = [each(tf.constant(batch)) for batch in latents]
                rows[-1] |= {name: [float(norms[name]) for norms in batches] for name in batches[0]}
        real = tf.constant(images[rng.integers(len(images), size=batch_size)])
        for update in updates:
            update(real)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def discriminator_losses(scores):
    return {
        "minimax": losses.minimax_generator_loss(scores),
        "non_saturating": losses.non_saturating_generator_loss(scores),
    }


def norms_of(generator, discriminator, losses_of):
    """A compiled function: latents -> the norm of the gradient of each loss in all weights of the generator."""

    def norms(latents):
        with tf.GradientTape(persistent=True) as tape:
            values = losses_of(discriminator(generator(latents, training=False), training=False))
        return {
            name: tf.linalg.global_norm(tape.gradient(value, generator.trainable_variables))
            for name, value in values.items()
        }

    return tf.function(norms, autograph=False)


def verdict(discriminator, generator, images, rng, count=512):
    """The estimate of JS, log 2 - loss / 2, and how often the discriminator is right."""
    real = discriminator(images[rng.integers(len(images), size=count)], training=False).numpy()
    fake = discriminator(generator(rng.normal(size=(count, LATENT_DIM)), training=False), training=False).numpy()
    return {
        "js": np.log(2) - float(losses.discriminator_cross_entropy(real, fake)) / 2,
        "accuracy": (np.mean(real > 0) + np.mean(fake < 0)) / 2,
    }


def orders_lost(curve, name):
    """By how many powers of ten the norm of a gradient falls from before the training to its end. Below 0 it grows.

    Each measurement is the mean over the batches, and the end is the mean of the last five.
    """
    norms = curve[name].mean(axis=1)
    return np.log10(norms[0] / norms[-5:].mean())


# === The cross entropy in float32 ===


def cross_entropy_in_float32(logits=None):
    """-log(1 - D) of a generated sample with the logit s, and its derivative in s, computed in three ways.

    - `naive`: -log(1 - sigmoid(s)).
    - `keras`: `keras.losses.BinaryCrossentropy()` of the probability.
    - `logits`: softplus(s) = log(1 + exp(s)), as in `ganzoo.losses`.
    """
    logits = np.linspace(0, 30, 301) if logits is None else np.asarray(logits)
    results = {"logits_axis": logits, "exact": np.logaddexp(0.0, logits), "exact_gradient": 1 / (1 + np.exp(-logits))}
    # A real score so high that its part of the loss, softplus(-s), is 0.
    sure = tf.constant([200.0])
    crossentropy = keras.losses.BinaryCrossentropy()
    ways = {
        "naive": lambda s: -tf.math.log(1.0 - tf.sigmoid(s)),
        "keras": lambda s: crossentropy(tf.zeros((1, 1)), tf.sigmoid(s)[None, None]),
        "logits": lambda s: losses.discriminator_cross_entropy(sure, s[None]),
    }
    for name, way in ways.items():
        values, gradients = [], []
        for logit in logits:
            logit = tf.constant(logit, "float32")
            with tf.GradientTape() as tape:
                tape.watch(logit)
                value = way(logit)
            values.append(float(value))
            gradients.append(float(tape.gradient(value, logit)))
        results[name], results[f"{name}_gradient"] = np.array(values), np.array(gradients)
    return results


def first_broken(results, name, share=0.01):
    """The smallest logit where the derivative is wrong by more than 1 %, or `None`."""
    gradient, exact = results[f"{name}_gradient"], results["exact_gradient"]
    wrong = ~(np.abs(gradient - exact) <= share * exact)
    return float(results["logits_axis"][wrong.argmax()]) if wrong.any() else None


# === Showing it ===

LOSSES = {
    "minimax": (figures.VERMILION, "minimax"),
    "non_saturating": (figures.PINK, "non-saturating"),
    "wasserstein": (figures.BLUE, "Wasserstein, with penalty"),
}
STYLES = (":", "--", "-")


def report(results):
    """Prints the numbers."""
    for epochs, curve in results["curves"].items():
        print(f"Generator of {epochs} epoch(s): gradient norm before the training of D or f, at its end; spread")
        for name, (_, label) in LOSSES.items():
            norms = curve[name]
            spread = norms.std(axis=1) / norms.mean(axis=1)
            print(
                f"  {label:<26} {norms[0].mean():9.2e} {norms[-5:].mean():9.2e}   {-orders_lost(curve, name):+.1f} "
                f"powers of ten; spread {spread[0]:.0%}, {spread[-5:].mean():.0%}"
            )
        print(f"  estimate of JS {curve['js'][-1]:.4f} (log 2 = 0.6931), accuracy {curve['accuracy'][-1]:.1%}")
    entropy = results["cross_entropy"]
    print("-log(1 - D) of the logit s in float32: where the derivative is first wrong by 1 %, and what it is at s = 30")
    for name in ("naive", "keras", "logits"):
        broken = first_broken(entropy, name)
        where = "never" if broken is None else f"s = {broken:.1f}"
        print(f"  {name:<7} {where:<9} value {entropy[name][-1]:.2f}, derivative {entropy[f'{name}_gradient'][-1]:.2f}")


def draw(results, path):
    """The discriminator's progress, the gradients, and the cross entropy in float32."""
    figure, ((progress, norms), (value, gradient)) = figures.new(2, 2, height=7.4)
    for (epochs, curve), style in zip(results["curves"].items(), STYLES[-len(results["curves"]) :]):
        label = f"{epochs} epoch{'s' if epochs > 1 else ''}"
        loss = 2 * (np.log(2) - curve["js"])
        progress.plot(curve["step"], loss, style, color=figures.BLACK, label=f"generator of {label}")
        for name, (color, text) in LOSSES.items():
            shown = text if style == "-" else None
            norms.plot(curve["step"], curve[name].mean(axis=1), style, color=color, label=shown)
            if style == "-":
                norms.fill_between(
                    curve["step"], curve[name].min(axis=1), curve[name].max(axis=1), color=color, alpha=0.2, linewidth=0
                )
    progress.plot([0, curve["step"][-1]], [2 * np.log(2)] * 2, color="0.6", linewidth=1)
    progress.annotate("2 log 2: knows nothing", (30, 2 * np.log(2)), xytext=(0, 4), textcoords="offset points")
    updates = "updates of the discriminator or critic"
    progress.set(title="discriminator's loss", ylabel="nats", xlabel=updates, xscale="symlog", yscale="log")
    norms.set(title="gradient that the generator gets", ylabel="norm", xlabel=updates, xscale="symlog", yscale="log")
    figures.legend(progress, loc="lower left")
    figures.legend(norms, loc="lower left")

    entropy = results["cross_entropy"]
    looks = {
        "exact": ("0.75", "-", 5, "exact"),
        "logits": (figures.BLUE, "-", 1.5, "softplus of the logit"),
        "keras": (figures.GREEN, "--", 1.5, "Keras' BinaryCrossentropy of D"),
        "naive": (figures.VERMILION, ":", 2, "-log(1 - sigmoid)"),
    }
    axis = entropy["logits_axis"]
    for name, (color, style, width, label) in looks.items():
        for axes, values in ((value, entropy[name]), (gradient, entropy[f"{name}_gradient"])):
            axes.plot(axis, values, style, color=color, linewidth=width, label=label)
    lost = axis[~np.isfinite(entropy["naive"])]
    for axes in (value, gradient):
        axes.axvspan(lost.min(), lost.max(), color=figures.VERMILION, alpha=0.1, linewidth=0)
        figures.legend(axes, loc="upper left" if axes is value else "lower left")
    value.set(title="-log(1 - D) in float32\n(shaded: the naive form is infinite)", xlabel="logit s", ylabel="nats")
    gradient.set(title="its derivative", xlabel="logit s", ylabel="derivative in s")
    figures.save(figure, path)


def main(options):
    """Trains, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "vanishing_gradients.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
