"""What the formats say if they cannot be written."""

import contextlib


@contextlib.contextmanager
def needing(format, package):
    """Turns a missing package into words."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"format={format!r} needs the package {package}: pip install 'keras-ganzoo[export]'"
        ) from error


def wanted_suffix(format, path, suffix):
    """Raises a `ValueError` for a file of another ending."""
    if path.suffix != suffix:
        raise ValueError(
            f"format={format!r} writes a file whose name ends in {suffix}. Received: {str(path)!r}. Try "
            f"{str(path.with_suffix(suffix)) if path.name else 'model' + suffix!r}."
        )
