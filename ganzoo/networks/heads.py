"""Further outputs of a discriminator: class logits, estimates of codes."""

from keras import layers

from ganzoo.layers import dense_layer


def with_heads(score, features, heads=None, normalization=None, kernel_initializer="glorot_uniform"):
    """The outputs of a discriminator: its score, or a dictionary with further heads on the same features.

    Args:
        score: Symbolic tensor, the scores.
        features: Symbolic tensor `(batch, count)`, the discriminator's last features.
        heads: Dictionary, name -> number of outputs. Defaults to `None`.
        normalization: `"spectral"`, or anything else for plain kernels. Defaults to `None`.
        kernel_initializer: Keras initializer. Defaults to `"glorot_uniform"`.

    Returns:
        `score`, or `{"scores": score, name: float32 tensor (batch, outputs), ...}`.
    """
    if not heads:
        return score
    if "scores" in heads:
        raise ValueError(f'`heads` must not be named "scores", the discriminator\'s own output. Received: {heads}')
    dense = dense_layer(normalization)
    made = {
        name: dense(units, kernel_initializer=kernel_initializer, dtype="float32", name=name)(features)
        for name, units in heads.items()
    }
    return {"scores": layers.Activation("linear", dtype="float32", name="scores")(score), **made}
