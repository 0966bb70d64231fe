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
    const { word, offsets, phonemes } = pronunciations;
    const count = word.length;
    this.unknown = count;
    const penalty = new Float32Array(count);
    for (let index = 1; index < count; index++) {
      if (word[index] === word[index - 1]) penalty[index] = variantPenalty;
    }
    const length = (index: number): number => offsets[index + 1]! - offsets[index]!;
    const common = (one: number, other: number): number => {
      const [begin, also] = [offsets[one]!, offsets[other]!];
      const most = Math.min(length(one), length(other));
      let same = 0;
      while (same < most && phonemes[begin + same] === phonemes[also + same]) same++;
      return same;
    };
    // Those with a common beginning follow each other, shorter ones first.
    const order = Int32Array.from(word.keys());
    order.sort((one, other) => {
      const same = common(one, other);
      if (same === Math.min(length(one), length(other))) {
        return length(one) - length(other) || one - other;
      }
      return phonemes[offsets[one]! + same]! - phonemes[offsets[other]! + same]!;
    });

    // Nodes are numbered level by level, so that the children of a node have consecutive numbers.
    const shared = new Uint8Array(count);
    for (let place = 1; place < count; place++) {
      shared[place] = common(order[place - 1]!, order[place]!);
    }
    const worth = new Float32Array(count);
    for (let place = 0; place < count; place++) {
      worth[place] = scores[word[order[place]!]!]! - penalty[order[place]!]!;
    }
    const parents: number[] = [-1];
    const labels: number[] = [BLANK];
    const bests: number[] = [0];
    const node = new Int32Array(count);
    for (let level = 0, grown = true; grown; level++) {
      grown = false;
      let current = -1;
      for (let place = 0; place < count; place++) {
        const index = order[place]!;
        if (length(index) <= level) continue;
        if (shared[place]! <= level) {
          current = parents.length;
          parents.push(node[place]!);
          labels.push(phonemes[offsets[index]! + level]!);
          bests.push(-Infinity);
          grown = true;
        }
        node[place] = current;
        if (worth[place]! > bests[current]!) bests[current] = worth[place]!;
      }
    }

    const size = PHONEMES.length;
    this.roots = parents.length;
    this.outside = this.roots + size + 1;
    this.nowhere = this.outside + size;
    this.#low = new Uint32Array(this.nowhere + 1);
    this.#high = new Uint32Array(this.nowhere + 1);
    this.#first = new Int32Array(this.nowhere + 1);
    for (let child = parents.length - 1; child > 0; child--) {
      const parent = parents[child]!;
      const label = labels[child]!;
      if (label < 32) this.#low[parent]! |= 1 << label;
      else this.#high[parent]! |= 1 << (label - 32);
      this.#first[parent] = child;
    }
    this.#low.fill(this.#low[0]!, this.roots, this.outside);
    this.#high.fill(this.#high[0]!, this.roots, this.outside);
    this.#first.fill(this.#first[0]!, this.roots, this.outside);

    this.label = new Uint8Array(this.nowhere + 1).fill(BLANK);
    this.label.set(labels);
    this.best = new Float32Array(this.nowhere + 1);
    this.best.set(bests);
    for (let label = 0; label < size; label++) {
      this.label[this.roots + label] = label;
      this.label[this.outside + label] = label;
      this.best[this.outside + label] = unknown;
    }
    this.best[this.nowhere] = LOG_ZERO;

    // Pronunciations in the order of the nodes they end at.
    this.ends = new Int32Array(this.nowhere + 2);
    for (const final of node) this.ends[final + 1]! += 1;
    for (let label = 0; label < size; label++) this.ends[this.outside + label + 1] = 1;
    for (let index = 1; index < this.ends.length; index++) {
      this.ends[index]! += this.ends[index - 1]!;
    }
    const next = this.ends.slice();
    this.#order = new Int32Array(count);
    for (let place = 0; place < count; place++) {
      this.#order[next[node[place]!]!++] = order[place]!;
    }
    this.follows = phonotactics(pronunciations);
    this.word = new Int32Array(count + size).fill(NO_WORD);
    this.penalty = new Float32Array(count + size);
    this.#order.forEach((index, place) => {
      this.word[place] = word[index]!;
      this.penalty[place] = penalty[index]!;
    });
    for (let label = 0; label < size; label++) {
      this.penalty[count + label] = -this.follows[label * (size + 1) + BLANK]!;
    }
  }

  /** The node after a node and a phoneme. */
  after(node: number, label: number): number {
    if (label < 32) {
      const present = this.#low[node]!;
      if (((present >>> label) & 1) === 0) return this.nowhere;
      return this.#first[node]! + popcount(present & (2 ** label - 1));
    }
    const present = this.#high[node]!;
    if (((present >>> (label - 32)) & 1) === 0) return this.nowhere;
    const below = popcount(present & (2 ** (label - 32) - 1));
    return this.#first[node]! + popcount(this.#low[node]!) + below;
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
