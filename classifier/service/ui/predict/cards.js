// The images that were given, and what the service says of each.
import { postFiles } from "../api.js";
import { eachOf, kept } from "../kept.js";

/** More than these are not kept, the oldest least of all. */
export const CARDS_MAX = 60;
/** Pixels across a picture on a card: more are not shown. */
const PICTURE_WIDTH = 560;

/**
 * @typedef {{ id: number, file: File, picture: ImageBitmap | null, prediction: any, map: any, took_ms: number,
 *             error: import("../api.js").Refusal | null }} Card
 */
export const cards = kept(/** @type {Card[]} */ ([]));
let next = 0;

/** @param {number} id @param {Partial<Card>} news */
const change = (id, news) => cards.set((before) => before.map((card) => card.id === id ? { ...card, ...news } : card));

/**
 * Has the first {@link CARDS_MAX} of `files` predicted.
 * @param {File[]} files
 */
export function add(files) {
  const added = files.slice(0, CARDS_MAX).map((file) => (
    { id: next++, file, picture: null, prediction: null, map: null, took_ms: 0, error: null }));
  cards.set((before) => [...added, ...before].slice(0, CARDS_MAX));
  eachOf(added, predict);
}

/** @param {Card} card */
export async function predict({ id, file }) {
  change(id, { error: null });
  try {
    const picture = await createImageBitmap(file, { resizeWidth: PICTURE_WIDTH, resizeQuality: "high" }).catch(() => null);
    const started = performance.now();
    const prediction = await postFiles("/predict", "file", [file]);
    change(id, { picture, prediction, took_ms: performance.now() - started });
    const { heat_map } = await postFiles("/explain", "file", [file]);
    change(id, { map: heat_map });
  } catch (error) {
    change(id, { error: /** @type {import("../api.js").Refusal} */ (error) });
  }
}
