import { Resampler } from "./audio/resampler.js";
import { calibrated } from "./decoding/calibration.js";
import { greedyDecode } from "./decoding/greedy.js";
import { PhonemeDecoder } from "./decoding/phoneme_decoder.js";
import type { Rows } from "./decoding/rows.js";
import { geometricMean, type Transcript } from "./decoding/transcript.js";
import { RecognizerError } from "./errors.js";
import type { PackedModel } from "./language/packed_model.js";
import { LiveStream } from "./live/live_stream.js";
import { AcousticModel } from "./model/acoustic_model.js";
import type { WordCalibration } from "./model/model_card.js";
import { stitch } from "./recordings/stitching.js";
import { cutWindows, OVERLAP_SECONDS, WINDOW_SECONDS } from "./recordings/windows.js";
import { roundHalfEven } from "./rounding.js";
import { SentenceDecoder, within } from "./sentences/sentence_decoder.js";

/** Longer audio is read in windows and decoded as sentences; other audio is one of both. */
const LONG_SECONDS = 60;
const LEAST_SECONDS = 0.05;
const MARGIN_SECONDS = 1;
const PAUSE_SECONDS = 0.24;
const REACH_SECONDS = 0.15;

/** Mono audio in blocks of any length. */
export interface Audio {
  readonly sampleRate: number;
  readonly blocks: AsyncIterable<Float32Array>;
}

/** A speech recogniser: a model, and what decodes its output. */
export class Recognizer {
  /** @param decoder Null decodes greedily. */
  constructor(
    readonly model: AcousticModel,
    readonly decoder: PhonemeDecoder | null,
  ) {}

  /** The beam search for a model and a language model; null if they need the search by letters. */
  static decoder(model: AcousticModel, language: PackedModel): PhonemeDecoder | null {
    const { card } = model;
    const spoken = AcousticModel.hasPhonemes(card) ? language.pronunciations() : null;
    if (spoken === null) return null;
    return new PhonemeDecoder(language, spoken, card.vocabulary, card.blank_id);
  }

  /**
   * Transcribe a recording of any length; its sentences come as they are found.
   *
   * One of at most a minute is one transcript. Times count from the recording's beginning.
   *
   * @param progress Called with the seconds of audio that are done.
   * @throws RecognizerError for audio that is none.
   */
  async *transcribe(
    audio: Audio,
    progress: (seconds: number) => void = () => {},
  ): AsyncGenerator<Transcript> {
    const { card } = this.model;
    const resampler = new Resampler(audio.sampleRate, card.sample_rate);
    const resampled = resample(audio.blocks, resampler);
    const begun: Float32Array[] = [];
    let length = 0;
    let next = await resampled.next();
    for (; !next.done && length <= LONG_SECONDS * card.sample_rate; next = await resampled.next()) {
      begun.push(next.value);
      length += next.value.length;
    }
    const long = length > LONG_SECONDS * card.sample_rate;
    const duration = (): number => resampler.samples / audio.sampleRate;
    if (!long && duration() < LEAST_SECONDS) {
      throw new RecognizerError("The recording is empty or shorter than any word.");
    }
    if (!long) {
      yield this.decode(await this.model.run(concat(begun, length)), duration());
      progress(duration());
      return;
    }
    const rest = async function* (): AsyncGenerator<Float32Array> {
      yield* begun.splice(0);
      if (!next.done) yield next.value;
      yield* resampled;
    };
    const decoder = this.#sentences();
    let done = 0;
    for await (const rows of this.#stitched(rest())) {
      yield* decoder.feed(rows);
      done += rows.frames;
      progress(done * this.model.secondsPerFrame);
    }
    yield* decoder.finish(duration());
    progress(duration());
  }

  /** Decode log-probabilities of some seconds of audio. */
  decode(rows: Rows, duration: number): Transcript {
    const { vocabulary, blank_id } = this.model.card;
    const seconds = this.model.secondsPerFrame;
    const found =
      this.decoder === null
        ? greedyDecode(rows, vocabulary, blank_id, seconds)
        : this.decoder.decode(rows, seconds);
    // The last frame reaches past the end of the audio.
    const heard = within(found.tokens, duration);
    const tokens = calibrated(heard, this.#calibration, 0, this.decoder);
    const corrected = this.#calibration !== undefined && tokens.length > 0;
    const confidence = corrected
      ? geometricMean(tokens.map((token) => token.confidence))
      : found.confidence;
    return { ...found, confidence, tokens, start: 0, duration };
  }

  /** Begin to transcribe audio while it is recorded. */
  stream(sampleRate: number): LiveStream {
    return new LiveStream(this.model, this.#sentences(), sampleRate);
  }

  #sentences(): SentenceDecoder {
    const { vocabulary, blank_id } = this.model.card;
    return new SentenceDecoder(
      this.decoder,
      vocabulary,
      blank_id,
      this.model.secondsPerFrame,
      this.#calibration,
    );
  }

  get #calibration(): WordCalibration | undefined {
    return this.model.card.calibration?.[this.decoder === null ? "greedy" : "phonemes"];
  }

  #stitched(samples: AsyncIterable<Float32Array>): AsyncGenerator<Rows> {
    const { model } = this;
    const frames = (seconds: number): number =>
      Math.max(1, roundHalfEven(seconds / model.secondsPerFrame));
    const windows = cutWindows(
      samples,
      frames(WINDOW_SECONDS),
      frames(OVERLAP_SECONDS),
      model.card.frame_stride,
    );
    const read = async function* (): AsyncGenerator<{ firstFrame: number; rows: Rows }> {
      for await (const { firstFrame, samples: part } of windows) {
        yield { firstFrame, rows: await model.run(part) };
      }
    };
    return stitch(read(), model.heads, {
      margin: frames(MARGIN_SECONDS),
      pause: frames(PAUSE_SECONDS),
      reach: frames(REACH_SECONDS),
    });
  }
}

async function* resample(
  blocks: AsyncIterable<Float32Array>,
  resampler: Resampler,
): AsyncGenerator<Float32Array> {
  for await (const block of blocks) yield resampler.feed(block);
  yield resampler.finish();
}

function concat(parts: readonly Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
