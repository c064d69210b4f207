"""What a server does with exported models: a process that has neither ganzoo nor Keras.

    python serve.py FOLDER

For each SavedModel `FOLDER/<name>/saved_model` it calls every signature, and OpenVINO too, with the inputs of
`FOLDER/<name>/inputs.npz`, and writes the outputs to `FOLDER/<name>/outputs.npz`.
"""

# ruff: noqa: E402
import sys

sys.modules["keras"] = sys.modules["tf_keras"] = sys.modules["ganzoo"] = None  # An import of them is an error.

from pathlib import Path

import numpy as np
import openvino
import tensorflow as tf


def integer(value):
    return tf.constant(value, "int64")


def serve(folder):
    inputs = np.load(folder / "inputs.npz")
    signatures = tf.saved_model.load(folder / "saved_model").signatures
    exact = {"INFERENCE_PRECISION_HINT": "f32"}  # By default OpenVINO takes bfloat16 where a CPU has it.
    network = openvino.Core().compile_model(folder / "saved_model", "CPU", exact)
    outputs = {"signatures": sorted(signatures)}
    for count in (1, 3, 8):
        latents, labels = inputs["latents"][:count], inputs["labels"][:count]
        conditional = "label" in signatures["serving_default"].structured_input_signature[1]
        label = {"label": tf.constant(labels)} if conditional else {}
        served = signatures["serving_default"](latents=tf.constant(latents), **label)
        outputs[f"serving_default/{count}"] = served["images"]
        mates = inputs["latents"][8:][:count].copy()
        mates[0] = latents[0]
        outputs[f"first_with_other_mates/{count}"] = signatures["serving_default"](latents=tf.constant(mates), **label)[
            "images"
        ][0]
        named = {"latents": latents, "label": labels} if conditional else {"latents": latents}
        outputs[f"openvino/{count}"] = network(named)["images"]
        draw = {"seed": integer(7), **(label or {"num_samples": integer(count)})}
        generated = signatures["generate"](**draw)
        outputs[f"generate/{count}"], outputs[f"latents/{count}"] = generated["images"], generated["latents"]
        if "generate_png" in signatures:
            files = signatures["generate_png"](**draw)["image_bytes"]
            outputs[f"generate_png/{count}"] = np.stack([tf.io.decode_png(file) for file in files])
    nothing = {"label": integer([])} if conditional else {"num_samples": integer(0)}
    try:
        signatures["generate"](seed=integer(0), **nothing)
        outputs["error"] = "none"
    except tf.errors.InvalidArgumentError as error:
        outputs["error"] = str(error)
    np.savez(folder / "outputs.npz", **{name: np.asarray(value) for name, value in outputs.items()})


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).iterdir()):
        serve(path)
    loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
    assert not loaded & {"keras", "tf_keras", "ganzoo"}
