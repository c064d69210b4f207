"""ONNX files, for ONNX Runtime, OpenVINO, and browsers. Each endpoint is a separate file."""

import contextlib
import logging

from ganzoo import files
from ganzoo.export import cards
from ganzoo.export.endpoints import MAIN, without_random_numbers
from ganzoo.export.precision import in_float32
from ganzoo.export.words import needing, wanted_suffix


def export(model, path):
    """Writes the ONNX files of a `GenerativeModel` and their card. See `GenerativeModel.export`."""
    wanted_suffix("onnx", path, ".onnx")
    converted, described = {}, {}
    for name, endpoint in without_random_numbers(in_float32(model)).items():
        file = path if name == MAIN else path.with_stem(f"{path.stem}_{name}")
        function, converted[file] = convert(endpoint)
        described[file.name] = cards.signature(endpoint, function)
    for file, proto in converted.items():
        with files.replacing(file) as temporary:
            temporary.write_bytes(proto.SerializeToString())
    cards.write(path, {**cards.card(model), "format": "onnx", "files": described})


def convert(endpoint, format="onnx"):
    """Converts an endpoint. `format` is what the user asked for, for the error messages.

    Keras' own `export(format="onnx")` uses tf2onnx too. It takes only a `keras.Model` that was called, and an endpoint
    such as `encode` is only a function.

    Returns:
        `(the compiled function, onnx.ModelProto)`.
    """
    with needing(format, "tf2onnx"):
        import tf2onnx
        from onnx import defs
    function = endpoint.compiled()
    with quiet("tf2onnx"):
        proto, _ = tf2onnx.convert.from_function(function, endpoint.specs)
    unknown = sorted({node.op_type for node in proto.graph.node if not defs.has(node.op_type, node.domain)})
    if unknown:
        raise ValueError(
            f'format="{format}" does not know the operation(s) {", ".join(unknown)} of this model. Random numbers that '
            'a model draws while it generates are a common cause. Use format="saved_model".'
        )
    for tensor in [*proto.graph.input, *proto.graph.output]:
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    return function, proto


@contextlib.contextmanager
def quiet(name):
    """Silences a logger inside this context."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
