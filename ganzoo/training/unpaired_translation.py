"""Translation between two unpaired collections of images: the data, and checks of the four networks."""

from ganzoo import checks
from ganzoo.data import unpaired
from ganzoo.training.assembly import argument_names
from ganzoo.training.conditions import Conditions

# G: x -> y, D_Y, F: y -> x, D_X.
ROLES = ("generator", "discriminator", "back_generator", "back_discriminator")


class UnpairedImages(Conditions):
    """The input images of a translation that learns from two unpaired collections."""

    def dataset(self, x, y, batch_size):
        if y is None:
            raise ValueError(
                "CycleGAN learns from two collections, and received one. Pass fit(x, y), or a dataset of batches "
                "(x, y), such as ganzoo.data.unpaired makes."
            )
        return unpaired(x, y, batch_size)


def check_way_back(model, back_generator, back_discriminator):
    """Raises a `ValueError` unless all four networks take and make images of the right shapes."""
    x_shape, y_shape = model.conditions.image_shape, model.image_shape
    if x_shape is None or len(model.conditions) != 1:
        raise ValueError(
            "CycleGAN translates images: its generators have one input, an image (batch, height, width, channels). "
            f"Received: {model.generator.name} with inputs of the shapes "
            f"{[tuple(tensor.shape) for tensor in model.generator.inputs]}. Take ganzoo.networks.translator."
        )
    for role, network in (("back_generator", back_generator), ("back_discriminator", back_discriminator)):
        checks.check_built(role, network)
    ends = [
        ("back_generator", back_generator.inputs, y_shape, "take images of y, of the shape"),
        ("back_generator", back_generator.outputs, x_shape, "make images of x, of the shape"),
        ("back_discriminator", back_discriminator.inputs, x_shape, "take images of x, of the shape"),
    ]
    for role, tensors, shape, task in ends:
        came = [tuple(tensor.shape[1:]) for tensor in tensors]
        if came != [shape]:
            raise ValueError(f"`{role}` must {task} {shape}. Received: {came}.")


def check_identity(model):
    """Raises a `ValueError` if the identity loss cannot be computed because x and y have different shapes."""
    x_shape, y_shape = model.conditions.image_shape, model.image_shape
    if model.identity_weight and x_shape != y_shape:
        raise ValueError(
            f"The identity loss compares G(y) with y, and G takes images of x, of the shape {x_shape}; those of y have "
            f"the shape {y_shape}. Pass identity_weight=0."
        )


def only_one(name, value):
    """Returns 1, the only value that CycleGAN allows for an argument that its update rule does not use."""
    if checks.integer(name, value, least=1) != 1:
        raise ValueError(
            f"CycleGAN updates all its networks once a step, on single images: `{name}` must be 1. Received: "
            f"{name}={value}"
        )
    return 1


def networks_of_both_ways(plan, y_shape, x_shape):
    """Builds the four networks of a plan.

    Args:
        plan: `ganzoo.training.assembly.Plan`.
        y_shape, x_shape: `(height, width, channels)`. `x_shape` defaults to `y_shape`.

    Returns:
        List of four networks, in the order of `ROLES`.
    """
    x_shape = y_shape if x_shape is None else checks.sample_shape("condition_shape", x_shape)
    shapes = ((y_shape, x_shape), (x_shape, y_shape))
    return [_build(plan, role, *pair) for pair in shapes for role in ("generator", "discriminator")]


def _build(plan, role, image_shape, condition_shape):
    function = getattr(plan.family, role)
    shapes = {"image_shape": image_shape, "condition_shape": condition_shape}
    shapes = {name: shape for name, shape in shapes.items() if name in argument_names(function)}
    return function(**{**plan.of_networks[role], **shapes})
