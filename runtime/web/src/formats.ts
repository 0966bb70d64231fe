import { type Transcript, type Word, wordsOf } from "./decoding/transcript.js";
import { toSrt, toVtt } from "./subtitles.js";

export type Format = "txt" | "srt" | "vtt" | "json";

/** A finished transcript as the text of a file. */
export function format(sentences: readonly Transcript[], kind: Format): string {
  const words = sentences.flatMap((sentence) => wordsOf(sentence.tokens));
  switch (kind) {
    case "txt":
      return sentences.map((sentence) => `${sentence.text}\n`).join("");
    case "srt":
      return toSrt(words);
    case "vtt":
      return toVtt(words);
    case "json":
      return `${JSON.stringify(toJson(sentences), null, 1)}\n`;
  }
}

/** The fields of `asr-run --format json` that tell of the text; seconds to the millisecond. */
function toJson(sentences: readonly Transcript[]): object {
  const rounded = (span: Word): object => ({
    text: span.text,
    start: round(span.start, 3),
    end: round(span.end, 3),
    confidence: round(span.confidence, 4),
  });
  return {
    text: sentences.map((sentence) => sentence.text).join(" "),
    sentences: sentences.map((sentence) => ({
      text: sentence.text,
      confidence: round(sentence.confidence, 4),
      start: round(sentence.start, 3),
      duration: round(sentence.duration, 3),
      words: wordsOf(sentence.tokens).map(rounded),
    })),
  };
}

function round(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
