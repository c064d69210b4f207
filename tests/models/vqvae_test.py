import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.cluster.vq import kmeans2

import ganzoo
from ganzoo.layers import Codebook, MaskedConv2D
from ganzoo.networks import vqvae as family
from ganzoo.networks.vqvae import draw_codes
from tests.check_model import arrays, check_generative_model, reload, replicas_agree

LOGS = {"loss", "reconstruction", "commitment_loss", "code_loss", "perplexity"}
SIZES = {"num_codes": 5, "code_dim": 3, "filters": 8, "blocks": 1, "prior_filters": 8, "prior_blocks": 1}


def make(**overrides):
    keras.utils.set_random_seed(0)
    return ganzoo.VQVAE.from_paper((6, 4, 1), **{**SIZES, "seed": 1, **overrides})


def make_averaged(**overrides):
    return make(**{"codebook_decay": 0.8, **overrides})


make.optimizers = make_averaged.optimizers = ("optimizer",)
make.descent_rate = make_averaged.descent_rate = 0.05  # The gradient of a mean over pixels and codes is small.


@check_generative_model
def test_contract(check, tmp_path):
    check(make_averaged, LOGS, tmp_path)


def test_replicas_agree_on_a_codebook_of_the_loss(tmp_path):
    replicas_agree(make, LOGS, tmp_path)


def images(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, 6, 4, 1)).astype("float32")


def test_settings_of_the_paper():
    encoder, prior = family.encoder((32, 32, 3)), family.prior((32, 32, 3))
    assert encoder.output.shape == (None, 8, 8, 64) and prior.output.shape == (None, 8, 8, 512)
    assert family.encoder((28, 30, 1), filters=2).output.shape[1:3] == (7, 8)
    assert family.decoder((27, 30, 1), filters=2).output.shape == (None, 27, 30, 1)
    model = make()
    assert (model.commitment, model.codebook_decay, float(model.optimizer.learning_rate)) == (
        0.25,
        None,
        pytest.approx(2e-4),
    )


# === The codebook ===


def codebook(table):
    layer = Codebook(*np.shape(table))
    layer.embeddings.assign(table)
    return layer


def test_nearest_code_and_lookup():
    random = np.random.default_rng(0)
    table, vectors = random.normal(size=(7, 3)), random.normal(size=(4, 2, 5, 3)).astype("float32")
    expected = np.argmin(np.sum((vectors[..., None, :] - table) ** 2, axis=-1), axis=-1)
    layer = codebook(table)
    np.testing.assert_array_equal(layer.nearest(vectors), expected)
    np.testing.assert_allclose(layer(expected), table[expected], rtol=1e-6)


