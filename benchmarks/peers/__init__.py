"""The competitors of `time_to_quality.py`: what people train today, and ganzoo's own models.

Each is written anew from the description on its page. Its module names the page, the settings and every departure.
A competitor runs in a process of its own (`run.py`), with an object that has

    parameters      dictionary, name of a network -> number of weights
    train(go_on)    trains, and calls `go_on()` after each update of the generator until it returns `False`
    sample(count)   uint8 images (count, height, width, channels), as the page makes its pictures
"""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class Competitor:
    """Where a competitor is.

    Args:
        module: String, the module of `peers`.
        name: String, the class in it, or an argument of the module's `make`.
        framework: `"keras"` or `"torch"`, which decides the interpreter.
    """

    module: str
    name: str
    framework: str = "keras"

    def make(self, images, seed):
        """Builds the competitor for uint8 images `(count, height, width, channels)`."""
        module = importlib.import_module(f"peers.{self.module}")
        if hasattr(module, "make"):
            return module.make(self.name, images, seed)
        return getattr(module, self.name)(images, seed)


PEERS = {
    "keras.io DCGAN": Competitor("keras_io", "DCGAN"),
    "keras.io WGAN-GP": Competitor("keras_io", "WGANGP"),
    "keras.io GAN-ADA": Competitor("keras_io", "GANADA"),
    "PyTorch-GAN dcgan": Competitor("pytorch_gan", "DCGAN", "torch"),
    "PyTorch-GAN wgan_gp": Competitor("pytorch_gan", "WGANGP", "torch"),
    "mimicry wgan_gp": Competitor("mimicry", "WGANGP", "torch"),
    "mimicry sngan": Competitor("mimicry", "SNGAN", "torch"),
    "lightweight-gan": Competitor("lightweight_gan", "LightweightGAN", "torch"),
}
PAPERS = {f"ganzoo {name}": Competitor("own", name) for name in ("DCGAN", "WGANGP", "SNGAN")}


def find(name):
    """The `Competitor` of a name: a peer, a paper, or `recipe NAME` with a recipe of ganzoo.

    Raises:
        ValueError: If there is no such competitor.
    """
    if name.startswith("recipe "):
        return Competitor("own", name)
    known = {**PEERS, **PAPERS}
    if name not in known:
        raise ValueError(f"There is no competitor {name!r}. Competitors: {', '.join(known)}; or 'recipe NAME'.")
    return known[name]
