/// <reference lib="webworker" />
import * as ort from "onnxruntime-web/wasm";
import { readWav, readWavFormat } from "../audio/wav.js";
import { RecognizerError } from "../errors.js";
import { readLanguageModel } from "../language/language_model_file.js";
import type { LiveStream } from "../live/live_stream.js";
import { AcousticModel } from "../model/acoustic_model.js";
import { readOnnxFile } from "../model/onnx_file.js";
import { type Audio, Recognizer } from "../recognizer.js";
import type { Answer, DecoderName, PageFiles, Request } from "./messages.js";
import { PeakMeter } from "./peak_meter.js";

/** All computing of the page happens here, so that the page never freezes. */
declare const self: DedicatedWorkerGlobalScope;

/** A model is tried out so long after it was loaded. */
const IDLE_MS = 200;

let recognizers: Record<DecoderName, Recognizer | null> = { beam: null, greedy: null };
let cancelled = false;
let stream: LiveStream | null = null;
let meter = new PeakMeter(1);
let computing = 0;
let queue: Promise<void> = Promise.resolve();
/** Requests that are not answered yet. */
let waiting = 0;

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data.type === "cancel") {
    cancelled = true;
    return;
  }
  waiting++;
  queue = queue.then(async () => {
    try {
      await answer(data);
    } catch (error) {
      stream = null;
      const known = error instanceof RecognizerError;
      if (!known) console.error(error);
      const message = error instanceof Error ? error.message : String(error);
      post({ type: "failed", message: known ? message : `Something went wrong: ${message}` });
    }
    waiting--;
  });
});

async function answer(request: Request): Promise<void> {
  switch (request.type) {
    case "load":
      return load(request.files, request.threads);
    case "file": {
      const format = await readWavFormat(request.file);
      if (format === null) return post({ type: "needsDecoding" });
      const blocks = readWav(request.file, format);
      return transcribe({ sampleRate: format.sampleRate, blocks }, request.decoder);
    }
    case "samples": {
      const blocks = mixed(request.channels);
      return transcribe({ sampleRate: request.sampleRate, blocks }, request.decoder);
    }
    case "start":
      meter = new PeakMeter(request.sampleRate);
      computing = 0;
      stream = recognizer(request.decoder).stream(request.sampleRate);
      return;
    case "feed":
      return feed(request.samples);
    case "stop":
      return stop();
  }
}

async function load(files: PageFiles, threads: number): Promise<void> {
  const begin = performance.now();
  const wanted = [files.model, files.languageModel].filter((name) => name !== null);
  const total = wanted.reduce((sum, name) => sum + (files.bytes[name] ?? 0), 0);
  let loaded = 0;
  const get = (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    download(name, files.bytes[name] ?? 0, (bytes) => {
      loaded += bytes;
      post({ type: "loading", loaded, total });
    });
  const acoustic = get(files.model);
  const language =
    files.languageModel === null
      ? null
      : get(files.languageModel).then((bytes) => readLanguageModel(bytes.buffer));
  // Else a failure would be reported as unhandled while something else loads.
  for (const each of [acoustic, language]) each?.catch(() => {});
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = {
    mjs: new URL("ort-wasm-simd-threaded.mjs", self.location.href).href,
    wasm: new URL("ort-wasm-simd-threaded.wasm", self.location.href).href,
  };
  const options = {
    executionProviders: ["wasm"],
    logSeverityLevel: 3,
    // Does what makes this model quicker with much less of the WebAssembly that "all" has compiled.
    graphOptimizationLevel: "basic",
  } as const;
  // ONNX Runtime comes while the models do. It has no call for that: this one fails, afterwards.
  await ort.InferenceSession.create(new Uint8Array(1), options).catch(() => {});
  const { card, bytes } = readOnnxFile(await acoustic);
  const session = await ort.InferenceSession.create(bytes, options);
  const model = (phonemes: boolean): AcousticModel =>
    new AcousticModel(session, ort.Tensor, card, phonemes);
  recognizers.greedy = new Recognizer(model(false), null);
  const words = language === null ? null : await language;
  const decoder = words === null ? null : Recognizer.decoder(recognizers.greedy.model, words);
  recognizers.beam = decoder === null ? null : new Recognizer(model(true), decoder);
  post({
    type: "ready",
    decoders: recognizers.beam === null ? ["greedy"] : ["beam", "greedy"],
    streams: card.streaming !== undefined,
    threads,
    seconds: (performance.now() - begin) / 1000,
  });
  // The browser compiles what is used first; better now, if nobody has asked for something.
  const { model: quick } = recognizers.greedy;
  const tryOut = async (): Promise<void> => void (await quick.run(new Float32Array(card.sample_rate)));
  setTimeout(() => {
    if (waiting === 0) queue = queue.then(tryOut).catch(() => {});
  }, IDLE_MS);
}

/** A file of the page as it is listed, straight into one array. */
async function download(
  name: string,
  size: number,
  progress: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(new URL(name, self.location.href));
  } catch {
    throw new RecognizerError(`${name} cannot be loaded; is the server or the network away?`);
  }
  if (!response.ok || response.body === null) {
    throw new RecognizerError(`${name} cannot be loaded (${response.status}).`);
  }
  const bytes = new Uint8Array(size);
  let place = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (place + part.value.length > size) throw changed(name);
    bytes.set(part.value, place);
    place += part.value.length;
    progress(part.value.length);
  }
  if (place < size) throw changed(name);
  return bytes;
}

