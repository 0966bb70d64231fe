import { setBits } from "./bit_vector.js";
import type { LanguageModelArray, LanguageModelHeader } from "./language_model_file.js";
import { PackedNgrams } from "./packed_ngrams.js";
import { type Pronunciations, unpackPronunciations } from "./pronunciations.js";
import { WordNetwork } from "./word_network.js";

/** Id of every word outside the vocabulary. */
export const UNKNOWN = 0;
/** Id of a sentence's start as context. */
const BOUNDARY = 1;
export const FIRST_WORD = 2;
/** Bits of a state. */
export const STATE_BITS = 24;
const CODES = 16;

/**
 * A language model of format 2 or 3, searched as it lies in the file; see `language/packed_model.py`.
 *
 * A state stands for all that the words before say about the next one.
 */
export class PackedModel {
  readonly order: number;
  /** The vocabulary in alphabetical order; word ids start at FIRST_WORD. */
  readonly words: readonly string[];
  /** Natural-log probability of each word id by itself. */
  readonly unigrams: Float32Array;
  /** The state at the beginning of a sentence. */
  readonly start: number;
  /** The neural network beside the n-grams, null if the file has none. */
  readonly network: WordNetwork | null;
  /** The state after the word that `score` was last asked for. */
  following = 0;

  readonly #arrays: Record<string, LanguageModelArray>;
  /** By word id: the id among the words that n-grams know, and what is added for it. */
  readonly #id: Int32Array;
  readonly #share: Float32Array;
  /** Natural-log probability of each word that n-grams know. */
  readonly #known: Float32Array;
  readonly #rank: Int32Array;
  readonly #row2: Int32Array;
  readonly #backoff1: Float32Array;
  readonly #bigrams: PackedNgrams;
  readonly #number2: number;
  readonly #values2: Float32Array;
  readonly #codes: Uint8Array;
  readonly #begin2: Int32Array | null = null;
  readonly #trigrams: PackedNgrams | null = null;
  readonly #values3: Float32Array = new Float32Array(CODES);
  readonly #backoff2: Uint8Array = new Uint8Array(0);
  readonly #backoffValues2: Float32Array = new Float32Array(0);

