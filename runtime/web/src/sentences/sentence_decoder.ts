import { calibrated } from "../decoding/calibration.js";
import type { PhonemeDecoder } from "../decoding/phoneme_decoder.js";
import { Heads, Rows } from "../decoding/rows.js";
import { geometricMean, textOf, type Token, type Transcript } from "../decoding/transcript.js";
import type { WordCalibration } from "../model/model_card.js";
import { BeamSentence } from "./beam_sentence.js";
import { ENDPOINT_DEFAULTS, type EndpointConfig, Endpointer } from "./endpointing.js";
import { GreedySentence } from "./greedy_sentence.js";
import type { Partial, SentenceSearch } from "./sentence_search.js";

/**
 * Cuts frames into sentences at pauses and decodes them as they come; see `sentence_decoder.py`.
 *
 * Results do not depend on how the frames were divided, and memory does not grow with their number.
 */
export class SentenceDecoder {
  readonly #heads: Heads;
  readonly #pauses: Endpointer;
  readonly #search: SentenceSearch;
  readonly #silent: Set<number>;
  readonly #decoder: PhonemeDecoder | null;
  #waiting: Rows;

  /** @param decoder Null decodes greedily. */
  constructor(
    decoder: PhonemeDecoder | null,
    vocabulary: readonly string[],
    blank: number,
    readonly seconds: number,
    readonly calibration?: WordCalibration,
    endpoint: EndpointConfig = ENDPOINT_DEFAULTS,
  ) {
    this.#heads = decoder?.heads ?? new Heads(vocabulary.length, blank, false);
    this.#decoder = decoder;
    this.#pauses = new Endpointer(endpoint, seconds);
    this.#search =
      decoder === null
        ? new GreedySentence(vocabulary, blank, seconds)
        : new BeamSentence(decoder, seconds);
    this.#silent = new Set([this.#heads.blank]);
    if (decoder === null) this.#silent.add(vocabulary.indexOf(" "));
    this.#waiting = new Rows(new Float32Array(0), this.#heads.width);
  }

  /** Where the sentence that is being spoken begins, in seconds. */
  get start(): number {
    return this.#search.begin * this.seconds;
  }

  /** Seconds of all frames fed so far. */
  get duration(): number {
    return (this.#search.frames + this.#waiting.frames) * this.seconds;
  }

  /** The sentences that the next frames finish, in order; times count from the first frame ever. */
  feed(rows: Rows): Transcript[] {
    const frames = Rows.concat([this.#waiting, rows], rows.width);
    let done = 0;
    let seen = this.#waiting.frames;
    const sentences: Transcript[] = [];
    for (let frame = 0; frame < rows.frames; frame++) {
      seen++;
      this.#pauses.add(this.#silent.has(this.#heads.heard(rows, frame)));
      if (!this.#pauses.ended && !this.#pauses.overlong) continue;
      const { waiting } = this.#pauses;
      this.#search.advance(frames.slice(done, seen - waiting));
      done = seen - waiting;
      const { begin } = this.#search;
      let tokens: readonly Token[];
      if (this.#pauses.ended) {
        tokens = this.#search.end();
        this.#pauses.restart(waiting, waiting);
      } else {
        tokens = this.#search.split();
        this.#pauses.restart(this.#search.frames - this.#search.begin + waiting, waiting);
      }
      sentences.push(...this.#sentence(tokens, begin));
    }
    const ready = seen - this.#pauses.waiting;
    this.#search.advance(frames.slice(done, ready));
    this.#waiting = frames.slice(ready).copy();
    return sentences;
  }

  /** The sentence that is being spoken. */
  partial(): Partial {
    return this.#search.partial();
  }

  /** Decode what is left when the audio, of some duration in seconds, ends. */
  finish(duration: number): Transcript[] {
    this.#search.advance(this.#waiting);
    const { begin } = this.#search;
    return this.#sentence(this.#search.end(), begin, duration);
  }

  #sentence(tokens: readonly Token[], begin: number, duration?: number): Transcript[] {
    if (tokens.length === 0) return [];
    let start = begin * this.seconds;
    let end = this.#search.begin * this.seconds;
    if (duration !== undefined) {
      start = Math.min(start, duration);
      end = duration;
      tokens = within(tokens, duration);
    }
    tokens = calibrated(tokens, this.calibration, start, this.#decoder);
    const confidence = geometricMean(tokens.map((token) => token.confidence));
    return [{ text: textOf(tokens), confidence, tokens, start, duration: end - start }];
  }
}

/** Tokens that do not reach past the end of the audio, as its last frame does. */
export function within(tokens: readonly Token[], duration: number): Token[] {
  return tokens.map((token) => ({
    ...token,
    start: Math.min(token.start, duration),
    end: Math.min(token.end, duration),
  }));
}
