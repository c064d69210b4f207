"""CollapseGuard: each trouble by its name, silence on healthy runs, and the way back."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import ganzoo
from ganzoo.callbacks import Checkpoint, CollapseGuard
from ganzoo.health import diagnoses
from ganzoo.health.diagnoses import suspicions
from ganzoo.training.learning_rates import optimizers_of
from ganzoo.training.state import variables_of, weights_are_finite
from tests.check_model import digest, two_replicas
from tests.health.trainings import (
    IMAGES,
    NETWORKS,
    POINTS,
    affine_generator,
    build,
    eager,
    fit,
    healthy,
    linear_discriminator,
)
from tests.workers import train


def guard(**settings):
    return CollapseGuard(**{"every": 5, "warm_up": 0, "patience": 3, "num_samples": 64, **settings})


def names(callback):
    return [diagnosis.name for diagnosis in callback.diagnoses]


# === What it says: a training for each trouble ===


def frozen():
    return build(0.0, 1e-3), POINTS


def pinned():
    model = build(
        generator=NETWORKS.generator((6, 6, 1), latent_dim=2, hidden=(8,)), discriminator=discriminator_of_images()
    )
    kernel, bias = model.generator.get_layer("head").get_weights()
    model.generator.get_layer("head").set_weights([1e4 * kernel, bias])
    return model, IMAGES


def discriminator_of_images():
    return NETWORKS.discriminator((6, 6, 1), hidden=(8,))


def saturated():
    """The minimax loss, and a sure discriminator: sigmoid(-40) is left of the generator's gradient."""
    return build(
        1e-6, 1e-6, affine_generator(0.1 * np.eye(2), [-4.0, 0.0]), linear_discriminator([10.0, 0.0]), minimax=True
    ), POINTS


def dead():
    return build(1e-3, 0.0, discriminator=linear_discriminator([0.0, 0.0])), POINTS


def collapsed():
    """A generator that does not listen to its latents."""
    latents = keras.Input((2,), name="latents")
    return build(generator=keras.Model(latents, keras.layers.Dense(2)(keras.layers.Rescaling(0.0)(latents)))), POINTS


def unclipped():
    model = build(1e-3, 0.5, model=ganzoo.WGAN)
    for variable in model.discriminator.trainable_variables:
        variable.constraint = None
    return model, POINTS


def exploded():
    return build(1e-3, 30.0), POINTS


TROUBLES = {
    diagnoses.FROZEN_GENERATOR.name: frozen,
    diagnoses.SATURATED_GENERATOR.name: pinned,
    diagnoses.SATURATED_DISCRIMINATOR.name: saturated,
    diagnoses.DEAD_DISCRIMINATOR.name: dead,
    diagnoses.MODE_COLLAPSE.name: collapsed,
    diagnoses.DIVERGED.name: unclipped,
    f"{diagnoses.DIVERGED.name}, bounded": exploded,
}


@pytest.mark.parametrize("name", TROUBLES)
def test_names_the_trouble(name, capsys):
    callback = guard()
    model, data = TROUBLES[name]()
    fit(model, callback, data=data, steps=40)  # So many steps are faster in a graph.
    name = name.split(",")[0]
    assert names(callback) == [name]
    assert not model.stop_training and model.steps_done == 40
    output = capsys.readouterr().out
    assert output.count("CollapseGuard: ") == 1  # Once, for all the looks that found it.
    assert f"CollapseGuard: {name} at step" in output and "Likely cause: " in output and "What to do: " in output
    assert "nan" not in callback.diagnoses[0].evidence


@pytest.mark.parametrize("seed", [0, 1])
def test_says_nothing_of_a_healthy_training(seed):
    """The guard is as impatient as where it names the troubles."""
    callback = guard(warm_up=60)
    model = healthy(seed=seed)
    history = fit(model, callback, steps=120, epochs=2).history
    assert names(callback) == []
    assert callback.looks[-1]["distance"] < 0.5 * callback.looks[0]["distance"]
    assert history["diversity"] == [callback.looks[24]["diversity"], callback.looks[48]["diversity"]]
    assert 0 < callback.seconds


CLUSTERS = np.random.default_rng(2).integers(0, 4, 320)


