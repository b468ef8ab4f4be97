// The frame around the tabs.
import { html, render, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { time } from "./format.js";
import { connect, useStore } from "./store.js";
import { Header } from "./header.js";
import { SwarmForm } from "./form.js";
import { Overview } from "./overview/tab.js";
import { Statistics } from "./statistics/tab.js";
import { Charts } from "./charts/tab.js";
import { Failures } from "./failures/tab.js";
import { Exceptions } from "./exceptions/tab.js";
import { Ratio } from "./ratio/tab.js";
import { Logs } from "./logs/tab.js";
import { Runs } from "./runs/tab.js";
import { Downloads } from "./downloads/tab.js";
import { EXTENDED_TABS } from "./extension/tab.js";

const TABS = [
  ["overview", "Overview", Overview],
  ["statistics", "Statistics", Statistics],
  ["charts", "Charts", Charts],
  ["failures", "Failures", Failures, (frame) => frame.failures.length],
  ["exceptions", "Exceptions", Exceptions, (frame) => frame.exceptions.length],
  ["ratio", "Current ratio", Ratio],
  ["logs", "Logs", Logs],
  ["runs", "Earlier runs", Runs, (frame) => frame.runs.length],
  ["downloads", "Download", Downloads],
  ...EXTENDED_TABS,
];
const THEMES = ["auto", "light", "dark"];

function App() {
  const { frame, connected } = useStore();
  const [tab, setTab] = useState(location.hash.slice(1));
  const [theme, setTheme] = useState(document.documentElement.dataset.theme || "auto");
  const [formOpen, setFormOpen] = useState(false);
  useEffect(() => {
    const changed = () => setTab(location.hash.slice(1));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const nextTheme = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    document.documentElement.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* It holds for this visit. */ }
    setTheme(next);
  };
  if (!frame) return html`<p class="loading" role="status">${connected ? "Loading…" : "Connecting…"}</p>`;
  document.title = titleOf(frame);
  const [id, , Tab] = TABS.find(([id]) => id === tab) || TABS[0];
  // Before the first test, the form takes the place of what there is nothing of yet.
  const asks = frame.state === "ready" && id === "overview";
  return html`<${Header} frame=${frame} connected=${connected} theme=${theme} onTheme=${nextTheme} onForm=${() => setFormOpen(true)} />
    ${formOpen && html`<${Dialog} onClose=${() => setFormOpen(false)}>
      <${SwarmForm} frame=${frame} onDone=${() => setFormOpen(false)} onCancel=${() => setFormOpen(false)} /><//>`}
    <${Tabs} id=${id} frame=${frame} />
    <main><div id="panel" class=${asks ? "start" : ""} role="tabpanel" aria-labelledby=${`tab-${id}`} tabindex="-1">
      ${asks ? html`<div class="card"><${SwarmForm} frame=${frame} onDone=${() => {}} /></div>` : html`<${Tab} frame=${frame} theme=${theme} />`}
    </div></main>
    <footer>Acrida ${window.templateArgs.version} · ${frame.load.cores} cores · generator ${Math.round(frame.load.cpu)} % CPU, event loop ${time(frame.load.lag_ms)} late, ${Math.round(frame.load.memory)} MB</footer>`;
}

/** The numbers that matter also where the page is one of many. */
function titleOf(frame) {
  const name = window.templateArgs.locustfile;
  return frame.state === "running" || frame.state === "spawning"
    ? `${Math.round(frame.total.rps)} RPS · ${frame.users} users · ${name}` : `${name} · Acrida`;
}

function Tabs({ id, frame }) {
  const list = useRef(null);
  const move = (event) => {
    const at = TABS.findIndex(([tab]) => event.target.id === `tab-${tab}`);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = TABS[(to + TABS.length) % TABS.length][0];
    location.hash = next;
    list.current.querySelector(`#tab-${next}`).focus();
  };
  // On a narrow screen the row of tabs scrolls; the one that is chosen stays in sight.
  useEffect(() => list.current.querySelector(`#tab-${id}`).scrollIntoView({ block: "nearest", inline: "nearest" }), [id]);
  return html`<nav aria-label="Views"><div class="tabs" role="tablist" ref=${list} onKeyDown=${move}>
    ${TABS.map(([tab, label, , badge]) => html`<a id=${`tab-${tab}`} role="tab" href=${`./#${tab}`}
      aria-selected=${tab === id ? "true" : "false"} aria-controls="panel" tabindex=${tab === id ? 0 : -1}
      onClick=${(event) => { event.preventDefault(); location.hash = tab; }}>${label}
      ${badge && badge(frame) > 0 && html`<span class="badge ${tab}">${badge(frame)}</span>`}</a>`)}
  </div></nav>`;
}

function Dialog({ onClose, children }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} onClose=${onClose} aria-label="Test settings">${children}</dialog>`;
}

document.getElementById("root").textContent = "";
render(html`<${App} />`, document.getElementById("root"));
connect();
