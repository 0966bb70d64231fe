import { popcount } from "./bit_vector.js";
import { BLANK, PHONEMES } from "./phonemes.js";
import { phonotactics } from "./phonotactics.js";
import type { Pronunciations } from "./pronunciations.js";

/** The word of a pronunciation that belongs to none of the vocabulary. */
export const NO_WORD = -1;
/** Nats of the impossible: instead of minus infinity, whose differences are no numbers. */
export const LOG_ZERO = Math.fround(-1e30);

/**
 * How all words are spoken, as a tree of phonemes that the beam search walks down.
 *
 * Several words may end at one node (homophones), and one word at several (pronunciations). The
 * nodes of words come first, the root 0 among them; then `roots`, the nodes between words, one for
 * each last phoneme; then `outside`, the nodes of unknown words, one for each phoneme; and last
 * `nowhere`, the node of all that is no word. See `language/pronunciation_tree.py`.
 */
export class PronunciationTree {
  readonly roots: number;
  readonly outside: number;
  readonly nowhere: number;
  /** The last phoneme of each node, BLANK where there is none. */
  readonly label: Uint8Array;
  /** Highest score of the words at or below each node, for the look-ahead (Ortmanns 1996). */
  readonly best: Float32Array;
  /** Where the pronunciations that end at each node begin [nodes + 1]. */
  readonly ends: Int32Array;
  /** Word and penalty of the pronunciations, those of unknown words, one a phoneme, behind them. */
  readonly word: Int32Array;
  readonly penalty: Float32Array;
  /** See `phonotactics`. */
  readonly follows: Float64Array;
  /** From this number on, pronunciations are those of unknown words. */
  readonly unknown: number;

  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  readonly #first: Int32Array;
  readonly #order: Int32Array;
  readonly #pronunciations: Pronunciations;

  /**
   * @param pronunciations Of a vocabulary.
   * @param scores What each word scores at best by itself, nats [words].
   * @param unknown Likewise, of an unknown word.
   * @param variantPenalty Nats taken from each pronunciation of a word but its first.
   */
  constructor(
    pronunciations: Pronunciations,
    scores: Float32Array,
    unknown: number,
    variantPenalty: number,
  ) {
    this.#pronunciations = pronunciations;
    const { word } = pronunciations;
    const count = word.length;
    this.unknown = count;
    const penalty = new Float32Array(count);
    const worth = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      if (index > 0 && word[index] === word[index - 1]) penalty[index] = variantPenalty;
      worth[index] = scores[word[index]!]! - penalty[index]!;
    }
    const size = PHONEMES.length;
    const { nodes, low, high, first, label, best, final } = grow(pronunciations, worth, 2 * size + 2);

    this.roots = nodes;
    this.outside = this.roots + size + 1;
    this.nowhere = this.outside + size;
    low.fill(low[0]!, this.roots, this.outside);
    high.fill(high[0]!, this.roots, this.outside);
    first.fill(first[0]!, this.roots, this.outside);
    for (let phoneme = 0; phoneme < size; phoneme++) {
      label[this.roots + phoneme] = phoneme;
      label[this.outside + phoneme] = phoneme;
      best[this.outside + phoneme] = unknown;
    }
    best[this.nowhere] = LOG_ZERO;
    this.#low = low.slice(0, this.nowhere + 1);
    this.#high = high.slice(0, this.nowhere + 1);
    this.#first = first.slice(0, this.nowhere + 1);
    this.label = label.slice(0, this.nowhere + 1);
    this.best = best.slice(0, this.nowhere + 1);

