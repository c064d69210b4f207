"""Presets on hubs: with the real clients, and a server on this machine."""

import pytest

import ganzoo
from tests.check_model import tiny
from tests.workers import hub, processes

SETTINGS = {"HF_TOKEN": "hf_of_this_machine", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@pytest.fixture
def preset(tmp_path):
    """A preset, its files, and what it generates."""
    model = tiny(ganzoo.WGANGP, (8, 8, 1), filters=2, ema_decay=0.9)
    folder = model.save_to_preset(tmp_path / "faces", card={"data": "noise", "licence": "CC0 1.0"})
    (tmp_path / "expected").write_bytes(model.generate(4, seed=3).tobytes())
    return folder, {path.name: path.read_bytes() for path in folder.iterdir()}, str(tmp_path / "expected")


def run(tmp_path, environment, function, *arguments):
    caches = {"HF_HOME": str(tmp_path / "hf"), "KAGGLEHUB_CACHE": str(tmp_path / "kaggle")}
    tmp_path.mkdir(exist_ok=True)
    environment = {**SETTINGS, **caches, **environment}
    log = tmp_path / "log.txt"
    processes.join(processes.start(log, hub.client, environment, function, *arguments), log)


def test_hugging_face(preset, tmp_path):
    folder, files, expected = preset
    repositories = {}
    with hub.serving(repositories) as (port, requests):
        address = {"HF_ENDPOINT": f"http://127.0.0.1:{port}"}
        run(tmp_path, address, hub.upload, "hf://user/faces", str(folder))
        assert repositories == {"user/faces": files}
        run(tmp_path, address, hub.download, "hf://user/faces", expected)
        downloads = len([path for path in requests if "/resolve/" in path])
        assert downloads >= 4
        run(tmp_path, address, hub.download, "hf://user/faces@main", expected)
        run(tmp_path, address, hub.refused, "hf://user/nobody", "could not be downloaded", "Check the name")
    # What was downloaded before needs no network.
    run(tmp_path, {**address, "HF_HUB_OFFLINE": "1"}, hub.download, "hf://user/faces", expected)
    run(tmp_path / "empty", {**address}, hub.refused, "hf://user/faces", "could not be downloaded", "list_presets")


def test_kaggle(preset, tmp_path):
    _, files, expected = preset
    environment = {"KAGGLE_API_ENVIRONMENT": "TEST", "KAGGLE_USERNAME": "user", "KAGGLE_KEY": "key"}
    with hub.serving({"user/faces": files}, hub.KAGGLE_PORT):
        run(tmp_path, environment, hub.download, "kaggle://user/faces/keras/base", expected)
        run(tmp_path, environment, hub.refused, "kaggle://user/nobody/keras/base", "could not be downloaded")


def test_upload_to_kaggle(preset, tmp_path):
    """Twice: the model is made, and then gets another version. What is no part of the preset stays here."""
    folder, files, expected = preset
    (folder / "notes.txt").write_text("mine")
    (folder / "cache").mkdir()
    (folder / "cache" / "state.png").write_bytes(b"0")
    environment = {"KAGGLE_API_ENVIRONMENT": "TEST", "KAGGLE_USERNAME": "user", "KAGGLE_KEY": "key"}
    repositories = {}
    with hub.serving(repositories, hub.KAGGLE_PORT) as (_, requests):
        run(tmp_path, environment, hub.upload, "kaggle://user/faces/keras/base", str(folder))
        assert repositories == {"user/faces": files}
        assert not any("Version" in path for path in requests)
        (folder / "samples.png").write_bytes(b"a picture")
        run(tmp_path, environment, hub.upload, "kaggle://user/faces/keras/base", str(folder))
        assert repositories == {"user/faces": {**files, "samples.png": b"a picture"}}
        assert sum(path.endswith("/CreateModelInstanceVersion") for path in requests) == 1
        assert sum(path.endswith("/CreateModel") for path in requests) == 1
        run(tmp_path, environment, hub.download, "kaggle://user/faces/keras/base", expected)
