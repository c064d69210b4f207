"""Stores what torch-fidelity, prdc and PyTorch make of the inputs: `make oracles`.

The tests compare ganzoo with the stored numbers, so that they need none of the three. Run it again when the inputs
change. It prints how far the new numbers are from the old.
"""

import importlib.metadata
import json
import sys
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np

# torch-fidelity imports torchvision, and needs nothing of it here. The import fails if torchvision's wheel is for GPUs
# and PyTorch's for CPUs.
for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"):
    sys.modules[name] = mock.MagicMock()

import prdc
import torch
from torch_fidelity import feature_extractor_inceptionv3 as fidelity_network
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from tests.metrics.oracles import inputs

FOLDER = Path(__file__).parent


def main():
    torch.set_num_threads(1)  # So that the order of sums is the same everywhere.
    write_scores(FOLDER / "scores.json")
    write_inception(FOLDER / "inception.npz", FOLDER / "inception_without_tensors.pth")
    write_small_checkpoints(FOLDER / "small.pth", FOLDER / "small_before_1_6.pth")


# === Scores ===


def write_scores(path):
    real, fake = inputs.features(1, 400), inputs.features(2, 300)
    old = json.loads(path.read_text()) if path.exists() else None
    found = {
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "torch-fidelity", "prdc", "numpy")},
        "frechet_distance": fid(real, fake),
        "kernel_distance_over_subsets": [
            {**settings, **kid(real, fake, kid_subset_size=settings["subset_size"], kid_subsets=settings["subsets"])}
            for settings in ({"subset_size": 100, "subsets": 10}, {"subset_size": 300, "subsets": 2})
        ],
        "kernel_distance": [
            {"kernel": kernel, "value": kid_of_all(real[:300], fake, **kernel)}
            for kernel in ({}, {"degree": 2, "gamma": 0.5, "coef0": 0.25}, {"degree": 5})
        ],
        "inception_score": [
            {"count": count, "classes": classes, "splits": splits, **isc(inputs.logits(count, classes), splits)}
            for count, classes, splits in ((2003, 20, 10), (1500, 100, 1))
        ],
        "precision_recall": [{"k": k, **precision_recall(real, fake, k)} for k in (1, 3, 5)],
        "prdc": [{"k": k, **of_prdc(real, fake, k)} for k in (1, 3, 5)],
        "lattice": {
            "closed": precision_recall(inputs.lattice(0, 6), inputs.lattice(1, 8), 3),
            "open": of_prdc(inputs.lattice(0, 6), inputs.lattice(1, 8), 3),
        },
    }
    path.write_text(json.dumps(found, indent=1) + "\n")
    changes = [abs(a - b) / max(abs(b), 1e-300) for a, b in zip(numbers_in(old), numbers_in(found))]
    print(path.name, "largest relative change:", max(changes, default=None))


def numbers_in(value):
    """All floats in nested dictionaries and lists."""
    if isinstance(value, float):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [number for part in parts for number in numbers_in(part)]


def fid(real, fake):
    statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (fake, real)]
    return float(fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"])


def kid(real, fake, **settings):
    # By its convention the generated samples come first.
    found = kid_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), verbose=False, rng_seed=2020, **settings
    )
    return {name: float(found[f"kernel_inception_distance_{name}"]) for name in ("mean", "std")}


def kid_of_all(real, fake, **kernel):
    theirs = {f"kid_kernel_poly_{name}": value for name, value in kernel.items()}
    return kid(real, fake, kid_subset_size=len(real), kid_subsets=1, **theirs)["mean"]


def isc(logits, splits):
    found = isc_features_to_metric(torch.from_numpy(logits), splits=splits, rng_seed=2020)
    return {name: float(found[f"inception_score_{name}"]) for name in ("mean", "std")}


def precision_recall(real, fake, k):
    found = [
        prc_features_to_metric(
            torch.from_numpy(fake),
            torch.from_numpy(real),
            prc_neighborhood=k,
            prc_batch_size=100,
            save_cpu_ram=save_cpu_ram,
            verbose=False,
        )
        for save_cpu_ram in (False, True)
    ]
    assert found[0] == found[1]  # Its two ways to compute them agree.
    return {name: float(found[0][name]) for name in ("precision", "recall")}


