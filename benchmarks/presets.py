"""Makes the presets of the wheel from finished trainings, and measures the cards again.

    python -m ganzoo train --recipe faces_32 pixel_faces_32.npz --output_dir runs/faces_32
    python benchmarks/presets.py make faces_32 --run runs/faces_32 --data pixel_faces_32.npz --training "40 minutes ..."
    python benchmarks/presets.py check                     # measures every card again: does it lie in its interval?
    python benchmarks/presets.py gallery                   # writes docs/gallery.md and its pictures, of all presets

`make` rounds the weights to float16, measures the rounded model against held-out images, and writes the folder in
`ganzoo/presets/zoo` with a picture of 64 samples of seed 0, not chosen. `check --seed 1` measures other samples of the
same models. One score in twenty may then lie outside its interval.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from lib import translations
from lib.attribute_reader import AttributeReader

import ganzoo
from ganzoo import images, latent, metrics, recipes
from ganzoo.command_line.datasets import labels_of
from ganzoo.command_line.training_data import binarized
from ganzoo.data import load
from ganzoo.export import page
from ganzoo.metrics.measuring import Measuring
from ganzoo.presets import cards, folder, gallery
from ganzoo.presets.shelf import ZOO, names

DOCS = Path(__file__).parent.parent / "docs"
EXPLORERS = 12_000_000  # The gallery shows models as pages up to this many bytes in all. It leaves out the largest.

# Draws of the latents for each image in the estimate of log p(x).
LIKELIHOOD_DRAWS = 100

PROTOCOL = (
    "Measured with the weights as they are in the preset, rounded to float16: generated images of seed 0 against "
    "images that the training never saw. The interval is for the value that infinitely many samples would give. "
    "Memorization is 0.5 for a model that knows no training image better than images it has never seen."
)


def dataset(recipe, split, options):
    """A part of the recipe's data."""
    flags = recipe.get("flags", {})
    side = flags.get("image_size")
    settings = {"image_size": side and (side, side), "label": labels_of(flags.get("data_label"))}
    folders = {"data_dir": options.data_dir, "manual_dir": options.manual_dir}
    return load(options.data or recipe["data"], split, **settings, **folders)


def pictures(recipe, split, options):
    """Images and labels of a part of the recipe's data, as arrays in memory."""
    source = dataset(recipe, split, options).source
    return source.images.numpy(), None if source.labels is None else source.labels.numpy()


def conditions_for(model, labels, count):
    """Every class equally often, or the attributes of real images. `None` without a condition."""
    if model.conditions.attributes is not None:
        return np.resize(labels, (count, labels.shape[1]))
    return model.conditions.in_turn(count)


def measured(model, recipe, options, seed=0):
    """The scores of a model against the held-out images of its recipe, and the picture of the memorization."""
    held_out, labels = pictures(recipe, recipe["measure"]["split"], options)
    training, training_labels = pictures(recipe, recipe["measure"].get("train", "train"), options)
    chosen = metrics.default_metrics(held_out)
    network = chosen[0].features
    chosen = [chosen[0], metrics.Precision(network), metrics.Recall(network), *chosen[1:]]
    count = min(len(held_out), recipe["measure"].get("num_samples", 5000))
    condition = conditions_for(model, labels, count)
    fake = model.generate(count, seed=seed, condition=condition)
    found = Measuring({metric.__class__.__name__: metric for metric in chosen}, held_out).of(fake)
    scores = list(found.scores().values())
    if model.conditions.attributes is not None:
        reader = AttributeReader(training, training_labels, model.conditions.attributes.labels)
        of_real = reader.scores(held_out, labels)["attributes"]
        as_asked = reader.scores(fake, condition)
        as_asked["attributes"].details["of held-out images"] = of_real.value
        scores = [*as_asked.values(), *scores]
    elif condition is not None:
        scores.insert(0, accuracy(network, fake, condition))
    if has_likelihood(model, recipe):
        scores = [*likelihoods(model, recipe, options), *scores]
    memory = metrics.memorization(network(training), network(fake), network(held_out))
    return [*scores, memory], fake, training, memory


def has_likelihood(model, recipe):
    """Whether a model was trained with a bound of the likelihood. Grey pixels have no Bernoulli likelihood."""
    binary = recipe.get("flags", {}).get("binarize", False)
    return isinstance(model, ganzoo.VAE) and (binary or model.likelihood == "gaussian")


