"""SavedModels for TensorFlow Serving: the generator alone, with named and typed signatures."""

import json
from pathlib import Path

import keras
import tensorflow as tf

from ganzoo.images import to_uint8
from ganzoo.version import __version__


def draw_latents(seed, num_samples, latent_dim):
    """Latents from N(0, I) as a function of the seed: the one that `generate` and the SavedModel share."""
    shape = tf.stack([tf.cast(num_samples, "int32"), latent_dim])
    return tf.random.stateless_normal(shape, tf.stack([tf.cast(seed, "int64"), tf.constant(0, "int64")]), alg="philox")


def export(model, path):
    """Writes the SavedModel of a `GenerativeModel`; see `GenerativeModel.export` for its signatures."""
    network, latent_dim = model.sampling_generator, model.latent_dim
    is_image = len(model.image_shape) == 3
    latents_spec = tf.TensorSpec((None, latent_dim), "float32", name="latents")
    label_spec = tf.TensorSpec((None,), "int64", name="label")
    seed_spec = tf.TensorSpec((), "int64", name="seed")
    count_spec = tf.TensorSpec((), "int64", name="num_samples")

    def decode(latents, label=None):
        inputs = latents if label is None else [latents, label]
        return tf.cast(network(inputs, training=False), "float32")

    def draw(seed, num_samples, label=None):
        at_least_one = tf.debugging.assert_greater_equal(
            num_samples, tf.constant(1, "int64"), "num_samples must be >= 1"
        )
        with tf.control_dependencies([at_least_one]):
            latents = draw_latents(seed, num_samples, latent_dim)
        images = decode(latents, label)
        return {"images": to_uint8(images) if is_image else images, "latents": latents}

    def draw_png(seed, num_samples, label=None):
        images = draw(seed, num_samples, label)["images"]
        return {"image_bytes": tf.map_fn(tf.io.encode_png, images, fn_output_signature=tf.string)}

    def for_labels(function):
        return lambda seed, label: function(seed, tf.size(label, out_type="int64"), label)

    archive = keras.export.ExportArchive()  # No `track`: the endpoints tell their variables, it would store them twice.
    if model.num_classes is None:
        archive.add_endpoint("serving_default", lambda latents: {"images": decode(latents)}, [latents_spec])
        draw_specs, adapt = (
            [seed_spec, count_spec],
            lambda function: lambda seed, num_samples: function(seed, num_samples),
        )
    else:
        archive.add_endpoint(
            "serving_default", lambda latents, label: {"images": decode(latents, label)}, [latents_spec, label_spec]
        )
        draw_specs, adapt = [seed_spec, label_spec], for_labels
    archive.add_endpoint("generate", adapt(draw), draw_specs)
    if is_image and model.image_shape[-1] in (1, 3, 4):
        archive.add_endpoint("generate_png", adapt(draw_png), draw_specs)
    archive.write_out(path, verbose=False)
    write_card(model, path)


def write_card(model, path):
    """Writes what made the SavedModel to `assets.extra/ganzoo.json`, the place that TensorFlow leaves to others."""
    extra = Path(path) / "assets.extra"
    extra.mkdir(exist_ok=True)
    card = {
        "model": type(model).__name__,
        "image_shape": model.image_shape,
        "latent_dim": model.latent_dim,
        "num_classes": model.num_classes,
        "step": model.steps_done,
        "versions": {"ganzoo": __version__, "keras": keras.__version__, "tensorflow": tf.__version__},
    }
    (extra / "ganzoo.json").write_text(json.dumps(card, indent=2) + "\n")


def read_card(path):
    """Returns what `write_card` wrote, as a dictionary."""
    return json.loads((Path(path) / "assets.extra" / "ganzoo.json").read_text())
