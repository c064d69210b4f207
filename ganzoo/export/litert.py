"""LiteRT (TensorFlow Lite) files, for phones and small devices. All endpoints are signatures of the same file."""

import re
import tempfile

import keras
import tensorflow as tf

from ganzoo import files
from ganzoo.export import cards
from ganzoo.export.endpoints import without_random_numbers
from ganzoo.export.precision import in_float32
from ganzoo.export.words import wanted_suffix


def export(model, path):
    """Writes the LiteRT file of a `GenerativeModel` and its card. See `GenerativeModel.export`."""
    wanted_suffix("litert", path, ".tflite")
    endpoints = without_random_numbers(in_float32(model))
    content = convert(endpoints)
    signatures = {name: cards.signature(endpoint, endpoint.compiled()) for name, endpoint in endpoints.items()}
    with files.replacing(path) as temporary:
        temporary.write_bytes(content)
    cards.write(path, {**cards.card(model), "format": "litert", "signatures": signatures})


def convert(endpoints):
    """Converts endpoints by way of a SavedModel, as Keras' `export(format="litert")` does for the call of a model.

    It allows only LiteRT's own operations. TensorFlow's operations would need a runtime of ten times the size.

    Args:
        endpoints: Dictionary, name -> `Endpoint`.

    Returns:
        Bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        for name, endpoint in endpoints.items():
            archive.add_endpoint(name, endpoint.function, endpoint.specs)
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(endpoints))
        try:
            return converter.convert()
        except Exception as error:  # The converter's own class of errors lies in a private module.
            operations = sorted(set(re.findall(r"'tf\.(\w+)' op", str(error))))
            reason = f"LiteRT lacks {', '.join(operations)} as it stands there" if operations else str(error)
            raise ValueError(
                f'format="litert" cannot express this model: {reason}. Use format="saved_model" or format="onnx".'
            ) from error
