import { roundHalfEven } from "../rounding.js";

/** What ends a sentence; `sentences/endpointing.py` explains the two. */
export interface EndpointConfig {
  readonly silenceSeconds: number;
  readonly maxSeconds: number;
}

export const ENDPOINT_DEFAULTS: EndpointConfig = { silenceSeconds: 0.8, maxSeconds: 30 };

/** No pause within a word was longer in the development set, so that a shorter one says nothing. */
const LEAST_SECONDS = 0.3;

/** Follows the silence in a sentence, frame by frame; see `sentences/endpointing.py`. */
export class Endpointer {
  readonly #longest: number;
  readonly #silence: number;
  readonly #least: number;
  #length = 0;
  #run = 0;
  #needed = 0;

  constructor(config: EndpointConfig, secondsPerFrame: number) {
    const frames = (seconds: number): number => roundHalfEven(seconds / secondsPerFrame);
    this.#longest = Math.max(1, frames(config.maxSeconds));
    this.#silence = Math.max(1, Math.min(frames(config.silenceSeconds), this.#longest));
    this.#least = Math.min(this.#silence, Math.max(1, frames(LEAST_SECONDS)));
    this.restart();
  }

  /** Begin a sentence that has so many frames already, the last ones of them silent. */
  restart(length = 0, silence = 0): void {
    this.#length = length;
    this.#run = silence;
    this.#needed = this.#neededAt(length);
  }

  add(silent: boolean): void {
    this.#length++;
    if (!silent) {
      this.#run = 0;
      return;
    }
    if (this.#run === 0) this.#needed = this.#neededAt(this.#length);
    this.#run++;
  }

  /** Whether the silence is long enough to end the sentence. */
  get ended(): boolean {
    return this.#run >= this.#needed;
  }

  /** Whether the sentence must end, pause or not. */
  get overlong(): boolean {
    return this.#length >= this.#longest;
  }

  /** Frames at the end that may belong to the next sentence. */
  get waiting(): number {
    return Math.max(0, this.#run - Math.floor((this.#needed + 1) / 2));
  }

  #neededAt(length: number): number {
    const third = Math.floor(this.#longest / 3);
    if (length <= third) return this.#silence;
    const share = Math.min(1, (length - third) / Math.max(1, third));
    return roundHalfEven(this.#silence - share * (this.#silence - this.#least));
  }
}
