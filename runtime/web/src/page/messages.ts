import type { Transcript } from "../decoding/transcript.js";
import type { StreamResult } from "../live/live_stream.js";

/** The files of a page, as `asr-export web` lists them in files.json. */
export interface PageFiles {
  readonly version: string;
  readonly model: string;
  readonly languageModel: string | null;
  /** Bytes by name. */
  readonly bytes: Readonly<Record<string, number>>;
  /** Share of words that are wrong, by decoder, where it was measured. */
  readonly wordsWrong: { readonly beam: number | null; readonly greedy: number | null };
}

export type DecoderName = "beam" | "greedy";

/** What the page asks of its worker. Jobs are done one after another. */
export type Request =
  | { type: "load"; files: PageFiles; threads: number }
  | { type: "file"; file: Blob; decoder: DecoderName }
  | { type: "samples"; channels: Float32Array[]; sampleRate: number; decoder: DecoderName }
  | { type: "start"; sampleRate: number; decoder: DecoderName }
  | { type: "feed"; samples: Float32Array }
  | { type: "stop" }
  | { type: "cancel" };

/** What the worker answers. */
export type Answer =
  | { type: "loading"; loaded: number; total: number }
  | { type: "ready"; decoders: DecoderName[]; streams: boolean; threads: number; seconds: number }
  | { type: "needsDecoding" }
  | { type: "peaks"; peaks: Float32Array }
  | { type: "progress"; seconds: number }
  | { type: "sentence"; transcript: Transcript }
  | { type: "result"; result: StreamResult }
  | { type: "done"; seconds: number; computing: number; cancelled: boolean }
  | { type: "failed"; message: string };

/** Peaks of the waveform a second. */
export const PEAKS_PER_SECOND = 50;
