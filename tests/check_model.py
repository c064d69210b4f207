"""The contracts of the base classes, as checks that every model of the zoo passes.

In the test of a model:

```python
def make(**overrides):
    return tiny(ganzoo.GAN, (6, 4, 1), **overrides)

@check_model
def test_contract(check, tmp_path):
    check(make, {"d_loss", "g_loss"}, tmp_path)
```

`make(**overrides)` returns a compiled model, with small networks and always the same weights; overrides are those of
`from_paper`. `check_generative_model` has the contracts of models with one optimizer; their `make` takes `optimizer`.
"""

import copy
import functools
import hashlib
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.sampling import SeededNumbers

BATCH = 4

# Three classes, if a model is conditional.
CLASSES = 3


def tiny(model, image_shape, **settings):
    """A model of the zoo with the same weights each time."""
    keras.utils.set_random_seed(0)
    return model.from_paper(image_shape, **{"latent_dim": 3, "seed": 1, **settings})


@functools.cache
def two_replicas():
    """One strategy for the whole process; with reductions on one device, `steps_per_execution` works on a CPU, too."""
    return tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice(reduce_to_device="CPU:0")
    )


ADVERSARIAL = ("generator_optimizer", "discriminator_optimizer")


def sgd(generator=0.1, discriminator=0.1):
    """Settings for plain gradient descent, which hides no error of scale as Adam does."""
    return dict(zip(ADVERSARIAL, (keras.optimizers.SGD(generator), keras.optimizers.SGD(discriminator)), strict=True))


def optimizers(model):
    """The optimizers of a model, whatever their names."""
    return [optimizer for optimizer, _ in model.optimizers.values()]


def descent(make, rate):
    """Settings for plain gradient descent with one rate for all."""
    names = make.optimizers if hasattr(make, "optimizers") else ADVERSARIAL
    return {name: keras.optimizers.SGD(rate) for name in names}


def samples_like(model, count, seed=0):
    """Random samples, in [-1, 1], and labels or attributes; or input and target images."""
    random = np.random.default_rng(seed)
    samples = random.uniform(-1, 1, (count, *model.image_shape)).astype("float32")
    if model.conditions.translates:
        return random.uniform(-1, 1, (count, *model.conditions.image_shape)).astype("float32"), samples
    if model.conditions.attributes is not None:
        return samples, random.integers(0, 2, (count, model.conditions.attributes.size)).astype("float32")
    return samples, random.integers(0, model.num_classes or CLASSES, count)


def dataset_for(model, steps, batch_size=BATCH):
    """A dataset for exactly that many steps an epoch, in an order of its own each epoch."""
    parts = samples_like(model, steps * model.batches_per_step * batch_size)
    return model.conditions.dataset(*parts, batch_size)


def train(model, steps, epochs=1, **kwargs):
    """Goes on training for `epochs` of `steps` each."""
    return model.fit(dataset_for(model, steps), epochs=epochs, verbose=0, **kwargs)


def some_conditions(model, count):
    """What `generate` takes as the condition; the first of many are those of few."""
    if model.conditions.translates:
        return samples_like(model, 16)[0][:count]
    return model.conditions.in_turn(count)


def generate(model, count=6, seed=3, **kwargs):
    return model.generate(count, seed=seed, condition=some_conditions(model, count), **kwargs)


def arrays(variables):
    return [variable.numpy() for variable in variables]


def state(model):
    """Everything that a training depends on: weights, averages, optimizers, step, random numbers."""
    variables = [
        *model.weights,
        *model._seed_generator_states(),
        *(variable for optimizer in optimizers(model) for variable in optimizer.variables),
    ]
    return [(variable.path, variable.numpy()) for variable in variables]


def digest(model):
    return hashlib.sha256(b"".join(value.tobytes() for _, value in state(model))).hexdigest()


def assert_same_state(model, other):
    """Bit for bit."""
    ours, theirs = state(model), state(other)
    assert len(ours) == len(theirs)
    different = [name for (name, a), (_, b) in zip(ours, theirs) if a.tobytes() != b.tobytes()]
    assert not different
    assert digest(model) == digest(other)


