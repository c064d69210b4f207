"""The contents of the page of a model."""

import math

import numpy as np

from ganzoo import checks, files, latent
from ganzoo.export.endpoints import decoding
from ganzoo.export.onnx import convert
from ganzoo.export.page import blocks
from ganzoo.export.precision import in_float32
from ganzoo.export.words import wanted_suffix
from ganzoo.images import to_uint8
from ganzoo.sampling import SeededNumbers
from ganzoo.version import __version__

# If the page cannot draw from a prior, it stores latents: the most seeds, samples of a seed, and bytes.
SEEDS, SAMPLES, TABLE_BYTES = 100, 16, 2**21

# Strings of a browser end at half a gigabyte.
MODEL_BYTES = 2**28

# Limits of stored training images: pixels of a side, bytes, and examples of a model that translates.
THUMBNAIL, TRAINING_BYTES, EXAMPLES = 32, 2**23, 24


def export(
    model,
    path,
    directions=None,
    training_images=None,
    training_labels=None,
    title=None,
    card=None,
    shared_runtime=False,
):
    """Writes a page that is the model. `model.export(path, format="html")` calls it.

    The file holds the generator, ONNX Runtime Web (5 MB) and everything else. It opens by a double click, without a
    server and without a network, on a phone too. On the page you can:

    - draw the samples of a seed, the same as from `model.generate`,
    - move single latents, directions and classes, and go from a sample to another,
    - see the plane of two latents,
    - compare with training images,
    - save pictures and latents.

    For a model that translates images, you draw the input or drop it in.

    A Content-Security-Policy forbids every connection and all scripts except its own. So you can open a page whatever
    the model's card or the names of its classes say. Weights cannot run anything.

    Args:
        model: `GenerativeModel` of images.
        path: `Path`, which ends in `.html`.
        directions: `ganzoo.latent.Directions`, array `(count, latent_dim)`, or a dictionary, name -> vector, for the
            sliders. Defaults to the directions of `ganzoo.latent.sefa`, if the first layer is linear.
        training_images: Array `(count, height, width, channels)`, uint8 or floats in [-1, 1]. The page shows the
            nearest images below a sample. For a VAE of two latents it shows where the images lie. For a model that
            translates, they are examples of inputs. Defaults to `None`.
        training_labels: Integers `(count,)`, their classes. Defaults to `None`.
        title: String. Defaults to the model's class.
        card: Dictionary of strings with more facts about the model. Defaults to `None`.
        shared_runtime: Boolean, whether ONNX Runtime Web lies beside the page, as `onnxruntime-web-1.30.0.js`, and not
            inside. The pages of several models in a folder then share it, and the policy allows scripts of that folder
            too. Defaults to `False`.

    Raises:
        ValueError: If the model makes no images, or an argument does not fit it.
        ImportError: Without `pip install 'keras-ganzoo[export]'`.

    Example:

    ```python
    vae.export("vae.html", format="html", training_images=images[:1000], training_labels=labels[:1000])
    ```
    """
    wanted_suffix("html", path, ".html")
    is_shared = checks.boolean("shared_runtime", shared_runtime)
    parts = contents(model, path.stem, directions, training_images, training_labels, title, card)
    if is_shared:
        write(path.with_name(blocks.SHARED), blocks.shared_runtime())
    write(path, blocks.document(**parts, is_shared=is_shared))


def write(path, text):
    """Writes a file as a whole, or not at all."""
    with files.replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def contents(model, name, directions=None, training_images=None, training_labels=None, title=None, card=None):
    """The contents of the page of a model, as JSON values: the arguments of `blocks.document`.

    Args:
        name: String, the first part of the names of files that visitors save.

    Other arguments and errors as in `export`.
    """
    check_model(model)
    named = named_directions(model, directions)
    training = training_part(model, training_images, training_labels)
    title = str(title or type(model).__name__)
    endpoint = decoding(in_float32(model))
    _, proto = convert(endpoint, "html")
    content = {"model": proto.SerializeToString()}
    check_size(len(content["model"]))
    values = {
        "title": title,
        "file": name,
        "image_shape": model.image_shape,
        "inputs": inputs_of(model, endpoint),
        "latents": latents_part(model, content),
        "classes": classes_of(model),
        "attributes": attributes_of(model),
        "attribute_labels": attribute_labels_of(model),
        "directions": list(named),
        "training": training and {key: value for key, value in training.items() if key != "pixels"},
        **colours_of(model, training),
    }
    if named:
        content["directions-data"] = np.stack(list(named.values())).astype("<f4").tobytes()
    if training:
        content["training"] = training["pixels"].tobytes()
    return {
        "title": title,
        "summary": summary(model),
        "facts": facts(model, card),
        "values": values,
        "blocks": {block: blocks.packed(part) for block, part in content.items()},
        "training_count": training["count"] if training else 0,
    }