def likelihoods(model, recipe, options):
    """ELBO and log-likelihood of the held-out images, in nats for an image, with intervals over the images."""
    split = recipe["measure"]["split"]
    binary = model.likelihood == "bernoulli"
    data = dataset(recipe, split, options)
    source = (binarized(data, split) if binary else data).source
    held_out = ganzoo.data.normalize(source.images.numpy())
    pixels = "binary, drawn once by ganzoo.data.binarize(images, seed=1)" if binary else "real numbers in [-1, 1]"
    # With one draw of the latents for an image the estimate's expectation is the ELBO.
    for name, draws in (("elbo", 1), ("log_likelihood", LIKELIHOOD_DRAWS)):
        values = model.log_likelihood(held_out, num_samples=draws, verbose=2)
        error = 1.96 * values.std(ddof=1) / len(values) ** 0.5
        yield metrics.Score(
            name,
            values.mean(),
            (values.mean() - error, values.mean() + error),
            num_real=len(values),
            features="the model's own",
            lower_is_better=False,
            settings={"pixels": pixels, "draws": draws},
        )


def accuracy(network, fake, condition):
    metric = metrics.ClassifierAccuracy(network)
    metric.update_state(fake=fake, labels=condition)
    return metric.result()


def protocol(scores):
    """The protocol of the scores, in words."""
    first = scores[0]
    if first.name == "elbo":
        return (
            f"{PROTOCOL} ELBO and log-likelihood are in nats for a test image, whose pixels are "
            f"{first.settings['pixels']}. The log-likelihood is estimated with {LIKELIHOOD_DRAWS} importance samples "
            "for each image. Their intervals are over the images."
        )
    if "of held-out images" not in first.details:
        return PROTOCOL
    return (
        f"{PROTOCOL} Attributes are read by five small networks that were trained on the training images. On average "
        f"they read all attributes of {first.details['of held-out images']:.1f} % of the held-out real images right."
    )


