"""What bench-classifier times, with Pillow and onnxruntime.

    times.py ONNX prepare IMAGE SECONDS
    times.py ONNX infer INPUTS SECONDS BATCH THREADS
    times.py ONNX check INPUTS PROBABILITIES

INPUTS is what `bench-classifier dump` wrote. The first two print a median in
milliseconds; the last one prints the largest difference from the given probabilities.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from preparation import Preparation


def session_of(model: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def print_median(seconds: float, work: Callable[[], object]) -> None:
    """As bench-classifier does: the first tenth, which warms up, is left out."""
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 3:
        before = time.perf_counter()
        work()
        after = time.perf_counter()
        if after - start > seconds / 10:
            times.append(after - before)
    print(f"{sorted(times)[len(times) // 2] * 1e3:.4f}")


def inputs_of(path: str, session: onnxruntime.InferenceSession) -> np.ndarray:
    side = session.get_inputs()[0].shape[2]
    return np.fromfile(path, dtype="<f4").reshape(-1, 1, side, side)


def main(model: str, command: str, path: str, *rest: str) -> None:
    if command == "prepare":
        preparation = Preparation.of(session_of(model, 1))
        file = Path(path).read_bytes()
        print_median(float(rest[0]), lambda: preparation.prepare(Image.open(BytesIO(file))))
    elif command == "infer":
        seconds, batch, threads = float(rest[0]), int(rest[1]), int(rest[2])
        session = session_of(model, threads)
        images = np.repeat(inputs_of(path, session)[:1], batch, axis=0)
        print_median(seconds, lambda: session.run(None, {"images": images}))
    else:
        session = session_of(model, 1)
        (found,) = session.run(None, {"images": inputs_of(path, session)})
        print(f"{np.abs(found - np.loadtxt(rest[0], ndmin=2)).max():.9f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
