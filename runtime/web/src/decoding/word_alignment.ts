import { BLANK } from "../language/phonemes.js";
import type { PronunciationTree } from "../language/pronunciation_tree.js";
import { type Alignment, align } from "./alignment.js";
import { greedyDecode } from "./greedy.js";
import { IMPROBABLE } from "./phoneme_state.js";
import type { Heads, Rows } from "./rows.js";
import { geometricMean, type Token, WORD_BOUNDARY } from "./transcript.js";

/** Frames aligned at a time: at least, where there is a pause, and at most. */
const LEAST_PART = 150;
const MOST_PART = 600;

/** Longest silence between words of one phrase. */
const PAUSE_SECONDS = 0.3;

/** A word with its phonemes and the first and last frame of each of these. */
export interface AlignedWord {
  pronunciation: number;
  phonemes: readonly number[];
  first: readonly number[];
  last: readonly number[];
}

/** Words, and the frame in which another word begins, or there are no more. */
export interface AlignedWords {
  words: readonly AlignedWord[];
  end: number;
}

/**
 * From the pronunciations that a search found to the characters of the text.
 *
 * The rules are those of `decoding/word_alignment.py`: a word's letters share its time evenly and
 * have its confidence, and those of an unknown word are what the letter head heard meanwhile.
 */
export class WordAligner {
  constructor(
    readonly tree: PronunciationTree,
    readonly texts: readonly string[],
    readonly vocabulary: readonly string[],
    readonly heads: Heads,
    readonly silenceThreshold: number,
  ) {}

  /**
   * When each word was spoken.
   *
   * @param words Pronunciations, as the search found them; `startFrames` are the frames they began in.
   * @param quiet Frames in which no label was considered [frames].
   */
  align(
    rows: Rows,
    words: readonly number[],
    startFrames: readonly number[],
    quiet: Uint8Array,
  ): AlignedWords {
    const spoken = words.map((word, index) =>
      this.#phonemes(rows, word, startFrames[index]!, startFrames[index + 1] ?? rows.frames),
    );
    const aligned: AlignedWord[] = [];
    // A part begins where a word does.
    const parts = [0, ...partsOf(startFrames, quiet), words.length];
    for (let part = 0; part + 1 < parts.length; part++) {
      const [one, other] = [parts[part]!, parts[part + 1]!];
      if (one === other) continue;
      const begin = one > 0 ? startFrames[one]! : 0;
      const end = other < words.length ? startFrames[other]! : rows.frames;
      const labels = spoken.slice(one, other).flat();
      const found = this.#align(rows, labels, quiet, begin, end);
      let place = 0;
      for (let index = one; index < other; index++) {
        const phonemes = spoken[index]!;
        const range = [place, (place += phonemes.length)] as const;
        // The search joins paths, so that a part of one need not be a path.
        const still = phonemes.map(() => startFrames[index]!);
        aligned.push({
          pronunciation: words[index]!,
          phonemes,
          first: found === null ? still : Array.from(found.first.slice(...range)),
          last: found === null ? still : Array.from(found.last.slice(...range)),
        });
      }
    }
    return { words: aligned, end: rows.frames };
  }

  /**
   * The characters of the words that were spoken, a space before each.
   *
   * @param offset Frames before these, for the times.
   * @param previous The token before these, if there is any; the first space begins where it ends.
   */
  tokens(
    rows: Rows,
    aligned: AlignedWords,
    seconds: number,
    offset = 0,
    previous?: Token,
  ): readonly Token[] {
    const tokens: Token[] = [];
    let end = previous?.end;
    const spoken = this.#spoken(rows, aligned, seconds);
    aligned.words.forEach((_, index) => {
      if (!spoken[index]!) return;
      let letters = this.#letters(rows, aligned, index, seconds, offset);
      if (letters.length === 0) return;
      // What is settled may last longer than the frames that are kept begin.
      if (end !== undefined && letters[0]!.start < end) letters = later(letters, end);
      const start = letters[0]!.start;
      // It is as sure as the word that it begins.
      const confidence = geometricMean(letters.map((letter) => letter.confidence));
      tokens.push({ text: WORD_BOUNDARY, start: end ?? start, end: start, confidence });
      tokens.push(...letters);
      end = letters.at(-1)!.end;
    });
    return tokens;
  }

