"""SavedModels for TensorFlow Serving: the generator alone, with named and typed signatures."""

import json
from pathlib import Path

import keras
import tensorflow as tf

from ganzoo.export import cards
from ganzoo.export.endpoints import MAIN, serving_default
from ganzoo.images import to_uint8
from ganzoo.sampling import SeededNumbers


def export(model, path):
    """Writes the SavedModel of a `GenerativeModel`. See `GenerativeModel.export` for its signatures."""
    path = str(path)
    network, conditions, has_latents = model.sampling_generator, model.conditions, model.has_latents
    is_image = len(model.image_shape) == 3
    seed_spec = tf.TensorSpec((), "int64", name="seed")
    count_spec = tf.TensorSpec((), "int64", name="num_samples")

    def draw(seed, *counted):
        """Maps a seed, and a number of samples or conditions, to samples."""
        num_samples = tf.shape(counted[0], "int64")[0] if len(conditions) else counted[0]
        at_least_one = tf.debugging.assert_greater_equal(
            num_samples, tf.constant(1, "int64"), "num_samples must be >= 1"
        )
        with tf.control_dependencies([at_least_one]):
            latents = model.prior(SeededNumbers(seed), num_samples) if has_latents else None
        condition = conditions.join(dict(zip(conditions, counted, strict=True))) if len(conditions) else None
        images = model.apply_generator(network, latents, condition, training=False)
        drawn = {"images": to_uint8(images) if is_image else images}
        return {**drawn, "latents": latents} if has_latents else drawn

    def draw_png(seed, *counted):
        images = draw(seed, *counted)["images"]
        return {"image_bytes": tf.map_fn(tf.io.encode_png, images, fn_output_signature=tf.string)}

    archive = keras.export.ExportArchive()  # With `track`, it would store the endpoints' variables twice.
    main = serving_default(model)
    archive.add_endpoint(MAIN, main.function, main.specs)
    draw_specs = [seed_spec, *(conditions.specs() or [count_spec])]
    archive.add_endpoint("generate", draw, draw_specs)
    if is_image and model.image_shape[-1] in (1, 3, 4):
        archive.add_endpoint("generate_png", draw_png, draw_specs)
    model.add_endpoints(archive)
    archive.write_out(path, verbose=False)
    write_card(model, path)


def write_card(model, path):
    """Writes the card to `assets.extra/ganzoo.json`. TensorFlow leaves the folder `assets.extra` to others."""
    cards.write_json(Path(path) / "assets.extra" / "ganzoo.json", cards.card(model))


def read_card(path):
    """Returns the card as a dictionary."""
    return json.loads((Path(path) / "assets.extra" / "ganzoo.json").read_text())