def samples(model):
    """A picture of 64 samples of seed 0, or as many as fill whole rows of all classes or values in turn."""
    columns, titles = model.conditions.columns if len(model.conditions) else (8, None)
    count = columns * max(1, 64 // columns)
    made = model.generate(count, seed=0, condition=model.conditions.in_turn(count))
    return images.grid(made, columns, titles=titles)


def short(score):
    """A score for the card, without the details that fill pages."""
    details = {key: value for key, value in score.details.items() if np.isscalar(value)}
    return ganzoo.metrics.Score(**{**vars(score), "details": details})


def neighbours(fake, training, memory, count=8):
    """A picture of generated images above their nearest training images, the most suspicious first."""
    pairs = {name: np.array(values[:count]) for name, values in memory.details["pairs"].items()}
    found = training[pairs["real"]][:, None]
    places, distances = pairs["real"][:, None], pairs["distance"][:, None]
    return latent.Neighbours(fake[pairs["fake"]], found, places, distances, memory.features).picture()


def interpolation(model, rows=4, columns=8):
    """A picture of ways between samples, on great circles in the space of the latents."""
    first, second = (latent.draw(model, rows, seed) for seed in (2, 3))
    ways = latent.between(first, second, np.linspace(0, 1, columns)).reshape(rows * columns, -1)
    condition = model.conditions.in_turn(rows)
    condition = None if condition is None else np.repeat(condition, columns, axis=0)
    return images.grid(model.generate(latents=ways, condition=condition), columns=columns)


def make(options):
    recipe = recipes.read(options.recipe or options.name)
    model = keras.saving.load_model(options.run / "model.keras")
    target = ZOO / options.name
    with tempfile.TemporaryDirectory() as rounded:
        model.save_to_preset(rounded, options.discriminator, "float16")
        steps, model = model.steps_done, ganzoo.from_preset(rounded)
    if model.conditions.translates:
        scores, picture = translations.measured(model, recipe, options.data or recipe["measure"]["split"])
        pictures, words = {"samples.png": picture}, translations.PROTOCOL
    else:
        scores, fake, training, memory = measured(model, recipe, options)
        words = protocol(scores)
        pictures = {
            "samples.png": samples(model),
            "interpolation.png": interpolation(model),
            "nearest.png": neighbours(fake, training, memory),
        }
    card = {
        **recipe.get("card", {}),
        "command": f"ganzoo train --recipe {options.recipe or options.name}",
        "training": f"{steps:,} updates{' of the generator' if hasattr(model, 'discriminator') else ''}, "
        + f"seed {recipe.get('flags', {}).get('seed', 0)}"
        + (f"; {options.training}" if options.training else ""),
        "picture": "samples.png",
        "scores": [short(score) for score in scores],
        "protocol": words,
    }
    model.save_to_preset(target, options.discriminator, "float16", card)
    for name, picture in pictures.items():
        images.save_png(target / name, picture)
    if options.curve:
        shutil.copyfile(options.run / "learning_curve.png", target / "learning_curve.png")
    print((target / folder.CARD).read_text())


def check(options):
    failed = False
    for name in options.names or names():
        recipe, model = recipes.read(name), ganzoo.from_preset(name)
        known = {score["name"]: score for score in folder.read_metadata(ZOO / name)["card"]["scores"]}
        if model.conditions.translates:
            found = translations.measured(model, recipe, options.data or recipe["measure"]["split"])[0]
        else:
            found = measured(model, recipe, options, options.seed)[0]
        for score in found:
            low, high = known[score.name]["interval"]
            inside = low <= score.value <= high
            failed |= not inside
            words = "in" if inside else "OUTSIDE of"
            print(f"{name:<24} {score.name:<20} {score.value:.4g} {words} [{low:.4g}, {high:.4g}]", flush=True)
    sys.exit(int(failed))


def write_gallery(options):
    """Writes the page of the documentation and its pictures. Removes pictures of presets that are gone."""
    presets = [(name, ZOO / name, folder.read_metadata(ZOO / name)) for name in names()]
    text, pictures = gallery.markdown(presets, explorers=write_explorers(presets))
    (DOCS / "gallery.md").write_text(text)
    target = DOCS / "images" / "zoo"
    target.mkdir(exist_ok=True)
    for path in target.glob("*.png"):
        path.unlink()
    for name, path in pictures.items():
        shutil.copyfile(path, target / name)
    print(f"Wrote {DOCS / 'gallery.md'} and {len(pictures)} pictures of {len(names())} preset(s).")


def write_explorers(presets):
    """Writes the pages of the models. Returns a dictionary, name -> bytes.

    The file of an unchanged preset stays, because a new conversion would give the same model in other bytes.
    """
    target, texts = DOCS / "explore", {}
    target.mkdir(exist_ok=True)
    for name, path, metadata in presets:
        file, digest, card = target / f"{name}.json", gallery.digest(path), metadata.get("card", {})
        texts[name] = file.read_text() if file.is_file() else ""
        if not texts[name] or json.loads(texts[name])["preset"] != digest:
            told = {"title": card.get("title", name), "card": cards.facts(card) | cards.scores_in_words(card)}
            content = {"preset": digest, "page": page.contents(ganzoo.from_preset(name), name, **told)}
            texts[name] = json.dumps(content, indent=1) + "\n"
    sizes = {}
    for name in sorted(texts, key=lambda each: len(texts[each])):
        if sum(sizes.values()) + len(texts[name]) <= EXPLORERS:
            sizes[name] = len(texts[name])
    for file in target.glob("*.json"):
        file.unlink()
    for name in sizes:
        (target / f"{name}.json").write_text(texts[name])
    return sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    maker, checker = commands.add_parser("make"), commands.add_parser("check")
    commands.add_parser("gallery").set_defaults(run_command=write_gallery)
    maker.add_argument("name")
    maker.add_argument("--recipe", help="where it is called otherwise")
    maker.add_argument("--run", type=Path, required=True, help="the folder that `ganzoo train` wrote")
    maker.add_argument("--discriminator", action=argparse.BooleanOptionalAction, default=True)
    maker.add_argument("--training", help="time and machine, for the card")
    maker.add_argument("--curve", action="store_true", help="keep the picture of the logged values as well")
    checker.add_argument("names", nargs="*")
    checker.add_argument("--seed", type=int, default=0)
    for each, function in ((maker, make), (checker, check)):
        each.add_argument("--data", help="the path of the recipe's data")
        each.add_argument("--data_dir")
        each.add_argument("--manual_dir")
        each.set_defaults(run_command=function)
    options = parser.parse_args()
    options.run_command(options)


if __name__ == "__main__":
    main()
