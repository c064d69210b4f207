"""Datasets by name from files that the user has. They neither come with ganzoo nor are downloaded."""

from ganzoo import checks

_FACES = (
    "It holds the arrays `train_images` and `test_images`, uint8, and `train_<label>`, `test_<label>` and "
    "`values_<label>` of each label. faces_10k, drawn faces as well, comes with ganzoo."
)
# The file of each dataset, and a hint if it is missing.
_SETS = {
    "cifar10_jpeg": (
        "cifar10_jpeg.tar.gz",
        "It holds train/<class>/*.jpg and test/<class>/*.jpg, the pictures of CIFAR-10 as JPEG; unpacked into a folder "
        "cifar10_jpeg it is read as well. The original pixels are 'cifar10' of tensorflow-datasets.",
    ),
    "peeps_64": ("peeps_64.npz", _FACES),
    "pixel_faces_32": ("pixel_faces_32.npz", _FACES),
}
NAMES = tuple(_SETS)


def find(name, manual_dir):
    """The path of a dataset's file, or of the folder it was unpacked to.

    Args:
        name: String of `NAMES`.
        manual_dir: Folder that holds the file, or `None`.

    Raises:
        ValueError: If the file is missing. The message says what to do.
    """
    file, contents = _SETS[name]
    if manual_dir is None:
        raise ValueError(
            f"{name!r} is read from the file {file}, which does not come with ganzoo. Pass manual_dir=, the folder "
            f"that holds it. {contents}"
        )
    folder = checks.path("manual_dir", manual_dir)
    found = [path for path in (folder / file, folder / name) if path.exists()]
    if not found:
        raise ValueError(f"There is no {file} in manual_dir={str(folder)!r}, and {name!r} is read from it. {contents}")
    return found[0]
