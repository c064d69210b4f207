"""The commands for the latents of a trained model. Their flags are in `ganzoo/command_line/latent_flags.py`."""

from pathlib import Path

import numpy as np

from ganzoo import files, images, latent
from ganzoo.command_line.evaluate import load
from ganzoo.command_line.generate import number_of
from ganzoo.command_line.latent_flags import integers_of
from ganzoo.command_line.models import load_model
from ganzoo.command_line.translate import images_in, read
from ganzoo.metrics.defaults import default_features
from ganzoo.training.condition_kinds import Attributes


def interpolate(options):
    """Draws paths between samples."""
    model = opened(options)
    ends = latents_of(model, options)
    ways = len(ends) if options.closed else max(1, len(ends) - 1)
    settings = {"closed": options.closed, "space": options.space, "condition": labels_for(model, options, ways)}
    sheet = latent.interpolate(model, ends, options.steps, options.method, **settings)
    write(options.output, sheet.picture(), f"{ways} ways")


def traverse(options):
    """Draws samples along a latent or a direction."""
    model = opened(options)
    latents, space = latents_of(model, options), options.space
    direction = options.latent
    if options.directions is not None:
        direction, space = read_direction(options.directions, options.index, space)
    values = np.linspace(options.low, options.high, options.steps)
    condition = labels_for(model, options, len(latents))
    sheet = latent.traverse(model, latents, direction, values, space=space, condition=condition)
    write(options.output, sheet.picture(), f"{len(latents)} samples from {options.low:g} to {options.high:g}")


def truncate(options):
    """Draws samples at several truncations."""
    model = opened(options)
    condition = labels_for(model, options, options.num_samples)
    settings = {"seed": options.seed, "space": options.space, "condition": condition}
    sheet = latent.truncate(model, options.num_samples, options.amounts, **settings)
    write(options.output, sheet.picture(), f"rows of {', '.join(f'{amount:g}' for amount in options.amounts)}")


def video(options):
    """Writes a video."""
    model = opened(options)
    if options.classes is not None:
        check_conditional(model, "classes", options.classes)
        options.num_samples = len(options.classes)
        condition = [number_of(label, model) for label in options.classes]
    else:
        ends = options.num_samples if options.picked is None else len(options.picked)
        condition = labels_for(model, options, ends)
    ends, tiles = options.num_samples, options.tiles
    options.num_samples = ends * tiles
    latents = latents_of(model, options)
    if len(latents) % tiles:
        raise SystemExit(f"--picked: {len(latents)} samples do not fill {tiles} tiles evenly.")
    latents = latents.reshape(-1, tiles, *latents.shape[1:])
    settings = {"method": options.method, "closed": options.closed, "space": options.space, "condition": condition}
    settings["blend"] = options.blend
    latent.video(model, options.output, latents, options.steps, options.fps, **settings)
    print(f"Wrote {options.output}")


def directions(options):
    """Finds directions, and draws samples along each."""
    model = opened(options)
    if options.method == "sefa":
        found = latent.sefa(model, options.count, options.space)
    elif options.method == "supervised":
        found = supervised(model, options)
    else:
        condition = labels_for(model, options, 5000)
        settings = {"seed": options.seed, "space": options.space, "condition": condition}
        found = latent.pca(model, options.count, options.layer, **settings)
    latents, condition = latent.draw(model, 2, options.seed), labels_for(model, options, 2)
    values = np.linspace(-options.reach, options.reach, 9)
    settings = {"space": found.space, "condition": condition}
    rows = [latent.traverse(model, latents, vector, values, **settings).images for vector in found.vectors]
    rows = np.concatenate(rows)
    picture = images.grid(rows.reshape(-1, *rows.shape[2:]), columns=rows.shape[1])
    named = {} if found.names is None else {"names": np.array(found.names)}
    arrays = beside(options.output, vectors=found.vectors, strengths=found.strengths, space=found.space, **named)
    for index, strength in enumerate(found.strengths):
        name = "" if found.names is None else f", {found.names[index]}"
        print(f"direction {index}{name}: {strength:.4g}")
    write(options.output, picture, f"{len(found)} directions, two rows each, and {arrays}")


def supervised(model, options):
    """The directions of the values of labels that a classifier reads best along a line, the best first."""
    reader = reader_of(model, options)
    read = ", ".join(f"{name} {share:.1%}" for name, share in reader.accuracy.items())
    print(f"Read right in images that were held out: {read}")
    settings = {"seed": options.seed, "space": options.space, "condition": labels_for(model, options, 5000)}
    found = latent.supervised(model, reader, 5000, names=reader.names, **settings)
    best = np.argsort(-found.strengths, kind="stable")[: options.count]
    names = [found.names[index] for index in best]
    return latent.Directions(found.vectors[best], found.strengths[best], found.space, names)


def reader_of(model, options):
    """A classifier of the labels of a dataset."""
    dataset, pictures, labels = read_data(options, model)
    if labels is None:
        raise SystemExit(f"--dataset={options.dataset} has no labels. --data_label names the one to read.")
    return reader_of_data(model, dataset, pictures, labels, options.data_label)


def reader_of_data(model, dataset, pictures, labels, name):
    """A classifier of one label, or of several whose one-hot vectors lie side by side."""
    if labels.ndim == 1:
        name = name or "label"
        names = dataset.class_names and {name: dataset.class_names}
        return latent.Reader(model, pictures, {name: labels}, names)
    columns = Attributes(labels.shape[1], dataset.attribute_names)
    values, names = {}, {}
    for name, places in columns.labels.items():
        if len(places) == 1:  # There, or not.
            values[name], names[name] = (labels[:, places[0]] > 0.5).astype("int64"), ["no", "yes"]
        else:
            values[name] = labels[:, places].argmax(axis=1)
            names[name] = [columns.attribute_names[place].partition(" ")[2] for place in places]
    return latent.Reader(model, pictures, values, names)


