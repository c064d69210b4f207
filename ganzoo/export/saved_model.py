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


def same_latents(images, latent_dim):
    """One draw of latents for all images: the one with which models that translate images serve and predict."""
    return tf.repeat(draw_latents(0, 1, latent_dim), tf.shape(images)[0], axis=0)


def export(model, path):
    """Writes the SavedModel of a `GenerativeModel`; see `GenerativeModel.export` for its signatures."""
    network, latent_dim, condition = model.sampling_generator, model.latent_dim, model.condition_kind.specs()
    is_image = len(model.image_shape) == 3
    latents_spec = tf.TensorSpec((None, latent_dim), "float32", name="latents")
    seed_spec = tf.TensorSpec((), "int64", name="seed")
    count_spec = tf.TensorSpec((), "int64", name="num_samples")

    def decode(*inputs):
        return tf.cast(network(list(inputs) if len(inputs) > 1 else inputs[0], training=False), "float32")

    def translate(image):
        return {"images": decode(same_latents(image, latent_dim), image)}

    def draw(seed, count_or_condition):
        num_samples = tf.shape(count_or_condition, "int64")[0] if condition else count_or_condition
        at_least_one = tf.debugging.assert_greater_equal(
            num_samples, tf.constant(1, "int64"), "num_samples must be >= 1"
        )
        with tf.control_dependencies([at_least_one]):
            latents = draw_latents(seed, num_samples, latent_dim)
        images = decode(latents, count_or_condition) if condition else decode(latents)
        return {"images": to_uint8(images) if is_image else images, "latents": latents}

    def draw_png(seed, count_or_condition):
        images = draw(seed, count_or_condition)["images"]
        return {"image_bytes": tf.map_fn(tf.io.encode_png, images, fn_output_signature=tf.string)}

    archive = keras.export.ExportArchive()  # No `track`: the endpoints tell their variables, it would store them twice.
    if condition and condition[0].name == "image":
        archive.add_endpoint("serving_default", translate, condition)
    else:
        archive.add_endpoint("serving_default", lambda *x: {"images": decode(*x)}, [latents_spec, *condition])
    draw_specs = [seed_spec, *(condition or [count_spec])]
    archive.add_endpoint("generate", draw, draw_specs)
    if is_image and model.image_shape[-1] in (1, 3, 4):
        archive.add_endpoint("generate_png", draw_png, draw_specs)
    model.add_endpoints(archive)
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
        "condition_shape": getattr(model.condition_kind, "shape", None),
        "step": model.steps_done,
        "versions": {"ganzoo": __version__, "keras": keras.__version__, "tensorflow": tf.__version__},
    }
    (extra / "ganzoo.json").write_text(json.dumps(card, indent=2) + "\n")


def read_card(path):
    """Returns what `write_card` wrote, as a dictionary."""
    return json.loads((Path(path) / "assets.extra" / "ganzoo.json").read_text())
