import { FIRST_WORD, type PackedModel, UNKNOWN } from "../language/packed_model.js";
import type { BeamConfig } from "./beam_config.js";

/**
 * What the beam search adds for each word, without hotwords; see `decoding/word_scores.py`.
 *
 * A context is the state of the language model.
 */
export class WordScorer {
  /** What each word scores at best by itself, for the look-ahead [words]. */
  readonly expected: Float32Array;
  /** What a word outside the vocabulary scores by itself. */
  readonly expectedUnknown: number;
  readonly start: number;
  readonly #weight: number;
  readonly #bonus: number;

  constructor(
    readonly model: PackedModel,
    config: BeamConfig,
  ) {
    this.#weight = config.languageModelWeight;
    this.#bonus = config.wordBonus;
    this.start = model.start;
    const weight = Math.fround(this.#weight);
    this.expected = Float32Array.from(
      model.unigrams.subarray(FIRST_WORD),
      (nats) => Math.fround(nats * weight) + Math.fround(this.#bonus),
    );
    this.expectedUnknown = Math.fround(model.unigrams[UNKNOWN]! * weight) + this.#bonus;
  }

  /** Nats for a word after a context, or for NO_WORD; `model.following` is the next context. */
  score(context: number, word: number): number {
    const id = word < 0 ? UNKNOWN : word + FIRST_WORD;
    return this.model.score(context, id) * this.#weight + this.#bonus;
  }

  /** How much each word of a sentence was to be expected, in nats. */
  logProbs(words: readonly string[]): number[] {
    let state = this.start;
    return words.map((word) => {
      const nats = this.model.score(state, this.model.id(word));
      state = this.model.following;
      return nats;
    });
  }
}

const PLACES = 1 << 12;

/** `WordScorer.score` with a memory, because the same questions come again in the next frames. */
export class WordCache {
  /** The context after the word that `score` was last asked for. */
  following = 0;
  readonly #keys = new Float64Array(PLACES).fill(-1);
  readonly #scores = new Float64Array(PLACES);
  readonly #following = new Int32Array(PLACES);

  constructor(readonly words: WordScorer) {}

  score(context: number, word: number): number {
    const key = context * 2 ** 20 + word + 1;
    const mixed = Math.imul(context, 0x9e3779b1) ^ Math.imul(word + 1, 0x85ebca6b);
    const place = (mixed >>> 8) & (PLACES - 1);
    if (this.#keys[place] !== key) {
      this.#keys[place] = key;
      this.#scores[place] = this.words.score(context, word);
      this.#following[place] = this.words.model.following;
    }
    this.following = this.#following[place]!;
    return this.#scores[place]!;
  }
}
