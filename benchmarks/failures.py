"""Makes docs/failures.md: pictures of trainings that went wrong, and what the guard says of each.

    python benchmarks/failures.py                       # all of them, about five minutes of a core
    python benchmarks/failures.py --runs "G's learning rate 0"

Runs the trainings of `guard.py`. Each stops when the guard has named the expected fault, or at its last step, and draws
32 samples of seed 0. The script keeps its findings beside the pictures, so you can repeat single runs.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from guard import FAILURES

import ganzoo
from ganzoo import images

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = DOCS / "images" / "failures"
FOUND = PICTURES / "found.json"

# The mistakes, in words for the page.
DONE = {
    "learning rates x 100": "A GAN with learning rates of 0.02 for both networks.",
    "rates x 100, momentum 0.99": "The same, with a momentum of 0.99.",
    "WGAN without clipping": "A WGAN whose critic's weights are not clipped. Its estimate grows without limit.",
    "all images zero": "All images are black. A file that was read wrongly often looks like this.",
    "one image, with noise": "All images are the same, but for a little noise.",
    "minimax, D's rate x 50, 2 steps": "The minimax loss against a discriminator that learns much faster.",
    "a sigmoid at D's end": "A discriminator that ends in a sigmoid, with a loss that expects logits.",
    "G's learning rate 0": "A generator that does not learn.",
    "G's last weights x 1000": "A generator whose output is at the ends of tanh, where it has no gradient.",
    "G's learning rate x 25": "A generator that learns 25 times as fast as the discriminator.",
    "CGAN with shuffled labels": "A conditional GAN whose labels belong to other images.",
}

HEAD = """# When it goes wrong

Each of these trainings was made to fail by one mistake. Compare your grid with the pictures, and read what
[`CollapseGuard`](watching.md) said of them. `python benchmarks/failures.py` makes this page.

"""


class StopWhenFound(keras.callbacks.Callback):
    """Ends the training as soon as the guard has named the expected fault."""

    def __init__(self, guard, name):
        super().__init__()
        self.guard, self.name = guard, name

    def on_train_batch_end(self, batch, logs=None):
        if any(diagnosis.name == self.name for diagnosis in self.guard.diagnoses):
            self.model.stop_training = True


def run(name):
    """Trains a model, draws its samples, and returns the guard's findings."""
    keras.utils.set_random_seed(0)
    make, data, steps, expected = FAILURES[name]
    model = make()
    guard = ganzoo.callbacks.CollapseGuard()
    try:
        model.fit(data(), steps_per_epoch=steps, verbose=0, callbacks=[guard, StopWhenFound(guard, expected.name)])
    except FloatingPointError as error:
        print(f"{name}: {error}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    samples = model.generate(32, seed=0, condition=model.conditions.in_turn(32))
    images.save_png(PICTURES / file_of(name), images.grid(np.nan_to_num(samples), columns=16))
    said = [
        {
            "name": found.name,
            "step": found.step,
            "evidence": found.evidence,
            "cause": found.trouble.cause,
            "advice": found.trouble.advice,
        }
        for found in guard.diagnoses
    ]
    names = ", ".join(each["name"] for each in said) or "nothing found"
    print(f"{name}: {names} after {model.steps_done} steps", flush=True)
    return {"steps": model.steps_done, "said": said}


def file_of(name):
    """The name of a picture."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.replace("'s", "")).lower().split()) + ".png"


def page(found):
    """The page, in Markdown."""
    parts = [HEAD]
    for name, what in DONE.items():
        if name in found:
            parts.append(section(name, what, found[name]["steps"], found[name]["said"]))
    return "".join(parts).rstrip() + "\n"


def section(name, what, steps, said):
    """A section of the page: heading, mistake, picture, and the guard's last finding."""
    steps = f"{steps:,} step{'s' if steps > 1 else ''}"
    text = (
        f"## {name[0].upper()}{name[1:]}\n\n{what}\n\n![32 samples after {steps}](images/failures/{file_of(name)})\n\n"
    )
    if not said:
        return f"{text}The guard saw nothing in {steps}.\n\n"
    last = said[-1]
    return (
        f"{text}**{last['name'].capitalize()}**, said after step {last['step']:,}. {last['evidence']}\n\n"
        f"- Likely cause: {last['cause']}\n- What to do: {last['advice']}\n\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="*", choices=list(FAILURES), default=list(FAILURES))
    options = parser.parse_args()
    found = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    for name in options.runs:
        found[name] = run(name)
        FOUND.write_text(json.dumps(found, indent=1) + "\n")
        keras.backend.clear_session()
    (DOCS / "failures.md").write_text(page(found))


if __name__ == "__main__":
    main()