function changed(name: string): RecognizerError {
  return new RecognizerError(`${name} is cut off or of another version; load the page again.`);
}

function recognizer(decoder: DecoderName): Recognizer {
  const found = recognizers[decoder] ?? recognizers.greedy;
  if (found === null) throw new RecognizerError("The model is not loaded yet.");
  return found;
}

async function transcribe(audio: Audio, decoder: DecoderName): Promise<void> {
  const begin = performance.now();
  cancelled = false;
  meter = new PeakMeter(audio.sampleRate);
  const sentences = recognizer(decoder).transcribe(
    { sampleRate: audio.sampleRate, blocks: metered(audio.blocks) },
    (seconds) => post({ type: "progress", seconds }),
  );
  try {
    for await (const transcript of sentences) {
      if (cancelled) break;
      post({ type: "sentence", transcript });
    }
  } catch (error) {
    if (!cancelled) throw error; // what is left of the audio may be none
  }
  done((performance.now() - begin) / 1000);
}

async function feed(samples: Float32Array): Promise<void> {
  if (stream === null) return;
  const begin = performance.now();
  showPeaks(samples);
  for (const result of await stream.feed(samples)) post({ type: "result", result });
  post({ type: "progress", seconds: meter.seconds });
  computing += (performance.now() - begin) / 1000;
}

async function stop(): Promise<void> {
  if (stream === null) return;
  const begin = performance.now();
  for (const result of await stream.finish()) post({ type: "result", result });
  stream = null;
  cancelled = false;
  done(computing + (performance.now() - begin) / 1000);
}

function done(spent: number): void {
  post({ type: "done", seconds: meter.seconds, computing: spent, cancelled });
}

async function* metered(blocks: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
  for await (const block of blocks) {
    showPeaks(block);
    yield block;
    // Lets a request to cancel in.
    await new Promise((resolve) => setTimeout(resolve));
    if (cancelled) return;
  }
}

function showPeaks(samples: Float32Array): void {
  const peaks = meter.add(samples);
  if (peaks.length > 0) post({ type: "peaks", peaks });
}

/** Channels as one, a few seconds at a time. */
async function* mixed(channels: readonly Float32Array[]): AsyncGenerator<Float32Array> {
  const first = channels[0]!;
  const step = 1 << 17;
  for (let begin = 0; begin < first.length; begin += step) {
    const block = first.slice(begin, begin + step);
    for (const channel of channels.slice(1)) {
      block.forEach((_, place) => (block[place]! += channel[begin + place]!));
    }
    yield channels.length > 1 ? block.map((sum) => sum / channels.length) : block;
  }
}

function post(message: Answer): void {
  self.postMessage(message);
}