@pytest.mark.parametrize(
    ("data", "labels", "evidence"),
    [
        (
            np.zeros((64, 6, 6, 1), "uint8"),
            None,
            "all equal, or nearly: they differ by 0.0% of the range of the pixels",
        ),
        (np.repeat(IMAGES[:1], 64, axis=0) // 2 + IMAGES // 128, None, "all equal, or nearly"),
        (np.tile(IMAGES[:3], (21, 1, 1, 1)), None, "of the first real samples are different ones"),
        (POINTS * 1e-3 + np.float32([[9, 9]]), None, "of their distance from 0"),
        (POINTS, CLUSTERS, "The labels say nothing about the real images"),
    ],
    ids=["zeros", "one mode", "few images", "one mode of points", "labels"],
)
def test_bad_data(data, labels, evidence, capsys):
    is_image, classes = data.ndim == 4, None if labels is None else 4
    shape = (6, 6, 1) if is_image else (2,)
    model = build(
        generator=NETWORKS.generator(shape, latent_dim=2, hidden=(4,), num_classes=classes),
        discriminator=NETWORKS.discriminator(shape, hidden=(4,), num_classes=classes),
        num_classes=classes,
    )
    callback = guard()
    fit(eager(model), callback, data=data, labels=labels, steps=4)
    assert names(callback) == [diagnoses.BAD_DATA.name if labels is None else diagnoses.LABELS_IGNORED.name]
    assert evidence in capsys.readouterr().out
    if labels is not None:  # The same points with labels that mean something.
        callback = guard()
        fit(eager(model), callback, data=data, labels=(data[:, 0] > 4).astype("int64"), steps=4)
        assert names(callback) == []


def test_nan_in_the_data_is_refused_before_the_guard_sees_it(capsys):
    data = POINTS.copy()
    data[16 * 12 + 3] = np.nan
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(16)
    model, callback = eager(build()), guard()
    with pytest.raises(ValueError, match="NaN or infinite values: first in sample 3 of batch 12"):
        model.fit(dataset, epochs=2, verbose=0, callbacks=[callback])
    assert names(callback) == [] and model.steps_done <= 12


@pytest.mark.parametrize(
    ("values", "expected", "name", "monitor"),
    [
        ([3, 1, 2.1, 2.1, 2.1], True, "mine", {"monitor": "mine"}),
        ([3, 1, 2.1, 2.1, 2.1, 2.2], True, "FID", {}),
        ([3, 1, 2.1, 2.1, 2.1], True, "frechet_distance_digitsclassifier", {}),
        ([3, 1, 2.1, 2.1, 2.1], False, "precision", {}),
        ([3, 1, 2.1, 2.1], False, "frechet_distance", {}),
        ([3, 1, 2.1, 1.9, 2.1], False, "frechet_distance", {}),
        ([1, 3, 3], False, "frechet_distance", {}),
    ],
)
def test_a_rising_distance(values, expected, name, monitor):
    class Evaluation(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs[name] = values[epoch]

    callback = guard(**monitor)
    fit(eager(build()), Evaluation(), callback, epochs=len(values), steps=2)
    assert names(callback) == [diagnoses.GETTING_WORSE.name] * expected
    if expected:
        assert callback.diagnoses[0].evidence == f"{name} was 1, and is 2.1, 2.1, 2.1."


# === What it does not ===


def test_leaves_no_trace_in_the_training(tmp_path):
    """With dropout, penalties and averages; looks in the middle of epochs."""
    digests = []
    for callbacks in ([], [guard(every=3, action="rollback", directory=tmp_path)]):
        model = train.build_model()
        model.fit(train.build_data("indexed"), epochs=2, verbose=0, callbacks=callbacks)
        digests.append((train.digest(model), digest(model)))
    assert digests[0] == digests[1]
    assert len(callbacks[0].looks) == 1 + 16 // 3


def test_the_mean_loss_since_the_last_look():
    seen = []
    model = eager(build())
    track = model.track
    model.track = lambda **values: (seen.append(values["d_loss"]) if "d_loss" in values else None, track(**values))
    callback = guard(every=4)
    fit(model, callback, steps=10, epochs=2)
    seen = [float(value) for value in seen]
    expected = {4: seen[0:4], 8: seen[4:8], 12: seen[10:12], 16: seen[12:16], 20: seen[16:20]}
    found = {look["step"]: look["d_loss"] for look in callback.looks[1:]}
    assert found == {step: pytest.approx(np.mean(values), rel=1e-4) for step, values in expected.items()}


def test_several_steps_in_a_call():
    model = build()
    model.compile(**{name: pair[0] for name, pair in model.optimizers.items()}, steps_per_execution=4)
    callback = guard(every=6)
    fit(model, callback, steps=20)
    assert [look["step"] for look in callback.looks] == [0, 8, 12, 20]


def test_two_replicas():
    with two_replicas().scope():
        model = build()
    callback = guard(action="rollback")
    model.step.assign(0)
    fit(eager(model), callback, Spoil(7), steps=10)
    assert names(callback) == [diagnoses.DIVERGED.name] and callback.rollbacks == 1
    assert len(callback.looks) == 1 and model.steps_done == 10
    assert weights_are_finite(model)


def test_a_value_of_a_metric_may_be_nan():
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(parzen=np.nan))
    callback = guard()
    fit(eager(build()), log, callback, steps=2)
    assert names(callback) == []


# === A value that is not finite ===


class Diverging(ganzoo.GAN):
    """Tracks `another`, which is `value` after the update number `at`; the weights follow."""

    def __init__(self, *args, at=6, value=np.nan, **kwargs):
        super().__init__(*args, **kwargs)
        self.at, self.value = at, value

    def generator_loss(self, critic, real, fake):
        another = ops.where(ops.equal(self.step, self.at - 1), self.value, 1.0)
        self.track(another=another)
        return super().generator_loss(critic, real, fake) * another


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("guard_first", [True, False])
def test_a_value_that_is_not_finite_ends_the_training(tmp_path, capsys, value, guard_first):
    """At once, and back to the last good file."""
    digests = {}
    model, callback = eager(build(model=Diverging, value=value)), guard()
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: digests.update({model.steps_done: digest(model)})
    )
    pair = [callback, Checkpoint(tmp_path, every_steps=2, every_epochs=1)]
    fit(model, note, *(pair if guard_first else pair[::-1]), epochs=3, steps=8)
    (diagnosis,) = callback.diagnoses
    assert (diagnosis.name, diagnosis.step) == (diagnoses.DIVERGED.name, 6)
    assert diagnosis.evidence in (f"another is {value}.", "g_loss is nan.", f"g_loss is {value}.")
    assert "stopped the training, and went back to the state of step 4." in capsys.readouterr().out
    assert model.steps_done == 4 and digest(model) == digests[4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_0000000002.keras", "step_0000000004.keras"]
    assert max(digests) == 6  # Not one step more.


def test_ends_before_the_next_epoch_of_a_resumed_run(tmp_path):
    fit(eager(build(model=Diverging)), Checkpoint(tmp_path), steps=3)
    model, callback = eager(build(model=Diverging)), guard()
    fit(model, callback, Checkpoint(tmp_path), epochs=4, steps=8)
    assert callback.diagnoses[0].step == 6 and model.steps_done == 3


def test_a_value_of_the_validation_ends_the_training():
    model, callback = eager(build()), guard()
    infinite = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(val_d_loss=np.inf))
    fit(model, infinite, callback, epochs=3, steps=8)
    assert callback.diagnoses[0].evidence == "val_d_loss is inf."
    assert model.steps_done == 8


