// One chart: uPlot with our colours, a shared cursor, a shared zoom and marks.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { at, count } from "./format.js";

/* global uPlot */

/**
 * What every chart shows: everything, so many of the newest seconds, or from here to there.
 * @type {null | number | [number, number]}
 */
let zoom = null;
/** @type {Set<any>} */
const charts = new Set();
/** @type {Set<(range: typeof zoom) => void>} */
const zoomWatchers = new Set();
/** Room above a chart for what its marks say, in pixels. */
const MARKS_HEIGHT = 18;

/** @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function zoomAll(range) {
  zoom = range;
  for (const chart of charts) show(chart);
  for (const watcher of zoomWatchers) watcher(range);
}

const SPANS = [["", "Whole test"], ["60", "Last minute"], ["300", "Last 5 minutes"], ["900", "Last 15 minutes"], ["3600", "Last hour"]];

/** Chooses what every chart shows, without a mouse too. */
export function ZoomSelect() {
  const [range, setRange] = useState(zoom);
  useEffect(() => {
    zoomWatchers.add(setRange);
    return () => zoomWatchers.delete(setRange);
  }, []);
  const byHand = Array.isArray(range);
  return html`<label>Time <select value=${byHand ? "drawn" : String(range ?? "")} onChange=${(event) => zoomAll(Number(event.target.value) || null)}>
    ${SPANS.map(([seconds, label]) => html`<option value=${seconds}>${label}</option>`)}
    ${byHand && html`<option value="drawn">${clockTime(range[0], true)} to ${clockTime(range[1], true)}</option>`}
  </select></label>`;
}

function show(chart) {
  const times = chart.data[0];
  if (!times.length) return;
  const newest = times[times.length - 1];
  const [min, max] = Array.isArray(zoom) ? zoom : [zoom ? Math.max(times[0], newest - zoom) : times[0], newest];
  chart.setScale("x", { min, max: Math.max(max, min + 1) });
  if (chart.cursor.idx == null) chart.setLegend({ idx: times.length - 1 }, false);
}

/** Seconds that may lie between two labels. */
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

const two = (number) => String(number).padStart(2, "0");

/** @param {number} t seconds since the epoch @param {boolean} seconds whether they matter */
function clockTime(t, seconds) {
  const date = new Date(t * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ""}`;
}

/** Lines and labels where somebody changed something. */
function marks(events) {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        ctx.save();
        ctx.strokeStyle = colour("--faint");
        ctx.fillStyle = colour("--soft");
        ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        let free = -Infinity;
        for (const event of events.current) {
          // What started the test came just before the first point.
          const x = Math.round(chart.valToPos(event === events.current[0] ? Math.max(event.t, chart.data[0][0]) : event.t, "x", true));
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          const width = ctx.measureText(event.text).width;
          const left = Math.min(x + 4, bbox.left + bbox.width - width);
          if (left > free) {
            ctx.fillText(event.text, left, bbox.top - 5 * devicePixelRatio);
            free = left + width + 8;
          }
        }
        ctx.restore();
      },
    },
  };
}

/**
 * @param {{title: string, lines: {label: string, colour: string, fill?: boolean, scale?: string}[],
 *          data: any[][], events: {t: number, text: string}[], unit: (value: number) => string,
 *          height?: number, theme: string}} props
 */
export function Chart({ title, lines, data, events, unit, height = 220, theme }) {
  const box = useRef(null);
  const legend = useRef(null);
  const chart = useRef(null);
  const marked = useRef(events);
  marked.current = events;
  useEffect(() => {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
      font: "11px system-ui, sans-serif" };
    const options = {
      width: box.current.clientWidth,
      height,
      padding: [MARKS_HEIGHT, 28, 0, 0],
      legend: { mount: (_, made) => legend.current.append(made) },
      cursor: { sync: { key: "time" }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        { ...axis, space: 80, size: 32, incrs: SECONDS, values: (_, times) => times.map((t) => clockTime(t, times[1] - times[0] < 60)) },
        { ...axis, size: 62, values: (_, values) => values.map((value) => (+value.toFixed(2)).toLocaleString("en")) },
      ],
      series: [{ value: (_, t) => (t == null ? "–" : clockTime(t, true)) }, ...lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 1.75,
        fill: line.fill ? `${colour(line.colour)}22` : undefined,
        points: { show: false },
        spanGaps: true,
        value: (_, value) => (value == null ? "–" : unit(value)),
      }))],
      plugins: [marks(marked)],
      hooks: {
        setCursor: [(self) => {
          if (self.cursor.idx == null) self.setLegend({ idx: self.data[0].length - 1 }, false);
        }],
        setSelect: [(self) => {
          if (self.select.width < 8) return;
          zoomAll([self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x")]);
          self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
      },
    };
    const made = new uPlot(options, data, box.current);
    chart.current = made;
    charts.add(made);
    show(made);
    const reset = () => zoomAll(null);
    made.over.addEventListener("dblclick", reset);
    const resized = new ResizeObserver(() => made.setSize({ width: box.current.clientWidth, height }));
    resized.observe(box.current);
    return () => {
      resized.disconnect();
      charts.delete(made);
      made.destroy();
      legend.current?.replaceChildren();
    };
  }, [theme, lines.map((line) => line.label).join()]);
  useEffect(() => {
    if (!chart.current) return;
    chart.current.setData(data, false);
    show(chart.current);
  }, [data]);
  const latest = lines.map((line, at) => {
    const values = data[at + 1] || [];
    const value = values[values.length - 1];
    return `${line.label} ${value == null ? "none" : unit(value)}`;
  });
  return html`<figure class="card chart">
    <figcaption><h2>${title}</h2><div ref=${legend}></div></figcaption>
    <div ref=${box} role="img" aria-label=${`${title}: ${latest.join(", ")}`}></div>
  </figure>`;
}

/**
 * How often something happened over the time of the test, in bars.
 * @param {{counts: number[] | undefined, start: number, ends: number[]}} props
 */
export function Bars({ counts, start, ends }) {
  if (!counts?.length) return html`<svg class="bars-over-time" aria-hidden="true"></svg>`;
  const top = Math.max(...counts) || 1;
  const step = 120 / counts.length;
  const seconds = Math.max(1, Math.round(counts.length > 1 ? ends[1] - ends[0] : ends[0] - start));
  const busiest = counts.indexOf(top);
  const said = `At most ${count(top)} in ${seconds} s, at ${at(ends[busiest])}`;
  return html`<svg class="bars-over-time" viewBox="0 0 120 24" preserveAspectRatio="none" role="img" aria-label=${said}>
    <title>${said}</title>
    ${counts.map((n, x) => n > 0 && html`<rect x=${(x * step).toFixed(2)} width=${Math.max(0.6, step - 0.4).toFixed(2)}
      y=${(24 - Math.max(2, (n / top) * 24)).toFixed(1)} height=${Math.max(2, (n / top) * 24).toFixed(1)} />`)}
    <line x1="0" x2="120" y1="23.5" y2="23.5" /></svg>`;
}

/** A small course without axes. @param {{values: number[]}} props */
export function Spark({ values }) {
  if (!values || values.length < 2) return html`<svg class="spark" aria-hidden="true"></svg>`;
  const top = Math.max(...values) || 1;
  const step = 80 / (values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(19 - (value / top) * 17).toFixed(1)}`);
  return html`<svg class="spark" viewBox="0 0 80 20" preserveAspectRatio="none" aria-hidden="true">
    <polyline points=${points.join(" ")} /></svg>`;
}
