"""Runs a competitor for a time, and writes its samples: a process of `time_to_quality.py`."""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import peers
from peers.clock import Clock, moments


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("competitor")
    parser.add_argument("--data", type=Path, required=True, help=".npz with `train`, uint8 images")
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--budget", type=float, required=True, help="seconds")
    parser.add_argument("--points", type=int, required=True)
    parser.add_argument("--num_samples", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--started", type=float, default=time.time(), help="when the process was started")
    options = parser.parse_args()

    with np.load(options.data) as file:
        images = file["train"]
    competitor = peers.find(options.competitor).make(images, options.seed)
    about = {"parameters": competitor.parameters, "seconds_to_build": round(time.time() - options.started, 3)}
    (options.output_dir / "about.json").write_text(json.dumps(about))

    def write(seconds, updates):
        samples = competitor.sample(options.num_samples)
        if samples.dtype != np.uint8 or samples.shape != (options.num_samples, *images.shape[1:]):
            raise ValueError(f"Samples must be uint8 {images.shape[1:]}. Received: {samples.dtype} {samples.shape}")
        path = options.output_dir / f"{updates:09}.npz"
        np.savez_compressed(path, samples=samples, seconds=seconds, updates=updates)
        print(f"{options.competitor}: {updates} updates after {seconds:.1f} s", flush=True)

    competitor.train(Clock(options.started, moments(options.budget, options.points), write).go_on)


if __name__ == "__main__":
    main()
