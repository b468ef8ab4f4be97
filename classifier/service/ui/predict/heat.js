// Paints a heat map over an image.

/** Warm where values are for the class; what is against it, or hardly for it, stays clear. */
const colour = (value) => [255, Math.round(210 * (1 - value)), 0, Math.round(150 * Math.min(1, 1.6 * value))];

/**
 * @param {HTMLCanvasElement} canvas takes the image's size
 * @param {ImageBitmap} image
 * @param {{ side: number, values: number[], area: number[] } | null} map
 */
export function paint(canvas, image, map) {
  const { width, height } = image;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  if (!map) return;
  const small = document.createElement("canvas");
  small.width = small.height = map.side;
  const pixels = new ImageData(map.side, map.side);
  const largest = Math.max(...map.values, 1e-6);
  map.values.forEach((value, i) => pixels.data.set(colour(Math.max(0, value / largest)), 4 * i));
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  const [left, top, across, down] = map.area;
  context.drawImage(small, left * width, top * height, across * width, down * height);
}
