/** The microphone's samples, mixed down to one channel, in blocks of a tenth of a second. */

declare const sampleRate: number;
declare function registerProcessor(name: string, kind: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Recorder extends AudioWorkletProcessor {
  #block = new Float32Array(Math.round(sampleRate / 10));
  #filled = 0;
  #stopped = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#send();
      this.port.postMessage(null);
      this.#stopped = true;
    };
  }

  process([channels]: Float32Array[][]): boolean {
    if (this.#stopped) return false;
    const first = channels?.[0];
    if (channels === undefined || first === undefined) return true;
    for (let place = 0; place < first.length; place++) {
      let sum = 0;
      for (const channel of channels) sum += channel[place]!;
      this.#block[this.#filled++] = sum / channels.length;
      if (this.#filled === this.#block.length) this.#send();
    }
    return true;
  }

  #send(): void {
    const block = this.#block.slice(0, this.#filled);
    this.port.postMessage(block, [block.buffer]);
    this.#filled = 0;
  }
}

registerProcessor("recorder", Recorder);
