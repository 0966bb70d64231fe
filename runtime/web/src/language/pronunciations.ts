import { MAX_PHONEMES, PHONEMES } from "./phonemes.js";

const END = PHONEMES.length;
const SYMBOLS = END + 1;

/** Pronunciations, those of a word in a row, its usual one first. */
export interface Pronunciations {
  /** Number of the word that each belongs to, in order [pronunciations]. */
  word: Int32Array;
  /** Where the phonemes of each begin, and the end of the last [pronunciations + 1]. */
  offsets: Int32Array;
  /** Ids of the phonemes of all. */
  phonemes: Uint8Array;
}

/**
 * Unpack the pronunciations of a vocabulary; `language/pronunciations.py` describes the arrays.
 *
 * @throws RangeError unless the arrays fit together.
 */
export function unpackPronunciations(
  packed: Uint16Array,
  counts: Uint8Array,
  words: number,
): Pronunciations {
  const word: number[] = [];
  let index = 0;
  for (let bit = 0; bit < counts.length * 8 && index < words; bit++) {
    if ((counts[bit >> 3]! >> (bit & 7)) & 1) index++;
    else word.push(index);
  }
  const offsets = new Int32Array(word.length + 1);
  const phonemes = new Uint8Array(packed.length * 3);
  let length = 0;
  let found = 0;
  const add = (symbol: number): void => {
    if (found === word.length) return;
    if (symbol !== END) {
      phonemes[length++] = symbol;
      return;
    }
    const size = length - offsets[found]!;
    if (size < 1 || size > MAX_PHONEMES) throw new RangeError("a pronunciation is broken");
    offsets[++found] = length;
  };
  for (const number of packed) {
    if (number >= SYMBOLS ** 3) throw new RangeError("a number stands for no phonemes");
    add(Math.floor(number / (SYMBOLS * SYMBOLS)));
    add(Math.floor(number / SYMBOLS) % SYMBOLS);
    add(number % SYMBOLS);
  }
  if (index !== words || found !== word.length) throw new RangeError("pronunciations are missing");
  return { word: Int32Array.from(word), offsets, phonemes: phonemes.subarray(0, length) };
}
