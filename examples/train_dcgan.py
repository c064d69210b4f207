"""DCGAN (Radford et al., 2015): a training that survives a kill.

    python examples/train_dcgan.py                 # stop it with Ctrl-C, or with kill -9
    python examples/train_dcgan.py                 # goes on in the middle of the epoch, with the same bits

`Checkpoint` keeps the weights, both optimizers, the random numbers and the place in the data. The pictures in
`samples/` show the same latents after each epoch. All settings are flags of `python -m ganzoo train dcgan mnist_10k`.
"""

from absl import app, flags

import ganzoo

flags.DEFINE_string("dataset", "mnist_10k", "A name or a path that ganzoo.data.load knows.")
flags.DEFINE_string("output_dir", "runs/dcgan", "Where everything is written.")
flags.DEFINE_integer("epochs", 20, "Epochs in total, those before the kill included.", lower_bound=1)


def main(_):
    folder = flags.FLAGS.output_dir
    images = ganzoo.data.load(flags.FLAGS.dataset, batch_size=64, seed=0)
    model = ganzoo.DCGAN.from_paper(images.element_spec[0].shape[1:], filters=32, seed=0)
    model.fit(
        images,
        epochs=flags.FLAGS.epochs,
        callbacks=[
            ganzoo.callbacks.CollapseGuard(directory=folder),
            ganzoo.callbacks.SampleGrid(f"{folder}/samples"),
            ganzoo.callbacks.LearningCurve(f"{folder}/learning_curve.png"),
            ganzoo.callbacks.Checkpoint(f"{folder}/checkpoints", every_steps=50, keep=2),
        ],
    )
    print(f"{model.steps_done:,} updates of the generator, over all starts")
    model.save(f"{folder}/model.keras")


if __name__ == "__main__":
    app.run(main)
