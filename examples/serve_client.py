"""Gets images from a running TensorFlow Serving, and writes them as PNG files.

    docker run -p 8500:8500 -p 8501:8501 -e MODEL_NAME=wgan_gp \\
        -v "$PWD/runs/wgan_gp/serving:/models/wgan_gp" tensorflow/serving
    python examples/serve_client.py --model_name wgan_gp --num_samples 16 --output new

The REST client needs only Python and absl-py. `--protocol grpc` needs `pip install tensorflow-serving-api`. For all
flags, run python examples/serve_client.py --help
"""

import base64
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from absl import app, flags

PORTS = {"rest": 8501, "grpc": 8500}
TIMEOUT = 60


def define_all_flags():
    """Defines the flags of this example."""
    flags.DEFINE_string("host", "localhost", "Where the server runs.")
    flags.DEFINE_integer("port", None, "Its port. Default: 8501 for REST, 8500 for gRPC.")
    flags.DEFINE_enum("protocol", "rest", ["rest", "grpc"], "How to ask.")
    flags.DEFINE_string("model_name", "wgan_gp", "The server's name of the model.")
    flags.DEFINE_integer("num_samples", 16, "How many images.", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same images.")
    flags.DEFINE_integer("label", None, "The class, for a conditional model, which needs one.", lower_bound=0)
    flags.DEFINE_string("output", "served", "Folder for the PNG files.")


def inputs_of(options):
    """Returns the inputs of the signature `generate_png`."""
    if options.label is None:
        return {"seed": options.seed, "num_samples": options.num_samples}
    return {"seed": options.seed, "label": [options.label] * options.num_samples}


def ask_rest(options, address):
    """Returns PNG files (bytes), through the REST API."""
    # `instances` would need a seed for each image. In `inputs`, the columnar format, all images share the seed.
    request = {"signature_name": "generate_png", "inputs": inputs_of(options)}
    url = f"http://{address}/v1/models/{options.model_name}:predict"
    try:
        with urllib.request.urlopen(url, json.dumps(request).encode(), timeout=TIMEOUT) as response:
            outputs = json.load(response)["outputs"]
    except urllib.error.HTTPError as error:
        raise SystemExit(refused(address, f"{error.code}: {error.read().decode(errors='replace')}")) from None
    except (urllib.error.URLError, OSError) as error:
        raise SystemExit(no_answer(options, address, getattr(error, "reason", error))) from None
    return [base64.b64decode(image["b64"]) for image in outputs]


def ask_grpc(options, address):
    """Returns PNG files (bytes), through gRPC."""
    try:
        import grpc
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
    except ImportError as error:
        raise SystemExit(f"--protocol=grpc needs `pip install tensorflow-serving-api` ({error}).") from None
    request = predict_pb2.PredictRequest()
    request.model_spec.name = options.model_name
    request.model_spec.signature_name = "generate_png"
    for name, value in inputs_of(options).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value, dtype="int64"))
    with grpc.insecure_channel(address) as channel:
        try:
            response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=TIMEOUT)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise SystemExit(no_answer(options, address, error.details())) from None
            raise SystemExit(refused(address, error.details())) from None
    return list(response.outputs["image_bytes"].string_val)


def no_answer(options, address, reason):
    return (
        f"No TensorFlow Serving answers at {address} ({reason}). Start one, for example\n"
        f"  docker run -p 8500:8500 -p 8501:8501 -e MODEL_NAME={options.model_name} "
        f'-v "$PWD/runs/{options.model_name}/serving:/models/{options.model_name}" tensorflow/serving\n'
        "or pass --host and --port (REST listens on 8501, gRPC on 8500)."
    )


def refused(address, reason):
    return (
        f"The server at {address} refused the request: {reason}\n"
        "Is --model_name right? A conditional model needs --label, an unconditional one takes none."
    )


def main(options):
    """Gets images and writes them. `options` has the flags' values as attributes."""
    address = f"{options.host}:{options.port or PORTS[options.protocol]}"
    ask = {"rest": ask_rest, "grpc": ask_grpc}[options.protocol]
    files = ask(options, address)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    for index, content in enumerate(files):
        (folder / f"{index:05d}.png").write_bytes(content)
    print(f"Wrote {len(files)} images to {folder}: 00000.png to {len(files) - 1:05d}.png")


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda argv: main(flags.FLAGS), sys.argv)
