// What the page asks the server for. Paths are relative, so a base path changes nothing.

/** @param {string} path */
export async function getJson(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.redirected) location.reload(); // The login has ended.
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/**
 * Starts a test, or changes the one that runs.
 * @param {URLSearchParams} fields
 * @returns {Promise<{success: boolean, message: string}>}
 */
export async function swarm(fields) {
  const answer = await fetch("swarm", { method: "POST", body: fields });
  if (!answer.ok) return { success: false, message: await answer.text() };
  return answer.json();
}

export const stop = () => fetch("stop", { method: "POST" });
export const resetStats = () => fetch("stats/reset", { method: "POST" });
