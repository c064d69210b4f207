"""A training that is killed and resumed ends with the same bits as one that was not."""

import random
import re
import time

import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.training.feed import Feed
from tests.workers import processes, train


def newest_step(directory):
    """The step of the newest checkpoint, 0 if there is none."""
    return max((int(path.stem.removeprefix("step_")) for path in directory.glob("step_*.keras")), default=0)


def torn_writes(directory):
    """The files that a killed process was writing."""
    return list(directory.glob(".writing-*"))


class KilledTraining:
    """Trains in one process after the other, and kills all but the last.

    Args:
        kind: Which data, see `tests.workers.train.build_data`.
        folder: Path for all files.
        seed: Of the moments.
    """

    def __init__(self, kind, folder, seed):
        self.kind, self.folder = kind, folder
        self.checkpoints, self.log, self.result = folder / "checkpoints", folder / "log.txt", folder / "digest.txt"
        self.checkpoints.mkdir(parents=True)
        self.random = random.Random(seed)
        self.kills = self.torn = self.lost_steps = 0

    def start(self, every_steps):
        self.steps = processes.shared_integer()
        arguments = (self.kind, str(self.result), str(self.checkpoints), every_steps, self.steps)
        return processes.start(self.log, train.train, *arguments)

    def kill(self, moment):
        """One life. It ends at a random time of the start, after a random step, or while a checkpoint is written."""
        done, leftovers = newest_step(self.checkpoints), torn_writes(self.checkpoints)
        process = self.start(every_steps=self.random.choice([1, 2, 3]))
        if moment == "start":
            time.sleep(self.random.uniform(0.1, 1.5))
        elif moment == "step":
            last = done + self.random.choice([1, 2])
            self.wait(process, lambda: self.steps.value >= last)
            time.sleep(self.random.uniform(0, 0.02))
        elif moment == "write":
            self.wait(process, lambda: any(path not in leftovers for path in torn_writes(self.checkpoints)))
            time.sleep(self.random.choice([0, 0, 0.005, 0.01, 0.02, 0.03]))
        process.kill()
        process.join()
        assert process.exitcode == -9, self.log.read_text()
        self.kills += 1
        self.torn += any(path not in leftovers for path in torn_writes(self.checkpoints))
        self.lost_steps += max(0, self.steps.value - newest_step(self.checkpoints))

    def wait(self, process, condition):
        while not condition():
            assert process.is_alive(), self.log.read_text()
            time.sleep(0.0005)

    def finish(self):
        """The last life, which ends well; returns the digest."""
        processes.join(self.start(every_steps=4), self.log)
        assert not torn_writes(self.checkpoints)
        return self.result.read_text()


@pytest.mark.parametrize(("kind", "moments"), [("indexed", (1, 3, 6)), ("tf.data", (0, 1, 1))])
def test_killed_and_resumed_is_the_same(kind, moments, tmp_path):
    straight_log, straight_result = tmp_path / "straight.txt", tmp_path / "digest.txt"
    straight = processes.start(straight_log, train.train, kind, str(straight_result))
    killed = KilledTraining(kind, tmp_path / "killed", seed=0)
    moments = killed.random.sample(["start", "step", "write"], counts=moments, k=sum(moments))
    for moment in moments:
        near_the_end = newest_step(killed.checkpoints) > train.STEPS - 5
        killed.kill("start" if near_the_end else moment)
    while newest_step(killed.checkpoints) % train.STEPS_PER_EPOCH == 0:
        killed.kill("step")  # The last life shall begin in the middle of an epoch.
    assert newest_step(killed.checkpoints) < train.STEPS
    resumed_digest = killed.finish()
    processes.join(straight, straight_log)
    print(f"{killed.kills} kills, {killed.torn} of them within a write; {killed.lost_steps} steps made twice")
    assert killed.kills >= len(moments)
    assert killed.torn >= moments.count("write") // 3
    assert resumed_digest == straight_result.read_text()
    output = killed.log.read_text() + straight_log.read_text()
    assert "Skipping variable loading" not in output
    assert "Cannot read the checkpoint" not in output
    assert re.search(r"Resuming at epoch \d of 5, after step [1-7] of 8", output)


def test_the_digest_covers_everything():
    model = train.build_model()
    names = {id(variable) for variable in train.variables_of(model)}
    for variable in (
        *model.generator.weights,
        *model.discriminator.weights,
        *model.ema_generator.weights,
        *model.generator_optimizer.variables,
        *model.discriminator_optimizer.variables,
        model.random.state,
        model.step,
        *(seeds.state for layer in model.discriminator.layers for seeds in getattr(layer, "_seed_generators", ())),
    ):
        assert id(variable) in names, variable.path
    assert len(model._seed_generator_states()) == 1


def numbered(count):
    """Points that tell their number."""
    return np.repeat(np.arange(count, dtype="float32")[:, None], 2, axis=1) / count


def from_generator():
    """A dataset of an unknown number of batches."""
    spec = tf.TensorSpec((2,), "float32")
    return tf.data.Dataset.from_generator(lambda: iter(numbered(27)), output_signature=spec).batch(4)


DATASETS = {
    "indexed": lambda: ganzoo.data.from_arrays(numbered(27), batch_size=4, seed=5),
    "unshuffled": lambda: tf.data.Dataset.from_tensor_slices(numbered(27)).batch(4, drop_remainder=True),
    "partial last batch": lambda: tf.data.Dataset.from_tensor_slices(numbered(27)).batch(4),
    "unknown size": from_generator,
    "endless": lambda: tf.data.Dataset.from_tensor_slices(numbered(27)).batch(4, drop_remainder=True).repeat(),
}


@pytest.mark.parametrize("name", DATASETS)
def test_no_batch_is_repeated_or_skipped(name):
    networks = ganzoo.networks.mlp
    model = ganzoo.GAN(
        networks.generator((2,), latent_dim=2, hidden=()),
        networks.discriminator((2,), hidden=()),
        discriminator_steps=2,
    )
    feed = Feed(model, DATASETS[name](), steps_per_epoch=3)

    def batches(start, count):
        return np.stack(list(feed.from_step(start).take(count).as_numpy_iterator()))

    straight = batches(0, 9)
    assert straight.shape == (9, 8, 2)
    for start in (1, 2, 3, 4, 7):
        np.testing.assert_array_equal(batches(start, 2), straight[start : start + 2])
    first_epoch = straight[:3].reshape(-1, 2)[:, 0]
    assert len(set(first_epoch)) == 24  # Each sample once.
    if name == "indexed":
        assert (straight[3:6] != straight[:3]).any()  # Each epoch in its own order.
