"""StyleGAN2 in small: a mapping network, style mixing, lazy R1 and lazy path length regularization."""

import keras
import tensorflow as tf
from keras import layers, ops

import ganzoo

STYLES, WIDTH = 3, 8


def generator(latent_dim=4, filters=6):
    latents = keras.Input((latent_dim,), name="latents")
    mapping = keras.Model(latents, layers.Dense(WIDTH, activation="leaky_relu")(latents), name="mapping")
    styles = keras.Input((STYLES, WIDTH), name="styles")
    x = layers.Reshape((2, 2, WIDTH))(layers.Dense(4 * WIDTH)(layers.Flatten()(styles)))
    for index in range(STYLES):
        style = layers.Flatten()(layers.Cropping1D((index, STYLES - 1 - index))(styles))
        scale = layers.Reshape((1, 1, filters))(layers.Dense(filters, bias_initializer="ones")(style))
        x = layers.LeakyReLU(0.2)(layers.Multiply()([layers.Conv2D(filters, 3, padding="same")(x), scale]))
        x = layers.UpSampling2D()(x) if index < STYLES - 1 else x
    synthesis = keras.Model(styles, layers.Conv2D(1, 1, activation="tanh", dtype="float32")(x), name="synthesis")
    repeated = layers.RepeatVector(STYLES)(mapping(latents))
    return keras.Model(latents, synthesis(repeated), name="generator")


@keras.saving.register_keras_serializable("sketch")
class StyleGAN2(ganzoo.GAN):
    path_length_weight = ganzoo.Setting(ganzoo.checks.check_weight)

    def __init__(self, generator, discriminator, path_length_weight=2.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.path_length_weight = path_length_weight
        self.mean_length = self.add_weight(
            shape=(), initializer="zeros", trainable=False, autocast=False, aggregation="only_first_replica"
        )

    def apply_generator(self, network, latents, condition, training):
        mapping, synthesis = network.get_layer("mapping"), network.get_layer("synthesis")
        styles = tf.repeat(ops.cast(mapping(latents), "float32")[:, None], STYLES, axis=1)
        if training:  # Style mixing: another latent from a random layer on.
            count = tf.shape(latents)[0]
            other = ops.cast(mapping(self.prior(self, count)), "float32")[:, None]
            first = tf.floor(self.uniform((count, 1, 1)) * (2 * STYLES))
            styles = tf.where(tf.range(STYLES, dtype="float32")[None, :, None] < first, styles, other)
        return ops.cast(synthesis(styles, training=training), "float32")

    def generator_objective(self, update):
        noise = self.normal((tf.shape(update.samples)[0], *self.image_shape)) / 8.0  # sqrt of the number of pixels

        def penalty():
            styles = ops.cast(self.generator.get_layer("mapping")(update.latents), "float32")
            styles = tf.repeat(styles[:, None], STYLES, axis=1)
            with tf.GradientTape() as tape:
                tape.watch(styles)
                product = tf.reduce_sum(self.generator.get_layer("synthesis")(styles) * noise)
            length = tf.sqrt(tf.reduce_mean(tf.reduce_sum(tape.gradient(product, styles) ** 2, axis=2), axis=1) + 1e-8)
            return tf.reduce_mean((length - self.mean_length) ** 2), tf.reduce_mean(length)

        loss = super().generator_objective(update)
        return loss + self.regularize("path_length", self.path_length_weight, penalty, every=2, notes=["length"])

    def after_step(self, values):
        due = tf.cast(values["length"] > 0, "float32")
        self.mean_length.assign_add(0.01 * due * (values["length"] - self.mean_length))
