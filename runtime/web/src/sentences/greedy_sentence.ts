import { greedyDecode, greedyText } from "../decoding/greedy.js";
import { Rows } from "../decoding/rows.js";
import { type Token, WORD_BOUNDARY } from "../decoding/transcript.js";
import type { Partial, SentenceSearch } from "./sentence_search.js";

/** `greedyDecode` for frames that come piece by piece. */
export class GreedySentence implements SentenceSearch {
  begin = 0;
  frames = 0;
  #rows: Rows;
  readonly #space: number;

  constructor(
    readonly vocabulary: readonly string[],
    readonly blank: number,
    readonly seconds: number,
  ) {
    this.#rows = new Rows(new Float32Array(0), vocabulary.length);
    this.#space = vocabulary.indexOf(WORD_BOUNDARY);
  }

  advance(rows: Rows): void {
    this.#rows = Rows.concat([this.#rows, rows], rows.width);
    this.frames += rows.frames;
  }

  partial(): Partial {
    const space = this.#last(this.#space);
    const stable = this.#rows.slice(0, Math.max(space, 0));
    return {
      text: greedyText(this.#rows, this.vocabulary, this.blank),
      stable: greedyText(stable, this.vocabulary, this.blank),
    };
  }

  end(): readonly Token[] {
    return this.#cut(this.frames - this.begin);
  }

  split(): readonly Token[] {
    for (const label of [this.#space, this.blank]) {
      const frame = this.#last(label);
      if (frame >= Math.floor(this.#rows.frames / 3)) return this.#cut(frame);
    }
    return this.end();
  }

  /** The last frame in which a label is the best, -1 if there is none. */
  #last(label: number): number {
    let frame = this.#rows.frames - 1;
    while (frame >= 0 && this.#rows.best(frame, 0, this.vocabulary.length) !== label) frame--;
    return frame;
  }

  #cut(frame: number): readonly Token[] {
    const found = greedyDecode(this.#rows.slice(0, frame), this.vocabulary, this.blank, 1);
    const begin = this.begin;
    this.begin += frame;
    this.#rows = this.#rows.slice(frame).copy();
    return found.tokens.map((token) => ({
      ...token,
      start: (token.start + begin) * this.seconds,
      end: (token.end + begin) * this.seconds,
    }));
  }
}
