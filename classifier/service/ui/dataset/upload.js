// Sending training images, one at a time, so that each is stored or refused by its own worth.
import { Refusal, postFiles } from "../api.js";
import { eachOf, kept } from "../kept.js";

/** More refused files than these are only counted. */
const REFUSED_MAX = 20;

/**
 * @typedef {{ label: string, total: number, stored: number, known: number, refused: [string, string][],
 *             stopped: Refusal | null, isOver: boolean }} Upload
 */
export const upload = kept(/** @type {Upload | null} */ (null));

/** Files of an upload that an answer came for. @param {Upload} state */
export const answered = ({ stored, known, refused }) => stored + known + refused.length;

/** Has `files` stored under `label`, until the service is out of reach, out of room or locked. */
export async function send(label, files) {
  upload.set({ label, total: files.length, stored: 0, known: 0, refused: [], stopped: null, isOver: false });
  await eachOf(files, async (file) => {
    try {
      const { uploaded_count, duplicates } = await postFiles(`/upload_training_data?label=${label}`, "files", [file]);
      upload.set((before) => ({ ...before, stored: before.stored + uploaded_count, known: before.known + duplicates }));
    } catch (error) {
      const refusal = /** @type {Refusal} */ (error);
      if (refusal.mayPass) {
        upload.set((before) => ({ ...before, stopped: refusal }));
        return false;
      }
      const why = refusal.message.replace(/^image 1:? /, "");
      upload.set((before) => ({ ...before, refused: [...before.refused, [file.name, why]] }));
    }
  });
  upload.set((before) => ({ ...before, isOver: true }));
}

/** The first of the refused, a line each. @param {Upload} state */
export const refusals = ({ refused }) => {
  const lines = refused.slice(0, REFUSED_MAX).map(([name, why]) => `${name}: ${why}`);
  return refused.length > REFUSED_MAX ? [...lines, `and ${refused.length - REFUSED_MAX} more`] : lines;
};
