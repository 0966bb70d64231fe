/** Keeps what was recorded, 16 bits a sample, to play it again. */
export class WavWriter {
  readonly #parts: Int16Array<ArrayBuffer>[] = [];
  #samples = 0;

  constructor(readonly sampleRate: number) {}

  get seconds(): number {
    return this.#samples / this.sampleRate;
  }

  add(samples: Float32Array): void {
    this.#parts.push(
      Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767),
    );
    this.#samples += samples.length;
  }

  /** All of it as a file. */
  file(): Blob {
    const head = new DataView(new ArrayBuffer(44));
    const letters = (place: number, text: string): void => {
      for (let index = 0; index < text.length; index++) {
        head.setUint8(place + index, text.charCodeAt(index));
      }
    };
    const bytes = this.#samples * 2;
    letters(0, "RIFF");
    head.setUint32(4, 36 + bytes, true);
    letters(8, "WAVEfmt ");
    head.setUint32(16, 16, true);
    head.setUint16(20, 1, true);
    head.setUint16(22, 1, true);
    head.setUint32(24, this.sampleRate, true);
    head.setUint32(28, this.sampleRate * 2, true);
    head.setUint16(32, 2, true);
    head.setUint16(34, 16, true);
    letters(36, "data");
    head.setUint32(40, bytes, true);
    return new Blob([head, ...this.#parts], { type: "audio/wav" });
  }
}
