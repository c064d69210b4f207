"""Models of half precision, for runtimes that compute in float32."""

import numpy as np


def in_float32(model):
    """Returns the model itself, or a copy in float32 if some layers compute in half precision.

    Most runtimes lack the half-precision kernels that a generator needs. The weights are float32 anyway: a policy such
    as `mixed_bfloat16` rounds them in each call.
    """
    config = model.get_config()
    exact = with_policy(config, "float32")
    if exact == config:
        return model
    copy = type(model).from_config(exact)
    for ours, theirs in zip(copy.weights, model.weights, strict=True):
        ours.assign(np.asarray(theirs))
    return copy


def with_policy(config, name):
    """Returns a config with another dtype policy in all layers."""
    if isinstance(config, (list, tuple)):
        return type(config)(with_policy(value, name) for value in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {"name": name}}
    return {key: with_policy(value, name) for key, value in config.items()}