# === The way back ===


class Spoil(keras.callbacks.Callback):
    """Makes the generator's weights infinite before steps."""

    def __init__(self, *steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.steps_done + 1 in self.steps:
            weight = self.model.generator.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.inf))


class Digests(keras.callbacks.Callback):
    """The state after each step, without what a rollback does not take back."""

    def __init__(self):
        super().__init__()
        self.of_steps = {}

    def on_train_batch_end(self, batch, logs=None):
        left_out = {id(self.model.step), *(id(o.learning_rate) for o in optimizers_of(self.model).values())}
        self.of_steps[self.model.steps_done] = b"".join(
            np.asarray(variable).tobytes() for variable in variables_of(self.model) if id(variable) not in left_out
        )


def test_goes_back_to_the_last_good_state(capsys):
    model, callback, before, after = build(1e-3, 4e-3), guard(action="rollback"), Digests(), Digests()
    fit(model, before, Spoil(14), callback, after, steps=10, epochs=2)
    assert names(callback) == [diagnoses.DIVERGED.name] and callback.diagnoses[0].step == 14
    assert before.of_steps[14] != after.of_steps[14] == before.of_steps[10]
    assert model.steps_done == 20 and weights_are_finite(model)
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(2e-4)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(8e-4)
    output = capsys.readouterr().out
    assert "went back to the state of step 10, with the learning rates 0.0002, 0.0008 (rollback 1 of 3)." in output
    assert np.isfinite(list(model.history.history.values())).all()  # The means of the epoch begin anew.


