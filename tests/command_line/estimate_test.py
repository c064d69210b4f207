"""`ganzoo estimate`: the prediction from given rates by hand, and the whole command on a tiny model."""

import pytest

import ganzoo
from ganzoo.command_line.estimate import duration, predict
from ganzoo.training.cost import Cost
from ganzoo.training.rates import Rates


def test_seconds_by_hand():
    """40 FLOP at 20 per second, 30 at 10, 100 bytes at 50, 4 operations of 0.25 s: 2 + 3 + 2 + 1."""
    rates = Rates(convolution=20.0, product=10.0, bytes=50.0, overhead=0.25)
    cost = Cost(convolution=40.0, product=30.0, bytes=100.0, operations=4)
    assert list(rates.parts(cost).values()) == [2.0, 3.0, 2.0, 1.0]
    assert rates.seconds(cost) == 8.0


@pytest.mark.parametrize("seconds, words", [(0.5, "0.5 s"), (59, "59 s"), (90, "1.5 min"), (5400, "1.5 h")])
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_prediction():
    """640 images in minibatches of 8, 2 of them an update: 40 updates an epoch. Only overhead takes time here."""
    rates = Rates(convolution=float("inf"), product=float("inf"), bytes=float("inf"), overhead=1e-3)
    model = ganzoo.WGANGP.from_paper((16, 16, 1), filters=4, discriminator_steps=2, seed=0)
    data = ganzoo.data.load("fashion_mnist_10k", "train[:640]", batch_size=8, image_size=(16, 16))
    found = predict(model, data, epochs=3, rates=rates)
    assert found["updates"] == 3 * 40
    assert found["seconds_per_update"] == pytest.approx(1e-3 * found["operations"])
    assert found["seconds"] == pytest.approx(0.12 * found["operations"])
    assert found["flops"] > 0 and found["memory"] > found["live_bytes"] > 0
    assert model.steps_done == 0 and not model.generator_optimizer.iterations.numpy()


def test_the_command(capsys):
    from ganzoo.__main__ import main

    main(["estimate", "dcgan", "fashion_mnist_10k", "--split=train[:640]", "--filters=4", "--epochs=2"])
    printed = capsys.readouterr().out
    assert printed.startswith("DCGAN, images (28, 28, 1), batch 64\n")
    for words in ("arithmetic of an update", "20 updates", "peak memory", "GFLOP/s in convolutions", "Assumptions"):
        assert words in printed