    // Pronunciations in the order of the nodes they end at.
    this.ends = new Int32Array(this.nowhere + 2);
    for (const node of final) this.ends[node + 1]! += 1;
    for (let label = 0; label < size; label++) this.ends[this.outside + label + 1] = 1;
    for (let index = 1; index < this.ends.length; index++) {
      this.ends[index]! += this.ends[index - 1]!;
    }
    const next = this.ends.slice();
    this.#order = new Int32Array(count);
    for (let index = 0; index < count; index++) this.#order[next[final[index]!]!++] = index;
    this.follows = phonotactics(pronunciations);
    this.word = new Int32Array(count + size).fill(NO_WORD);
    this.penalty = new Float32Array(count + size);
    for (let place = 0; place < count; place++) {
      this.word[place] = word[this.#order[place]!]!;
      this.penalty[place] = penalty[this.#order[place]!]!;
    }
    for (let label = 0; label < size; label++) {
      this.penalty[count + label] = -this.follows[label * (size + 1) + BLANK]!;
    }
  }

  /** The node after a node and a phoneme. */
  after(node: number, label: number): number {
    const [low, high] = [this.#low[node]!, this.#high[node]!];
    const present = label < 32 ? low >>> label : high >>> (label - 32);
    if ((present & 1) === 0) return this.nowhere;
    return this.#first[node]! + childrenBefore(low, high, label);
  }

  /** Whether a node is one between words. */
  between(node: number): boolean {
    return node >= this.roots && node < this.outside;
  }

  /** The phonemes of a pronunciation of the vocabulary. */
  spoken(pronunciation: number): Uint8Array {
    const { offsets, phonemes } = this.#pronunciations;
    const index = this.#order[pronunciation]!;
    return phonemes.subarray(offsets[index], offsets[index + 1]);
  }
}

/** The nodes of words, the root 0 first. */
interface Grown {
  readonly nodes: number;
  /** The phonemes that follow each node, a bit each, and the node after the first of them. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly first: Int32Array;
  readonly label: Uint8Array;
  readonly best: Float32Array;
  /** The node at which each pronunciation ends. */
  readonly final: Int32Array;
}

/**
 * The nodes of words, level by level, so that the children of a node have consecutive numbers.
 *
 * @param worth Nats of each pronunciation.
 * @param more Nodes to leave room for at the end of the arrays.
 */
function grow(pronunciations: Pronunciations, worth: Float32Array, more: number): Grown {
  const { offsets, phonemes } = pronunciations;
  const most = 1 + phonemes.length + more;
  const low = new Uint32Array(most);
  const high = new Uint32Array(most);
  const first = new Int32Array(most);
  const label = new Uint8Array(most).fill(BLANK);
  const best = new Float32Array(most);
  const final = new Int32Array(worth.length);
  /** Those that are longer than the level. */
  const left = Int32Array.from(worth.keys());
  let [begin, nodes] = [0, 1];
  for (let level = 0, count = left.length; count > 0; level++) {
    for (let place = 0; place < count; place++) {
      const index = left[place]!;
      const phoneme = phonemes[offsets[index]! + level]!;
      if (phoneme < 32) low[final[index]!]! |= 1 << phoneme;
      else high[final[index]!]! |= 1 << (phoneme - 32);
    }
    const end = nodes;
    for (let parent = begin; parent < end; parent++) {
      const children = popcount(low[parent]!) + popcount(high[parent]!);
      if (children > 0) first[parent] = nodes;
      nodes += children;
    }
    begin = end;
    best.fill(-Infinity, begin, nodes);
    let kept = 0;
    for (let place = 0; place < count; place++) {
      const index = left[place]!;
      const phoneme = phonemes[offsets[index]! + level]!;
      const parent = final[index]!;
      const node = first[parent]! + childrenBefore(low[parent]!, high[parent]!, phoneme);
      final[index] = node;
      label[node] = phoneme;
      if (worth[index]! > best[node]!) best[node] = worth[index]!;
      if (offsets[index + 1]! - offsets[index]! > level + 1) left[kept++] = index;
    }
    count = kept;
  }
  return { nodes, low, high, first, label, best, final };
}

/** How many of a node's children have a phoneme before some phoneme. */
function childrenBefore(low: number, high: number, phoneme: number): number {
  if (phoneme < 32) return popcount(low & ~(-1 << phoneme));
  return popcount(low) + popcount(high & ~(-1 << (phoneme - 32)));
}