def test_a_second_time_goes_back_to_the_start_and_then_ends(capsys):
    """Without a good look in between."""
    model, callback = build(1e-3, 1e-3), guard(action="rollback", max_rollbacks=2, every=10)
    start, end = Digests(), Digests()
    start.set_model(model)
    start.on_train_batch_end(0)
    fit(model, Spoil(14, 16, 18), callback, end, steps=40)
    output = capsys.readouterr().out
    assert [
        int(line.split("state of step ")[1].split(" ")[0].strip(".,"))
        for line in output.split("\n")
        if "state of" in line
    ] == [10, 0, 0]
    assert model.steps_done == 0 and end.of_steps[0] == start.of_steps[0]
    assert callback.rollbacks == 2 and names(callback) == [diagnoses.DIVERGED.name] * 3
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(1e-3)  # As it was then.


@pytest.mark.parametrize(
    ("trouble", "name", "rates"),
    [
        (saturated, diagnoses.SATURATED_DISCRIMINATOR.name, (1e-6, 2e-7)),
        (collapsed, diagnoses.MODE_COLLAPSE.name, (2e-4, 1e-3)),
    ],
)
def test_the_network_that_left_the_other_behind_is_slowed_down_alone(trouble, name, rates):
    model, data = trouble()
    callback = guard(action="rollback", max_rollbacks=1)
    fit(model, callback, data=data, steps=20)
    assert names(callback) == [name] and callback.rollbacks == 1
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(rates[0])
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(rates[1])


def test_rates_that_were_lowered_stay_so():
    """First the generator's, for a collapse; then both, from the start on."""
    model, data = collapsed()
    callback = guard(action="rollback", every=4, max_rollbacks=2)
    fit(model, callback, Spoil(15), data=data, steps=18)
    assert names(callback) == [diagnoses.MODE_COLLAPSE.name, diagnoses.DIVERGED.name]
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(1e-3 * 0.04)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(1e-3 * 0.2)
    model, data = collapsed()
    callback = guard(action="rollback", every=4, max_rollbacks=2)
    fit(model, callback, Spoil(3), data=data, steps=18)
    assert names(callback) == [diagnoses.DIVERGED.name, diagnoses.MODE_COLLAPSE.name]
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(1e-3 * 0.04)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(1e-3 * 0.2)


def test_what_a_rollback_cannot_cure_is_told_only():
    model, data = frozen()
    callback = guard(action="rollback")
    fit(model, callback, data=data, steps=40)
    assert names(callback) == [diagnoses.FROZEN_GENERATOR.name]
    assert callback.rollbacks == 0 and model.steps_done == 40


def test_saves_a_training_from_its_learning_rates():
    """They are a thousand and ten thousand times those that find the data."""
    ends = {}
    for action in ("warn", "rollback"):
        callback, model = guard(action=action, factor=0.1, warm_up=60), healthy(2.0, 40.0)
        fit(model, callback, steps=240)
        assert names(callback)[0] == diagnoses.DIVERGED.name
        ends[action] = callback.looks[-1]["distance"]
    assert 1 <= callback.rollbacks <= 3 and not model.stop_training and model.steps_done == 240
    assert ends["rollback"] < 0.3 and ends["warn"] > 3 * ends["rollback"], ends


def test_without_rollbacks_the_newest_checkpoint_takes_over(tmp_path, capsys):
    model, callback, digests = eager(build()), guard(), Digests()

    def tear(model):
        (tmp_path / f"step_{12:010d}.keras").write_bytes(b"torn")

    tearing = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: model.steps_done == 13 and tear(model)
    )
    fit(model, Spoil(14), digests, callback, Checkpoint(tmp_path, every_steps=4), tearing, steps=20)
    assert model.steps_done == 8 and model.stop_training
    now = Digests()
    now.set_model(model)
    now.on_train_batch_end(0)
    assert now.of_steps[8] == digests.of_steps[8]
    output = capsys.readouterr().out
    assert "diverged at step 14." in output and "went back to the state of step 8." in output


