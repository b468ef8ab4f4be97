// The interface as it describes itself, each request ready to be tried.
import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { ask, storedKey } from "../api.js";
import { Notice } from "../parts.js";

/** Longer answers are cut off on the page. */
const SHOWN_MAX = 20_000;

export function Docs() {
  const [description, setDescription] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => { ask("/openapi.json").then(setDescription, setError); }, []);
  if (!description) return html`<${Notice} error=${error} />`;
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  return html`
    <p>${description.info.description} <a href="/openapi.json">openapi.json</a></p>
    ${operations.map((entry) => html`<${Operation} key=${entry.method + entry.path} ...${entry} description=${description} />`)}`;
}

function Operation({ path, method, operation, description }) {
  return html`
    <details class="card operation">
      <summary><span class="badge">${method.toUpperCase()}</span> <code>${path}</code> ${operation.summary}</summary>
      ${operation.description && html`<p>${operation.description}</p>`}
      <${Try} ...${{ path, method, operation, description }} />
    </details>`;
}

function Try({ path, method, operation, description }) {
  const parameters = operation.parameters || [];
  const content = operation.requestBody ? operation.requestBody.content : {};
  const form = content["multipart/form-data"];
  const json = content["application/json"];
  const [values, setValues] = useState({});
  const [body, setBody] = useState(json ? JSON.stringify(example(json.schema, description), null, 2) : "");
  const [files, setFiles] = useState([]);
  const [answer, setAnswer] = useState("");
  const field = form ? Object.keys(resolve(form.schema, description).properties)[0] : "";
  const send = async (event) => {
    event.preventDefault();
    let url = path;
    const query = new URLSearchParams();
    for (const { name, in: place } of parameters) {
      if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(values[name] || ""));
      else if (values[name]) query.set(name, values[name]);
    }
    const headers = new Headers({ Accept: "application/json" });
    if (storedKey()) headers.set("X-API-Key", storedKey());
    let sent;
    if (form) {
      sent = new FormData();
      for (const file of files) sent.append(field, file);
    } else if (json) {
      headers.set("Content-Type", "application/json");
      sent = body;
    }
    const reply = await fetch(`${url}${query.size ? `?${query}` : ""}`, { method: method.toUpperCase(), headers, body: sent }).catch(() => null);
    if (!reply) return setAnswer("no answer");
    const text = await reply.text();
    setAnswer(`${reply.status}\n${indented(text).slice(0, SHOWN_MAX)}`);
  };
  return html`
    <form onSubmit=${send}>
      ${parameters.map(({ name, required }) => html`<label>${name}
        <input required=${required} value=${values[name] || ""} onInput=${(event) => setValues({ ...values, [name]: event.target.value })} /></label>`)}
      ${form && html`<label>${field} <input type="file" multiple=${field === "files"} onChange=${(event) => setFiles([...event.target.files])} /></label>`}
      ${json && html`<label>JSON <textarea rows="5" value=${body} onInput=${(event) => setBody(event.target.value)}></textarea></label>`}
      <button>Try it</button>
      ${answer && html`<pre tabindex="0">${answer}</pre>`}
    </form>`;
}

/** Follows one reference. */
function resolve(schema, description) {
  const reference = schema.$ref || (schema.oneOf || []).map((one) => one.$ref).find(Boolean);
  return reference ? description.components.schemas[reference.split("/").pop()] : schema;
}

/** An object of the properties' defaults. */
function example(schema, description) {
  const properties = resolve(schema, description).properties || {};
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, property.default ?? null]));
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
