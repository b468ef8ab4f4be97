// Response times over time: the darker, the more requests took as long.
import { html, useEffect, useRef } from "../vendor/htm-preact.js";
import { colour } from "../chart.js";
import { at } from "../format.js";

const ROW = 9;
const LEFT = 62;
const BOTTOM = 18;

/** @param {{times: {t: number}[], heat: number[][], theme: string}} props */
export function Heatmap({ times, heat, theme }) {
  const canvas = useRef(null);
  useEffect(() => {
    const draw = () => paint(canvas.current, times, heat);
    draw();
    const resized = new ResizeObserver(draw);
    resized.observe(canvas.current.parentElement);
    return () => resized.disconnect();
  }, [times, heat, theme]);
  return html`<figure class="card chart"><figcaption><h2>Spread of response times</h2>
    <p class="hint">Each column is a moment, each row a range of response times; the stronger, the more requests.</p></figcaption>
    <div><canvas ref=${canvas} role="img" aria-label="Heatmap of response times over time; the histogram on the overview has the numbers"></canvas></div>
  </figure>`;
}

function paint(canvas, times, heat) {
  const bounds = window.templateArgs.heat_bounds_ms;
  const used = [];
  for (const column of heat) column.forEach((count, row) => { if (count) used[row] = true; });
  const rows = used.map((_, row) => row).filter((row) => used[row]);
  const [low, high] = rows.length ? [rows[0], rows[rows.length - 1]] : [0, 5];
  const width = canvas.parentElement.clientWidth;
  const height = (high - low + 1) * ROW * 2 + BOTTOM;
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d");
  ctx.scale(scale, scale);
  ctx.font = "11px system-ui, sans-serif";
  ctx.textAlign = "right";
  ctx.fillStyle = colour("--soft");
  for (let row = low; row <= high; row++) {
    const bound = row < bounds.length ? bounds[row] : "> 60 s";
    const text = typeof bound === "string" ? bound : bound >= 1000 ? `${bound / 1000} s` : `${bound} ms`;
    ctx.fillText(text, LEFT - 8, (high - row) * ROW * 2 + ROW + 4);
  }
  if (!heat.length) return;
  const step = (width - LEFT) / heat.length;
  ctx.fillStyle = colour("--first");
  heat.forEach((column, x) => {
    const sum = column.reduce((sum, count) => sum + count, 0);
    const [left, right] = [Math.round(LEFT + x * step), Math.round(LEFT + (x + 1) * step)];
    column.forEach((count, row) => {
      if (!count) return;
      ctx.globalAlpha = 0.12 + 0.88 * Math.sqrt(count / sum);
      ctx.fillRect(left, (high - row) * ROW * 2, right - left, ROW * 2 - 1);
    });
  });
  ctx.globalAlpha = 1;
  ctx.fillStyle = colour("--soft");
  ctx.textAlign = "left";
  ctx.fillText(at(times[0]?.t), LEFT, height - 4);
  ctx.textAlign = "right";
  ctx.fillText(at(times[times.length - 1]?.t), width, height - 4);
}
