import { RecognizerError } from "../errors.js";
import { Resampler } from "../audio/resampler.js";
import type { Transcript } from "../decoding/transcript.js";
import type { AcousticModel } from "../model/acoustic_model.js";
import type { StreamingCard } from "../model/model_card.js";
import type { SentenceDecoder } from "../sentences/sentence_decoder.js";

const EVERYTHING = 1 << 30;

/** What is known of a sentence at some moment; see `live/live_stream.py`. */
export interface StreamResult {
  readonly text: string;
  readonly stable: string;
  readonly isFinal: boolean;
  readonly start: number;
  readonly duration: number;
  /** Of a sentence that has ended. */
  readonly transcript?: Transcript;
}

/** One stream of audio through a recogniser, in chunks, each with a look-ahead. */
export class LiveStream {
  readonly #streaming: StreamingCard;
  readonly #stride: number;
  readonly #resampler: Resampler;
  #state: Float32Array;
  /** Samples from the context of the next chunk on. */
  #samples = new Float32Array(0);
  #position = 0;
  #shown = "";

  /**
   * @param sampleRate Of the samples that will be fed, Hz.
   * @throws RecognizerError for a model that cannot stream.
   */
  constructor(
    readonly model: AcousticModel,
    readonly decoder: SentenceDecoder,
    readonly sampleRate: number,
  ) {
    const { streaming } = model.card;
    if (streaming === undefined) {
      throw new RecognizerError(
        "This model transcribes files only; export it with: asr-export onnx … --streaming",
      );
    }
    this.#streaming = streaming;
    this.#stride = model.card.frame_stride;
    this.#resampler = new Resampler(sampleRate, model.card.sample_rate);
    this.#state = model.firstState;
  }

  /** Seconds of audio so far. */
  get duration(): number {
    return this.#resampler.samples / this.sampleRate;
  }

  /** The next mono samples; a result for each sentence that ended or chunk that changed the text. */
  async feed(samples: Float32Array): Promise<StreamResult[]> {
    this.#append(this.#resampler.feed(samples));
    const { chunk_frames, lookahead_frames } = this.#streaming;
    // Up to one sample before a frame's centre: with it, the model would add that frame.
    const window = (chunk_frames + lookahead_frames) * this.#stride - 1;
    const results: StreamResult[] = [];
    for (;;) {
      const context = this.#context;
      const length = context * this.#stride + window;
      if (this.#samples.length < length) return results;
      results.push(...(await this.#chunk(this.#samples.slice(0, length), chunk_frames)));
      const done = context + chunk_frames - this.#context;
      this.#samples = this.#samples.slice(done * this.#stride);
    }
  }

  /** The rest, when the audio has ended. */
  async finish(): Promise<StreamResult[]> {
    this.#append(this.#resampler.finish());
    const results: StreamResult[] = [];
    if (this.#samples.length > 0) results.push(...(await this.#chunk(this.#samples, EVERYTHING)));
    results.push(...this.decoder.finish(this.duration).map(final));
    // What was shown last of a sentence that turned out to be none must not stay.
    if (this.#shown !== "" && !results.some((result) => result.isFinal)) {
      const start = this.duration;
      results.push({ text: "", stable: "", isFinal: false, start, duration: 0 });
    }
    return results;
  }

  /** Frames of audio before the next chunk that are kept. */
  get #context(): number {
    return Math.min(this.#position, this.#streaming.context_frames);
  }

  #append(samples: Float32Array): void {
    const joined = new Float32Array(this.#samples.length + samples.length);
    joined.set(this.#samples);
    joined.set(samples, this.#samples.length);
    this.#samples = joined;
  }

  async #chunk(samples: Float32Array, frames: number): Promise<StreamResult[]> {
    const chunk = await this.model.runChunk(samples, this.#context, frames, this.#state);
    this.#state = chunk.state;
    this.#position += chunk.rows.frames;
    const results = this.decoder.feed(chunk.rows).map(final);
    if (results.length > 0) this.#shown = "";
    const { text, stable } = this.decoder.partial();
    if (text !== this.#shown) {
      const { start } = this.decoder;
      results.push({ text, stable, isFinal: false, start, duration: this.decoder.duration - start });
      this.#shown = text;
    }
    return results;
  }
}

function final(transcript: Transcript): StreamResult {
  const { text, start, duration } = transcript;
  return { text, stable: text, isFinal: true, start, duration, transcript };
}