def assert_equal_arrays(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert a.tobytes() == b.tobytes()


def assert_moved(before, after):
    """Every array differs somewhere."""
    assert len(before) == len(after)
    assert not [index for index, (a, b) in enumerate(zip(before, after)) if a.tobytes() == b.tobytes()]


def reload(model, folder):
    """Saves and loads. Keras' warning "Skipping variable loading for optimizer ..." is an error in the tests."""
    path = folder / "model.keras"
    model.save(path)
    return keras.models.load_model(path)


# === The checks ===


def config_round_trip(make, log_keys, tmp_path):
    model = make(ema_decay=0.9)
    config = model.get_config()
    kept = copy.deepcopy(config)
    clone = type(model).from_config(config)
    assert config == kept
    assert clone.get_config() == config
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    clone.compile_from_config(model.get_compile_config())
    assert clone.get_compile_config() == model.get_compile_config()
    assert clone.batches_per_step == model.batches_per_step


def saves_right_after_construction(make, log_keys, tmp_path):
    model = make(ema_decay=0.9)
    loaded = reload(model, tmp_path)
    assert_same_state(model, loaded)
    np.testing.assert_array_equal(generate(loaded), generate(model))


def resumes_with_the_same_bits(make, log_keys, tmp_path):
    """And evaluations on the way leave no trace."""
    straight, broken_off = (make(ema_decay=0.9, run_eagerly=True) for _ in range(2))
    train(straight, steps=1, epochs=2)
    train(broken_off, steps=1)
    evaluates_without_a_trace(broken_off, log_keys)
    loaded = reload(broken_off, tmp_path)
    assert_same_state(broken_off, loaded)
    assert generate(loaded).tobytes() == generate(broken_off).tobytes()
    # The data go on where they stopped, for a second fit as for a loaded model.
    validated = train(broken_off, steps=1, validation_data=dataset_for(straight, 1)).history
    assert set(validated) == log_keys | {f"val_{key}" for key in log_keys}
    train(loaded, steps=1)
    assert straight.steps_done == broken_off.steps_done == loaded.steps_done == 2
    assert digest_without_evaluation(straight) == digest_without_evaluation(broken_off)
    assert digest_without_evaluation(straight) == digest_without_evaluation(loaded)


def evaluates_without_a_trace(model, log_keys):
    """Twice the same, in everything that a training depends on but for the stream of evaluations."""
    data = dataset_for(model, 1)
    before = digest_without_evaluation(model)
    first = model.evaluate(data, verbose=0, return_dict=True)
    second = model.evaluate(data, verbose=0, return_dict=True)
    assert first == second
    assert set(first) == log_keys
    assert all(math.isfinite(value) for value in first.values())
    assert digest_without_evaluation(model) == before


def logs_of_one_step(make, log_keys, tmp_path):
    model = make(**descent(make, getattr(make, "descent_rate", 0.005)))  # Half of a graph with Adam would be Adam.
    logs = train(model, steps=1).history
    assert set(logs) == log_keys
    assert all(math.isfinite(value) for values in logs.values() for value in values)
    assert {metric.name for metric in model.metrics} == log_keys
    assert (model.optimizer is None) == (len(optimizers(model)) > 1)  # Keras' own, where there is one.


def each_update_is_counted_and_logged(make, log_keys, tmp_path):
    """By the schedules of its optimizer, and in the means of the history."""
    decay = functools.partial(keras.optimizers.schedules.ExponentialDecay, 0.1, decay_steps=1, decay_rate=0.5)
    model = make(
        run_eagerly=True,
        discriminator_steps=2,
        generator_optimizer=keras.optimizers.SGD(decay()),
        discriminator_optimizer=keras.optimizers.SGD(decay()),
    )
    seen = []

    def recording(**values):
        seen.extend((name, float(value)) for name, value in values.items())
        AdversarialModel.track(model, **values)

    model.track = recording
    history = train(model, steps=2, epochs=2).history
    assert int(model.generator_optimizer.iterations) == model.steps_done == 4
    assert int(model.discriminator_optimizer.iterations) == 8
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.1 * 0.5**4)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.1 * 0.5**8)
    assert set(history) == log_keys
    for name in log_keys:
        values = [value for key, value in seen if key == name]
        per_epoch = np.reshape(values, (2, -1))
        of_generator = {"g_loss", *getattr(make, "generator_logs", ())}
        assert per_epoch.shape[1] == (2 if name in of_generator else 4)
        np.testing.assert_allclose(history[name], per_epoch.mean(axis=1), rtol=1e-5, atol=1e-6, err_msg=name)


