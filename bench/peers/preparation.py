"""What images go through before the network, with Pillow and numpy.

The steps of classifier/imaging: grey, the head cut out, stretched to the network's
square, shifted and scaled by mean and deviation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import onnxruntime
from PIL import Image

#: Pixels at the border that do not count: one for so many of a side.
FRAME = 70


@dataclass(frozen=True)
class Preparation:
    """What the model's file says of it."""

    side: int
    crop: dict[str, int] | None

    @staticmethod
    def of(session: onnxruntime.InferenceSession) -> Preparation:
        described = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])
        return Preparation(described["side"], described.get("crop"))

    def prepare(self, image: Image.Image) -> np.ndarray:
        """The network's input for one image: 1×1×side×side numbers."""
        grey = image.convert("L")
        box = self.head(np.asarray(grey)) if self.crop else None
        square = grey.resize((self.side, self.side), Image.Resampling.BILINEAR, box=box)
        values = np.asarray(square, dtype=np.float32)
        values = (values - values.mean()) / (values.std() + 4)
        return values[None, None].astype(np.float32)

    def head(self, pixels: np.ndarray) -> tuple[int, int, int, int] | None:
        """Left, upper, right and lower edge of the head; None for the whole image."""
        height, width = pixels.shape
        counts = np.bincount(pixels.ravel(), minlength=256).cumsum()
        hundredth = pixels.size // 100
        dark = int(np.searchsorted(counts, hundredth, side="right"))
        bright = int(np.searchsorted(counts, max(pixels.size - hundredth - 1, 0), side="right"))
        threshold = min(dark + max(bright - dark, 0) * self.crop["bright_percent"] // 100, 255)
        skip_x, skip_y = width // FRAME, height // FRAME
        inner = pixels[skip_y : height - skip_y, skip_x : width - skip_x] > threshold
        columns = self.span(inner.sum(axis=0), skip_x, width, height)
        rows = self.span(inner.sum(axis=1), skip_y, height, width)
        if not columns or not rows:
            return None
        if 4 * (columns[1] - columns[0]) < width or 4 * (rows[1] - rows[0]) < height:
            return None
        return columns[0], rows[0], columns[1], rows[1]

    def span(self, counts: np.ndarray, skipped: int, along: int, across: int) -> tuple[int, int] | None:
        """From the first to the last filled line, with the margin."""
        filled = np.flatnonzero(counts * 100 > across * self.crop["filled_percent"])
        if not len(filled):
            return None
        first, last = int(filled[0]) + skipped, int(filled[-1]) + skipped
        margin = (last - first) * self.crop["margin_percent"] // 100
        return max(first - margin, 0), min(last + 1 + margin, along)
