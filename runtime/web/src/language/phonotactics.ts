import { BLANK, PHONEMES } from "./phonemes.js";
import type { Pronunciations } from "./pronunciations.js";

/**
 * Natural-log probability of each phoneme after each, and of a word's beginning and end.
 *
 * @returns [phonemes + 1, phonemes + 1]: the phoneme before, or BLANK at the beginning, and the next
 *   one, or BLANK at the end.
 */
export function phonotactics(pronunciations: Pronunciations): Float64Array {
  const size = PHONEMES.length + 1;
  const logs = new Float64Array(size * size).fill(1);
  const { offsets, phonemes } = pronunciations;
  for (let spoken = 0; spoken + 1 < offsets.length; spoken++) {
    let before = BLANK;
    for (let place = offsets[spoken]!; place < offsets[spoken + 1]!; place++) {
      logs[before * size + phonemes[place]!]! += 1;
      before = phonemes[place]!;
    }
    logs[before * size + BLANK]! += 1;
  }
  logs[BLANK * size + BLANK] = 1e-9; // no word is empty
  for (let before = 0; before < size; before++) {
    const row = logs.subarray(before * size, (before + 1) * size);
    const total = row.reduce((sum, count) => sum + count, 0);
    row.forEach((count, after) => (row[after] = Math.log(count / total)));
  }
  return logs;
}
