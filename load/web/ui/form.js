// The form that starts a test, and that changes one.
import { html, useRef, useState } from "./vendor/htm-preact.js";
import { swarm } from "./api.js";
import { span } from "./format.js";

const args = window.templateArgs;

/** @param {{frame: any, onDone: () => void, onCancel?: () => void}} props */
export function SwarmForm({ frame: newest, onDone, onCancel }) {
  // What it was opened with: frames that come later must not undo what is being typed.
  const [frame] = useState(newest);
  const running = frame && ["spawning", "running"].includes(frame.state);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const wanted = frame && frame.wanted.users ? frame.wanted : null;
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const reply = await swarm(fieldsOf(form.current));
      if (reply.success) onDone();
      else setProblem(reply.message);
    } catch (/** @type {any} */ error) {
      setProblem(`The server does not answer: ${error.message}`);
    }
    setBusy(false);
  };
  const host = (frame && frame.host) ?? args.host ?? "";
  return html`<form class="form" ref=${form} onSubmit=${submit}>
    <h2>${running ? "Change the running test" : "Start a test"}</h2>
    <p class="problem" role="alert">${problem}</p>
    ${!args.hide_common_options && html`<div class="pair">
      <${Field} label="Users" hint="at the peak"><input name="user_count" type="number" min="0" step="1" required
        defaultValue=${wanted?.users ?? args.num_users ?? 1} autofocus /><//>
      <${Field} label="Spawn rate" hint="users started per second"><input name="spawn_rate" type="number" min="0.001"
        step="any" required defaultValue=${wanted?.spawn_rate ?? args.spawn_rate ?? 1} /><//>
    </div>`}
    ${args.hide_common_options && html`<p class="hint">The locustfile's load shape decides how many users run.</p>`}
    <${Field} label="Host" hint=${hostHint(host)}><input name="host" type="text" inputmode="url" defaultValue=${host}
      required=${args.missing_host_warning} placeholder="http://127.0.0.1:8000" /><//>
    <${Field} label="Run time" hint="such as 20s, 5m or 1h30m; empty: until it is stopped">
      <input name="run_time" defaultValue=${running ? "" : span(wanted?.run_time ?? args.run_time)} /><//>
    ${args.show_userclass_picker && !running && html`<${Classes} />`}
    ${args.show_userclass_picker && !running && args.available_shape_classes.length > 1 && html`<${Shapes} />`}
    ${Object.entries(args.extra_options).map(([name, option]) => html`<${Extra} key=${name} name=${name} option=${option} />`)}
    <${Field} label="Profile" hint="a name that groups tests; may be empty"><input name="profile" defaultValue=${args.profile ?? ""} /><//>
    <div class="buttons">
      ${onCancel && html`<button type="button" onClick=${onCancel}>Cancel</button>`}
      <button class="primary" disabled=${busy}>${running ? "Apply" : "Start"}</button>
    </div>
  </form>`;
}

function hostHint(host) {
  if (host) return "base of the URLs that users load";
  return args.override_host_warning ? "user classes have hosts of their own; this one overrides them" : "base of the URLs that users load";
}

function Field({ label, hint, children }) {
  return html`<label class="field"><span>${label}</span>${children}<small>${hint}</small></label>`;
}

function Classes() {
  return html`<fieldset class="field"><legend>User classes</legend>
    ${args.available_user_classes.map((name) => html`<label class="check">
      <input type="checkbox" name="user_classes" value=${name} defaultChecked /> ${name}</label>`)}
  </fieldset>`;
}

function Shapes() {
  return html`<${Field} label="Load shape" hint="decides how many users run; Default: the numbers above">
    <select name="shape_class">${args.available_shape_classes.map((name) => html`<option value=${name}>${name}</option>`)}</select><//>`;
}

function Extra({ name, option }) {
  const value = option.default_value ?? "";
  const label = name.replaceAll("_", " ");
  if (typeof value === "boolean") {
    return html`<label class="check"><input type="checkbox" data-switch=${name} defaultChecked=${value} /> ${label}
      <small>${option.help_text}</small></label>`;
  }
  const input = option.choices
    ? html`<select name=${name} multiple=${option.is_multiple}>${option.choices.map((choice) =>
        html`<option value=${choice} selected=${[value].flat().includes(choice)}>${choice}</option>`)}</select>`
    : html`<input name=${name} defaultValue=${[value].flat().join(",")} required=${option.is_required}
        type=${option.is_secret ? "password" : "text"} autocomplete="off" />`;
  return html`<${Field} label=${label} hint=${option.help_text}>${input}<//>`;
}

/** @param {HTMLFormElement} form */
function fieldsOf(form) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) fields.append(name, String(value));
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-switch]"));
  for (const box of boxes) fields.append(box.dataset.switch, String(box.checked));
  return fields;
}