# === Checks ===


def check_model(model):
    """Raises a `ValueError` unless the page can show a model."""
    if len(model.image_shape) != 3 or model.image_shape[-1] not in (1, 3, 4):
        raise ValueError(
            'format="html" is for images with 1, 3 or 4 channels. Received: a model of samples of shape '
            f"{model.image_shape}."
        )
    kinds = [kind["kind"] for kind in model.conditions.card().values()]
    shape = model.conditions.image_shape
    if len(set(kinds)) < len(kinds) or (shape is not None and shape[-1] not in (1, 3, 4)):
        raise ValueError(
            'format="html" takes one label, one vector of attributes and one image of 1, 3 or 4 channels. Received: a '
            f"model with the conditions {model.conditions.card()}."
        )


def check_size(size):
    """Raises a `ValueError` for a model that is too large for a page."""
    if size > MODEL_BYTES:
        raise ValueError(
            f'format="html" holds models of up to {MODEL_BYTES / 1e6:.0f} MB. Received: one of {size / 1e6:.0f} MB. '
            'Use format="onnx".'
        )


def named_directions(model, directions):
    """Directions as a dictionary, name -> unit vector of float32. Empty if the latents are not vectors."""
    is_vector = model.has_latents and model.latent_dtype == "float32" and len(model.latent_shape) == 1
    if not is_vector or model.conditions.translates:
        if directions is not None:
            raise ValueError("`directions` are for latents that are vectors. This model has none: leave them out.")
        return {}
    if directions is None:
        directions = () if model.latent_dim == 2 else found_directions(model)  # A plane shows all of the latents.
    if isinstance(directions, latent.Directions):
        vectors, names = directions.vectors, directions.names
        directions = vectors if names is None else dict(zip(names, vectors, strict=True))
    if not isinstance(directions, dict):
        directions = {f"Direction {index + 1}": vector for index, vector in enumerate(directions)}
    return {str(name): direction(name, vector, model.latent_dim) for name, vector in directions.items()}


def found_directions(model):
    """The directions that the first layer stretches most. Empty if the layer is not linear."""
    try:
        return latent.sefa(model, space="z")
    except ValueError:
        return ()


def direction(name, vector, size):
    """A direction as a unit vector."""
    vector = checks.array("directions", vector, "float64")
    length = np.linalg.norm(vector)
    if vector.shape != (size,) or not np.isfinite(length) or length == 0:
        raise ValueError(
            f"`directions` must be vectors of {size} finite numbers, the width of the latents, not all 0. Received: "
            f"{name!r} of shape {vector.shape}."
        )
    return (vector / length).astype("float32")