def test_the_straight_through_gradient_is_the_identity():
    random = np.random.default_rng(0)
    layer, vectors = codebook(random.normal(size=(7, 3))), tf.constant(random.normal(size=(4, 2, 5, 3)), "float32")
    weights = tf.constant(random.normal(size=(4, 2, 5, 3)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        quantized, codes = layer.straight_through(vectors)
        total = tf.reduce_sum(weights * quantized)
    to_vectors, to_table = tape.gradient(total, [vectors, layer.embeddings.value])
    np.testing.assert_array_equal(to_vectors, weights)
    assert to_table is None
    np.testing.assert_allclose(quantized, layer(codes), atol=1e-6)
    assert np.abs(quantized - vectors).max() > 0.1


def planted(codes, decay=None):
    """A model whose encoder is the identity of 1 x 1 x 1 images and whose decoder is, too; its codes are given."""
    image, vectors = keras.Input((1, 1, 1)), keras.Input((1, 1, 1))
    encoder, decoder = (keras.Model(x, keras.layers.Conv2D(1, 1, use_bias=False)(x)) for x in (image, vectors))
    prior = family.prior((1, 1, 1), num_codes=len(codes), filters=1, blocks=0, halvings=0)
    for network in (encoder, decoder):
        network.set_weights([np.ones((1, 1, 1, 1))])
    model = ganzoo.VQVAE(encoder, decoder, prior, codebook_decay=decay, seed=0)
    model.compile(keras.optimizers.SGD(0.1))
    model.codebook.embeddings.assign(np.reshape(codes, (-1, 1)))
    return model


def test_one_update_by_hand():
    """x = z = .9 and -.5, with codes .5 and -.4; encoder z = a x, decoder y = w q, a = w = 1."""
    model = planted([0.5, -0.4])
    x = np.array([0.9, -0.5])
    e = np.array([0.5, -0.4])
    to_output = -2 * (x - e) / 2  # The mean over two images.
    to_vectors = to_output + 0.25 * 2 * (x - e) / 2  # Straight through, and the commitment.
    to_codes = 2 * (e - x) / 2
    logs = model.train_on_batch(x.reshape(2, 1, 1, 1).astype("float32"), return_dict=True)
    assert float(model.encoder.get_weights()[0].item()) == pytest.approx(1 - 0.1 * np.sum(to_vectors * x), rel=1e-5)
    assert float(model.decoder.get_weights()[0].item()) == pytest.approx(1 - 0.1 * np.sum(to_output * e), rel=1e-5)
    np.testing.assert_allclose(np.ravel(model.codebook.embeddings), e - 0.1 * to_codes, rtol=1e-5)
    error = np.mean((x - e) ** 2)
    expected = {"reconstruction": error, "commitment_loss": error, "perplexity": 2.0, "code_loss": np.log(2)}
    expected["loss"] = 2.25 * error + np.log(2)
    # The prior of one place sees nothing: its logits are a bias, 0 at first.
    assert logs == pytest.approx(expected, rel=1e-5)


def test_perplexity_lies_between_one_and_the_number_of_codes():
    model = planted([-0.9, -0.3, 0.3, 0.9])
    for values, expected in (([0.9] * 4, 1.0), ([-0.9, -0.3, 0.3, 0.9], 4.0), ([-0.9, 0.9, 0.9, 0.9], None)):
        expected = expected or np.exp(-0.25 * np.log(0.25) - 0.75 * np.log(0.75))
        logs = model.test_on_batch(np.reshape(values, (4, 1, 1, 1)).astype("float32"), return_dict=True)
        assert logs["perplexity"] == pytest.approx(expected, rel=1e-5)


def test_the_averaged_codebook_on_fixed_vectors_is_k_means():
    """The encoder stays (rate 0), so each step moves the codes towards the means of Lloyd's algorithm."""
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(center, 0.04, 30) for center in (-0.8, 0.1, 0.6)])
    start = np.array([-0.5, 0.0, 0.2, 5.0])  # Nobody chooses the last.
    model = planted(start, decay=0.5)
    model.optimizer.learning_rate = 0.0
    samples = values.reshape(-1, 1, 1, 1).astype("float32")
    model.train_on_batch(samples)
    chosen = np.argmin(np.abs(values[:, None] - start), axis=1)
    shares = np.bincount(chosen, minlength=4) / 90
    sums = np.bincount(chosen, values, minlength=4) / 90
    expected = (0.5 * start / 4 + 0.5 * sums) / (0.5 / 4 + 0.5 * shares)  # m_k / N_k of the paper, N_k = 1/4 at first.
    np.testing.assert_allclose(np.ravel(model.codebook.embeddings), expected, rtol=1e-5)
    np.testing.assert_allclose(model.usage, 0.5 / 4 + 0.5 * shares, rtol=1e-5)
    for _ in range(200):  # The usage of the last code decays below the smallest float32.
        model.train_on_batch(samples)
    means, _ = kmeans2(values, start[:3], iter=50, minit="matrix")
    np.testing.assert_allclose(np.ravel(model.codebook.embeddings), [*means, 5.0], rtol=1e-4)


def test_a_frozen_encoder_keeps_the_codebook():
    model = make_averaged(run_eagerly=True)
    model.encoder.trainable = model.generator.trainable = False
    model.compile("adam", run_eagerly=True)
    before = arrays(model.generator.weights), arrays(model.code_prior.weights)
    model.fit(images(8), batch_size=4, verbose=0)
    for old, new in zip(before[0], arrays(model.generator.weights)):
        np.testing.assert_array_equal(new, old)
    assert any(np.any(old != new) for old, new in zip(before[1], arrays(model.code_prior.weights)))


