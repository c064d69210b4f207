"""Who gets which setting of a `from_paper`."""

import inspect

import keras


def share_out(paper, overrides, takers, given):
    """Gives each setting to whoever has an argument of that name.

    Args:
        paper: Dictionary of the paper's settings. One that nobody takes is left out: another family of networks, say,
            has no such thing.
        overrides: Dictionary of the caller's settings, which win.
        takers: List of functions and classes.
        given: Names of the arguments that `from_paper` itself passes.

    Returns:
        List of dictionaries, one for each taker.

    Raises:
        TypeError: For an override that nobody takes.
    """
    names = [argument_names(taker) for taker in takers]
    known = set().union(*names) - set(given)
    unknown = set(overrides) - known
    if unknown:
        raise TypeError(
            f"from_paper got unknown settings {sorted(unknown)}. It takes: networks, {', '.join(sorted(known))}."
        )
    settings = {**paper, **overrides}
    return [{name: value for name, value in settings.items() if name in taken} for taken in names]


def argument_names(taker):
    """Names of all arguments of a function, or of a model's class with those that it hands on to its bases."""
    functions = [taker]
    if inspect.isclass(taker):
        functions = [
            base.__init__ for base in taker.__mro__ if issubclass(base, keras.Model) and base is not keras.Model
        ]
    names = set().union(*(inspect.signature(function).parameters for function in functions))
    return names - {"self", "args", "kwargs"}
