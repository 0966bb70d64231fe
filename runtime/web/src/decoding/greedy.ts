import type { Rows } from "./rows.js";
import { geometricMean, type Token, textOf, WORD_BOUNDARY } from "./transcript.js";

/** What a decoder finds in one utterance. */
export interface Decoding {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly confidence: number;
}

/**
 * Greedy CTC decoding: the best letter of each frame, repeated ones merged, blanks removed, single
 * spaces between words and none at either end. See `decoding/greedy.py`.
 *
 * @param rows Letters in the first columns [frames, width].
 * @param vocabulary The text of each class; `blank` is the blank's.
 * @param seconds From one frame to the next.
 */
export function greedyDecode(
  rows: Rows,
  vocabulary: readonly string[],
  blank: number,
  seconds: number,
): Decoding {
  const tokens: Token[] = [];
  const classes = vocabulary.length;
  let total = 0;
  for (let frame = 0; frame < rows.frames; ) {
    const label = rows.best(frame, 0, classes);
    const begin = frame;
    let sum = 0;
    do {
      sum += rows.data[frame * rows.width + label]!;
      frame++;
    } while (frame < rows.frames && rows.best(frame, 0, classes) === label);
    total += sum;
    if (label === blank) continue;
    const text = vocabulary[label]!;
    if (text === WORD_BOUNDARY && (tokens.at(-1)?.text ?? WORD_BOUNDARY) === WORD_BOUNDARY) continue;
    const confidence = Math.min(1, Math.exp(sum / (frame - begin)));
    tokens.push({ text, start: begin * seconds, end: frame * seconds, confidence });
  }
  if (tokens.at(-1)?.text === WORD_BOUNDARY) tokens.pop();
  const silence = rows.frames === 0 ? 0 : Math.min(1, Math.exp(total / rows.frames));
  return {
    text: textOf(tokens),
    tokens,
    confidence: tokens.length ? geometricMean(tokens.map((token) => token.confidence)) : silence,
  };
}

/** The text alone, as `greedyDecode` finds it. */
export function greedyText(rows: Rows, vocabulary: readonly string[], blank: number): string {
  return greedyDecode(rows, vocabulary, blank, 1).text;
}