def each_optimizer_moves_its_own_network(make, log_keys, tmp_path):
    model = make(ema_decay=0.9)
    images, labels = model.conditions.arrange(*samples_like(model, BATCH))
    labels = None if labels is None else tf.constant(labels)
    generator, discriminator, ema = model.generator, model.discriminator, model.ema_generator
    # Statistics of batch normalization move with each forward pass in training mode.
    statistics = generator.non_trainable_weights

    before = arrays(generator.trainable_weights), arrays(discriminator.trainable_weights), arrays(ema.weights)
    model.update_discriminator(tf.constant(images), labels)
    assert_equal_arrays(before[0], arrays(generator.trainable_weights))
    assert_equal_arrays(before[2], arrays(ema.weights))
    assert_moved(weights_with_gradient(discriminator, before[1]), weights_with_gradient(discriminator))

    before = arrays(generator.trainable_weights), arrays(discriminator.weights), arrays(statistics)
    model.update_generator(tf.constant(images), labels)
    assert_equal_arrays(before[1], arrays(discriminator.weights))
    assert_moved(before[0], arrays(generator.trainable_weights))
    assert_moved(before[2], arrays(statistics))


def weights_with_gradient(discriminator, values=None):
    """A Wasserstein critic's last bias cancels out of its loss, and a bias before it may."""
    values = arrays(discriminator.trainable_weights) if values is None else values
    paths = [variable.path for variable in discriminator.trainable_variables]
    return [value for path, value in zip(paths, values) if path.endswith(("kernel", "gamma", "embeddings"))]


def in_float64(check):
    """A check of equal numbers in double precision, except for the outputs of networks and the sums in float32.

    Batch normalization, which divides by the spread of four samples, multiplies rounding errors by a thousand. In
    single precision, how large they are depends on the machine.
    """

    @functools.wraps(check)
    def checked(*args, **kwargs):
        keras.config.set_dtype_policy("float64")
        check(*args, **kwargs)
        keras.config.set_dtype_policy("float32")

    return checked


