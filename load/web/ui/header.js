// What is always in sight: the state, the five numbers, and what can be done.
import { html, useState } from "./vendor/htm-preact.js";
import { resetStats, stop } from "./api.js";
import { clock, count, percent, rate, time } from "./format.js";

const STATES = { ready: "Ready", spawning: "Spawning", running: "Running", cleanup: "Stopping", stopped: "Stopped" };

/** @param {{frame: any, connected: boolean, theme: string, onTheme: () => void, onForm: () => void}} props */
export function Header({ frame, connected, theme, onTheme, onForm }) {
  const [busy, setBusy] = useState("");
  const host = frame.host || window.templateArgs.host;
  const active = ["spawning", "running"].includes(frame.state);
  const doing = (name, what) => async () => {
    setBusy(name);
    await what().catch(() => {});
    setBusy("");
  };
  return html`<header class="top">
    <div class="bar">
      <h1><a class="brand" href="./"><img src="assets/icon.svg" alt="" width="28" height="28" /><span>Acrida</span></a></h1>
      <span class="file" title=${host || ""}>${window.templateArgs.locustfile}${host && ` → ${host}`}</span>
      <span class="state ${frame.state}" role="status">${STATES[frame.state] || frame.state}</span>
      ${!connected && html`<span class="state lost" role="alert">Connection lost, trying again…</span>`}
      <span class="grow"></span>
      <span class="buttons">
        ${active && html`<button onClick=${onForm}>Edit</button>
          <button class="danger" disabled=${busy === "stop"} onClick=${doing("stop", stop)}>${busy === "stop" ? "Stopping…" : "Stop"}</button>`}
        ${frame.state === "stopped" && html`<button class="primary" onClick=${onForm}>New test</button>`}
        ${frame.state !== "ready" && html`<button disabled=${busy === "reset"} onClick=${doing("reset", resetStats)} title="Begin the statistics anew">Reset</button>`}
        <button class="icon" onClick=${onTheme} aria-label="Colours: ${theme}" title="Colours: ${theme}">${{ auto: "◐", light: "☀", dark: "☾" }[theme]}</button>
      </span>
    </div>
    <dl class="figures" aria-label="Figures">${figures(frame).map(([label, value, note, alarm]) => html`<div class=${alarm ? "alarm" : ""}>
      <dt>${label}</dt><dd>${value}<small>${note}</small></dd></div>`)}</dl>
    <${Warning} load=${frame.load} />
  </header>`;
}

/** What keeps users from making as many requests as they could. */
function Warning({ load }) {
  if (!load.bound && !load.late) return null;
  const cause = load.bound
    ? `The load generator itself is out of breath: its users take ${Math.round(load.users_busy)} % of the time, waiting for a core included, and its event loop is up to ${time(load.lag_ms)} late`
    : `Users wait up to ${time(load.lag_ms)} for the event loop: a call in the locustfile blocks it, or other programs take its core`;
  return html`<p class="warning" role="alert">${cause}, so they make fewer requests than they could. Response times stay true.</p>`;
}

function figures(frame) {
  const active = ["spawning", "running", "cleanup"].includes(frame.state);
  const { total, wanted } = frame;
  const failed = total.requests ? total.failures / total.requests : 0;
  const remaining = wanted.run_time && active ? ` of ${clock(wanted.run_time)}` : "";
  const isNow = active && total.now[1] != null;
  return [
    ["Users", count(frame.users), active && wanted.users && wanted.users !== frame.users ? ` of ${count(wanted.users)}` : ""],
    ["Requests / s", rate(active ? total.rps : total.avg_rps), active ? " last 10 s" : total.requests ? " average" : ""],
    ["Failures", total.requests ? percent(failed) : "–", total.failures ? ` ${count(total.failures)}` : "", failed > 0.01],
    ["p95", time(isNow ? total.now[1] : total.times[1]), isNow ? " last 10 s" : total.requests ? " whole test" : ""],
    ["Requests", count(total.requests), ""],
    ["Time", clock(frame.elapsed), remaining],
  ];
}
