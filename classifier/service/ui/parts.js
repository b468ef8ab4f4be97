// What several tabs are made of.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { Refusal, ask } from "./api.js";

export const CLASSES = ["Glioma", "Meningioma", "Pituitary", "No_Tumor"];

/** @param {string} name */
export const spoken = (name) => name.replace("_", " ");

/** @param {number} share 0 to 1; `null` is a dash */
export const percent = (share) => share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;

/** @param {string} time as the service writes it; `null` is a dash */
export const clock = (time) => time ? new Date(time).toLocaleString() : "–";

/**
 * What `path` answers, asked again every `every_ms`, and at once when `again` is called.
 * @param {string} path
 * @param {number} every_ms
 * @returns {{ data: any, error: Error | null, again: () => void }}
 */
export function usePolled(path, every_ms) {
  const [state, setState] = useState({ data: null, error: null });
  const [count, setCount] = useState(0);
  useEffect(() => {
    let timer, ended = false;
    const look = async () => {
      try {
        const data = await ask(path);
        if (!ended) setState({ data, error: null });
      } catch (error) {
        if (!ended) setState((before) => ({ data: before.data, error }));
      }
      if (!ended) timer = setTimeout(look, every_ms);
    };
    look();
    return () => { ended = true; clearTimeout(timer); };
  }, [path, every_ms, count]);
  return { ...state, again: () => setCount((before) => before + 1) };
}

/** How long it is said that something was done. */
const SAID_MS = 8000;

/**
 * What a button or form asks for, one at a time, and what came of it.
 * @param {() => void} [after]
 */
export function useAttempt(after = () => {}) {
  const idle = { busy: false, error: null, done: "" };
  const [state, setState] = useState(idle);
  const running = useRef(false);
  useEffect(() => {
    if (!state.done) return undefined;
    const timer = setTimeout(() => setState(idle), SAID_MS);
    return () => clearTimeout(timer);
  }, [state]);
  /** @param {() => Promise<string>} work says what was done */
  const attempt = async (work) => {
    if (running.current) return;
    running.current = true;
    setState({ ...idle, busy: true });
    try {
      setState({ ...idle, done: await work() });
    } catch (error) {
      // Whoever asks again and again says that nobody answers, and also when somebody does again.
      setState({ ...idle, error: error instanceof Refusal && error.status === 0 ? null : error });
    }
    running.current = false;
    after();
  };
  return { ...state, attempt };
}

export const Notice = ({ error, done = "" }) => error
  ? html`<p class="notice bad" role="alert">${error.message}</p>`
  : done ? html`<p class="notice good" role="status">${done}</p>` : null;

/** A bar for each class; `values` by class, `text` of a value. */
export const Bars = ({ values, text, highest = 1, chosen = "" }) => html`
  <dl class="bars">${CLASSES.map((name) => html`
    <div class=${name === chosen ? "chosen" : ""}>
      <dt>${spoken(name)}</dt>
      <dd><span class="bar" style=${{ width: `${100 * Math.max(0, (values[name] || 0) / (highest || 1))}%` }}></span></dd>
      <dd class="figure">${text(values[name])}</dd>
    </div>`)}
  </dl>`;

/** Takes files by dropping them anywhere on the page, by pasting or choosing; none while `busy`, which says why. */
export function Drop({ label, onFiles, busy = "" }) {
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const take = (list) => {
    const files = [...list];
    if (files.length && !busy) onFiles(files);
  };
  useEffect(() => {
    const listeners = {
      paste: (event) => event.clipboardData && take(event.clipboardData.files),
      dragover: () => setOver(true),
      dragleave: (event) => event.relatedTarget || setOver(false),
      drop: (event) => { setOver(false); take(event.dataTransfer.files); },
    };
    for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener);
    return () => { for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener); };
  }, [onFiles, busy]);
  return html`
    <label class=${`drop ${over ? "over" : ""} ${busy ? "busy" : ""}`} aria-busy=${busy !== ""}>
      <strong>${label}</strong>
      <span role="status">${busy || "Drop them here, paste them, or click to choose. JPEG or PNG."}</span>
      <input ref=${input} type="file" multiple accept="image/jpeg,image/png" aria-label=${label} disabled=${busy !== ""}
        onChange=${() => { take(input.current.files); input.current.value = ""; }} />
    </label>`;
}

/** What was called what; rows are what it is. */
export const Confusion = ({ confusion }) => {
  const largest = Math.max(1, ...confusion.flat());
  return html`
    <div class="wide"><table class="confusion"><caption>Rows: what it is. Columns: what it was called.</caption>
      <thead><tr><td></td>${CLASSES.map((name) => html`<th scope="col">${spoken(name)}</th>`)}</tr></thead>
      <tbody>${confusion.map((row, i) => html`<tr><th scope="row">${spoken(CLASSES[i])}</th>${row.map((count, j) => html`
        <td class=${i === j ? "right" : "wrong"} style=${{ "--share": `${Math.round(45 * count / largest)}%` }}>${count}</td>`)}</tr>`)}
      </tbody>
    </table></div>`;
};
