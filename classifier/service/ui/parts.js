// What several tabs are made of.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { ask } from "./api.js";

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

/** Takes files by dropping, pasting or choosing. */
export function Drop({ label, onFiles, busy = false }) {
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const take = (list) => {
    const files = [...list].filter((file) => file.size > 0);
    if (files.length) onFiles(files);
  };
  useEffect(() => {
    const pasted = (event) => event.clipboardData && take(event.clipboardData.files);
    addEventListener("paste", pasted);
    return () => removeEventListener("paste", pasted);
  }, [onFiles]);
  return html`
    <label class=${`drop ${over ? "over" : ""} ${busy ? "busy" : ""}`}
        onDragOver=${(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave=${() => setOver(false)}
        onDrop=${(event) => { event.preventDefault(); setOver(false); take(event.dataTransfer.files); }}>
      <strong>${label}</strong>
      <span>Drop them here, paste them, or click to choose. JPEG or PNG.</span>
      <input ref=${input} type="file" multiple accept="image/jpeg,image/png" aria-label=${label}
        onChange=${() => { take(input.current.files); input.current.value = ""; }} />
    </label>`;
}

/** What was called what; rows are what it is. */
export const Confusion = ({ confusion }) => {
  const largest = Math.max(1, ...confusion.flat());
  return html`
    <table class="confusion"><caption>Rows: what it is. Columns: what it was called.</caption>
      <thead><tr><th></th>${CLASSES.map((name) => html`<th scope="col">${spoken(name)}</th>`)}</tr></thead>
      <tbody>${confusion.map((row, i) => html`<tr><th scope="row">${spoken(CLASSES[i])}</th>${row.map((count, j) => html`
        <td class=${i === j ? "right" : "wrong"} style=${{ "--share": `${Math.round(60 * count / largest)}%` }}>${count}</td>`)}</tr>`)}
      </tbody>
    </table>`;
};
