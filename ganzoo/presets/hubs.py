"""Presets on the hubs of Hugging Face and Kaggle, through their own clients."""

import glob
import importlib
import re
from pathlib import Path

from ganzoo import checks
from ganzoo.presets import folder
from ganzoo.presets.shelf import HUGGING_FACE, KAGGLE

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_KAGGLE_MODEL = re.compile(r"[\w-]+/[\w-]+/keras/[\w.-]+(/\d+)?")


def is_handle(text):
    """Whether a string names a preset on a hub."""
    return text.startswith((HUGGING_FACE, KAGGLE))


def download(handle):
    """The local folder of a preset from a hub. The hub's client downloads it or takes it from its cache.

    Args:
        handle: `"hf://user/name"`, `"hf://user/name@revision"`, or `"kaggle://user/model/keras/variation"`.

    Returns:
        `Path`.

    Raises:
        ImportError: If the client of the hub is not installed.
        ValueError: If there is no such preset, or the hub cannot be reached.
    """
    if handle.startswith(HUGGING_FACE):
        name, _, revision = handle.removeprefix(HUGGING_FACE).partition("@")
        check_name(handle, name, _REPOSITORY, "hf://user/name or hf://user/name@revision")
        client = client_of("huggingface_hub", handle)
        get, arguments = client.snapshot_download, {"repo_id": name, "revision": revision or None}
        arguments["allow_patterns"] = [*folder.FILES, folder.CARD]
    else:
        name = handle.removeprefix(KAGGLE)
        check_name(handle, name, _KAGGLE_MODEL, "kaggle://user/model/keras/variation")
        client = client_of("kagglehub", handle)
        get, arguments = client.model_download, {"handle": name}
    try:
        return Path(get(**arguments))
    except Exception as error:  # Each client raises its own errors.
        raise ValueError(
            f"{handle!r} could not be downloaded: {type(error).__name__}: {first_line(error)} Check the name and the "
            "connection. Presets that come with ganzoo need none: see ganzoo.list_presets()."
        ) from error


def upload_preset(handle, path):
    """Uploads a preset with its card to a hub. You must be logged in there.

    Args:
        handle: String, `"hf://user/name"` or `"kaggle://user/model/keras/variation"`. It is created if it does not
            exist.
        path: Path of a folder that `model.save_to_preset` wrote.

    Raises:
        ImportError: If the client of the hub is not installed: `pip install 'keras-ganzoo[hub]'`.
        ValueError: If the folder is not a preset, or the hub rejects it.
    """
    path = checks.path("path", path)
    folder.read_metadata(path)
    try:
        if str(handle).startswith(HUGGING_FACE):
            name = handle.removeprefix(HUGGING_FACE)
            check_name(handle, name, _REPOSITORY, "hf://user/name")
            api = client_of("huggingface_hub", handle).HfApi()
            api.create_repo(name, exist_ok=True)
            api.upload_folder(repo_id=name, folder_path=str(path), allow_patterns=files_of(path))
        elif str(handle).startswith(KAGGLE):
            name = handle.removeprefix(KAGGLE)
            check_name(handle, name, _KAGGLE_MODEL, "kaggle://user/model/keras/variation")
            client_of("kagglehub", handle).model_upload(name, str(path), ignore_patterns=others_in(path))
        else:
            raise ValueError(f"`handle` must begin with {HUGGING_FACE} or {KAGGLE}. Received: handle={handle!r}")
    except (ImportError, ValueError):
        raise
    except Exception as error:
        raise ValueError(f"{handle!r} was not uploaded: {type(error).__name__}: {first_line(error)}") from error


def files_of(path):
    """The names of the files in a folder that belong to its preset, including its card and its pictures."""
    files = [file.name for file in path.iterdir() if file.is_file()]
    return sorted(name for name in files if name in (*folder.FILES, folder.CARD) or name.endswith(".png"))


def others_in(path):
    """Patterns for all other files in the folder of a preset, for Kaggle's client."""
    others = {file.name + "/" * file.is_dir() for file in path.iterdir()} - set(files_of(path))
    return [glob.escape(name) for name in sorted(others)]


def check_name(handle, name, pattern, form):
    """Raises a `ValueError` unless a handle has the right form for its hub."""
    if not pattern.fullmatch(name):
        raise ValueError(f"A handle of this hub has the form {form}. Received: {handle!r}")


def client_of(name, handle):
    """Imports the module of a hub's client."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{handle!r} needs the package {name}: pip install 'keras-ganzoo[hub]'") from error


def first_line(error):
    """The first line of an error."""
    return (str(error).strip().splitlines() or [""])[0][:300]
