// The newest log lines.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { usePolled } from "../store.js";

export function Logs() {
  const logs = usePolled("logs", 2);
  const [filter, setFilter] = useState("");
  const box = useRef(null);
  const atEnd = useRef(true);
  const lines = (logs?.master || []).filter((line) => line.toLowerCase().includes(filter.toLowerCase()));
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.length]);
  const scrolled = ({ target }) => { atEnd.current = target.scrollTop + target.clientHeight > target.scrollHeight - 20; };
  const level = (line) => (/\/(ERROR|CRITICAL)\//.test(line) ? "bad" : /\/WARNING\//.test(line) ? "warn" : "");
  return html`<div class="tools"><label class="search"><span class="hidden">Filter lines</span>
      <input type="search" placeholder="Filter lines" value=${filter} onInput=${(event) => setFilter(event.target.value)} /></label>
      <span class="hint">The newest 500 lines</span></div>
    <pre class="card logs" ref=${box} onScroll=${scrolled} tabindex="0" role="log" aria-label="Log lines">${lines.map((line) => html`<span class=${level(line)}>${line}${"\n"}</span>`)}</pre>`;
}
