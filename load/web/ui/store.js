// What the page knows: the newest frame, and the points of the charts.
import { useEffect, useState } from "./vendor/htm-preact.js";
import { getJson } from "./api.js";

/**
 * @typedef {{t: number, users: number, rps: number, fps: number,
 *            p50: number|null, p95: number|null, p99: number|null}} Point
 */

/** More points than this are fetched anew: the server merges neighbours. */
const POINTS_MAX = 1_200;
const SPARK_POINTS = 60;

export const store = {
  /** @type {any} */ frame: null,
  /** @type {Point[]} */ points: [],
  /** @type {number[][]} */ heat: [],
  /** Newest rates by endpoint. @type {Map<string, number[]>} */ sparks: new Map(),
  connected: false,
};

/** @type {Set<() => void>} */
const watchers = new Set();
const changed = () => watchers.forEach((watcher) => watcher());

/** Draws a component again whenever something has changed. */
export function useStore() {
  const [, draw] = useState(0);
  useEffect(() => {
    const watcher = () => draw((n) => n + 1);
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }, []);
  return store;
}

/** @param {{method: string, name: string}} row */
export const keyOf = (row) => `${row.method} ${row.name}`;

async function loadHistory() {
  try {
    const history = await getJson("live/history");
    store.points = history.points;
    store.heat = history.heat;
    store.sparks = new Map();
    for (const [method, names] of Object.entries(history.sparks)) {
      for (const [name, rates] of Object.entries(names)) store.sparks.set(keyOf({ method, name }), rates);
    }
    changed();
  } catch {
    // The stream says that the connection is lost.
  }
}

function take(frame) {
  if (store.frame && frame.process !== store.frame.process) {
    location.reload(); // The program was started anew, perhaps with another locustfile.
    return;
  }
  if (store.frame && frame.start !== store.frame.start) {
    store.points = [];
    store.heat = [];
    store.sparks = new Map();
  }
  store.frame = frame;
  if (frame.beat) {
    const { heat, ...point } = frame.beat;
    store.points = [...store.points, point];
    store.heat = [...store.heat, heat];
    for (const row of frame.rows) {
      const rates = store.sparks.get(keyOf(row)) || [];
      store.sparks.set(keyOf(row), [...rates.slice(1 - SPARK_POINTS), row.rps]);
    }
    if (store.points.length > POINTS_MAX) loadHistory();
  }
  changed();
}

/** Opens the stream; the browser opens it again whenever it ends. */
export function connect() {
  const events = new EventSource("live/events");
  events.onopen = () => {
    store.connected = true;
    loadHistory();
  };
  events.onmessage = (event) => take(JSON.parse(event.data));
  events.onerror = () => {
    store.connected = false;
    changed();
    // A stream that was refused is not opened again by itself.
    if (events.readyState !== EventSource.CLOSED) return;
    getJson("worker-count").catch(() => {}); // To see whether one has to log in again.
    setTimeout(connect, 2_000);
  };
}

/** Asks for `path` now and every `seconds`. @param {string | null} path @param {number} seconds */
export function usePolled(path, seconds) {
  const [value, setValue] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let alive = true;
    setValue(null);
    if (!path) return;
    const ask = () => getJson(path).then((value) => alive && setValue(value), () => {});
    ask();
    const timer = setInterval(ask, seconds * 1_000);
    return () => {
      alive = false;
      clearInterval(timer);
    };
  }, [path]);
  return value;
}
