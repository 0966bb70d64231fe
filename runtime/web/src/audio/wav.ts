import { RecognizerError } from "../errors.js";

/** Bytes that are read at a time. */
const BLOCK_BYTES = 1 << 20;
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** What a WAV file's header says. */
export interface WavFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
  readonly isFloat: boolean;
  /** Where the samples begin and end in the file, bytes. */
  readonly begin: number;
  readonly end: number;
}

/** The format of a WAV file of samples that this can read, null of any other file. */
export async function readWavFormat(file: Blob): Promise<WavFormat | null> {
  const head = new DataView(await file.slice(0, 12).arrayBuffer());
  if (head.byteLength < 12 || fourLetters(head, 0) !== "RIFF" || fourLetters(head, 8) !== "WAVE") {
    return null;
  }
  let format: Omit<WavFormat, "begin" | "end"> | null = null;
  for (let place = 12; place + 8 <= file.size; ) {
    const chunk = new DataView(await file.slice(place, place + 48).arrayBuffer());
    const name = fourLetters(chunk, 0);
    const size = chunk.getUint32(4, true);
    if (name === "fmt " && chunk.byteLength >= 24) {
      let kind = chunk.getUint16(8, true);
      if (kind === EXTENSIBLE && chunk.byteLength >= 34) kind = chunk.getUint16(32, true);
      const bits = chunk.getUint16(22, true);
      const known = kind === PCM ? [8, 16, 24, 32] : kind === FLOAT ? [32, 64] : [];
      if (!known.includes(bits)) return null;
      const channels = chunk.getUint16(10, true);
      format = { sampleRate: chunk.getUint32(12, true), channels, bits, isFloat: kind === FLOAT };
    }
    if (name === "data") {
      if (format === null || format.channels === 0) return null;
      const begin = place + 8;
      if (begin + size > file.size && size < 0x7ffff000) {
        throw new RecognizerError("The file was cut off: it is shorter than its header says.");
      }
      return { ...format, begin, end: Math.min(begin + size, file.size) };
    }
    place += 8 + size + (size & 1);
  }
  throw new RecognizerError("The WAV file has no samples.");
}

/** The samples of a WAV file, mixed down to one channel, a block at a time, however long it is. */
export async function* readWav(file: Blob, format: WavFormat): AsyncGenerator<Float32Array> {
  const frame = (format.channels * format.bits) / 8;
  const step = Math.max(1, Math.floor(BLOCK_BYTES / frame)) * frame;
  for (let begin = format.begin; begin + frame <= format.end; begin += step) {
    const bytes = await file.slice(begin, Math.min(begin + step, format.end)).arrayBuffer();
    const view = new DataView(bytes);
    const mono = new Float32Array(Math.floor(bytes.byteLength / frame));
    for (let index = 0; index < mono.length; index++) {
      let sum = 0;
      for (let channel = 0; channel < format.channels; channel++) {
        sum += sampleAt(view, index * frame + (channel * format.bits) / 8, format);
      }
      mono[index] = sum / format.channels;
    }
    yield mono;
  }
}

function sampleAt(view: DataView, place: number, { bits, isFloat }: WavFormat): number {
  if (isFloat) return bits === 32 ? view.getFloat32(place, true) : view.getFloat64(place, true);
  if (bits === 8) return (view.getUint8(place) - 128) / 128;
  if (bits === 16) return view.getInt16(place, true) / 2 ** 15;
  if (bits === 24) return ((view.getInt8(place + 2) << 16) | view.getUint16(place, true)) / 2 ** 23;
  return view.getInt32(place, true) / 2 ** 31;
}

function fourLetters(view: DataView, place: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(place + index)));
}
