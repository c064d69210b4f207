"""The formats of `GenerativeModel.export`."""

from ganzoo import checks
from ganzoo.export import litert, onnx, page, saved_model

FORMATS = {
    "saved_model": saved_model.export,
    "tf_saved_model": saved_model.export,  # Keras' name.
    "onnx": onnx.export,
    "litert": litert.export,
    "html": page.export,
}


def export(model, path, format, options):
    """Writes a model in a format.

    Args:
        model: `GenerativeModel`.
        path: String or `Path`.
        format: One of `FORMATS`.
        options: Dictionary of arguments that only the page has.
    """
    format = checks.choice("format", format, FORMATS)
    if options and format != "html":
        raise ValueError(f'Only format="html" has the argument(s) {", ".join(options)}. Received: format={format!r}')
    FORMATS[format](model, checks.check_path("filepath", path), **options)