def project(options):
    """Finds latents for images."""
    model = opened(options)
    given = [Path(options.input)] if Path(options.input).is_file() else images_in(Path(options.input))
    targets = np.stack([read(file, model.image_shape) for file in given])
    found = latent.project(
        model,
        targets,
        steps=options.steps,
        starts=options.starts,
        feature_weight=options.feature_weight,
        seed=options.seed,
        space=options.space,
        condition=labels_for(model, options, len(targets)),
    )
    arrays = beside(options.output, latents=found.latents, psnr=found.psnr, space=found.space)
    print("PSNR: " + ", ".join(f"{value:.1f}" for value in found.psnr) + " dB")
    write(options.output, found.picture(), f"{len(targets)} images above what was found, and {arrays}")


def reject(options):
    """Draws samples and improves them with the discriminator."""
    model = opened(options)
    held_out, labels = data_of(options, model)
    ratio = latent.DensityRatio(model, held_out, condition=labels if len(model.conditions) else None)
    settings = {"seed": options.seed, "condition": model.conditions.in_turn(options.num_samples)}
    if options.method == "reject":
        settings["gamma"] = options.gamma
    elif options.steps is not None:
        settings["steps"] = options.steps
    drawn = getattr(latent, options.method)(model, options.num_samples, ratio, **settings)
    print(f"{drawn.acceptance:.2%} of the proposals were accepted.")
    write(options.output, images.grid(drawn.images), f"{len(drawn.images)} samples")


def nearest(options):
    """Draws generated images and their nearest training images."""
    model = opened(options)
    training, _ = data_of(options, model)
    count = options.num_samples
    generated = model.generate(count, seed=options.seed, condition=model.conditions.in_turn(count))
    in_pixels = latent.nearest(generated, training)
    network = default_features(training, quick=True)
    others = [] if network is None else [latent.nearest(generated, training, network)]
    named = "pixels" + "".join(f", and in {each.features}" for each in others)
    write(options.output, in_pixels.picture(*others), f"{count} samples above the nearest in {named}")


# === Parts ===


def opened(options):
    """Opens the model of the options. Stops unless it has latents and makes images."""
    model, _ = load_model(options.model)
    if not model.has_latents:
        raise SystemExit(f"{options.model} translates images and has no latents: it is a {type(model).__name__}.")
    if len(model.image_shape) != 3 or model.image_shape[-1] not in (1, 3, 4):
        raise SystemExit(f"Samples of shape {model.image_shape} are no images.")
    if set(model.conditions) - {"label"}:
        raise SystemExit(
            f"{options.model} depends on {', '.join(model.conditions)}. The command line knows a label. Use "
            "ganzoo.latent in Python."
        )
    return model


def latents_of(model, options):
    """The latents for the flags."""
    picked = integers_of("picked", options.picked)
    if picked is None:
        return latent.draw(model, options.num_samples, options.seed)
    return latent.draw(model, max(picked) + 1, options.seed)[picked]


def labels_for(model, options, count):
    """A label for each of `count` samples, or `None` for a model without labels."""
    if model.num_classes is None:
        if options.label is not None:
            check_conditional(model, "label", options.label)
        return None
    if options.label is None:
        return model.conditions.in_turn(count)
    return np.full(count, number_of(options.label, model))


def check_conditional(model, flag, value):
    """Stops unless a model takes labels."""
    if model.num_classes is None:
        given = ",".join(value) if isinstance(value, list) else value
        raise SystemExit(f"--{flag}={given}: the model is unconditional and takes no label.")


def data_of(options, model):
    """Images of a dataset in the size of the model's samples, and their labels or `None`."""
    return read_data(options, model)[1:]


def read_data(options, model):
    """A dataset, and its images and labels as `data_of` returns them."""
    dataset = load(options, model.image_shape)
    batches = list(dataset.batch(1000).as_numpy_iterator())
    parts = [list(part) for part in zip(*(batch if isinstance(batch, tuple) else (batch,) for batch in batches))]
    pictures, *labels = (np.concatenate(part) for part in parts)
    if pictures.shape[1:] != model.image_shape:
        raise SystemExit(
            f"{options.model} makes images of {model.image_shape}, and {options.dataset} has {pictures.shape[1:]}. "
            "--image_size brings them to another size."
        )
    return dataset, pictures, labels[0] if labels else None


def read_direction(path, index, space):
    """Reads a direction from a file, and the space of the direction."""
    with np.load(path, allow_pickle=False) as file:
        if "vectors" not in file:
            raise SystemExit(f"--directions={path} holds no directions. `ganzoo directions` writes such a file.")
        vectors, of_file = file["vectors"], str(file["space"])
    if index >= len(vectors):
        raise SystemExit(f"--index={index}: {path} has the directions 0 to {len(vectors) - 1}.")
    return vectors[index], space or of_file


def beside(output, **arrays):
    """Writes arrays to a file beside a picture. Returns its path."""
    path = Path(output).with_suffix(".npz")
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    return path


def write(path, picture, what):
    """Writes a picture and prints its path."""
    images.save_png(path, picture)
    print(f"Wrote {what} to {path}")
