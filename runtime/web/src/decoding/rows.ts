import { BLANK } from "../language/phonemes.js";

/** Log-probabilities, a row for each frame: the letters, and behind them the phonemes if any. */
export class Rows {
  /** @param data float32 [frames, width], natural logarithms. */
  constructor(
    readonly data: Float32Array,
    readonly width: number,
  ) {}

  get frames(): number {
    return this.data.length / this.width;
  }

  /** Some of the frames, not copied. */
  slice(begin: number, end: number = this.frames): Rows {
    return new Rows(this.data.subarray(begin * this.width, end * this.width), this.width);
  }

  /** The same frames in memory of their own, so that what they were part of can be forgotten. */
  copy(): Rows {
    return new Rows(this.data.slice(), this.width);
  }

  static concat(parts: readonly Rows[], width: number): Rows {
    if (parts.length === 1) return parts[0]!;
    const data = new Float32Array(parts.reduce((length, part) => length + part.data.length, 0));
    let place = 0;
    for (const part of parts) {
      data.set(part.data, place);
      place += part.data.length;
    }
    return new Rows(data, width);
  }

  /** The class of some columns that is best in a frame, counted from the first of them. */
  best(frame: number, begin: number, end: number): number {
    const row = frame * this.width;
    let best = begin;
    for (let column = begin + 1; column < end; column++) {
      if (this.data[row + column]! > this.data[row + best]!) best = column;
    }
    return best - begin;
  }
}

/** Which columns of a row are which, and which of them are decoded. */
export class Heads {
  /**
   * @param letters Classes of the vocabulary, which come first.
   * @param letterBlank Their blank.
   * @param phonemes Whether those of the phonemes follow; these are then what is decoded.
   */
  constructor(
    readonly letters: number,
    readonly letterBlank: number,
    readonly phonemes: boolean,
  ) {}

  get width(): number {
    return this.letters + (this.phonemes ? BLANK + 1 : 0);
  }

  /** The first column that is decoded. */
  get begin(): number {
    return this.phonemes ? this.letters : 0;
  }

  /** The blank among the columns that are decoded. */
  get blank(): number {
    return this.phonemes ? BLANK : this.letterBlank;
  }

  /** The class that is best in a frame, of those that are decoded. */
  heard(rows: Rows, frame: number): number {
    return rows.best(frame, this.begin, this.width);
  }
}
