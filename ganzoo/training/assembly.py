"""Distributes the settings of a `from_paper` to the networks, the class and `compile`."""

import dataclasses
import inspect

import keras

from ganzoo import checks


@dataclasses.dataclass
class Plan:
    """The settings of a model, by who takes them.

    Args:
        family: Module (or namespace) with functions that build networks.
        of_networks: Dictionary, function's name -> its arguments.
        of_class: Dictionary, arguments of the class.
        of_compile: Dictionary, arguments of `compile`.
    """

    family: object
    of_networks: dict
    of_class: dict
    of_compile: dict

    def build(self, role, **more):
        """Builds the network of a role. `more` are additional arguments."""
        return getattr(self.family, role)(**self.of_networks[role], **more)


def plan(cls, settings, roles, given=()):
    """Gives each setting of a `from_paper` to every network, class or `compile` with an argument of that name.

    Args:
        cls: The model's class.
        settings: Dictionary, the `locals()` of `from_paper`.
        roles: Sequence of the functions that a family of networks has. A setting `generator_filters` is the argument
            `filters` of the role "generator" alone.
        given: Names of arguments of the class that are not settings, such as its networks.

    Returns:
        `Plan`.

    Raises:
        TypeError: If nothing takes a setting of the caller. A default of the paper that nothing takes is dropped, such
            as the number of filters for dense networks.
    """
    shapes = [name for name in ("image_shape", "condition_shape") if settings.get(name) is not None]
    settings = {**settings, **{name: checks.sample_shape(name, settings[name], vectors=True) for name in shapes}}
    paper, overrides = paper_and_overrides(cls, settings)
    family = family_of(cls, paper, overrides)
    missing = [role for role in roles if not callable(getattr(family, role, None))]
    if missing:
        raise TypeError(
            f"`networks` must be a module with the functions {', '.join(roles)}, such as ganzoo.networks.dcgan. "
            f"Received: {family!r}, which has no {missing[0]}."
        )
    takers = {role: argument_names(getattr(family, role)) for role in roles}
    takers |= {"class": argument_names(cls) - set(given), "compile": argument_names(cls.compile)}
    common = set().union(*takers.values())
    known = common | {f"{role}_{name}" for role in roles for name in takers[role] if name not in ("image_shape",)}
    unknown = set(overrides) - known
    if unknown:
        raise TypeError(
            f"from_paper got unknown settings {sorted(unknown)}. It takes: networks, "
            f"{', '.join(sorted(common - {'image_shape', 'num_classes', 'outputs'}))}; of one network alone: "
            f"{', '.join(f'{role}_...' for role in roles)}. (In a `from_paper` of your own, call assemble(locals()) "
            "before you make other variables.)"
        )
    values = {**paper, **overrides}
    shares = {taker: {name: values[name] for name in names if name in values} for taker, names in takers.items()}
    for role in roles:
        # `discriminator_steps` is an argument of the class, although it looks like the argument `steps` of a role.
        own = {name: f"{role}_{name}" for name in takers[role]}
        shares[role] |= {name: values[full] for name, full in own.items() if full in values and full not in common}
    return Plan(family, {role: shares[role] for role in roles}, shares["class"], shares["compile"])


def paper_and_overrides(cls, settings):
    """Splits settings into the paper's (the defaults of `from_paper`) and the caller's."""
    settings = {name: value for name, value in settings.items() if name not in ("cls", "__class__")}
    parameters = inspect.signature(cls.from_paper).parameters
    paper, overrides = {}, {}
    for name, value in settings.items():
        parameter = parameters.get(name)
        if parameter is not None and parameter.kind is parameter.VAR_KEYWORD:
            overrides |= value
        elif name in ("image_shape", "num_classes") or (parameter is not None and value is parameter.default):
            paper[name] = value
        else:
            overrides[name] = value
    if paper.get("num_classes") is None:
        paper.pop("num_classes", None)  # Not every family of networks knows classes.
    return paper, overrides


def family_of(cls, paper, overrides):
    """The family of networks: the caller's or the paper's, or for vectors the class's `networks_for_vectors`."""
    default = paper.pop("networks", None)
    if "networks" in overrides:
        return overrides.pop("networks")
    shape = paper.get("image_shape")
    is_vector = shape is not None and len(shape) == 1
    return getattr(cls, "networks_for_vectors", None) or default if is_vector else default


def argument_names(taker):
    """The names of all arguments of a function or of a model's class, with the arguments of its base classes."""
    functions = [taker]
    if inspect.isclass(taker):
        functions = [
            base.__init__ for base in taker.__mro__ if issubclass(base, keras.Model) and base is not keras.Model
        ]
    names = set().union(*(inspect.signature(function).parameters for function in functions))
    return names - {"self", "args", "kwargs"}