def training_part(model, images, labels):
    """Training images in the page's format: a dictionary, or `None`."""
    if images is None:
        if labels is not None:
            raise ValueError("`training_labels` needs `training_images`.")
        return None
    translates = model.conditions.translates
    images = checked_images(images, model.conditions.image_shape if translates else model.image_shape)
    labels = checked_labels(labels, len(images))
    images = distinct(images)[:EXAMPLES] if translates else images
    height, width, channels = images.shape[1:]
    by = 1 if translates else shrinking(height, width)
    if images.nbytes / by**2 > TRAINING_BYTES:
        raise ValueError(
            f"`training_images` would take {images.nbytes / by**2 / 1e6:.0f} MB of the page. Pass fewer than "
            f"{len(images):,}: {int(TRAINING_BYTES * by**2 // images[0].nbytes):,} fit."
        )
    means = images.reshape(-1, height // by, by, width // by, by, channels).mean((2, 4)) if by > 1 else images
    return {
        "shape": [height // by, width // by, channels],
        "count": len(images),
        "by": by,
        "points": points_of(model, images),
        "labels": None if translates else labels,
        "names": model.class_names,
        "pixels": np.round(means).astype("uint8"),
    }


def distinct(images):
    """Images without repetitions, in their order."""
    return np.stack(list({image.tobytes(): image for image in images}.values()))


def checked_images(images, shape):
    """Images as uint8."""
    images = checks.array("training_images", images)
    if images.shape[1:] != shape or not len(images):
        raise ValueError(
            f"`training_images` must have the shape (count, {', '.join(map(str, shape))}). Received: {images.shape}"
        )
    if images.dtype == np.uint8:
        return images
    checks.check_pixels(images, "`training_images`")
    return to_uint8(images).numpy()


def checked_labels(labels, count):
    """Labels as a list of integers, or `None`."""
    if labels is None:
        return None
    labels = checks.array("training_labels", labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"`training_labels` must be {count} integers of at least 0, a label for each image. Received: "
            f"{labels.dtype} of shape {labels.shape}"
        )
    return labels.tolist()


def shrinking(height, width):
    """The smallest divisor of both sides that makes them small enough for a thumbnail, otherwise 1."""
    common = math.gcd(height, width)
    small = (by for by in range(1, common + 1) if common % by == 0 and max(height, width) <= by * THUMBNAIL)
    return next(small, 1)


def points_of(model, images):
    """Where an encoder puts images in a plane of two latents: a list of pairs, or `None`."""
    if model.latent_dim != 2 or not hasattr(model, "encode"):
        return None
    codes = model.encode(images.astype("float32") / 127.5 - 1)
    return np.round(codes[0] if isinstance(codes, tuple) else codes, 3).tolist()


# === Settings of the scripts ===


def inputs_of(model, endpoint):
    """The inputs of the ONNX model in their order."""
    kinds = ["latents"] * model.has_latents + [kind["kind"] for kind in model.conditions.card().values()]
    return [
        {"name": spec.name, "kind": kind, "dtype": spec.dtype.name, "shape": spec.shape.as_list()[1:]}
        for spec, kind in zip(endpoint.specs, kinds, strict=True)
    ]


def latents_part(model, content):
    """The page's facts about latents, or `None`. If the prior is not N(0, I), this stores latents in `content`."""
    if not model.has_latents:
        return None
    part = {"shape": model.latent_shape, "dtype": model.latent_dtype}
    if is_normal(model):
        return {**part, "prior": "normal"}
    size = math.prod(model.latent_shape)
    seeds = max(1, min(SEEDS, TABLE_BYTES // (SAMPLES * size * 4)))
    table = np.stack([model.prior(SeededNumbers(seed), SAMPLES).numpy() for seed in range(seeds)])
    content["latents"] = table.astype("<f4").tobytes()
    part |= {"prior": "stored", "table": {"seeds": seeds, "samples": SAMPLES}}
    if len(model.latent_shape) == 1:
        part["limits"] = np.maximum(np.abs(table).max((0, 1)), 1).round(2).tolist()
    return part


def is_normal(model):
    """Whether a model draws its latents from N(0, I) in a single call."""
    shape = (3, *model.latent_shape)
    pairs = ((model.prior(SeededNumbers(seed), 3), SeededNumbers(seed).normal(shape)) for seed in (0, 7))
    return model.latent_dtype == "float32" and all(np.array_equal(ours, normal) for ours, normal in pairs)


def classes_of(model):
    """The names of the classes, or their numbers. `None` if the model has no classes."""
    if model.num_classes is None:
        return None
    return {"names": model.class_names or [str(label) for label in range(model.num_classes)]}


def attributes_of(model):
    """The names of the attributes, or `None`."""
    for kind, spec in zip(model.conditions.card().values(), model.conditions.specs(), strict=True):
        if kind["kind"] == "attributes":
            return list(model.attribute_names or (f"Attribute {index + 1}" for index in range(spec.shape[1])))
    return None


def attribute_labels_of(model):
    """The one-hot labels among the attributes, name -> columns. The page lets you choose a value of each."""
    kind = model.conditions.attributes
    labels = {} if kind is None else kind.labels
    return {label: columns for label, columns in labels.items() if len(columns) > 1}


def colours_of(model, training):
    """Colours to draw with, for a model that translates: dark on light, or as in the corners of its examples."""
    if not model.conditions.translates:
        return {}
    is_light = training is None or np.median(training["pixels"][:, [0, 0, -1, -1], [0, -1, 0, -1]]) > 127
    return {"paper": "#ffffff", "ink": "#000000"} if is_light else {"paper": "#000000", "ink": "#ffffff"}


# === Words ===


def summary(model):
    """A line about a model."""
    height, width, channels = model.image_shape
    colour = {1: "grey", 3: "colour", 4: "colour and transparency"}[channels]
    name, size = type(model).__name__, f"{width} × {height} pixels in {colour}"
    if model.conditions.translates:
        return f"A {name} that translates images to images of {size}. It runs in this page."
    latents = f"{math.prod(model.latent_shape):,} latents"
    return f"A {name} that makes images of {size} from {latents}. It runs in this page."


def facts(model, card):
    """The card of the page."""
    parameters = sum(math.prod(weight.shape) for weight in model.sampling_generator.weights)
    return {
        "Model": type(model).__name__,
        "Shape of a sample": " × ".join(map(str, model.image_shape)),
        "Parameters of the generator": f"{parameters:,}",
        "Steps of the training": f"{model.steps_done:,}",
        "Written by": f"ganzoo {__version__}",
        **(card or {}),
    }
