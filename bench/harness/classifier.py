"""The classifier beside the usual Python stack: one function a measure, each giving rows."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness import generators, servers, uploads
from harness.generators import LOCUSTFILES, Load
from harness.measures import ROOT, Bench, say
from harness.report import Row

OURS = "classifier"
PEER = "Python stack"
MODEL = ROOT / "models/brain-mri.model"
PEERS = ROOT / "bench/peers"
IMAGES = sorted((ROOT / "samples").glob("*/*.jpg"))
#: How far probabilities may be apart.
AGREEMENT = 1e-4


@dataclass(frozen=True)
class Tools:
    """The two programs that time parts, and what they work on."""

    ours: Path
    python: Path
    onnx: Path
    #: What the network reads, for both.
    inputs: Path

    @staticmethod
    def of(bench: Bench) -> Tools:
        folder = bench.folder.parent / "peers"
        folder.mkdir(parents=True, exist_ok=True)
        return Tools(
            bench.classifier_binary.with_name("bench-classifier"),
            bench.peer_python.absolute(),
            folder / "brain-mri.onnx",
            folder / "inputs.f32",
        )

    def time_ours(self, *arguments: object) -> float:
        return float(output(self.ours, "--model", MODEL, *arguments))

    def time_peer(self, *arguments: object) -> float:
        return float(output(self.python, PEERS / "times.py", self.onnx, *arguments))

    def export(self) -> str:
        """Writes the network as ONNX; says how well both agree, and ends the run if they do not."""
        output(self.python, PEERS / "export_onnx.py", MODEL, self.onnx)
        probabilities = self.inputs.with_suffix(".txt")
        probabilities.write_text(output(self.ours, "--model", MODEL, "dump", self.inputs, *IMAGES))
        apart = self.time_peer("check", self.inputs, probabilities)
        if apart > AGREEMENT:
            raise RuntimeError(f"the ONNX network is not ours: probabilities differ by {apart}")
        return f"probabilities of {len(IMAGES)} images agree with onnxruntime's to {apart:.1e}"


def output(*command: object) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def in_turns(bench: Bench, ours: Callable[[], float], peer: Callable[[], float]) -> dict[str, list[float]]:
    runs: dict[str, list[float]] = {OURS: [], PEER: []}
    for _ in range(bench.runs):
        runs[OURS].append(ours())
        runs[PEER].append(peer())
    return runs


def infer(bench: Bench) -> list[Row]:
    tools = Tools.of(bench)
    agreement, image = tools.export(), IMAGES[0]
    rows = []
    for batch, threads in ((1, 1), (1, 2), (8, 1), (8, 2)):
        say(f"inference, batch {batch}, {threads} threads")
        shape = (bench.seconds / 2, batch, threads)
        runs = in_turns(
            bench,
            lambda shape=shape: tools.time_ours("infer", image, *shape),
            lambda shape=shape: tools.time_peer("infer", tools.inputs, *shape),
        )
        images = "an image alone" if batch == 1 else f"{batch} images together"
        measure = f"the network, {images}, {threads} thread{'s'[: threads - 1]}"
        rows.append(Row(measure, "ms", runs, "1.2 × onnxruntime", at_most(1.2), 3, ours=OURS))
    rows[0].notes.append(agreement)
    return rows


def prepare(bench: Bench) -> list[Row]:
    tools = Tools.of(bench)
    tools.export()
    image = tools.onnx.with_name("512.jpg")
    enlarge = "import sys; from PIL import Image; a, b = sys.argv[1:]; "
    enlarge += "Image.open(a).convert('RGB').resize((512, 512), Image.Resampling.LANCZOS).save(b, quality=90)"
    output(tools.python, "-c", enlarge, IMAGES[0], image)
    say("decoding and preparing 512×512 pixels")
    runs = in_turns(
        bench,
        lambda: tools.time_ours("prepare", image, bench.seconds / 2),
        lambda: tools.time_peer("prepare", image, bench.seconds / 2),
    )
    measure = "decode and prepare a colour JPEG of 512×512 pixels, against Pillow"
    return [Row(measure, "ms", runs, "half of Pillow's", at_most(0.5), 3, ours=OURS)]


def at_most(factor: float) -> Callable[[dict[str, float]], bool]:
    return lambda medians: medians[OURS] <= factor * medians[PEER]


@contextlib.contextmanager
def peer_service(bench: Bench, core: int | None) -> Iterator[str]:
    tools = Tools.of(bench)
    port = servers.free_port()
    command = [tools.python, "-m", "uvicorn", "service:app", "--port", port, "--log-level", "warning"]
    environment = {"MODEL": str(tools.onnx)}
    with servers.running(list(map(str, command)), port, PEERS, core, environment) as url:
        yield url


def predict(bench: Bench) -> list[Row]:
    Tools.of(bench).export()
    services = {
        OURS: lambda: servers.classifier(bench.classifier_binary, core=bench.target_core),
        PEER: lambda: peer_service(bench, bench.target_core),
    }
    rates: dict[str, list[float]] = {name: [] for name in services}
    slowest: dict[str, list[float]] = {name: [] for name in services}
    notes = []
    load = Load(LOCUSTFILES / "predict.py", users=50, seconds=bench.seconds, spawn_rate=50)
    for _ in range(bench.runs):
        for name, service in services.items():
            with service() as url:
                say(f"/predict, 50 users, a core of its own: {name}")
                outcome = generators.run(bench.generators[0], load, url, bench.folder, bench.generator_core)
            row = outcome.stats["POST", "/predict"]
            rates[name].append(float(row["Requests/s"]))
            slowest[name].append(float(row["99%"]))
            if outcome.failures:
                notes.append(f"{name}: {outcome.failures} requests failed")
    measure = "/predict, 50 users without waits, the service on one core"
    enough = lambda medians: medians[OURS] >= 2 * medians[PEER] and not notes  # noqa: E731
    return [
        Row(measure, "requests per second", rates, "2 × the Python stack", enough, notes=notes, ours=OURS),
        Row("the same: p99", "ms", slowest, "half of the Python stack's", at_most(0.5), ours=OURS),
    ]


def cold_start(bench: Bench) -> list[Row]:
    Tools.of(bench).export()
    say("starting the services")
    runs = in_turns(
        replace(bench, runs=2 * bench.runs + 1),
        lambda: started_within(lambda: servers.classifier(bench.classifier_binary)),
        lambda: started_within(lambda: peer_service(bench, None)),
    )
    measure = "start of the process to the first healthy answer"
    return [Row(measure, "s", runs, "0.5", lambda medians: medians[OURS] <= 0.5, 3, ours=OURS)]


def started_within(service: Callable[[], contextlib.AbstractContextManager[str]]) -> float:
    before = time.monotonic()
    with service():
        return time.monotonic() - before


def upload_memory(bench: Bench) -> list[Row]:
    """What 500 uploads at once add to what the service holds."""
    image = uploads.noise_png(side=3150)
    most, answers = [], []
    for _ in range(bench.runs):
        with servers.classifier(bench.classifier_binary) as url:
            say(f"500 uploads of {len(image) / 1e6:.1f} MB at once")
            before = servers.peak_kib(url)
            answers.append(uploads.at_once(url, image, 500))
            most.append((servers.peak_kib(url) - before) / 1024)
    # Stated in docs/classifier.md, in MiB: bodies, one image being decoded, what is being received.
    bound = 256 + 100 + 500 // 16
    notes = [f"answers: {', '.join(f'{count} × {status}' for status, count in run.items())}" for run in answers]
    measure = "memory added by 500 uploads of 10 MB at once, at its peak"
    goal = f"{bound}, as stated"
    return [Row(measure, "MiB", {OURS: most}, goal, lambda m: max(most) <= bound, notes=notes, ours=OURS)]


def retraining(bench: Bench) -> list[Row]:
    """p99 with a retraining, as a multiple of that without, in turns."""
    shares: list[float] = []
    notes = []
    # The hundredth part of 75 a second has to be more than a handful.
    seconds = max(bench.seconds, 20)
    load = Load(LOCUSTFILES / "predict_steady.py", users=25, seconds=seconds, spawn_rate=25)
    with servers.classifier(bench.classifier_binary) as url:
        for _ in range(bench.runs):
            times = []
            for job in (None, {"epochs": 100, "learning_rate": 1e-6}):
                say(f"/predict, 75 a second, {'with' if job else 'without'} a retraining")
                with servers.retraining(url, job) if job else contextlib.nullcontext():
                    outcome = generators.run(bench.generators[0], load, url, bench.folder)
                times.append(float(outcome.stats["POST", "/predict"]["99%"]))
            notes.append(f"p99 without {times[0]:.0f} ms, with {times[1]:.0f} ms")
            shares.append(times[1] / times[0])
    measure = "/predict, 75 a second, both cores shared: p99 while a retraining runs, as a multiple of that without"
    return [Row(measure, "times", {OURS: shares}, "1.5", lambda m: m[OURS] <= 1.5, 2, notes=notes, ours=OURS)]


MEASURES = {
    "classifier-predict": predict,
    "classifier-infer": infer,
    "classifier-prepare": prepare,
    "classifier-start": cold_start,
    "classifier-memory": upload_memory,
    "classifier-retraining": retraining,
}
