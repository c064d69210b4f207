"""How large are exported models, and how fast? Prints milliseconds per image in each runtime and in a browser.

    python benchmarks/export.py                                      # networks of 16, 28, 32 and 64 pixels
    python benchmarks/export.py --models faces_16 --repetitions 20

The networks are the papers', untrained. Each call makes one image in a single thread. The browser is Chromium, if
it and Playwright are installed. It opens the page from its file, and then allows a single thread.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnxruntime
import openvino
from ai_edge_litert.interpreter import Interpreter

import ganzoo

MODELS = {
    "faces_16": lambda: ganzoo.from_preset("faces_16"),
    "vae_28": lambda: ganzoo.VAE.from_paper((28, 28, 1), latent_dim=2),
    "dcgan_28": lambda: ganzoo.DCGAN.from_paper((28, 28, 1)),
    "wgan_gp_32": lambda: ganzoo.WGANGP.from_paper((32, 32, 3)),
    "dcgan_64": lambda: ganzoo.DCGAN.from_paper((64, 64, 3)),
    "pix2pix_64": lambda: ganzoo.Pix2Pix.from_paper((64, 64, 3), condition_shape=(64, 64, 1), receptive_field=16),
}
COLUMNS = ("model", "parameters", "onnx MB", "litert MB", "html MB", "onnxruntime", "openvino", "litert", "browser")


def milliseconds(run, repetitions):
    """The median time of a call, after a first call that does not count."""
    run()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def in_onnx_runtime(folder, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def in_openvino(folder, inputs):
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    network = openvino.Core().compile_model(folder / "model.onnx", "CPU", exact)
    return lambda: network(inputs)


def in_litert(folder, inputs):
    runner = Interpreter(str(folder / "model.tflite"), num_threads=1).get_signature_runner("serving_default")
    return lambda: runner(**inputs)


def in_browser(folder, repetitions):
    """Milliseconds of the page, or `None` without Chromium or Playwright."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page()
        page.goto((folder / "model.html").as_uri())
        page.wait_for_selector("html[data-state]", state="attached")
        page.wait_for_timeout(3000)  # The pictures that the page makes by itself.
        found = page.evaluate(
            """async (repetitions) => {
              const times = [];
              for (let k = 0; k <= repetitions; k++) {
                const start = performance.now();
                await ganzoo.samples(k, 1);
                times.push(performance.now() - start);
              }
              return times.slice(1).sort((a, b) => a - b)[Math.floor(repetitions / 2)];
            }""",
            repetitions,
        )
        browser.close()
    return found


def measure(name, repetitions):
    """A row of the table."""
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for ending, format in (("onnx", "onnx"), ("tflite", "litert"), ("html", "html")):
            model.export(folder / f"model.{ending}", format=format)
        shape, key = (model.conditions.image_shape, "image") if model.conditions.translates else (None, "latents")
        random = np.random.default_rng(0)
        inputs = {key: random.standard_normal((1, *(shape or model.latent_shape))).astype("float32")}
        sizes = [(folder / f"model.{ending}").stat().st_size / 1e6 for ending in ("onnx", "tflite", "html")]
        times = [milliseconds(run(folder, inputs), repetitions) for run in (in_onnx_runtime, in_openvino, in_litert)]
        times.append(in_browser(folder, repetitions))
    return [
        name,
        f"{model.sampling_generator.count_params():,}",
        *(f"{size:.1f}" for size in sizes),
        *("" if value is None else f"{value:.1f} ms" for value in times),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--repetitions", type=int, default=50)
    options = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for name in options.models:
        print(f"| {' | '.join(measure(name, options.repetitions))} |", flush=True)


if __name__ == "__main__":
    main()
