/** Some text, from `start` to `end` in seconds from the start of the audio. */
export interface Span {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** 0..1: the geometric mean of its probability over its frames. */
  readonly confidence: number;
}

/** One character of the text. */
export type Token = Span;
/** The characters between two spaces. */
export type Word = Span;

/** The text of one utterance; the fields mean what they do in `transcript.py`. */
export interface Transcript {
  readonly text: string;
  readonly confidence: number;
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly duration: number;
}

export const WORD_BOUNDARY = " ";

/** The words of some tokens, in order. */
export function wordsOf(tokens: readonly Token[]): Word[] {
  const words: Word[] = [];
  let letters: Token[] = [];
  const close = (): void => {
    if (letters.length === 0) return;
    words.push({
      text: letters.map((letter) => letter.text).join(""),
      start: letters[0]!.start,
      end: letters[letters.length - 1]!.end,
      confidence: geometricMean(letters.map((letter) => letter.confidence)),
    });
    letters = [];
  };
  for (const token of tokens) {
    if (token.text === WORD_BOUNDARY) close();
    else letters.push(token);
  }
  close();
  return words;
}

export function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => token.text).join("");
}

/** The geometric mean of one or more probabilities; 0 if one of them is 0. */
export function geometricMean(probabilities: readonly number[]): number {
  if (Math.min(...probabilities) <= 0) return 0;
  const sum = probabilities.reduce((total, probability) => total + Math.log(probability), 0);
  return Math.exp(sum / probabilities.length);
}

/** Tokens of a text from its first word on. */
export function withoutLeadingSpace(tokens: readonly Token[]): readonly Token[] {
  return tokens[0]?.text === WORD_BOUNDARY ? tokens.slice(1) : tokens;
}
