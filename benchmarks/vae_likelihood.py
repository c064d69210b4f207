"""Measures the likelihood of a VAE on statically binarized MNIST.

    python benchmarks/vae_likelihood.py
    python benchmarks/vae_likelihood.py --dataset mnist --data_dir ~/tensorflow_datasets

Trains the mean-field VAE of the textbooks, dense layers of 512, 512 and 128 latents, for 30,000 steps of 128 images.
Prints the ELBO on training and test images as it goes, then, for the test images, the ELBO, the importance-sampled
estimate of log p(x), and the time. The default data are the embedded 10,000 images, of which 9,000 train.
"""

import argparse
import time

import keras
import numpy as np

import ganzoo

SPLITS = {"mnist": ("train", "test")}
EMBEDDED_SPLITS = ("train[:9000]", "train[9000:]")


def binary_images(options, split, seed):
    """The images of a split, each pixel drawn once."""
    data = ganzoo.data.load(
        options.dataset, split=split, shuffle=False, data_dir=options.data_dir, manual_dir=options.manual_dir
    )
    images = np.concatenate([ganzoo.images.to_uint8(images).numpy() for images, _ in data.batch(1000)])
    return ganzoo.data.normalize(ganzoo.data.binarize(images, seed=seed))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist_10k", help="mnist_10k, fashion_mnist_10k or mnist")
    parser.add_argument("--data_dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--manual_dir", help="where archives lie that were downloaded by hand")
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--latent_dim", type=int, default=128)
    parser.add_argument("--hidden", type=int, nargs="+", default=[512, 512])
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--beta", type=float, default=1.0)
    parser.add_argument("--num_samples", type=int, default=500, help="K of the importance sampling")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", help="where to save the model, such as vae.keras")
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    splits = SPLITS.get(options.dataset, EMBEDDED_SPLITS)
    train, test = (binary_images(options, split, seed) for seed, split in enumerate(splits))
    print(f"{len(train)} training and {len(test)} test images, {np.mean(train > 0):.4f} of the pixels on.", flush=True)

    vae = ganzoo.VAE.from_paper(
        train.shape[1:],
        latent_dim=options.latent_dim,
        hidden=tuple(options.hidden),
        activation="relu",
        kernel_initializer="he_uniform",
        optimizer=keras.optimizers.Adam(options.learning_rate),
        beta=options.beta,
        seed=options.seed,
        steps_per_execution=20,
    )
    started = time.time()
    vae.fit(
        ganzoo.data.from_arrays(train, batch_size=options.batch_size, seed=options.seed),
        epochs=max(1, options.steps // 1000),
        steps_per_epoch=min(options.steps, 1000),
        validation_data=ganzoo.data.from_arrays(test, batch_size=500, shuffle=False),
        verbose=2,
    )
    seconds = time.time() - started
    print(f"Trained {vae.steps_done} steps in {seconds / 60:.1f} minutes. Importance sampling:", flush=True)

    elbo = vae.evaluate(test, batch_size=500, verbose=0, return_dict=True)["elbo"]
    started = time.time()
    estimates = vae.log_likelihood(test, num_samples=options.num_samples, seed=options.seed, verbose=2)
    error = estimates.std() / len(estimates) ** 0.5
    print(
        f"Test images, seed {options.seed}: ELBO {elbo:.2f}, log p(x) with {options.num_samples} importance samples "
        f"{estimates.mean():.2f} (standard error over images {error:.2f}; {(time.time() - started) / 60:.1f} minutes)."
    )
    if options.model:
        vae.save(options.model)


if __name__ == "__main__":
    main()