  /** @throws RangeError or TypeError unless the arrays make a model. */
  constructor(header: LanguageModelHeader, arrays: Record<string, LanguageModelArray>) {
    this.#arrays = arrays;
    this.order = header.order;
    this.words = new TextDecoder().decode(array(arrays, "words", Uint8Array)).split("\n");
    const codes = array(arrays, "probability1", Uint8Array);
    const values = array(arrays, "probability_values1", Float32Array);
    const size = codes.length;
    const known = Float32Array.from(codes, (code) => values[code]!);
    this.#known = known;
    [this.#id, this.#share] = rareWords(arrays, this.words.length, size);
    this.unigrams = this.#share.map((share, word) => known[this.#id[word]!]! + share);
    this.#rank = ranks(codes, values);
    this.start = this.#rank[BOUNDARY]!;
    this.#number2 = header.ngrams["2"]!;
    if (size + this.#number2 > 2 ** STATE_BITS) throw new RangeError("too many bigrams");

    const heads = setBits(array(arrays, "heads1", Uint8Array), size);
    const backoff = array(arrays, "backoff1", Uint8Array);
    const backoffValues = array(arrays, "backoff_values1", Float32Array);
    if (backoff.length !== heads.length) throw new RangeError("back-off weights are missing");
    this.#row2 = new Int32Array(size).fill(-1);
    this.#backoff1 = new Float32Array(size);
    heads.forEach((rank, row) => {
      this.#row2[rank] = row;
      this.#backoff1[rank] = backoffValues[backoff[row]!]!;
    });
    const longer = this.order > 2;
    this.#bigrams = ngrams(header, arrays, 2, longer);
    if (this.#bigrams.rows !== heads.length) throw new RangeError("contexts are missing");
    this.#values2 = array(arrays, "probability_values2", Float32Array);
    this.#codes = array(arrays, "probability", Uint8Array);
    if (longer) {
      const begins = this.#bigrams.begins();
      this.#begin2 = new Int32Array(size);
      heads.forEach((rank, row) => (this.#begin2![rank] = begins[row]!));
      this.#trigrams = ngrams(header, arrays, 3, false);
      this.#backoff2 = array(arrays, "backoff2", Uint8Array);
      this.#backoffValues2 = array(arrays, "backoff_values2", Float32Array);
      this.#values3 = array(arrays, "probability_values3", Float32Array);
      const contexts = this.#bigrams.heads;
      if (this.#trigrams.rows !== contexts || this.#backoff2.length !== contexts) {
        throw new RangeError("contexts of trigrams are missing");
      }
    }
    const all = this.#number2 + (longer ? header.ngrams["3"]! : 0);
    if (this.#codes.length !== (all + 1) >> 1) throw new RangeError("codes are missing");
    this.network =
      header.network === undefined
        ? null
        : new WordNetwork(header, arrays, this.words.length + FIRST_WORD);
  }

  /** How the words are spoken, null of a file that does not say. */
  pronunciations(): Pronunciations | null {
    const { phonemes, pronunciations } = this.#arrays;
    if (phonemes === undefined || pronunciations === undefined) return null;
    return unpackPronunciations(
      array(this.#arrays, "phonemes", Uint16Array),
      array(this.#arrays, "pronunciations", Uint8Array),
      this.words.length,
    );
  }

  /** The id of a word, UNKNOWN of one outside the vocabulary. */
  id(word: string): number {
    let low = 0;
    let high = this.words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.words[middle]! < word) low = middle + 1;
      else high = middle;
    }
    return this.words[low] === word ? low + FIRST_WORD : UNKNOWN;
  }

  /** Natural-log probability of a word id after a state; `following` is then the next state. */
  score(state: number, word: number): number {
    const share = this.#share[word]!;
    const score = this.#score(state, this.#id[word]!);
    return share === 0 ? score : Math.fround(score + share);
  }

  /** As `score`, of an id among the words that n-grams know. */
  #score(state: number, word: number): number {
    const size = this.#known.length;
    const rank = this.#rank[word]!;
    const longer = state >= size;
    let context = state;
    let row = 0;
    if (longer) {
      row = this.#bigrams.contextRow(state - size);
      // A damaged file might name a word that does not exist.
      context = Math.min(this.#bigrams.numberAt(state - size), size - 1);
    }
    const bigramRow = this.#row2[context]!;
    const index = bigramRow < 0 ? -1 : this.#bigrams.find(bigramRow, rank);
    const trigrams = this.#trigrams;
    this.following = rank;
    if (trigrams !== null && index >= 0 && this.#bigrams.isHead(index)) {
      this.following = index + size;
    }
    let score =
      index >= 0
        ? this.#values2[this.#code(index)]!
        : Math.fround(this.#backoff1[context]! + this.#known[word]!);
    if (!longer || trigrams === null) return score;
    if (index >= 0) {
      const third = trigrams.find(row, index - this.#begin2![context]!);
      if (third >= 0) return this.#values3[this.#code(third + this.#number2)]!;
    }
    score += this.#backoffValues2[this.#backoff2[row]!]!;
    return Math.fround(score);
  }

  /** Codes have 4 bits, the first one of a byte in the low bits. */
  #code(index: number): number {
    return (this.#codes[index >> 1]! >> ((index & 1) << 2)) & (CODES - 1);
  }
}

/** The place of each code when they are sorted by value, highest first, equal ones as they come. */
function ranks(codes: Uint8Array, values: Float32Array): Int32Array {
  const order = Array.from(values.keys()).sort((one, other) => values[other]! - values[one]!);
  const place = new Int32Array(order.length);
  let places = 0;
  order.forEach((code, index) => {
    if (index > 0 && values[code] !== values[order[index - 1]!]) places++;
    place[code] = places;
  });
  const next = new Int32Array(places + 2);
  for (const code of codes) next[place[code]! + 1]!++;
  for (let index = 1; index < next.length; index++) next[index]! += next[index - 1]!;
  return Int32Array.from(codes, (code) => next[place[code]!]!++);
}

/** The id of each word among those that n-grams know, and the logarithm of its share; see there. */
function rareWords(
  arrays: Record<string, LanguageModelArray>,
  words: number,
  known: number,
): [Int32Array, Float32Array] {
  const ids = new Int32Array(words + FIRST_WORD);
  const shares = new Float32Array(words + FIRST_WORD);
  const rare =
    arrays["rare"] === undefined ? [] : setBits(array(arrays, "rare", Uint8Array), words);
  if (words - rare.length + FIRST_WORD !== known) throw new RangeError("words are missing");
  ids[BOUNDARY] = BOUNDARY;
  let next = 0;
  for (let word = 0; word < words; word++) {
    if (next < rare.length && rare[next] === word) {
      const code = array(arrays, "share", Uint8Array)[next++]!;
      shares[word + FIRST_WORD] = array(arrays, "share_values", Float32Array)[code]!;
      ids[word + FIRST_WORD] = UNKNOWN;
    } else {
      ids[word + FIRST_WORD] = word + FIRST_WORD - next;
    }
  }
  return [ids, shares];
}

function ngrams(
  header: LanguageModelHeader,
  arrays: Record<string, LanguageModelArray>,
  order: number,
  heads: boolean,
): PackedNgrams {
  return new PackedNgrams(
    header.ngrams[String(order)]!,
    array(arrays, `first${order}`, Uint16Array),
    array(arrays, `width${order}`, Uint8Array),
    array(arrays, `blocks${order}`, Uint32Array),
    heads,
  );
}

function array<T extends LanguageModelArray>(
  arrays: Record<string, LanguageModelArray>,
  name: string,
  Kind: abstract new (...args: never[]) => T,
): T {
  const found = arrays[name];
  if (!(found instanceof Kind)) throw new TypeError(`the array ${name} is missing`);
  return found;
}
