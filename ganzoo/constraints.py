"""Weight clipping as a Keras constraint."""

import keras
from keras import ops

from ganzoo import checks
from ganzoo.networks import graph

NORMALIZATION_LAYERS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)


@keras.saving.register_keras_serializable("ganzoo")
class WeightClip(keras.constraints.Constraint):
    """Clips every entry of a weight to `[-clip_value, clip_value]` after each update.

    Keras optimizers apply a variable's constraint right after they have updated it, in every precision and on every
    replica, so a clipped network stays clipped however it is trained.

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Algorithm 1, line 7.

    Args:
        clip_value: Float, c > 0. Defaults to `0.01`.
    """

    def __init__(self, clip_value=0.01):
        self.clip_value = checks.number("clip_value", clip_value, above=0)

    def __call__(self, weights):
        return ops.clip(weights, -self.clip_value, self.clip_value)

    def get_config(self):
        return {"clip_value": self.clip_value}


def clip_weights(network, clip_value=0.01, clip_normalization=True):
    """Attaches `WeightClip` to the trainable variables of a network: kernels, biases, gamma and beta.

    Embeddings of labels are not clipped. Clipping keeps the critic Lipschitz in the sample x, and a discrete label only
    selects a function of x. An embedding within +-c would be too weak beside the pixels to matter.

    Args:
        network: Built `keras.Model`.
        clip_value: Float, c.
        clip_normalization: Boolean, whether gamma and beta of normalization layers are clipped too. Defaults to `True`,
            as in the paper, where w contains all parameters of the critic.

    Raises:
        ValueError: If a variable already has another constraint.
    """
    clips_all = checks.boolean("clip_normalization", clip_normalization)
    free = (keras.layers.Embedding,) if clips_all else (keras.layers.Embedding, *NORMALIZATION_LAYERS)
    # By identity, because Keras variables compare entry by entry.
    exempt = {id(variable) for layer in graph.layers_of(network, free) for variable in layer.trainable_variables}
    for variable in network.trainable_variables:
        if id(variable) in exempt:
            continue
        if variable.constraint is not None and not isinstance(variable.constraint, WeightClip):
            raise ValueError(
                f"The critic's variable {variable.path} has the constraint {variable.constraint} already, and weight "
                "clipping needs its place. Build the discriminator without constraints."
            )
        variable.constraint = WeightClip(clip_value)
