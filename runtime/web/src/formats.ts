import { type Transcript, type Word, wordsOf } from "./decoding/transcript.js";

/** A cue ends at a pause of so many seconds, or where it would be longer than this. */
const PAUSE_SECONDS = 0.8;
const CUE_SECONDS = 6;
const CUE_CHARACTERS = 84;

export type Format = "txt" | "srt" | "vtt" | "json";

/** A finished transcript as the text of a file. */
export function format(sentences: readonly Transcript[], kind: Format): string {
  if (kind === "txt") return sentences.map((sentence) => `${sentence.text}\n`).join("");
  if (kind === "json") return `${JSON.stringify(toJson(sentences), null, 1)}\n`;
  const cues = cuesOf(sentences.flatMap((sentence) => wordsOf(sentence.tokens)));
  const body = cues.map((words, index) => {
    const [start, end] = [words[0]!.start, words.at(-1)!.end].map((time) => clock(time, kind));
    const number = kind === "srt" ? `${index + 1}\n` : "";
    return `${number}${start} --> ${end}\n${words.map((word) => word.text).join(" ")}\n`;
  });
  return (kind === "vtt" ? ["WEBVTT\n", ...body] : body).join("\n");
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

function cuesOf(words: readonly Word[]): Word[][] {
  const cues: Word[][] = [];
  let length = 0;
  for (const word of words) {
    const cue = cues.at(-1);
    length += word.text.length + 1;
    const ends =
      cue === undefined ||
      word.start - cue.at(-1)!.end >= PAUSE_SECONDS ||
      word.end - cue[0]!.start > CUE_SECONDS ||
      length > CUE_CHARACTERS;
    if (ends) {
      cues.push([word]);
      length = word.text.length;
    } else cue.push(word);
  }
  return cues;
}

/** Hours, minutes, seconds and milliseconds as subtitles write them. */
export function clock(seconds: number, kind: Format = "vtt"): string {
  const total = Math.round(seconds * 1000);
  const two = (number: number): string => String(Math.floor(number)).padStart(2, "0");
  const parts = [two(total / 3_600_000), two((total / 60_000) % 60), two((total / 1000) % 60)];
  const mark = kind === "srt" ? "," : ".";
  return `${parts.join(":")}${mark}${String(total % 1000).padStart(3, "0")}`;
}

function round(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
