// What the page asks the service for.

const KEY = "classifier-api-key";

export const storedKey = () => sessionStorage.getItem(KEY) || "";
/** @param {string} key */
export const storeKey = (key) => sessionStorage.setItem(KEY, key);

/** Why the service did not do what it was asked, in its own words. */
export class Refusal extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
    /** Whether the same request may be answered later. */
    this.mayPass = [0, 401, 408, 429].includes(status) || status >= 500;
  }
}

/** A word on what a form lacks, before anything is sent. */
export const lacking = (detail) => new Refusal(400, detail);

const KEY_WANTED = "This service asks for its API key: enter it at the top, beside the tabs.";

/** Without the field's name, which only programs know. */
const withoutField = (detail) => detail.replace(/^field "\w+": /, "");

/**
 * The JSON of an answer.
 * @param {string} path
 * @param {RequestInit} [options]
 * @throws {Refusal} when the status is not 200; its status is 0 when nobody answers
 */
export async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  headers.set("Accept", "application/json");
  if (storedKey()) headers.set("X-API-Key", storedKey());
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Refusal(0, "the service does not answer");
  }
  const content = await answer.json().catch(() => ({}));
  // Unready services say why.
  if (!answer.ok && !("ready" in content)) {
    const detail = answer.status === 401 ? KEY_WANTED : withoutField(content.detail || `status ${answer.status}`);
    throw new Refusal(answer.status, detail);
  }
  return content;
}

/** @param {string} path @param {any} [json] */
export const post = (path, json) => ask(path, json === undefined ? { method: "POST" } : {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(json),
});

/** @param {string} path @param {string} field @param {Iterable<File>} files */
export function postFiles(path, field, files) {
  const form = new FormData();
  for (const file of files) form.append(field, file);
  return ask(path, { method: "POST", body: form });
}
