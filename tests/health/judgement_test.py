"""The judgement: what looks at a training, its data and its evaluations amount to."""

import numpy as np
import pytest

from ganzoo.health import diagnoses
from ganzoo.health.diagnoses import suspicions
from ganzoo.health.judgement import is_rising, judge


def looks(count=12, every=100, **signs):
    """Looks that are alike, but for lists of values."""
    base = {"finite": 1.0, "diversity": 1.0, "distance": 0.5, "change": 0.3, "learning_rate": 1e-3}
    base |= {"slope": 1.0, "push": 0.5, "reach": 20.0, "gap": 1.0, "score_spread": 5.0, "ignorance": 1.386}
    base |= {"bounded": 1.0, "d_loss": 1.0}
    rows = [{**base, "step": every * index} for index in range(count)]
    for name, values in signs.items():
        values = [values] * count if np.isscalar(values) else values
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def falling(start, factor, count=12):
    return list(start * factor ** np.arange(count))


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({}, None),
        ({"diversity": 0.1}, diagnoses.MODE_COLLAPSE.name),
        ({"diversity": falling(0.1, 1.06)}, None),  # It spreads.
        ({"diversity": 0.1, "distance": 0.01}, None),  # As narrow as the data.
        ({"diversity": [0.1] * 10 + [0.5, 0.1]}, None),  # Not for long enough.
        ({"d_loss": 0.01}, diagnoses.SATURATED_DISCRIMINATOR.name),
        ({"d_loss": 0.01, "distance": falling(1.0, 0.97)}, None),  # A strong discriminator teaches.
        ({"d_loss": 0.01, "distance": falling(1.0, 0.99)}, diagnoses.SATURATED_DISCRIMINATOR.name),
        ({"d_loss": 0.01, "diversity": falling(0.3, 1.05)}, None),
        ({"d_loss": 0.01, "distance": 0.05}, None),  # The samples are good.
        ({"d_loss": -50.0, "bounded": 0.0}, None),  # The critic of a Wasserstein model may win.
        ({"push": 1e-5}, diagnoses.SATURATED_DISCRIMINATOR.name),
        ({"push": 1e-5, "gap": -1.0}, None),  # The generator wins.
        ({"change": 0.0}, diagnoses.FROZEN_GENERATOR.name),
        ({"change": 0.0, "d_loss": 1e-5}, diagnoses.FROZEN_GENERATOR.name),
        ({"change": 0.0, "push": 1e-9}, diagnoses.SATURATED_DISCRIMINATOR.name),
        ({"change": 0.0, "learning_rate": [1e-3] * 6 + [1e-6] * 6}, None),  # A schedule that has ended.
        ({"change": 0.0, "learning_rate": 0.0}, diagnoses.FROZEN_GENERATOR.name),
        ({"d_loss": 1.386, "score_spread": 1e-3}, diagnoses.DEAD_DISCRIMINATOR.name),
        ({"d_loss": 1.386, "score_spread": 0.3}, None),
        ({"d_loss": 1.386, "score_spread": 1e-3, "distance": 0.02}, None),  # It has nothing left to find.
        ({"pinned": 0.99, "pinned_real": 0.8}, diagnoses.SATURATED_GENERATOR.name),
        ({"pinned": 0.99, "pinned_real": 0.98}, None),  # The data are black and white.
        ({"reach": 5000.0}, diagnoses.DIVERGED.name),
        ({"bounded": 0.0, "slope": falling(12.0, 1.1)}, diagnoses.DIVERGED.name),
        ({"bounded": 0.0, "slope": 40.0}, None),  # A wide clip.
        ({"bounded": 0.0, "slope": falling(0.1, 1.2)}, None),
        ({"label_agreement": 0.1, "label_floor": 0.14, "distance": 0.05}, diagnoses.LABELS_IGNORED.name),
        ({"label_agreement": 0.3, "label_floor": 0.14, "distance": 0.05}, None),
        ({"label_agreement": 0.1, "label_floor": 0.14}, None),  # Too early to tell.
    ],
)
def test_judgement(signs, expected):
    rows = looks(**signs)
    found = judge(rows, warm_up=0, patience=5)
    assert (found and found.name) == expected
    if expected:
        assert found.step == rows[-1]["step"]
        assert "nan" not in found.evidence and found.evidence.endswith(".")


def test_warm_up_and_patience():
    rows = looks(diversity=0.1)
    assert [judge(rows[: index + 1], 300, 5) is not None for index in range(12)] == [False] * 7 + [True] * 5
    rows = looks(reach=5000.0)
    assert [judge(rows[: index + 1], 300, 5) is not None for index in range(12)] == [False] * 5 + [True] * 7


def test_an_autoencoder_has_no_discriminator():
    rows = [{key: row[key] for key in ("step", "finite", "diversity", "distance", "change")} for row in looks()]
    assert judge(rows, 0, 5) is None and suspicions(rows[-1]) == set()
    for row in rows:
        row["diversity"] = 0.1
    assert judge(rows, 0, 5).trouble is diagnoses.MODE_COLLAPSE


def test_twice_a_negative_distance_is_no_rise():
    """The unbiased kernel distance of equal distributions."""
    assert not is_rising([0.01, -0.02, 0.01, 0.02, 0.01])
    assert is_rising([0.01, 0.5, 0.6, 0.7])
