"""Judges a training from its looks, its data and its evaluations."""

import numpy as np

from ganzoo.health.diagnoses import BAD_DATA, LABELS_IGNORED, TROUBLES, Diagnosis, suspicions


def finite(looks):
    """The looks in a memory, without the evaluations."""
    return [look for look in looks if "finite" in look]


def judge(looks, warm_up, patience):
    """Diagnoses a training from all its looks.

    A trouble is diagnosed if the last `patience` looks all suggest it, the warm-up is over, and nothing refutes it.

    Args:
        looks: List of dictionaries, see `VitalSigns.look`.
        warm_up: Integer, the first step for diagnoses that need a warm-up.
        patience: Integer, number of looks that must agree.

    Returns:
        `Diagnosis`, or `None`.
    """
    looks = finite(looks)
    if len(looks) <= patience:
        return None
    before, *recent = looks[-patience - 1 :]
    for trouble in TROUBLES:
        agreed = all(trouble.name in suspicions(look) for look in recent)
        counts = trouble.at_once or recent[0]["step"] >= warm_up
        if agreed and counts and not any(refutes(before, recent, looks) for refutes in trouble.refuted_by):
            return Diagnosis(trouble, recent[-1]["step"], trouble.evidence(looks[0], before, recent[-1]))
    return None


def data_faults(data, are_images, num_classes):
    """Pairs of trouble and evidence, from the facts that `VitalSigns` has found about the data.

    Args:
        data: Dictionary, `VitalSigns.data`.
        are_images: Boolean.
        num_classes: Integer, or `None`.
    """
    if data["spread"] < 0.03:
        whole = "the range of the pixels" if are_images else "their distance from 0"
        yield BAD_DATA, f"Real samples are all equal, or nearly: they differ by {data['spread']:.1%} of {whole}."
    elif data["distinct"] < 0.1:
        yield BAD_DATA, f"Only {data['distinct']:.1%} of the first real samples are different ones."
    elif "label_agreement" in data and data["label_count"] >= 10 * num_classes:
        chance, agreement = data["label_chance"], data["label_agreement"]
        error = np.sqrt(chance * (1 - chance) / data["label_count"])
        if agreement < chance + 3 * error < 0.9:
            yield (
                LABELS_IGNORED,
                f"The labels say nothing about the real images: of {data['label_count']:,} the most similar other one "
                f"has the same label in {agreement:.1%} of the cases, and by chance {chance:.1%}.",
            )


def is_frechet_distance(name):
    """Whether `Evaluate` gives this name to a Fréchet distance, in features of InceptionV3 or others."""
    return name in ("FID", "clean-FID") or name.startswith("frechet_distance")


def is_rising(values):
    """Whether the last three values of a distance are all at least twice the smallest value.

    Unbiased estimates of a distance near 0 may be negative, where twice the value has no meaning.
    """
    return len(values) > 3 and min(values[-3:]) > 2 * min(values) > 0
