"""Descriptors for the arguments of a model, which check them and write them into the config.

A compiled step keeps the values that the model had when the step was traced. If a plain attribute changed later, the
config would show the new value and the training would still use the old value. These two descriptors prevent that.
"""

import inspect


class Setting:
    """An argument that may change at any time. The next step uses the new value.

    After a change the next step takes seconds, because it is traced again. For a value that changes in every step, use
    a weight (`add_weight`) in the loss.

    Args:
        check: Function `(name, value)` -> value, which raises a helpful error, such as the functions in
            `ganzoo.checks`. Defaults to no check.
        during_fit: Boolean, whether it may change while `fit` runs. Defaults to `True`.

    Example:

    ```python
    class MyGAN(ganzoo.AdversarialModel):
        sharpness = ganzoo.Setting(ganzoo.checks.check_weight)

        def __init__(self, generator, discriminator, sharpness=1.0, **kwargs):
            super().__init__(generator, discriminator, **kwargs)
            self.sharpness = sharpness
    ```
    """

    def __init__(self, check=None, during_fit=True):
        self.check = check
        self.during_fit = during_fit

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, model, owner=None):
        if model is None:
            return self
        try:
            return vars(model)[self.name]
        except KeyError:
            raise AttributeError(f"{type(model).__name__} has no {self.name!r} yet.") from None

    def __set__(self, model, value):
        if self.check is not None:
            value = self.check(self.name, value)
        is_new = self.name not in vars(model)
        if not is_new and vars(model)[self.name] is value:
            return
        if not is_new:
            self.refuse(model, value)
        vars(model)[self.name] = value
        if not is_new:
            model.forget_traces()

    def refuse(self, model, value):
        """Raises an error if the value cannot change now."""
        if not self.during_fit and model.feed is not None:
            raise AttributeError(
                f"`{self.name}` cannot change while `fit` runs, which reads the data for {self.name}="
                f"{vars(model)[self.name]!r}. Received: {value!r}. Change it between two calls of `fit`."
            )


class Fixed(Setting):
    """An argument that a model is built around. Changing it later raises an `AttributeError`."""

    def refuse(self, model, value):
        if not same(vars(model)[self.name], value):
            raise AttributeError(
                f"`{self.name}` is fixed once a {type(model).__name__} is made. Received: {value!r}. Make a new model "
                f"with it: {type(model).__name__}(..., {self.name}=...)."
            )


class Switched(Setting):
    """A weight that may change at any time, but not from 0 or to 0: a model has state for it, or has none."""

    def refuse(self, model, value):
        super().refuse(model, value)
        before = vars(model)[self.name]
        if bool(before) != bool(value):
            raise AttributeError(
                f"A {type(model).__name__} is made with the state that `{self.name}` needs, or without it. Received: "
                f"{value!r} after {before!r}. Make a new model: {type(model).__name__}(..., {self.name}={value!r})."
            )


def same(old, new):
    """Whether two values are equal. Networks are compared by identity."""
    return old is new or (isinstance(old, (bool, int, float, str, list, tuple)) and old == new)


def settings_of(model):
    """The names of all settings of a model, with the settings of base classes first."""
    names = {}
    for owner in reversed(type(model).__mro__):
        names.update({name: None for name, value in vars(owner).items() if isinstance(value, Setting)})
    return list(names)


def check_assigned(model):
    """Raises a `TypeError` if a constructor has not assigned a setting that its class declares."""
    missing = [setting for setting in settings_of(model) if setting not in vars(model)]
    if missing:
        raise TypeError(
            f"{type(model).__name__} declares `{missing[0]}`, and its constructor does not assign it: "
            f"self.{missing[0]} = {missing[0]}."
        )


def check_declared(model):
    """Raises a `TypeError` if a saved model would lose an argument of its constructor.

    Args:
        model: `GenerativeModel`.
    """
    config = model.get_config()
    for base in type(model).__mro__:
        if base.__module__.startswith("ganzoo."):  # Their configs are tested.
            break
        for argument, parameter in inspect.signature(base.__init__).parameters.items():
            named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if named and argument != "self" and argument not in config:
                raise TypeError(
                    f"{base.__name__} takes the argument `{argument}`, which is not in its config: the file would "
                    f"lose it. Declare it in the class: {argument} = ganzoo.Setting(), and assign "
                    f"self.{argument} in the constructor."
                )