# === The prior ===


def test_a_place_sees_the_codes_before_it_and_no_other():
    keras.utils.set_random_seed(0)
    prior = family.prior((3, 4, 1), num_codes=3, filters=4, blocks=2, halvings=0)
    network = keras.Model(prior.get_layer("one_hot").output, prior.output)
    codes = tf.one_hot(np.random.default_rng(0).integers(0, 3, (1, 3, 4)), 3)
    with tf.GradientTape() as tape:
        tape.watch(codes)
        logits = tf.reshape(network(codes), (12, 3))
    jacobian = np.abs(tape.jacobian(logits, codes)).sum(axis=(1, 2, 5)).reshape(12, 12)
    seen = np.tril(np.ones((12, 12), bool), -1)
    assert np.all(jacobian[~seen] == 0)
    assert np.all(jacobian[seen] > 0)


def test_masked_convolution_by_hand():
    layer = MaskedConv2D(1, 3, kernel_initializer="ones", use_bias=False)
    first = MaskedConv2D(1, (3, 1), sees_center=False, kernel_initializer="ones", use_bias=False)
    grid = np.arange(1.0, 7.0, dtype="float32").reshape(1, 2, 3, 1)
    np.testing.assert_allclose(layer(grid)[0, ..., 0], [[1, 3, 5], [1 + 2 + 4, 1 + 2 + 3 + 4 + 5, 2 + 3 + 5 + 6]])
    np.testing.assert_allclose(first(grid)[0, ..., 0], [[0, 0, 0], [1, 2, 3]])
    with pytest.raises(ValueError, match="`kernel_size` must be odd, to have a middle. Received: kernel_size=2"):
        MaskedConv2D(1, 2)


def test_codes_are_drawn_from_the_chain_of_conditionals():
    """Two places of two codes: P(1) = .3 for the first; for the second .2 after 0 and .9 after 1."""
    codes = keras.Input((1, 2), dtype="int32")
    network = keras.Model(codes, Chain()(codes))
    count = 20_000
    drawn = draw_codes(network, ganzoo.sampling.SeededNumbers(0).uniform((count, 1, 2))).numpy()[:, 0]
    expected = {(0, 0): 0.7 * 0.8, (0, 1): 0.7 * 0.2, (1, 0): 0.3 * 0.1, (1, 1): 0.3 * 0.9}
    for pair, share in expected.items():
        found = np.mean(np.all(drawn == pair, axis=1))
        assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / count))


class Chain(keras.layers.Layer):
    def call(self, codes):
        first = tf.cast(codes[:, :, :1], "float32")
        one = tf.concat([tf.fill(tf.shape(first), 0.3), 0.2 + 0.7 * first], axis=2)
        return tf.math.log(tf.stack([1 - one, one], axis=-1))

    def compute_output_spec(self, codes):
        return keras.KerasTensor((*codes.shape, 2), dtype="float32")


def test_the_prior_learns_the_codes():
    """Images of one half white: the codes of all places are equal, so the prior needs log 2 nats for a whole image."""
    keras.utils.set_random_seed(0)
    prior = family.prior((1, 2, 1), num_codes=2, filters=4, blocks=0, halvings=0)
    image, vectors = keras.Input((1, 2, 1)), keras.Input((1, 2, 1))
    encoder, decoder = (keras.Model(x, keras.layers.Conv2D(1, 1, use_bias=False)(x)) for x in (image, vectors))
    for network in (encoder, decoder):
        network.set_weights([np.ones((1, 1, 1, 1))])
        network.trainable = False
    model = ganzoo.VQVAE(encoder, decoder, prior, seed=0)
    model.codebook.embeddings.assign([[-1.0], [1.0]])
    model.codebook.trainable = False
    model.compile(keras.optimizers.Adam(0.05), run_eagerly=True)
    samples = np.repeat([[-1.0, -1.0], [1.0, 1.0]], 4, axis=0).reshape(8, 1, 2, 1).astype("float32")
    for _ in range(60):
        logs = model.train_on_batch(samples, return_dict=True)
    codes = model.encode(samples)
    np.testing.assert_array_equal(codes[:, 0], np.repeat([[0, 0], [1, 1]], 4, axis=0))
    assert float(model.code_loss(codes)) == pytest.approx(np.log(2) / 2, abs=0.02)
    drawn = model.generate(200, seed=0)[:, 0, :, 0]
    assert np.mean(drawn[:, 0] == drawn[:, 1]) > 0.95
    assert np.mean(drawn[:, 0] > 0) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(200) + 0.03)
    assert logs["perplexity"] == pytest.approx(2.0)


