import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.sampling import RandomStream
from tests.check_model import two_replicas


def test_a_stream_is_a_function_of_its_seed():
    one, other, third = RandomStream(3), RandomStream(3), RandomStream(4)
    for _ in range(2):
        numbers = one.normal((2, 5)).numpy()
        np.testing.assert_array_equal(other.normal((2, 5)), numbers)
        assert not np.allclose(third.normal((2, 5)), numbers)


def test_each_draw_is_another_one():
    stream = RandomStream(0)
    draws = [stream.uniform((3,)).numpy() for _ in range(4)]
    assert len(np.unique(draws)) == 12


def test_distributions():
    stream = RandomStream(0)
    normal, uniform = stream.normal((100_000,)).numpy(), stream.uniform((100_000,)).numpy()
    np.testing.assert_allclose([normal.mean(), normal.std()], [0, 1], atol=0.01)
    np.testing.assert_allclose([uniform.mean(), uniform.std()], [0.5, 12**-0.5], atol=0.005)
    assert 0 <= uniform.min() and uniform.max() < 1


def test_without_a_seed_it_follows_that_of_keras():
    draws = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        draws.append(RandomStream().normal((4,)).numpy())
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.allclose(draws[0], draws[2])


def test_restart():
    stream = RandomStream(5)
    first = stream.normal((4,)).numpy()
    stream.normal((4,))
    stream.restart()
    np.testing.assert_array_equal(stream.normal((4,)), first)


def test_the_state_is_saved_and_goes_on(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.stream = RandomStream(5)
    model.stream.normal((4,))
    model.save_weights(tmp_path / "model.weights.h5")
    following = model.stream.normal((4,)).numpy()
    other = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    other.stream = RandomStream(0)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.stream.normal((4,)), following)


def test_xla_draws_the_same_numbers():
    plain, compiled = RandomStream(5), RandomStream(5)
    draw = tf.function(lambda: (compiled.normal((3, 2)), compiled.uniform((4,))), jit_compile=True)
    for _ in range(2):
        normal, uniform = draw()
        np.testing.assert_allclose(normal, plain.normal((3, 2)), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(uniform, plain.uniform((4,)))


@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (5, 3), (7, 11), (64, 33)])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_replicas_share_the_numbers_of_one_device(draw, shape):
    """Bit for bit: each replica makes all numbers, in a tensor of one shape, and takes a slice."""
    strategy = two_replicas()
    alone = RandomStream(5)
    with strategy.scope():
        shared = RandomStream(5)
    batch, *rest = shape
    for _ in range(2):
        drawn = strategy.experimental_local_results(strategy.run(lambda: getattr(shared, draw)(shape)))
        np.testing.assert_array_equal(np.concatenate(drawn), getattr(alone, draw)((2 * batch, *rest)))
    np.testing.assert_array_equal(shared.state.numpy(), [5, 2])


def test_a_batch_that_the_graph_does_not_know():
    stream = RandomStream(5)
    draw = tf.function(lambda x: stream.normal((tf.shape(x)[0], 3)), input_signature=[tf.TensorSpec((None,))])
    assert draw(tf.zeros(4)).shape == (4, 3)
    assert draw(tf.zeros(2)).shape == (2, 3)
    assert draw.experimental_get_tracing_count() == 1
