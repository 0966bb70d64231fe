import type { Rows } from "../decoding/rows.js";
import type { Token } from "../decoding/transcript.js";

/** What is known of a sentence that is being spoken. */
export interface Partial {
  readonly text: string;
  /** The beginning of `text` that will not change. */
  readonly stable: string;
}

/** A search of endless frames, one sentence after another. */
export interface SentenceSearch {
  /** The first frame of the sentence, counted from the first frame of all. */
  readonly begin: number;
  /** How many frames there were, of all sentences. */
  readonly frames: number;
  /** Search the next frames; their division makes no difference. */
  advance(rows: Rows): void;
  partial(): Partial;
  /** The sentence that ends here. */
  end(): readonly Token[];
  /** The sentence that ends at a word boundary in its last two thirds, if there is one. */
  split(): readonly Token[];
}
