"""VQ-VAE in small: latents are a grid of codes, with a prior of its own that is learned along the way."""

import keras
import tensorflow as tf
from keras import layers

import ganzoo

ROWS, COLUMNS, CODES, WIDTH = 2, 3, 5, 4


def networks(image_shape=(4, 6, 1)):
    image, grid = keras.Input(image_shape), keras.Input((ROWS, COLUMNS), dtype="int32", name="latents")
    vectors = keras.Input((ROWS, COLUMNS, WIDTH))
    encoder = keras.Model(image, layers.Conv2D(WIDTH, 2, strides=2)(image))
    up = layers.Conv2DTranspose(8, 2, strides=2, activation="relu")(vectors)
    decoder = keras.Model(vectors, layers.Conv2D(1, 1, activation="tanh", dtype="float32")(up), name="decoder")
    codebook = layers.Embedding(CODES, WIDTH, keras.initializers.RandomNormal(stddev=1.0), name="codebook")
    return encoder, keras.Model(grid, decoder(codebook(grid)))


@keras.saving.register_keras_serializable("sketch")
class VQVAE(ganzoo.GenerativeModel):
    encoder = ganzoo.Fixed()

    def __init__(self, encoder, generator, **kwargs):
        super().__init__(generator, **kwargs)
        self.encoder = encoder
        self.shares = self.add_weight(
            shape=(*self.latent_shape, CODES),
            initializer=keras.initializers.Constant(1 / CODES),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )

    @property
    def trained(self):
        return {"optimizer": [*self.encoder.trainable_variables, *self.generator.trainable_variables]}

    def compile(self, optimizer, **settings):
        self.compile_with({"optimizer": optimizer}, **settings)

    def prior(self, numbers, batch_size):
        upper = tf.cumsum(self.shares, axis=-1)
        uniform = numbers.uniform((batch_size, *self.latent_shape))[..., None]
        return tf.minimum(tf.reduce_sum(tf.cast(uniform > upper, "int32"), axis=-1), CODES - 1)

    def objective(self, samples, training):
        codebook, decoder = self.generator.get_layer("codebook"), self.generator.get_layer("decoder")
        features = tf.cast(self.encoder(samples, training=training), "float32")
        table = tf.cast(codebook(tf.range(CODES)), "float32")
        codes = tf.argmin(tf.reduce_sum((features[..., None, :] - table) ** 2, axis=-1), axis=-1)
        chosen = tf.gather(table, codes)
        self.note(shares=tf.reduce_mean(tf.one_hot(codes, CODES), axis=0))
        decoded = decoder(features + tf.stop_gradient(chosen - features), training=training)
        pull = tf.reduce_mean((tf.stop_gradient(features) - chosen) ** 2)
        return (
            tf.reduce_mean((decoded - samples) ** 2)
            + pull
            + 0.25 * tf.reduce_mean((features - tf.stop_gradient(chosen)) ** 2)
        )

    def update(self, samples):
        self.track(loss=self.minimize(lambda: self.objective(samples, training=True), "optimizer"))

    def train_step(self, data):
        samples, _ = self.unpack(data)
        return self.finish_step([self.noted(self.update, samples)])

    def after_step(self, values):
        self.shares.assign(0.9 * self.shares + 0.1 * values["shares"])

    def test_step(self, data):
        samples, _ = self.unpack(data)
        self.track(loss=self.objective(samples, training=False))
        return self.logged()
