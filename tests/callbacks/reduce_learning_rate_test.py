import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.callbacks import ReduceLearningRate


def adversarial(generator=0.08, discriminator=0.02):
    optimizers = [keras.optimizers.SGD(rate) for rate in (generator, discriminator)]
    return ganzoo.GAN.from_paper(
        (2,), hidden=(2,), generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1]
    )


def run(callback, values, model):
    """The learning rates after each epoch, from the log."""
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        logs = {"M": value}
        callback.on_epoch_end(epoch, logs)
        rates.append((logs["generator_learning_rate"], logs["discriminator_learning_rate"]))
    assert rates[-1] == (
        float(model.generator_optimizer.learning_rate),
        float(model.discriminator_optimizer.learning_rate),
    )
    return rates


def test_halves_both_rates_when_the_value_stalls():
    values = [3.0, 2.0, 2.5, 2.0, 1.9, 1.95, 1.9]
    rates = run(ReduceLearningRate(patience=2), values, adversarial())
    expected = [0.08, 0.08, 0.08, 0.04, 0.04, 0.04, 0.02]
    np.testing.assert_allclose([rate for rate, _ in rates], expected, rtol=1e-6)
    np.testing.assert_allclose([rate for _, rate in rates], np.array(expected) / 4, rtol=1e-6)


def test_no_rate_gets_below_the_minimum():
    callback = ReduceLearningRate(patience=1, factor=0.1, min_learning_rate=0.01)
    rates = run(callback, [1.0, 1.0, 1.0], adversarial(generator=0.08, discriminator=0.005))
    np.testing.assert_allclose(rates, [(0.08, 0.005), (0.01, 0.005), (0.01, 0.005)], rtol=1e-6)


def test_min_delta():
    values = [1.0, 0.95, 0.89]
    assert run(ReduceLearningRate(patience=1, min_delta=0.1), values, adversarial())[1][0] == pytest.approx(0.04)
    assert run(ReduceLearningRate(patience=1), values, adversarial())[2][0] == pytest.approx(0.08)


def test_the_training_uses_the_new_rates():
    samples = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    model = adversarial()
    callback = ReduceLearningRate(monitor="d_loss", patience=1, factor=0.5, min_delta=100.0, min_learning_rate=0.0)
    history = model.fit(samples, batch_size=4, epochs=3, verbose=0, callbacks=[callback]).history
    np.testing.assert_allclose(history["generator_learning_rate"], [0.08, 0.04, 0.02], rtol=1e-6)
    # In the graph of the step as well: the last update is that of a rate of 0.
    model.generator_optimizer.learning_rate = 0.0
    before = model.generator.get_weights()
    model.fit(samples, batch_size=4, epochs=1, verbose=0)
    for a, b in zip(before, model.generator.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_one_optimizer_in_half_precision(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    vae = ganzoo.VAE.from_paper((2,), latent_dim=2, hidden=(2,), optimizer=keras.optimizers.Adam(0.08))
    callback = ReduceLearningRate("loss", patience=1)
    callback.set_model(vae)
    callback.on_train_begin()
    for epoch in range(2):
        logs = {"loss": 1.0}
        callback.on_epoch_end(epoch, logs)
    assert logs["learning_rate"] == pytest.approx(0.04)
    assert float(vae.optimizer.inner_optimizer.learning_rate) == pytest.approx(0.04)
    vae.save(tmp_path / "vae.keras")
    assert float(keras.saving.load_model(tmp_path / "vae.keras").optimizer.learning_rate) == pytest.approx(0.04)


def test_refuses_schedules():
    callback = ReduceLearningRate()
    callback.set_model(adversarial(discriminator=keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)))
    with pytest.raises(ValueError, match="Received: discriminator_optimizer with the schedule ExponentialDecay"):
        callback.on_train_begin()


def test_refuses_a_value_that_is_not_logged():
    callback = ReduceLearningRate()
    callback.set_model(adversarial())
    callback.on_train_begin()
    with pytest.raises(ValueError, match=r"monitors 'M', and the log has \['d_loss'\]"):
        callback.on_epoch_end(0, {"d_loss": 1.0})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factor": 1.0}, "`factor` must be a finite number above 0 and below 1. Received: factor=1.0"),
        ({"patience": 0}, "`patience` must be an integer of at least 1. Received: patience=0"),
    ],
)
def test_arguments_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ReduceLearningRate(**settings)