@in_float64
def replicas_agree(make, log_keys, tmp_path, eagerly=True):
    # Eagerly: the graph of unrolled critic steps for two devices takes ten times as long.
    settings = {"ema_decay": 0.9, "run_eagerly": eagerly}
    if not hasattr(make, "optimizers"):
        settings["discriminator_steps"] = getattr(make, "replica_steps", 2)
    rate = getattr(make, "descent_rate", 0.005)
    alone = make(**settings, **descent(make, rate))
    start = arrays(alone.weights)
    with two_replicas().scope():
        together = make(**settings, **descent(make, rate))
    together.set_weights(start)
    assert alone.distribute_strategy.num_replicas_in_sync == 1
    assert together.distribute_strategy.num_replicas_in_sync == 2
    ours = train(alone, steps=1, epochs=2).history
    theirs = train(together, steps=1, epochs=2).history
    for variable, a, b, first in zip(alone.weights, arrays(alone.weights), arrays(together.weights), start):
        # Rounding errors grow with the values, here with the largest of a variable where that is above 1.
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * max(1.0, np.abs(a).max()), err_msg=variable.path)
        if variable.path.endswith("kernel"):
            assert np.abs(a - first).max() > 1e-5, variable.path
    for name, values in ours.items():
        np.testing.assert_allclose(theirs[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    # A variable has a copy on each device, and the statistics of batch normalization must not drift apart either.
    for variable in together.weights:
        copies = [value.numpy() for value in two_replicas().experimental_local_results(variable.value)]
        np.testing.assert_array_equal(copies[0], copies[-1], err_msg=variable.path)


@in_float64
def jit_compiles(make, log_keys, tmp_path):
    rate = getattr(make, "descent_rate", 0.01)
    plain = make(ema_decay=0.9, run_eagerly=True, **descent(make, rate))
    compiled = make(ema_decay=0.9, jit_compile=True, **descent(make, rate))
    for model in (plain, compiled):
        for draw in ("normal", "uniform"):  # XLA draws others from the same seed.
            setattr(model, draw, functools.partial(constant_numbers, 0.5))
    train(plain, steps=2)
    logs = train(compiled, steps=2).history
    assert np.isfinite(list(logs.values())).all()
    for variable, a, b in zip(plain.weights, arrays(plain.weights), arrays(compiled.weights)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5, err_msg=variable.path)


def constant_numbers(scale, shape):
    """Numbers up to `scale`, which differ from sample to sample."""
    batch = shape[0] if isinstance(shape[0], int) else BATCH  # Of packs there are fewer.
    numbers = np.random.default_rng(0).uniform(0.01, scale, [batch, *shape[1:]])
    return tf.constant(numbers, "float32")


def trains_in_half_precision(make, log_keys, tmp_path):
    for policy, wrapped in (("mixed_bfloat16", False), ("mixed_float16", True)):
        keras.config.set_dtype_policy(policy)
        model = make(run_eagerly=True, ema_decay=0.9)
        logs = train(model, steps=1).history
        for optimizer in optimizers(model):
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == wrapped
        assert np.isfinite(list(logs.values())).all(), policy
        assert all(np.isfinite(value).all() for _, value in state(model)), policy
        images = generate(model)
        assert images.dtype == np.float32 and np.isfinite(images).all()
        keras.config.set_dtype_policy("float32")
        assert_same_state(model, reload(model, tmp_path))


def averages_the_generator(make, log_keys, tmp_path):
    model = make(run_eagerly=True, ema_decay=0.15, **descent(make, 0.1))
    averages = arrays(model.ema_generator.weights)
    assert_equal_arrays(averages, arrays(model.generator.weights))
    for decay in (1 / 10, 0.15):  # 2 / 11 would be more than 0.15.
        train(model, steps=1)
        weights = arrays(model.generator.weights)
        averages = [decay * average + (1 - decay) * weight for average, weight in zip(averages, weights)]
        for average, expected in zip(arrays(model.ema_generator.weights), averages):
            np.testing.assert_allclose(average, expected, rtol=1e-6, atol=1e-7)
    # It is the average that generates.
    latents = model.prior(SeededNumbers(7), 5)
    condition = some_conditions(model, 5)
    inputs = latents if condition is None else [latents, tf.constant(condition)]
    np.testing.assert_allclose(
        generate(model, 5, seed=7), model.ema_generator(inputs, training=False), rtol=1e-5, atol=1e-6
    )
    assert not np.allclose(generate(model, 5, seed=7), model.generator(inputs, training=False), rtol=1e-5, atol=1e-6)


def digest_without_evaluation(model):
    values = [value.tobytes() for path, value in state(model) if "evaluation_random" not in path]
    return hashlib.sha256(b"".join(values)).hexdigest()


@in_float64
def generates_a_function_of_the_seed(make, log_keys, tmp_path):
    model = make()
    images = generate(model, 7)
    assert images.shape == (7, *model.image_shape) and images.dtype == np.float32
    assert np.abs(images).max() <= 1.0 or len(model.image_shape) == 1
    before = digest(model)
    np.testing.assert_array_equal(generate(model, 7), images)
    assert digest(model) == before
    for batch_size in (1, 2, 3, 64):
        np.testing.assert_allclose(generate(model, 7, batch_size=batch_size), images, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(generate(model, 3), images[:3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(generate(model, 7, seed=4), images)


GENERATIVE_CHECKS = [
    config_round_trip,
    saves_right_after_construction,
    resumes_with_the_same_bits,
    logs_of_one_step,
    replicas_agree,
    jit_compiles,
    trains_in_half_precision,
    averages_the_generator,
    generates_a_function_of_the_seed,
]

check_generative_model = pytest.mark.parametrize("check", GENERATIVE_CHECKS, ids=lambda check: check.__name__)
"""Runs a test with each contract of a model with one optimizer: `make.optimizers = ("optimizer",)`."""

check_objective = pytest.mark.parametrize(
    "check",
    [
        config_round_trip,
        resumes_with_the_same_bits,
        logs_of_one_step,
        replicas_agree,
        jit_compiles,
        trains_in_half_precision,
    ],
    ids=lambda check: check.__name__,
)
"""Runs a test with what a loss of its own changes, for a model that samples, averages and saves as its base does."""

CHECKS = [
    config_round_trip,
    saves_right_after_construction,
    resumes_with_the_same_bits,
    logs_of_one_step,
    each_update_is_counted_and_logged,
    each_optimizer_moves_its_own_network,
    replicas_agree,
    jit_compiles,
    trains_in_half_precision,
    averages_the_generator,
    generates_a_function_of_the_seed,
]

check_model = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
"""Runs a test with each of the contracts."""

# What a label adds to a step; the rest does not know of it. Models that differ from GAN by their losses alone (LSGAN,
# DRAGAN, R3GAN) hand labels on as GAN does.
LABEL_CHECKS = [each_optimizer_moves_its_own_network, generates_a_function_of_the_seed]

check_labels = pytest.mark.parametrize("check", LABEL_CHECKS, ids=lambda check: check.__name__)
"""Runs a test with what a label can change in a model whose step is that of GAN."""

check_conditional_model = pytest.mark.parametrize(
    "check", [resumes_with_the_same_bits, replicas_agree, *LABEL_CHECKS], ids=lambda check: check.__name__
)
"""The same for a step of its own: where labels meet a penalty, or chains."""