def of_prdc(real, fake, k):
    return {name: float(value) for name, value in prdc.compute_prdc(real, fake, nearest_k=k).items()}


# === The Inception network ===


def write_inception(path, skeleton):
    network = inception_with(inputs.inception_state({}))
    stored = calibrate(network)
    state = inputs.inception_state(stored)
    network = inception_with(state)
    distances = []
    for index, shape in enumerate(inputs.SHAPES):
        sets = [outputs_of(network, inputs.patches(seed, shape, 3)) for seed in (2, 3)]
        for name, outputs in ((name, outputs) for one in sets for name, outputs in zip(inputs.OUTPUTS, one)):
            # Neither dead nor exploded, and images differ: or else the comparison could not fail.
            assert 0.1 < outputs.std() < 30 and np.mean(outputs == 0) < 0.2, (shape, name)
            assert outputs.std(axis=0).mean() > 0.05, (shape, name)
        for name, real, fake in zip(inputs.OUTPUTS, *sets):
            both = np.concatenate([real, fake])
            stored[f"{name} of {index}: every eighth"] = both[:, ::8]
            stored[f"{name} of {index}: sums"] = inputs.sums(both).astype("float32")
        distances.append(fid(*inputs.in_their_span(*(one[0] for one in sets))))
    assert min(distances) > 10
    np.savez_compressed(path, frechet_distances=distances, **stored)
    print(path.name, "Fréchet distances", distances)
    torch.save({name: torch.from_numpy(array) for name, array in state.items()}, skeleton)
    without_tensors(skeleton)


def inception_with(state):
    extractor = fidelity_network.FeatureExtractorInceptionV3
    with mock.patch.object(fidelity_network, "load_state_dict_from_url", return_value={}):
        with mock.patch.object(extractor, "load_state_dict"):
            network = extractor("random", inputs.OUTPUTS)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return network.eval()


def calibrate(network):
    """The statistics of one batch, and a little off them, in half precision: name -> array."""
    random = torch.Generator().manual_seed(0)
    normalizations = {name: module for name, module in network.named_modules() if name.endswith(".bn")}
    for module in normalizations.values():
        module.train().momentum = 1.0  # The next pass sets the moving statistics to those of its batch.
    outputs_of(network, inputs.patches(1, (299, 299, 3), 6))
    found = {}
    for name, module in normalizations.items():
        noise = torch.empty(2, len(module.running_var)).uniform_(-0.2, 0.2, generator=random)
        mean = module.running_mean + noise[0] * module.running_var.sqrt()
        variance = module.running_var * noise[1].exp()
        found[f"{name}.running_mean"] = mean.numpy().astype("float16")
        found[f"{name}.running_var"] = variance.numpy().astype("float16")
    return found


def outputs_of(network, images):
    rgb = np.repeat(images, 3 // images.shape[-1], axis=-1)
    with torch.no_grad():
        outputs = network(torch.from_numpy(np.ascontiguousarray(np.moveaxis(rgb, -1, 1))))
    return [output.numpy() for output in outputs]


def without_tensors(path):
    """Leaves the numbers out of a checkpoint (96 MB): a test writes them into it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if "/data/" not in name}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(
                zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED
            )  # With no date, so that it stays the same.


# === Small checkpoints ===


def write_small_checkpoints(path, old_path):
    arrays = inputs.small_state()
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    whole = torch.from_numpy(np.arange(24, dtype="float32").reshape(2, 3, 4) / 7)
    tensors["turned"], tensors["part"] = whole.permute(2, 0, 1), whole[1, 1:, 2:]
    tensors["parameter"] = torch.nn.Parameter(tensors["parameter"])
    for name, array in arrays.items():
        np.testing.assert_array_equal(tensors[name].detach().numpy(), array)
    torch.save(tensors, path)
    torch.save(tensors, old_path, _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
