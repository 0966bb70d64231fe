import { PEAKS_PER_SECOND } from "./messages.js";

/** The loudest sample of each part of a second, for the picture of the waveform. */
export class PeakMeter {
  #peak = 0;
  #samples = 0;
  #written = 0;

  constructor(readonly sampleRate: number) {}

  /** Seconds so far. */
  get seconds(): number {
    return this.#samples / this.sampleRate;
  }

  /** The peaks that the next samples complete. */
  add(samples: Float32Array): Float32Array {
    const peaks: number[] = [];
    for (const sample of samples) {
      this.#peak = Math.max(this.#peak, Math.abs(sample));
      this.#samples++;
      if (this.#samples >= ((this.#written + 1) * this.sampleRate) / PEAKS_PER_SECOND) {
        peaks.push(this.#peak);
        this.#peak = 0;
        this.#written++;
      }
    }
    return Float32Array.from(peaks);
  }
}
