"""What several tests of metrics share."""

import sys
from unittest import mock

import pytest


@pytest.fixture(scope="module")
def torch_for_fidelity():
    """torch, at a time at which torch-fidelity can be imported.

    torch-fidelity imports torchvision, whose wheel for GPUs does not load beside a torch without them. The tests use
    nothing of it.
    """
    names = ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setitem(sys.modules, name, mock.MagicMock())
        import torch

        torch.set_num_threads(1)
        yield torch