# === Memory ===


class Kill(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done == self.step:
            raise KeyboardInterrupt


def resumable(folder, **settings):
    return guard(directory=folder, **settings), Checkpoint(folder, every_steps=5, keep=9)


def test_a_resumed_run_remembers(tmp_path):
    """It is killed when two of three looks have found the collapse; the third one follows after the resumption."""
    straight, checkpoint = resumable(tmp_path / "straight")
    fit(collapsed()[0], straight, checkpoint, steps=30)
    callback, checkpoint = resumable(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        fit(collapsed()[0], callback, checkpoint, Kill(12), steps=30)
    assert names(callback) == []
    with (tmp_path / "killed" / "guard.jsonl").open("a") as file:
        file.write('{"step": 12, "fin')  # Torn.
    resumed, checkpoint = resumable(tmp_path / "killed")
    fit(collapsed()[0], resumed, checkpoint, steps=30)
    assert names(resumed) == names(straight) == [diagnoses.MODE_COLLAPSE.name]
    assert resumed.diagnoses[0].step == straight.diagnoses[0].step == 15
    assert [look["step"] for look in resumed.looks] == [look["step"] for look in straight.looks]
    lines = [json.loads(line) for line in (tmp_path / "killed" / "guard.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10, 15, 15, 20, 25, 30]
    anew = guard(directory=tmp_path / "killed")
    fit(eager(collapsed()[0]), anew, steps=5)
    assert [look["step"] for look in anew.looks] == [0, 5]


def test_a_resumed_run_knows_its_rollbacks_and_the_last_good_file(tmp_path, capsys):
    callback, checkpoint = resumable(tmp_path, action="rollback", max_rollbacks=2)
    with pytest.raises(KeyboardInterrupt):
        fit(build(), Spoil(8), callback, checkpoint, Kill(18), steps=30)
    assert callback.rollbacks == 1
    resumed, checkpoint = resumable(tmp_path, action="rollback", max_rollbacks=2)
    model = eager(build())
    fit(model, Spoil(17, 18), resumed, checkpoint, steps=30)
    assert resumed.rollbacks == 2 and model.stop_training
    output = capsys.readouterr().out
    assert "went back to the state of step 5, with" in output  # The first time, from memory.
    assert "went back to the state of step 15, with the learning rates 4e-05, 4e-05 (rollback 2 of 2)" in output


def test_resumed_in_the_middle_of_the_trouble(tmp_path, capsys):
    """The state of the resumption is none to go back to; that of the last good look, step 5, is."""

    class Collapse(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if self.model.steps_done >= 7:
                kernel = self.model.generator.trainable_variables[0]
                kernel.assign(0 * kernel)

    arguments = {"action": "rollback", "max_rollbacks": 1}
    callback, checkpoint = resumable(tmp_path, **arguments)
    with pytest.raises(KeyboardInterrupt):
        fit(eager(build()), Collapse(), callback, checkpoint, Kill(16), steps=30)
    assert callback.rollbacks == 0
    assert [bool(suspicions(look)) for look in callback.looks] == [False, False, True, True]
    resumed, checkpoint = resumable(tmp_path, **arguments)
    fit(eager(build()), Collapse(), resumed, checkpoint, steps=25)
    assert "went back to the state of step 5, with" in capsys.readouterr().out


# === Bad input ===


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"action": "stop"}, "`action` must be one of 'warn', 'rollback'. Received: action='stop'"),
        ({"every": 0}, "`every` must be an integer of at least 1. Received: every=0"),
        ({"num_samples": 4}, "`num_samples` must be an integer from 8 to 100,000"),
        ({"max_rollbacks": True}, "`max_rollbacks` must be an integer of at least 0"),
        ({"factor": 1.0}, "`factor` must be a finite number above 0 and below 1. Received: factor=1.0"),
    ],
)
def test_refuses_bad_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        CollapseGuard(**settings)


def test_a_schedule_cannot_be_lowered():
    model = build(keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.5))
    with pytest.raises(ValueError, match="lowers learning rates that are numbers. Received: the schedule Exponential"):
        fit(model, guard(action="rollback"))
    assert model.steps_done == 0
    fit(eager(model), guard(), steps=2)
