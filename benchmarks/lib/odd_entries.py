"""The public functions and classes that `odd_inputs.py` calls, with good arguments for each."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

import ganzoo

# Counts that no machine can do in time, or hold: odd values for sizes and seeds.
LARGE = (2**31, 2**63 - 1, 2**63, -(2**63), 10**30)


def finite(result):
    """Whether all numbers in a result are finite: arrays, scores, and what contains them."""
    if isinstance(result, dict):
        return all(finite(value) for value in result.values())
    if isinstance(result, (list, tuple)):
        return all(finite(value) for value in result)
    value = getattr(result, "value", result)
    array = np.asarray(value) if isinstance(value, (int, float, np.ndarray, np.generic)) else np.zeros(0)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


@dataclass
class Entry:
    """A call, the function whose signature it has, a function that makes good arguments, and which are tried."""

    call: Callable
    good: Callable
    signature: Callable = None
    skip: tuple = ()
    more: tuple = ()
    is_sound: Callable = finite
    any_kind: tuple = field(default=())

    def __post_init__(self):
        self.signature = self.signature or self.call


RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
COLOUR = RANDOM.uniform(-1, 1, (16, 8, 8, 3)).astype("float32")
LARGER = RANDOM.uniform(-1, 1, (16, 16, 16, 1)).astype("float32")
LABELS = np.arange(16) % 3
VECTORS = RANDOM.normal(size=(64, 4)).astype("float32")
OTHERS = RANDOM.normal(size=(64, 4)).astype("float32")
POINTS = RANDOM.normal(size=(64, 2)).astype("float32")
PICTURE = np.full((8, 8, 1), 100, "uint8")
SHARES = np.array([0.5, 0.25, 0.25])
SCORES = RANDOM.normal(size=8).astype("float32")


def pictures_in(folder="pictures"):
    """A folder with four small pictures."""
    Path(folder).mkdir(exist_ok=True)
    for index in range(4):
        ganzoo.images.save_png(Path(folder) / f"{index}.png", PICTURE)
    return folder


# === Models ===

SMALL = {"filters": 2, "image_shape": (8, 8, 1)}
MODELS = {
    "GAN": {"image_shape": (8, 8, 1), "hidden": (4,)},
    "DCGAN": SMALL,
    "LSGAN": SMALL,
    "DRAGAN": SMALL,
    "SNGAN": SMALL,
    "BigGAN": SMALL,
    "SAGAN": {**SMALL, "generator_attention": 1},
    "R3GAN": SMALL,
    "StyleGAN2": {"image_shape": (8, 8, 1), "base": 16, "max_filters": 2},
    "WGAN": SMALL,
    "WGANGP": SMALL,
    "WGANDiv": SMALL,
    "CramerGAN": SMALL,
    "CGAN": {"image_shape": (8, 8, 1), "num_classes": 3},
    "ACGAN": {"image_shape": (8, 8, 1), "num_classes": 3, "filters": 2},
    "InfoGAN": SMALL,
    "BEGAN": {"image_shape": (8, 8, 1), "filters": 4, "embedding_dim": 4},
    "PresGAN": {"image_shape": (8, 8, 1), "filters": 2},
    "Pix2Pix": {"image_shape": (8, 8, 1), "filters": 2, "receptive_field": 16},
    "CycleGAN": {"image_shape": (8, 8, 1), "filters": 2, "blocks": 1, "receptive_field": 16},
    "VAE": {"image_shape": (8, 8, 1), "hidden": (4,)},
    "Autoencoder": {"image_shape": (8, 8, 1), "hidden": (4,)},
    "IWAE": {"image_shape": (8, 8, 1), "hidden": (4,), "num_samples": 2},
    "WAE": {"image_shape": (8, 8, 1), "hidden": (4,)},
    "VQVAE": {"image_shape": (8, 8, 1), "filters": 2, "num_codes": 4, "prior_filters": 2},
}


def data_for(model, batches=2):
    """Noise of the right shape for that many batches of four."""
    count = 4 * model.batches_per_step * batches
    samples = np.random.default_rng(0).uniform(-1, 1, (count, *model.image_shape)).astype("float32")
    if isinstance(model, ganzoo.CycleGAN):
        return ganzoo.data.unpaired(samples, samples, batch_size=4)
    if model.conditions.translates:
        inputs = np.random.default_rng(1).uniform(-1, 1, (count, *model.conditions.image_shape)).astype("float32")
        return ganzoo.data.paired(inputs, samples, batch_size=4)
    labels = None if model.num_classes is None else np.arange(count) % model.num_classes
    return ganzoo.data.from_arrays(samples, labels, batch_size=4)


def train_one(name, **arguments):
    """Makes a model of that name and trains one step: its log."""
    keras.utils.set_random_seed(0)
    model = getattr(ganzoo, name).from_paper(**{"run_eagerly": True, **arguments})
    return model.fit(data_for(model, batches=1), verbose=0, check=False).history


def train_augmented(augmentation, **arguments):
    return train_one("GAN", **MODELS["GAN"], augmentation=getattr(ganzoo.augmentation, augmentation)(**arguments))


@functools.cache
def a_model(name="GAN"):
    """The model that all calls of its methods share."""
    settings = {"GAN": {"num_classes": 3}}.get(name, {})
    return getattr(ganzoo, name).from_paper(**{"seed": 0, **MODELS[name], **settings})


def method(name, model, good, **more):
    """An entry for a method of a model."""

    def call(**arguments):
        return getattr(a_model(model), name)(**arguments)

    return Entry(call, good, signature=getattr(getattr(ganzoo, model), name), **more)


def fit(**arguments):
    """Trains a fresh model, so that a case does not meet what an earlier case left."""
    model = ganzoo.GAN.from_paper((8, 8, 1), hidden=(4,), num_classes=3, seed=0)
    return model.fit(**{"verbose": 0, **arguments}).history


def compile_and_train(**arguments):
    model = a_model()
    model.compile(**arguments)
    return model.fit(IMAGES[:8], LABELS[:8], batch_size=4, verbose=0).history


# === Everything ===


def of(function, good, **more):
    return Entry(function, lambda: dict(good), **more)


def callback(name, good, **more):
    """A callback that is made, and trains with its model for two steps."""
    cls = getattr(ganzoo.callbacks, name)

    def call(**arguments):
        made = cls(**arguments)
        return (
            ganzoo.GAN.from_paper((8, 8, 1), hidden=(4,), seed=0)
            .fit(IMAGES[:8], batch_size=4, verbose=0, callbacks=[made])
            .history
        )

    return Entry(call, good if callable(good) else lambda: dict(good), signature=cls, **more)


def metric(name, good=None, pair=None, **more):
    """A metric that is made, and measures a pair of sets."""
    cls = getattr(ganzoo.metrics, name)

    def call(**arguments):
        return cls(**arguments).score(*(pair or (VECTORS, OTHERS)))

    return Entry(call, lambda: dict(good or {}), signature=cls, **more)


def of_data():
    data = ganzoo.data
    return {
        "data.from_arrays": of(data.from_arrays, {"images": IMAGES, "labels": LABELS, "batch_size": 4}),
        "data.from_folder": Entry(data.from_folder, lambda: {"path": pictures_in(), "image_size": (8, 8)}),
        "data.load": of(data.load, {"name": "mnist_10k", "batch_size": 4}),
        "data.normalize": of(data.normalize, {"images": (IMAGES * 100 + 128).astype("uint8")}),
        "data.binarize": of(data.binarize, {"images": (IMAGES * 100 + 128).astype("uint8")}),
        "data.paired": of(data.paired, {"inputs": IMAGES, "targets": COLOUR, "batch_size": 4}),
        "data.unpaired": of(data.unpaired, {"x": IMAGES, "y": IMAGES[:8]}),
        "data.ring": of(data.ring, {"num_samples": 100, "batch_size": 4}),
        "data.grid": of(data.grid, {"num_samples": 100, "batch_size": 4}),
        "data.swiss_roll": of(data.swiss_roll, {"num_samples": 100, "batch_size": 4}),
        "data.ring_centers": of(data.ring_centers, {}),
        "data.grid_centers": of(data.grid_centers, {}),
        "data.stacked_mnist": of(data.stacked_mnist, {"num_samples": 64, "batch_size": 4}),
    }


def of_models():
    entries = {}
    for name, settings in MODELS.items():
        entries[f"models.{name}.from_paper"] = Entry(
            functools.partial(train_one, name),
            functools.partial(dict, settings),
            signature=getattr(ganzoo, name).from_paper,
            more=("seed", "ema_decay", "no_such_argument"),
            skip=("networks",),
        )
    return entries


def of_methods():
    small = {"x": IMAGES[:8], "y": LABELS[:8], "batch_size": 4}
    keras_own = ("class_weight", "sample_weight", "validation_split", "shuffle", "validation_batch_size", "workers")
    return {
        "fit": Entry(fit, lambda: dict(small), signature=ganzoo.GAN.fit, more=keras_own),
        "compile": Entry(
            compile_and_train,
            lambda: {"generator_optimizer": "adam", "discriminator_optimizer": "sgd"},
            signature=ganzoo.GAN.compile,
            more=("loss", "metrics", "optimizer", "weighted_metrics"),
        ),
        "evaluate": method("evaluate", "GAN", lambda: {**small, "verbose": 0}),
        "generate": method("generate", "GAN", lambda: {"num_samples": 4, "condition": 1}),
        "predict": method("predict", "GAN", lambda: {"x": [np.zeros((4, 100), "float32"), LABELS[:4]], "verbose": 0}),
        "export": method("export", "GAN", lambda: {"filepath": "exported"}, skip=("verbose",)),
        "save": method("save", "GAN", lambda: {"filepath": "model.keras"}),
        "pix2pix.generate": method("generate", "Pix2Pix", lambda: {"condition": IMAGES[:2]}),
        "cyclegan.translate": method("translate", "CycleGAN", lambda: {"images": IMAGES[:2]}),
        "infogan.generate": method("generate", "InfoGAN", lambda: {"num_samples": 4, "codes": {"category_0": 1}}),
        "infogan.read_codes": method("read_codes", "InfoGAN", lambda: {"samples": IMAGES[:4]}),
        "vae.encode": method("encode", "VAE", lambda: {"images": IMAGES[:4]}),
        "vae.reconstruct": method("reconstruct", "VAE", lambda: {"images": IMAGES[:4]}),
        "autoencoder.decode": method("decode", "Autoencoder", lambda: {"latents": np.zeros((4, 30), "float32")}),
    }


def of_the_rest():
    return {
        "compare": Entry(
            ganzoo.compare,
            lambda: {
                "models": {"a": lambda seed: ganzoo.GAN.from_paper((2,), hidden=(4,), seed=seed)},
                "dataset": ganzoo.data.ring(num_samples=256, batch_size=16),
                "seeds": 2,
                "budget": 4,
                "metrics": [ganzoo.metrics.SlicedWasserstein()],
                "num_samples": 64,
                "points": 1,
                "verbose": 0,
            },
        ),
        "images.grid": of(ganzoo.images.grid, {"images": IMAGES}),
        "images.save_png": of(ganzoo.images.save_png, {"path": "a.png", "picture": PICTURE}),
        "augmentation.DiffAugment": Entry(
            lambda **arguments: train_one(
                "GAN", **MODELS["GAN"], augmentation=ganzoo.augmentation.DiffAugment(**arguments)
            ),
            dict,
            signature=ganzoo.augmentation.DiffAugment,
        ),
        "augmentation.FlipAndShift": Entry(
            lambda **arguments: train_one(
                "GAN", **MODELS["GAN"], augmentation=ganzoo.augmentation.FlipAndShift(**arguments)
            ),
            dict,
            signature=ganzoo.augmentation.FlipAndShift,
        ),
        "augmentation.ADA": Entry(
            functools.partial(train_augmented, "ADA"),
            lambda: {"adjustment_images": 1000.0},
            signature=ganzoo.augmentation.ADA,
        ),
        "constraints.WeightClip": Entry(
            lambda **arguments: keras.ops.convert_to_numpy(ganzoo.constraints.WeightClip(**arguments)(VECTORS)),
            dict,
            signature=ganzoo.constraints.WeightClip,
        ),
        "callbacks.Checkpoint": callback("Checkpoint", {"directory": "checkpoints", "every_steps": 1}),
        "callbacks.CollapseGuard": callback("CollapseGuard", {"every": 1, "warm_up": 1, "num_samples": 8}),
        "callbacks.CriticBurnIn": callback("CriticBurnIn", {}),
        "callbacks.CriticDiagnostics": callback("CriticDiagnostics", lambda: {"data": IMAGES, "num_samples": 8}),
        "callbacks.Evaluate": callback(
            "Evaluate",
            lambda: {"metrics": [ganzoo.metrics.SlicedWasserstein()], "data": IMAGES, "every": 1, "num_samples": 16},
        ),
        "callbacks.LearningCurve": callback("LearningCurve", {"path": "curve.png"}),
        "callbacks.ReduceLearningRate": callback("ReduceLearningRate", {"monitor": "d_loss"}),
        "callbacks.SampleGrid": callback("SampleGrid", {"directory": "samples", "num_samples": 4, "gif": False}),
        "callbacks.Throughput": callback("Throughput", {}),
    }


@functools.cache
def a_generator():
    """A small model without conditions, and the density ratio of it."""
    model = ganzoo.GAN.from_paper((8, 8, 1), hidden=(4,), latent_dim=3, seed=0)
    return model, ganzoo.latent.DensityRatio(model, IMAGES)


def of_latents():
    latent, ends = ganzoo.latent, VECTORS[:3, :3]

    def with_model(function, good, **more):
        """The model is no argument that is tried."""
        return Entry(function, lambda: {"model": a_generator()[0], **good()}, skip=("condition", "model"), **more)

    def drawn(function, **settings):
        return with_model(function, lambda: {"num_samples": 4, "ratio": a_generator()[1], **settings})

    return {
        "latent.between": of(latent.between, {"first": ends, "second": ends[::-1] + 1, "shares": [0.5]}),
        "latent.path": of(latent.path, {"ends": ends, "steps": 2}),
        "latent.draw": with_model(latent.draw, lambda: {"num_samples": 2}, any_kind=("seed",)),
        "latent.interpolate": with_model(latent.interpolate, lambda: {"ends": ends, "steps": 2}),
        "latent.traverse": with_model(
            latent.traverse, lambda: {"latents": ends[:1], "direction": 0}, any_kind=("direction", "across")
        ),
        "latent.truncate": with_model(latent.truncate, lambda: {"num_samples": 2}, any_kind=("amounts",)),
        "latent.video": with_model(
            latent.video, lambda: {"filepath": "a.gif", "latents": ends, "steps": 2}, any_kind=("latents",)
        ),
        "latent.sefa": with_model(latent.sefa, dict),
        "latent.pca": with_model(latent.pca, lambda: {"num_samples": 8}),
        "latent.supervised": with_model(
            latent.supervised, lambda: {"attribute": lambda images: images.mean(axis=(1, 2, 3)), "num_samples": 8}
        ),
        "latent.without": of(latent.without, {"vector": ends[0], "others": ends[1:]}),
        "latent.mutual_information": of(latent.mutual_information, {"positions": SCORES, "labels": LABELS[:8]}),
        "latent.project": with_model(
            latent.project, lambda: {"targets": IMAGES[:2], "steps": 2, "features": None, "candidates": 8}
        ),
        "latent.perceptual_path_length": with_model(
            latent.perceptual_path_length, lambda: {"num_samples": 8, "batch_size": 4}
        ),
        "latent.standing_statistics": Entry(
            lambda **arguments: latent.standing_statistics(a_model("DCGAN"), **arguments).generate(2),
            lambda: {"batches": 1, "batch_size": 4},
            signature=latent.standing_statistics,
            skip=("model",),
        ),
        "latent.Reader": with_model(
            latent.Reader, lambda: {"images": IMAGES.repeat(2, axis=0), "labels": LABELS.repeat(2), "epochs": 1}
        ),
        "latent.nearest": of(latent.nearest, {"generated": IMAGES[:2], "training": IMAGES}),
        "latent.calibrate": of(latent.calibrate, {"real": SCORES, "fake": -SCORES}),
        "latent.acceptance_probability": of(
            latent.acceptance_probability, {"log_ratios": SCORES, "log_maximum": 3.0, "gamma": 0.5}
        ),
        "latent.reject": drawn(latent.reject),
        "latent.metropolis_hastings": drawn(latent.metropolis_hastings, steps=2),
        "latent.langevin": drawn(latent.langevin, steps=2),
        "latent.DensityRatio": with_model(latent.DensityRatio, lambda: {"held_out": IMAGES}),
        "images.save_video": of(ganzoo.images.save_video, {"path": "a.gif", "frames": [PICTURE, PICTURE]}),
    }


def of_metrics():
    metrics, entries = ganzoo.metrics, {}
    pair = {"real": VECTORS, "fake": OTHERS}
    pictures = {"real": IMAGES, "fake": IMAGES[::-1]}
    for name in (
        "FrechetDistance",
        "KernelDistance",
        "Precision",
        "Recall",
        "Density",
        "Coverage",
        "SlicedWasserstein",
    ):
        settings = {"subset_size": 16, "subsets": 4} if name == "KernelDistance" else {}
        entries[f"metrics.{name}"] = metric(name, settings)
    entries |= {
        "metrics.SSIM": metric("SSIM", pair=(LARGER, LARGER[::-1])),
        "metrics.PSNR": metric("PSNR", pair=(IMAGES, IMAGES[::-1])),
        "metrics.InceptionScore": metric("InceptionScore", {"splits": 2}, pair=(VECTORS, OTHERS)),
        "metrics.ModeCoverage": metric("ModeCoverage", {"centers": POINTS[:3], "std": 0.5}, pair=(POINTS, POINTS)),
        "metrics.Memorization": metric("Memorization", {"held_out": VECTORS[:32]}),
        "metrics.L1Distance": metric("L1Distance", pair=(IMAGES, IMAGES[::-1])),
        "metrics.MSSSIMDiversity": metric("MSSSIMDiversity", {"pairs": 4}, pair=(LARGER, LARGER[::-1])),
        "metrics.PyramidSlicedWasserstein": metric("PyramidSlicedWasserstein", pair=(LARGER, LARGER[::-1])),
        "metrics.frechet_distance": of(metrics.frechet_distance, pair),
        "metrics.kernel_distance": of(metrics.kernel_distance, {**pair, "subset_size": 16, "subsets": 4}),
        "metrics.precision": of(metrics.precision, pair),
        "metrics.recall": of(metrics.recall, pair),
        "metrics.density": of(metrics.density, pair),
        "metrics.coverage": of(metrics.coverage, pair),
        "metrics.memorization": of(metrics.memorization, {**pair, "held_out": VECTORS[:32]}),
        "metrics.inception_score": of(metrics.inception_score, {"fake": VECTORS, "splits": 2}),
        "metrics.mode_coverage": of(metrics.mode_coverage, {"fake": POINTS, "centers": POINTS[:3], "std": 0.5}),
        "metrics.class_histogram": of(metrics.class_histogram, {"real": LABELS, "fake": LABELS}),
        "metrics.classifier_accuracy": of(metrics.classifier_accuracy, {"fake": LABELS, "labels": LABELS}),
        "metrics.sliced_wasserstein": of(metrics.sliced_wasserstein, pair),
        "metrics.parzen_log_likelihood": of(metrics.parzen_log_likelihood, {**pair, "sigma": 0.5}),
        "metrics.psnr": of(metrics.psnr, pictures),
        "metrics.ssim": of(metrics.ssim, {"real": LARGER, "fake": LARGER[::-1]}),
        "metrics.l1_distance": of(metrics.l1_distance, pictures),
    }
    return entries


def of_divergences():
    divergences = ganzoo.divergences
    clouds = {"x": POINTS, "y": POINTS + 1, "steps": 5, "batch_size": 8}
    gaussians = {"mean_1": 0.0, "mean_2": 1.0}
    return {
        "divergences.kl": of(divergences.kl, {"p": SHARES, "q": SHARES[::-1]}),
        "divergences.reverse_kl": of(divergences.reverse_kl, {"p": SHARES, "q": SHARES[::-1]}),
        "divergences.jensen_shannon": of(divergences.jensen_shannon, {"p": SHARES, "q": SHARES[::-1]}),
        "divergences.total_variation": of(divergences.total_variation, {"p": SHARES, "q": SHARES[::-1]}),
        "divergences.f_divergence": of(
            divergences.f_divergence, {"p": SHARES, "q": SHARES[::-1], "f": lambda t: (t - 1) ** 2}
        ),
        "divergences.wasserstein": of(divergences.wasserstein, {"x": POINTS[:16], "y": POINTS[16:32]}),
        "divergences.wasserstein_1d": of(divergences.wasserstein_1d, {"x": SCORES, "y": SCORES + 1}),
        "divergences.sliced_wasserstein": of(divergences.sliced_wasserstein, {"x": POINTS, "y": POINTS + 1}),
        "divergences.optimal_transport": of(
            divergences.optimal_transport, {"cost": np.ones((3, 3)), "a": SHARES, "b": SHARES}
        ),
        "divergences.sinkhorn": of(
            divergences.sinkhorn, {"cost": np.ones((3, 3)), "a": SHARES, "b": SHARES, "regularization": 0.5}
        ),
        "divergences.kantorovich_dual": of(
            divergences.kantorovich_dual, {"cost": np.ones((3, 3)), "a": SHARES, "b": SHARES}
        ),
        "divergences.gaussian_kl": of(divergences.gaussian_kl, {**gaussians, "cov_1": 1.0, "cov_2": 2.0}),
        "divergences.gaussian_wasserstein": of(
            divergences.gaussian_wasserstein, {**gaussians, "cov_1": 1.0, "cov_2": 2.0}
        ),
        "divergences.gaussian_jensen_shannon": of(
            divergences.gaussian_jensen_shannon, {**gaussians, "variance_1": 1.0, "variance_2": 2.0}
        ),
        "divergences.gaussian_total_variation": of(
            divergences.gaussian_total_variation, {**gaussians, "variance_1": 1.0, "variance_2": 2.0}
        ),
        "divergences.gaussian_energy_distance": of(
            divergences.gaussian_energy_distance, {**gaussians, "variance_1": 1.0, "variance_2": 2.0}
        ),
        "divergences.estimate_wasserstein": of(divergences.estimate_wasserstein, clouds),
        "divergences.estimate_density_ratio": of(divergences.estimate_density_ratio, clouds),
        "divergences.estimate_jensen_shannon": of(divergences.estimate_jensen_shannon, clouds),
    }


def of_losses():
    losses = ganzoo.losses
    scores = ("real_scores", "fake_scores", "better_scores", "worse_scores")
    of_any_scores = {"is_sound": lambda loss: True, "any_kind": scores}  # NaN has a NaN loss.
    return {
        "losses.discriminator_cross_entropy": of(
            losses.discriminator_cross_entropy,
            {"real_scores": SCORES, "fake_scores": SCORES},
            **of_any_scores,
        ),
        "losses.hinge_discriminator_loss": of(
            losses.hinge_discriminator_loss, {"real_scores": SCORES, "fake_scores": SCORES}, **of_any_scores
        ),
        "losses.hinge_generator_loss": of(losses.hinge_generator_loss, {"fake_scores": SCORES}, **of_any_scores),
        "losses.lecam_loss": of(
            losses.lecam_loss,
            {"real_scores": SCORES, "fake_scores": SCORES, "real_anchor": 0.5, "fake_anchor": -0.5},
            **of_any_scores,
        ),
        "losses.relativistic_loss": of(
            losses.relativistic_loss, {"better_scores": SCORES, "worse_scores": SCORES}, **of_any_scores
        ),
    }


def of_networks():
    entries = {}
    for family in ("mlp", "dcgan", "resnet", "maxout", "autoencoder", "infogan"):
        for side in ("generator", "discriminator"):
            function = getattr(getattr(ganzoo.networks, family), side)
            entries[f"networks.{family}.{side}"] = of(function, {"image_shape": (8, 8, 1)})
    small = {"image_shape": (8, 8, 1), "filters": 4}
    for name, good in {
        "acgan.discriminator": {**small, "num_classes": 3},
        "biggan.generator": {**small, "num_classes": 3},
        "biggan.discriminator": {**small, "num_classes": 3},
        "r3gan.generator": {**small, "cardinality": 2},
        "r3gan.discriminator": {**small, "cardinality": 2},
        "stylegan2.generator": {"image_shape": (8, 8, 1), "base": 16, "max_filters": 2, "latent_dim": 4},
        "stylegan2.discriminator": {"image_shape": (8, 8, 1), "base": 16, "max_filters": 2},
        "vqvae.encoder": small,
        "vqvae.decoder": small,
        "vqvae.prior": {**small, "num_codes": 4},
    }.items():
        family, side = name.split(".")
        entries[f"networks.{name}"] = of(getattr(getattr(ganzoo.networks, family), side), good)
    entries["networks.unet.generator"] = of(ganzoo.networks.unet.generator, {"image_shape": (16, 16, 3)})
    entries["networks.translator.generator"] = of(ganzoo.networks.translator.generator, {"image_shape": (16, 16, 3)})
    entries["networks.patchgan.discriminator"] = of(
        ganzoo.networks.patchgan.discriminator, {"image_shape": (32, 32, 3), "receptive_field": 16}
    )
    return entries


def layer(name, good, inputs):
    """A layer that is made and called."""
    cls = getattr(ganzoo.layers, name)

    def call(**arguments):
        outputs = cls(**arguments)(inputs)
        return [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(outputs)]

    return Entry(call, lambda: dict(good), signature=cls)


def of_layers():
    styles = OTHERS[:16]
    return {
        "layers.Codebook": layer("Codebook", {"num_codes": 4, "code_dim": 1}, IMAGES),
        "layers.ConditionalBatchNormalization": layer(
            "ConditionalBatchNormalization", {"num_classes": 3}, [IMAGES, LABELS]
        ),
        "layers.EqualizedDense": layer("EqualizedDense", {"units": 3}, VECTORS),
        "layers.FilterBeforeStride": layer("FilterBeforeStride", {}, IMAGES),
        "layers.FilteredDownsampling2D": layer("FilteredDownsampling2D", {}, IMAGES),
        "layers.FilteredUpsampling2D": layer("FilteredUpsampling2D", {}, IMAGES),
        "layers.MaskedConv2D": layer("MaskedConv2D", {"filters": 2, "kernel_size": 3}, IMAGES),
        "layers.Maxout": layer("Maxout", {"units": 3, "pieces": 2}, VECTORS),
        "layers.MinibatchStandardDeviation": layer("MinibatchStandardDeviation", {}, IMAGES),
        "layers.ModulatedConv2D": layer("ModulatedConv2D", {"filters": 2}, [IMAGES, styles]),
        "layers.ScaledLeakyReLU": layer("ScaledLeakyReLU", {}, IMAGES),
    }


def of_schedules():
    """Schedules, whose values are computed in the middle and at the end."""
    schedules = ganzoo.training.schedules

    def values_of(cls):
        return lambda **arguments: [float(cls(**arguments)(step)) for step in (0, 5, 10, 20)]

    return {
        "schedules.Cosine": Entry(
            values_of(schedules.Cosine),
            lambda: {"initial": 1.0, "final": 0.1, "total_steps": 10},
            signature=schedules.Cosine,
        ),
        "schedules.LinearDecay": Entry(
            values_of(schedules.LinearDecay),
            lambda: {"initial_learning_rate": 1.0, "total_steps": 10},
            signature=schedules.LinearDecay,
        ),
        "schedules.HalfLife": Entry(
            lambda **arguments: train_one("GAN", **MODELS["GAN"], ema_decay=schedules.HalfLife(**arguments)),
            lambda: {"half_life": 100},
            signature=schedules.HalfLife,
        ),
    }


def of_presets():
    """A small preset on the disk, read and written."""

    def preset():
        if not Path("preset").exists():
            a_model().save_to_preset("preset")
        return "preset"

    def loaded(handle, **arguments):
        return ganzoo.from_preset(handle, **arguments).generate(2, condition=0)

    return {
        "from_preset": Entry(loaded, lambda: {"handle": preset()}, signature=ganzoo.from_preset),
        "save_to_preset": method("save_to_preset", "GAN", lambda: {"path": "preset"}),
    }


ENTRIES = (
    of_data()
    | of_models()
    | of_methods()
    | of_the_rest()
    | of_latents()
    | of_metrics()
    | of_divergences()
    | of_losses()
    | of_networks()
    | of_layers()
    | of_schedules()
    | of_presets()
)


def accepts_any(name, parameter):
    """Whether an argument takes values of several kinds by its documentation: `None` or a number or an object."""
    return parameter in ENTRIES[name].any_kind or parameter in {
        "verbose",  # Keras': "auto", 0, 1, 2.
        "callbacks",
        "check",
        "labels",
        "validation_data",
        "validation_freq",  # A number, or a list of epochs.
        "seeds",  # A number, or a list.
        "jit_compile",  # "auto", True or False.
    }
