"""Three pages of keras.io, rewritten from their descriptions.

- [DCGAN to generate face images](https://keras.io/examples/generative/dcgan_overriding_train_step/), for images in
  colour, and its form for 28x28 digits in the guide
  [Customizing what happens in `fit()`](https://keras.io/guides/custom_train_step_in_tensorflow/), for grey images.
- [WGAN-GP overriding `Model.train_step`](https://keras.io/examples/generative/wgan_gp/).
- [Data-efficient GANs with Adaptive Discriminator Augmentation](https://keras.io/examples/generative/gan_ada/).

Departures of all: images come from memory instead of a folder or a download, and `fit` shows no progress bar. Other
sizes than the page's have as many stages as lead to the page's smallest map, and grey images have one channel.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from peers.pixels import cropped, padded, to_uint8


class AfterUpdate(keras.callbacks.Callback):
    """Stops `fit` when `go_on` says so."""

    def __init__(self, go_on):
        super().__init__()
        self.go_on = go_on

    def on_train_batch_end(self, batch, logs=None):
        if not self.go_on():
            self.model.stop_training = True


class Page(keras.Model):
    """What the three pages share: two networks with an optimizer each, and a `fit` over images alone."""

    latent_dim = 128
    low = 0.0  # The darkest pixel. The brightest is 1.

    def __init__(self, images, seed):
        super().__init__()
        keras.utils.set_random_seed(seed)
        self.shape = images.shape[1:]
        self.images = images
        self.generator, self.discriminator = self.networks()
        self.compile(jit_compile=False)  # "auto" resolves to it on a CPU, where XLA makes convolutions slower.

    @property
    def parameters(self):
        return {"generator": self.generator.count_params(), "discriminator": self.discriminator.count_params()}

    def scaled(self):
        """The images as float32 in `[low, 1]`."""
        return self.images.astype("float32") * np.float32((1 - self.low) / 255) + np.float32(self.low)

    def latents(self, count):
        return tf.random.normal((count, self.latent_dim))

    def train(self, go_on):
        self.fit(self.dataset(), epochs=10**6, callbacks=[AfterUpdate(go_on)], verbose=0, shuffle=False)

    def sample(self, count, generator=None):
        generator = generator or self.generator
        batches = [generator(self.latents(min(250, count - start)), training=False) for start in range(0, count, 250)]
        return to_uint8(cropped(np.concatenate(batches), *self.shape[:2]), self.low)


class DCGAN(Page):
    """The DCGAN: for grey images as in the guide, for colour as on the page.

    The guide: batch 64, Adam 3e-4, maximum over the map before the last layer, logits. The page: batch 32, Adam 1e-4,
    dropout 0.2, a sigmoid. Both add up to 0.05 of noise to the labels, and shuffle 1,024 images at a time.

    Departure: the page reads its folder of images in an order of its own. Here they are shuffled like the guide's.
    """

    def networks(self):
        height, width, channels = self.shape
        if channels == 1:
            self.settings = {"batch_size": 64, "learning_rate": 3e-4, "from_logits": True}
            side, widths, kernel, first = (height // 4, width // 4), (128, 128), 7, 128
            critic = [(64, 3), (128, 3)]
            head = [layers.GlobalMaxPooling2D(), layers.Dense(1)]
        else:
            self.settings = {"batch_size": 32, "learning_rate": 1e-4, "from_logits": False}
            side, widths, kernel, first = (height // 8, width // 8), (128, 256, 512), 5, 128
            critic = [(64, 4), (128, 4), (128, 4)]
            head = [layers.Flatten(), layers.Dropout(0.2), layers.Dense(1, activation="sigmoid")]
        generator = [keras.Input((self.latent_dim,)), layers.Dense(side[0] * side[1] * first)]
        if channels == 1:
            generator.append(layers.LeakyReLU(negative_slope=0.2))
        generator.append(layers.Reshape((*side, first)))
        for filters in widths:
            generator.append(layers.Conv2DTranspose(filters, 4, strides=2, padding="same"))
            generator.append(layers.LeakyReLU(negative_slope=0.2))
        generator.append(layers.Conv2D(channels, kernel, padding="same", activation="sigmoid"))
        discriminator = [keras.Input(self.shape)]
        for filters, size in critic:
            discriminator.append(layers.Conv2D(filters, size, strides=2, padding="same"))
            discriminator.append(layers.LeakyReLU(negative_slope=0.2))
        return keras.Sequential(generator), keras.Sequential([*discriminator, *head])

    def compile(self, **settings):
        super().compile(**settings)
        self.g_optimizer, self.d_optimizer = (keras.optimizers.Adam(self.settings["learning_rate"]) for _ in range(2))
        self.loss_function = keras.losses.BinaryCrossentropy(from_logits=self.settings["from_logits"])

    def dataset(self):
        images = tf.data.Dataset.from_tensor_slices(self.scaled())
        return images.shuffle(1024).batch(self.settings["batch_size"]).prefetch(32)

    def train_step(self, real):
        count = tf.shape(real)[0]
        both = tf.concat([self.generator(self.latents(count)), real], 0)
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], 0)  # 1 is generated.
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            d_loss = self.loss_function(labels, self.discriminator(both))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        with tf.GradientTape() as tape:
            g_loss = self.loss_function(tf.zeros((count, 1)), self.discriminator(self.generator(self.latents(count))))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


class WGANGP(Page):
    """The WGAN-GP: batch 512, three critic steps on the same real batch, Adam 2e-4 (0.5, 0.9), penalty 10.

    The critic pads 28 pixels to 32, halves four times and has dropout. The generator starts at 4x4 with 256 channels,
    repeats pixels before each convolution, normalizes the image itself before its tanh, and cuts the margin off.

    Departure: x_hat lies uniformly between real and generated images, as in the paper. An older text of the page draws
    its place from a normal distribution. Larger images than 32x32 have further stages of 64 filters.
    """

    low = -1.0
    critic_steps = 3
    penalty_weight = 10.0

    def networks(self):
        height, width, channels = self.shape
        rows, columns = -height % 16, -width % 16
        margins = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
        x = image = keras.Input(self.shape)
        x = layers.ZeroPadding2D(margins)(x)
        for filters, dropout in ((64, False), (128, True), (256, True), (512, False)):
            x = layers.LeakyReLU(negative_slope=0.2)(layers.Conv2D(filters, 5, strides=2, padding="same")(x))
            x = layers.Dropout(0.3)(x) if dropout else x
        x = layers.Dense(1)(layers.Dropout(0.2)(layers.Flatten()(x)))
        critic = keras.Model(image, x)

        stages = ((height + rows) // 4).bit_length() - 1
        x = latents = keras.Input((self.latent_dim,))
        x = layers.Dense(4 * 4 * 256, use_bias=False)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(x))
        x = layers.Reshape((4, 4, 256))(x)
        for stage in range(stages):
            last = stage == stages - 1
            filters = channels if last else max(64, 128 >> stage)
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(layers.UpSampling2D()(x))
            x = layers.BatchNormalization()(x)
            x = layers.Activation("tanh")(x) if last else layers.LeakyReLU(negative_slope=0.2)(x)
        return keras.Model(latents, layers.Cropping2D(margins)(x)), critic

    def compile(self, **settings):
        super().compile(**settings)
        self.g_optimizer, self.d_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9) for _ in range(2))

    def dataset(self):
        # `fit(array, batch_size=512)` of the page: shuffled anew in each epoch.
        images = tf.data.Dataset.from_tensor_slices(self.scaled())
        return images.shuffle(len(self.images)).batch(512).prefetch(tf.data.AUTOTUNE)

    def penalty(self, real, fake):
        between = real + tf.random.uniform((tf.shape(real)[0], 1, 1, 1)) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.discriminator(between, training=True)
        norms = tf.sqrt(tf.reduce_sum(tf.square(tape.gradient(scores, between)), (1, 2, 3)))
        return tf.reduce_mean(tf.square(norms - 1.0))

    def train_step(self, real):
        count = tf.shape(real)[0]
        for _ in range(self.critic_steps):
            with tf.GradientTape() as tape:
                fake = self.generator(self.latents(count), training=True)
                fake_scores = self.discriminator(fake, training=True)
                real_scores = self.discriminator(real, training=True)
                d_loss = tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores)
                d_loss += self.penalty_weight * self.penalty(real, fake)
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        with tf.GradientTape() as tape:
            fake = self.generator(self.latents(count), training=True)
            g_loss = -tf.reduce_mean(self.discriminator(fake, training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


class GANADA(Page):
    """The GAN with adaptive discriminator augmentation: batch 128, width 128, Adam 2e-4 (0.5), average 0.99.

    Both networks learn from the same forward pass. Flips, shifts, rotations and zooms apply with a probability that
    follows the share of real images that the discriminator recognises, with 0.8 as its aim. The average makes samples.

    Departure: no kernel inception distance after each epoch, which would only cost the peer time.
    """

    latent_dim = 64
    width = 128
    batch_size = 128
    average_decay = 0.99
    target_accuracy = 0.8
    integration_steps = 1000

    def networks(self):
        self.images = padded(self.images, 16)
        side, channels = self.images.shape[1], self.images.shape[3]
        stages = (side // 4).bit_length() - 1
        generator = [keras.Input((self.latent_dim,)), layers.Dense(4 * 4 * self.width, use_bias=False)]
        generator += [layers.BatchNormalization(scale=False), layers.ReLU(), layers.Reshape((4, 4, self.width))]
        for _ in range(stages - 1):
            generator.append(layers.Conv2DTranspose(self.width, 4, strides=2, padding="same", use_bias=False))
            generator += [layers.BatchNormalization(scale=False), layers.ReLU()]
        generator.append(layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="sigmoid"))
        discriminator = [keras.Input((side, side, channels))]
        for _ in range(stages):
            discriminator.append(layers.Conv2D(self.width, 4, strides=2, padding="same", use_bias=False))
            discriminator += [layers.BatchNormalization(scale=False), layers.LeakyReLU(negative_slope=0.2)]
        discriminator += [layers.Flatten(), layers.Dropout(0.4), layers.Dense(1)]
        generator, discriminator = keras.Sequential(generator), keras.Sequential(discriminator)
        self.average = keras.models.clone_model(generator)
        self.average.set_weights(generator.get_weights())
        self.changes = keras.Sequential(
            [
                keras.Input((side, side, channels)),
                layers.RandomFlip("horizontal"),
                layers.RandomTranslation(0.125, 0.125, interpolation="nearest"),
                layers.RandomRotation(0.125),
                layers.RandomZoom((-0.25, 0.0), (-0.25, 0.0)),
            ]
        )
        self.probability = tf.Variable(0.0, trainable=False)
        return generator, discriminator

    def compile(self, **settings):
        super().compile(**settings)
        self.g_optimizer, self.d_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))

    def dataset(self):
        images = tf.data.Dataset.from_tensor_slices(self.scaled()).cache().shuffle(10 * self.batch_size)
        return images.batch(self.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def augmented(self, images):
        changed = self.changes(images, training=True)
        return tf.where(tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) < self.probability, changed, images)

    def train_step(self, real):
        def cross_entropy(label, logits):
            return keras.losses.binary_crossentropy(tf.fill(tf.shape(logits), label), logits, from_logits=True)

        real = self.augmented(real)
        with tf.GradientTape(persistent=True) as tape:
            fake = self.augmented(self.generator(self.latents(tf.shape(real)[0]), training=True))
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            g_loss = tf.reduce_mean(cross_entropy(1.0, fake_logits))
            both = tf.concat([cross_entropy(1.0, real_logits), cross_entropy(0.0, fake_logits)], 0)
            d_loss = tf.reduce_mean(both)
        g_weights, d_weights = self.generator.trainable_weights, self.discriminator.trainable_weights
        g_gradients, d_gradients = tape.gradient(g_loss, g_weights), tape.gradient(d_loss, d_weights)
        self.g_optimizer.apply_gradients(zip(g_gradients, g_weights))
        self.d_optimizer.apply_gradients(zip(d_gradients, d_weights))
        accuracy = tf.reduce_mean(0.5 * (1.0 + tf.sign(real_logits)))
        moved = self.probability + (accuracy - self.target_accuracy) / self.integration_steps
        self.probability.assign(tf.clip_by_value(moved, 0.0, 1.0))
        for weight, mean in zip(self.generator.weights, self.average.weights):
            mean.assign(self.average_decay * mean + (1 - self.average_decay) * weight)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def sample(self, count):
        return super().sample(count, self.average)
