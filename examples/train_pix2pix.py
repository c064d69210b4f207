"""pix2pix (Isola et al., 2017): outlines to coloured drawings, from pairs.

    python examples/train_pix2pix.py
    python -m ganzoo translate runs/pix2pix/model.keras --input_dir outlines --output_dir coloured

The pictures show rows of input, output and truth for drawings that the model is not trained on. For your own
pairs use `ganzoo.data.paired("facades/train")`, or `python -m ganzoo train pix2pix facades/train`, which has all
settings as flags.
"""

import numpy as np
from absl import app, flags

import ganzoo

_OUTPUT_DIR = flags.DEFINE_string("output_dir", "runs/pix2pix", "Where everything is written.")
_EPOCHS = flags.DEFINE_integer("epochs", 50, "Passes over the 440 pairs.", lower_bound=1)


def main(_):
    pairs = ganzoo.data.load("openmoji_pairs", batch_size=4, jitter=True, mirror=True)
    outlines, drawings = next(iter(ganzoo.data.load("openmoji_pairs", split="test", batch_size=16, shuffle=False)))
    model = ganzoo.Pix2Pix.from_paper((64, 64, 3), condition_shape=(64, 64, 1), filters=32)
    pictures = ganzoo.callbacks.TranslationGrid(f"{_OUTPUT_DIR.value}/samples", outlines, drawings)
    model.fit(pairs, epochs=_EPOCHS.value, callbacks=[pictures])
    model.save(f"{_OUTPUT_DIR.value}/model.keras")

    # The colouring must be nearer to the truth than the bare outline.
    coloured = model.generate(condition=outlines)
    for name, answer in (("pix2pix", coloured), ("outline", np.repeat(outlines, 3, axis=-1))):
        print(name, ganzoo.metrics.l1_distance(drawings.numpy(), answer))


if __name__ == "__main__":
    app.run(main)
