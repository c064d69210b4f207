"""The table of troubles: each record is whole, and a diagnosis says all of it."""

import pytest

from ganzoo.health import diagnoses
from ganzoo.health.diagnoses import TROUBLES, Diagnosis, Trouble, suspicions

ALL = [value for value in vars(diagnoses).values() if isinstance(value, Trouble)]


def test_all_troubles_are_known():
    assert [trouble.name for trouble in TROUBLES] == [
        "diverged",
        "saturated generator",
        "saturated discriminator",
        "dead discriminator",
        "frozen generator",
        "mode collapse",
        "labels ignored",
    ]
    assert {trouble.name for trouble in ALL} - {trouble.name for trouble in TROUBLES} == {"bad data", "getting worse"}


@pytest.mark.parametrize("trouble", ALL, ids=lambda trouble: trouble.name)
def test_a_record_is_whole(trouble):
    assert trouble.cause.endswith(".") and trouble.advice.endswith(".")
    assert (trouble.is_suspected is None) == (trouble.evidence is None) == (trouble not in TROUBLES)
    assert trouble.slow_down in (None, diagnoses.ALL, diagnoses.GENERATOR, diagnoses.DISCRIMINATOR)
    with pytest.raises(AttributeError):
        trouble.name = "another"


def test_what_lower_learning_rates_cure():
    """The network that has left the other behind is slowed down, or both; bad data and labels are not cured so."""
    assert {trouble.name: trouble.slow_down for trouble in ALL if trouble.slow_down != diagnoses.ALL} == {
        "bad data": None,
        "saturated discriminator": "discriminator_optimizer",
        "frozen generator": None,
        "mode collapse": "generator_optimizer",
        "labels ignored": None,
    }
    assert [trouble.name for trouble in ALL if trouble.at_once] == ["diverged"]


def test_a_look_without_signs_speaks_for_nothing():
    assert suspicions({}) == suspicions({"step": 3, "finite": 1.0}) == set()


def test_a_look_speaks_for_several_troubles():
    signs = {"distance": 0.5, "change": 0.0, "diversity": 0.1, "pinned": 0.99, "pinned_real": 0.5}
    assert suspicions(signs) == {"saturated generator", "frozen generator", "mode collapse"}


def test_a_diagnosis_in_words():
    diagnosis = Diagnosis(diagnoses.MODE_COLLAPSE, 1234, "All samples are equal.")
    assert diagnosis.name == "mode collapse"
    assert str(diagnosis) == (
        "mode collapse at step 1,234. All samples are equal. Likely cause: a generator that learns too fast for the "
        "discriminator, or a discriminator that cannot see that samples are alike. What to do: lower the generator's "
        "learning rate, use `packing=2` or `discriminator_steps=2`, or another model: WGAN-GP or R3GAN."
    )
