"""The usual Python stack with our network: FastAPI, Pillow and onnxruntime.

What `/predict` of the classifier does, as such services are commonly written: the
handler is a plain function, so that FastAPI runs it on its threads; onnxruntime gets
one thread, for one core. MODEL names the ONNX file that export_onnx.py wrote.
"""

import os
import time
from io import BytesIO

import onnxruntime
from fastapi import FastAPI, HTTPException, UploadFile
from PIL import Image, UnidentifiedImageError
from preparation import Preparation

NAMES = ["Glioma", "Meningioma", "Pituitary", "No_Tumor"]

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
preparation = Preparation.of(session)
app = FastAPI()


@app.get("/health")
def health() -> dict:
    return {"status": "healthy"}


@app.post("/predict")
def predict(file: UploadFile) -> dict:
    try:
        image = Image.open(BytesIO(file.file.read()))
        prepared = preparation.prepare(image)
    except (UnidentifiedImageError, OSError) as error:
        raise HTTPException(400, "not a JPEG or PNG image") from error
    started = time.perf_counter()
    (probabilities,) = session.run(None, {"images": prepared})
    took_ms = (time.perf_counter() - started) * 1e3
    likely = int(probabilities[0].argmax())
    return {
        "predicted_class_short": NAMES[likely],
        "class_index": likely,
        "confidence": round(float(probabilities[0, likely]), 4),
        "probabilities": dict(zip(NAMES, (round(float(p), 4) for p in probabilities[0]), strict=True)),
        "inference_time_ms": round(took_ms, 3),
    }
