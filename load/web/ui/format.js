// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number | null | undefined} value */
export const count = (value) => (value == null ? "–" : whole.format(value));

/** A rate, or a share: as many digits as can be told apart. @param {number | null | undefined} value */
export function rate(value) {
  if (value == null) return "–";
  if (value === 0) return "0";
  return value >= 100 ? whole.format(value) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** @param {number | null | undefined} ms */
export function ms(ms) {
  if (ms == null) return "–";
  if (ms >= 100) return whole.format(ms);
  return ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);
}

/** Time with its unit. @param {number | null | undefined} value */
export const time = (value) =>
  value == null ? "–" : value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${ms(value)} ms`;

/** @param {number} bytes */
export function bytes(bytes) {
  if (bytes < 1000) return `${whole.format(bytes)} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} share 0 to 1 */
export function percent(share) {
  const value = share * 100;
  if (value === 0) return "0 %";
  if (value < 0.01) return "< 0.01 %";
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} %`;
}

/** Seconds as 1:02:03. @param {number} seconds */
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  return hours ? `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/**
 * Text from elsewhere, in which what one cannot see, or what turns other text around, is shown by its number:
 * with it, a name could look like another one.
 * @param {string} text
 */
export const readable = (text) =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (character) =>
    `\u27e8U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);

/** Time of the day. @param {number} t seconds since the epoch */
export const at = (t) => (t ? new Date(t * 1000).toLocaleTimeString([], { hour12: false }) : "–");

/** A time limit as Locust writes it. @param {number | null} seconds */
export function span(seconds) {
  if (!seconds) return "";
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h ? `${h}h` : ""}${m ? `${m}m` : ""}${s ? `${s}s` : ""}`;
}
