import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-common";
import { Heads, Rows } from "../decoding/rows.js";
import { RecognizerError } from "../errors.js";
import { BLANK, PHONEMES } from "../language/phonemes.js";
import type { ModelCard } from "./model_card.js";

/** More frames than any audio has. */
const EVERYTHING = 1 << 30;

/** A chunk's log-probabilities, and the state that the next one goes on from. */
export interface Chunk {
  readonly rows: Rows;
  readonly state: Float32Array;
}

/** A loaded model: an ONNX Runtime session of `readOnnxFile`'s bytes, and how to run it. */
export class AcousticModel {
  /** The columns of the rows that it gives. */
  readonly heads: Heads;
  readonly #outputs: string[];

  /** @param phonemes Whether to give what its second head says as well. */
  constructor(
    readonly session: InferenceSession,
    readonly TensorClass: TensorConstructor,
    readonly card: ModelCard,
    phonemes: boolean,
  ) {
    this.heads = new Heads(card.vocabulary.length, card.blank_id, phonemes);
    this.#outputs = phonemes ? ["logprobs", "phoneme_logprobs"] : ["logprobs"];
  }

  /** Whether a second head has the phonemes that the search knows. */
  static hasPhonemes(card: ModelCard): boolean {
    return card.phonemes?.join(" ") === PHONEMES.join(" ");
  }

  get secondsPerFrame(): number {
    return this.card.frame_stride / this.card.sample_rate;
  }

  /** The state before the first chunk. */
  get firstState(): Float32Array {
    const [layers, hidden] = this.card.streaming?.state_shape ?? [0, 0];
    return new Float32Array(layers * hidden);
  }

  /** Log-probabilities of a whole waveform, mono at the card's rate. */
  async run(samples: Float32Array): Promise<Rows> {
    const { rows } = await this.runChunk(samples, 0, EVERYTHING, this.firstState);
    return rows;
  }

  /** Log-probabilities of a part of a stream, as docs/live.md says. */
  async runChunk(
    samples: Float32Array,
    contextFrames: number,
    chunkFrames: number,
    state: Float32Array,
  ): Promise<Chunk> {
    const integer = (number: number): Tensor =>
      new this.TensorClass("int64", BigInt64Array.of(BigInt(number)), [1]);
    const feeds: Record<string, Tensor> = {
      input_values: new this.TensorClass("float32", samples, [1, samples.length]),
      input_lengths: integer(samples.length),
    };
    const outputs = [...this.#outputs, "output_lengths"];
    if (this.card.streaming !== undefined) {
      feeds["context_frames"] = integer(contextFrames);
      feeds["chunk_frames"] = integer(chunkFrames);
      feeds["state"] = new this.TensorClass("float32", state, [1, ...this.card.streaming.state_shape]);
      outputs.push("next_state");
    }
    const found = await this.session.run(feeds, outputs);
    const frames = Number((found["output_lengths"]!.data as BigInt64Array)[0]);
    const next = found["next_state"]?.data as Float32Array | undefined;
    return { rows: this.#rows(found, frames), state: next?.slice() ?? state };
  }

  /** The heads' columns side by side. */
  #rows(found: InferenceSession.OnnxValueMapType, frames: number): Rows {
    const { width, letters } = this.heads;
    const data = new Float32Array(frames * width);
    let begin = 0;
    for (const [index, name] of this.#outputs.entries()) {
      const columns = index === 0 ? letters : BLANK + 1;
      const head = found[name]!.data as Float32Array;
      if (head.length < frames * columns) {
        throw new RecognizerError("The model gave too few log-probabilities; export it again.");
      }
      for (let frame = 0; frame < frames; frame++) {
        data.set(head.subarray(frame * columns, (frame + 1) * columns), frame * width + begin);
      }
      begin += columns;
    }
    return new Rows(data, width);
  }
}
