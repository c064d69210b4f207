"""Error messages of the formats."""

import contextlib


@contextlib.contextmanager
def needing(format, package):
    """Says how to install a missing package."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"format={format!r} needs the package {package}: pip install 'keras-ganzoo[export]'"
        ) from error


def wanted_suffix(format, path, suffix):
    """Raises a `ValueError` unless a file has the wanted ending."""
    if path.suffix != suffix:
        raise ValueError(
            f"format={format!r} writes a file whose name ends in {suffix}. Received: {str(path)!r}. Try "
            f"{str(path.with_suffix(suffix)) if path.name else 'model' + suffix!r}."
        )