  /** Which words were spoken: of those without a pause between them all or none. */
  #spoken(rows: Rows, { words }: AlignedWords, seconds: number): boolean[] {
    const phrases: number[] = [];
    const gained: number[] = [];
    words.forEach((word, index) => {
      const gap = word.first[0]! - (words[index - 1]?.last.at(-1) ?? -Infinity) - 1;
      if (gap * seconds > PAUSE_SECONDS) gained.push(0);
      gained[gained.length - 1]! += this.#gainOverBlank(rows, word);
      phrases.push(gained.length - 1);
    });
    return phrases.map((phrase) => gained[phrase]! >= -this.silenceThreshold);
  }

  #score(rows: Rows, frame: number, label: number): number {
    return Math.max(rows.data[frame * rows.width + this.heads.begin + label]!, IMPROBABLE);
  }

  /** The phonemes of a word; of an unknown one those that are best in its frames. */
  #phonemes(rows: Rows, word: number, begin: number, end: number): number[] {
    if (word < this.tree.unknown) return Array.from(this.tree.spoken(word));
    const best: number[] = [];
    let before = -1;
    for (let frame = begin; frame < end; frame++) {
      const label = this.heads.heard(rows, frame);
      if (label !== before && label !== BLANK) best.push(label);
      before = label;
    }
    // The last phoneme is known, and with it that there is one.
    return best.length > 0 ? best : [word - this.tree.unknown];
  }

  /** `align` in the frames that are not quiet, and one of each silence; null if it cannot be. */
  #align(
    rows: Rows,
    labels: readonly number[],
    quiet: Uint8Array,
    begin: number,
    end: number,
  ): Alignment | null {
    const every = Array.from({ length: end - begin }, (_, index) => begin + index);
    const busy = every.filter((frame) => frame === begin || !quiet[frame] || !quiet[frame - 1]);
    for (const frames of [busy, every]) {
      const score = (frame: number, label: number): number =>
        this.#score(rows, frames[frame]!, label);
      const found = align(score, frames.length, labels, BLANK);
      if (found === null) continue;
      return {
        first: found.first.map((frame) => frames[frame]!),
        last: found.last.map((frame) => frames[frame]!),
      };
    }
    return null;
  }

  /** Nats by which a word's phonemes are more probable in their frames than blanks. */
  #gainOverBlank(rows: Rows, word: AlignedWord): number {
    let gain = 0;
    word.phonemes.forEach((phoneme, index) => {
      for (let frame = word.first[index]!; frame <= word.last[index]!; frame++) {
        gain += this.#score(rows, frame, phoneme) - this.#score(rows, frame, BLANK);
      }
    });
    return gain;
  }

  /** The geometric mean of the probabilities of a word's phonemes. */
  #confidence(rows: Rows, word: AlignedWord): number {
    let mean = 0;
    word.phonemes.forEach((phoneme, index) => {
      const [first, last] = [word.first[index]!, word.last[index]!];
      let sum = 0;
      for (let frame = first; frame <= last; frame++) sum += this.#score(rows, frame, phoneme);
      mean += sum / (last + 1 - first) / word.phonemes.length;
    });
    return Math.exp(Math.min(mean, 0));
  }

  #letters(
    rows: Rows,
    aligned: AlignedWords,
    index: number,
    seconds: number,
    offset: number,
  ): Token[] {
    const word = aligned.words[index]!;
    if (word.pronunciation >= this.tree.unknown) {
      const begin = index > 0 ? aligned.words[index - 1]!.last.at(-1)! + 1 : 0;
      const after = aligned.words[index + 1]?.first[0] ?? aligned.end;
      return this.#heardLetters(rows.slice(begin, Math.max(begin, after)), seconds, offset + begin);
    }
    const text = this.texts[this.tree.word[word.pronunciation]!]!;
    const first = word.first[0]! + offset;
    const step = (word.last.at(-1)! + 1 + offset - first) / text.length;
    const confidence = this.#confidence(rows, word);
    return Array.from(text, (letter, place) => ({
      text: letter,
      start: (first + place * step) * seconds,
      end: (first + (place + 1) * step) * seconds,
      confidence,
    }));
  }

  /** The longest word that the letter head heard in some frames. */
  #heardLetters(rows: Rows, seconds: number, offset: number): Token[] {
    const { tokens } = greedyDecode(rows, this.vocabulary, this.heads.letterBlank, 1);
    const words: Token[][] = [[]];
    for (const token of tokens) {
      if (token.text === WORD_BOUNDARY) words.push([]);
      else words.at(-1)!.push(token);
    }
    const longest = words.reduce((one, other) => (other.length > one.length ? other : one));
    return longest.map((token) => ({
      ...token,
      start: (token.start + offset) * seconds,
      end: (token.end + offset) * seconds,
    }));
  }
}

/** Letters that do not begin before some time. */
function later(letters: readonly Token[], start: number): Token[] {
  return letters.map((letter) => ({
    ...letter,
    start: Math.max(letter.start, start),
    end: Math.max(letter.end, start),
  }));
}

/** Words to begin a part with: after silence, if it can be, and not too far apart. */
function partsOf(startFrames: readonly number[], quiet: Uint8Array): number[] {
  const parts: number[] = [];
  let begin = 0;
  while (quiet.length - begin > MOST_PART) {
    const able: number[] = [];
    startFrames.forEach((frame, word) => {
      if (frame >= begin + LEAST_PART && frame <= begin + MOST_PART) able.push(word);
    });
    const word =
      able.find((each) => quiet[Math.max(startFrames[each]! - 1, 0)] === 1) ??
      able[0] ??
      // Of a long silence, the end.
      startFrames.findIndex((frame) => frame > begin + MOST_PART);
    if (word === -1) break;
    parts.push(word);
    begin = startFrames[word]!;
  }
  return parts;
}