# === What users call ===


@pytest.fixture(scope="module")
def trained():
    model = make_averaged(ema_decay=0.5, run_eagerly=True)
    model.fit(images(8), batch_size=4, verbose=0)
    return model


def test_encode_decode_reconstruct(trained):
    codes = trained.encode(images(7))
    assert codes.shape == (7, 2, 1) and codes.dtype == np.int32 and 0 <= codes.min() <= codes.max() < 5
    decoded = trained.decode(codes)
    np.testing.assert_allclose(decoded, trained.ema_generator(codes), atol=1e-6)
    assert decoded.shape == (7, 6, 4, 1) and np.abs(decoded).max() <= 1
    np.testing.assert_array_equal(trained.reconstruct(images(7)), decoded)
    np.testing.assert_array_equal(trained.generate(latents=codes), decoded)


def test_generate_decodes_codes_of_the_prior_after_saving_and_in_an_exported_model(trained, tmp_path):
    numbers = ganzoo.sampling.SeededNumbers
    samples, codes = trained.generate(9, seed=4), trained.prior(numbers(4), 9).numpy()
    np.testing.assert_array_equal(trained.decode(codes), samples)
    np.testing.assert_array_equal(trained.prior(numbers(4), 3), codes[:3])
    assert np.any(trained.prior(numbers(5), 9) != codes)
    # It is the averaged prior that is drawn from.
    expected = draw_codes(trained.ema_code_prior, numbers(4).uniform((9, 2, 1)))
    np.testing.assert_array_equal(codes, expected)
    loaded = reload(trained, tmp_path)
    np.testing.assert_array_equal(loaded.generate(9, seed=4), samples)
    trained.export(tmp_path / "1")
    signatures = tf.saved_model.load(tmp_path / "1").signatures
    assert sorted(signatures) == ["decode", "encode", "generate", "generate_png", "serving_default"]
    drawn = signatures["generate"](seed=tf.constant(4, "int64"), num_samples=tf.constant(9, "int64"))
    np.testing.assert_array_equal(drawn["latents"], codes)
    assert np.abs(drawn["images"].numpy().astype(int) - ganzoo.images.to_uint8(samples).numpy()).max() <= 1
    np.testing.assert_array_equal(signatures["encode"](images=images(7))["codes"], trained.encode(images(7)))
    decoded = signatures["decode"](latents=tf.constant(codes))["images"]
    np.testing.assert_allclose(decoded, samples, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.decode(np.full((1, 2, 1), 5)), "must be codes, integers from 0 to 4. Received.* 5 to 5"),
        (lambda model: model.decode(np.full((1, 2, 1), 0.5)), "must be codes, integers from 0 to 4"),
        (lambda model: model.decode(np.zeros((1, 3, 1), int)), r"must have the shape \(count, 2, 1\)"),
        (lambda model: make(commitment=-1), "`commitment` must be a finite number of at least 0"),
        (lambda model: make(codebook_decay=1.0), "`codebook_decay` must lie between 0 and 1"),
        (lambda model: make(num_codes=0), "`num_codes` must be an integer of at least 1"),
        (lambda model: ganzoo.VQVAE(model.code_prior, model.decoder, model.code_prior), "`encoder` must map images"),
        (lambda model: ganzoo.VQVAE(model.encoder, model.decoder, model.encoder), "`code_prior` must map codes"),
    ],
)
def test_input_refused(trained, call, message):
    with pytest.raises(ValueError, match=message):
        call(trained)
