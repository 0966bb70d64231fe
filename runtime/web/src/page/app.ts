import type { Transcript } from "../decoding/transcript.js";
import { RecognizerError } from "../errors.js";
import { type Format, format } from "../formats.js";
import type { Answer, DecoderName, PageFiles, Request } from "./messages.js";
import { Microphone } from "./microphone.js";
import { minutes, TranscriptView } from "./transcript_view.js";
import { WavWriter } from "./wav_writer.js";
import { Waveform } from "./waveform.js";

/** Of what browsers decode; the model's. */
const SAMPLE_RATE = 16_000;
const MEGABYTE = 1e6;
/** Seconds of audio that may wait before the page says so. */
const MOST_BEHIND = 3;

function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const drop = byId("drop");
const picker = byId<HTMLInputElement>("file");
const record = byId<HTMLButtonElement>("record");
const cancel = byId<HTMLButtonElement>("cancel");
const decoder = byId<HTMLSelectElement>("decoder");
const status = byId("status");
const progress = byId<HTMLProgressElement>("progress");
const details = byId("word");
const result = byId("result");
const player = byId<HTMLAudioElement>("player");

const play = (seconds: number): void => {
  if (player.src === "") return;
  player.currentTime = seconds;
  void player.play();
};
const waveform = new Waveform(byId("waveform"), play);
const view = new TranscriptView(
  byId("transcript"),
  byId("spoken"),
  (text) => (details.textContent = text),
  play,
);

let worker: Worker;
let sentences: Transcript[] = [];
let name = "transcript";
/** What the page does now: nothing works before the model is loaded, and one thing at a time. */
let state: "loading" | "ready" | "file" | "recording" | "stopping" | "broken" = "loading";
let file: File | null = null;
/** A file that came before the model was loaded. */
let waiting: File | null = null;
let duration = 0;
let microphone: Microphone | null = null;
let recorded: WavWriter | null = null;

function enter(next: typeof state, message: string): void {
  state = next;
  document.documentElement.dataset["state"] = next;
  status.textContent = message;
  const ready = next === "ready";
  picker.disabled = !ready;
  decoder.disabled = !ready;
  record.disabled = !ready && next !== "recording";
  record.textContent = next === "recording" ? "Stop" : "Record";
  record.setAttribute("aria-pressed", String(next === "recording"));
  cancel.hidden = next !== "file";
  progress.hidden = next !== "file" && next !== "loading";
  for (const button of document.querySelectorAll<HTMLButtonElement>("#downloads button")) {
    button.disabled = sentences.length === 0 || !ready;
  }
}

function fail(message: string): void {
  enter(state === "loading" || state === "broken" ? "broken" : "ready", message);
  status.dataset["kind"] = "error";
}

function ask(request: Request, transfer: Transferable[] = []): void {
  worker.postMessage(request, transfer);
}

function begin(label: string): void {
  sentences = [];
  duration = 0;
  delete status.dataset["kind"];
  name = label.replace(/\.[^.]*$/, "") || "transcript";
  if (player.src !== "") URL.revokeObjectURL(player.src);
  player.removeAttribute("src");
  player.hidden = true;
  details.textContent = "";
  result.hidden = false;
  view.clear();
  waveform.clear();
}

function offerPlayback(audio: Blob): void {
  player.src = URL.createObjectURL(audio);
  player.hidden = false;
}

function chosenDecoder(): DecoderName {
  return decoder.value === "greedy" ? "greedy" : "beam";
}

function transcribe(chosen: File): void {
  if (state === "loading") waiting = chosen;
  if (state !== "ready") return;
  file = chosen;
  begin(chosen.name);
  progress.removeAttribute("value");
  enter("file", `Transcribing ${chosen.name} …`);
  offerPlayback(chosen);
  ask({ type: "file", file: chosen, decoder: chosenDecoder() });
}

/** Formats other than plain WAV are decoded by the browser. */
async function decodeInBrowser(): Promise<void> {
  if (file === null) return;
  let audio: AudioBuffer;
  try {
    const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
    audio = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    return fail(`${file.name} is no sound that this browser can read, or it is damaged.`);
  }
  duration = audio.duration;
  const channels = Array.from({ length: audio.numberOfChannels }, (_, channel) =>
    audio.getChannelData(channel).slice(),
  );
  ask(
    { type: "samples", channels, sampleRate: audio.sampleRate, decoder: chosenDecoder() },
    channels.map((channel) => channel.buffer),
  );
}

async function startRecording(): Promise<void> {
  if (state !== "ready") return;
  begin("recording");
  enter("stopping", "Asking for the microphone …");
  try {
    microphone = await Microphone.open(hear, () => void stopRecording("The microphone went away."));
  } catch (error) {
    return fail(error instanceof RecognizerError ? error.message : `It does not work (${error}).`);
  }
  recorded = new WavWriter(microphone.sampleRate);
  ask({ type: "start", sampleRate: microphone.sampleRate, decoder: chosenDecoder() });
  enter("recording", "Listening … speak now.");
}

function hear(samples: Float32Array): void {
  if (recorded === null) return;
  recorded.add(samples);
  ask({ type: "feed", samples }, [samples.buffer]);
}

async function stopRecording(reason = "Finishing …"): Promise<void> {
  if (state !== "recording") return;
  enter("stopping", reason);
  await microphone?.close();
  ask({ type: "stop" });
  if (recorded !== null) offerPlayback(recorded.file());
  microphone = null;
  recorded = null;
}

function answered(answer: Answer): void {
  switch (answer.type) {
    case "loading": {
      const [loaded, total] = [answer.loaded, answer.total].map((bytes) => bytes / MEGABYTE);
      progress.max = total!;
      progress.value = loaded!;
      tell(`Loading the model, ${total!.toFixed(0)} MB …`);
      return;
    }
    case "ready": {
      document.documentElement.dataset["threads"] = String(answer.threads);
      document.documentElement.dataset["loadSeconds"] = answer.seconds.toFixed(2);
      if (!answer.decoders.includes("beam")) {
        decoder.querySelector('[value="beam"]')!.remove();
        byId("letters-only").hidden = false;
      }
      if (!answer.streams) record.hidden = true;
      enter("ready", "Ready. Drop a recording, or press Record.");
      if (waiting !== null) transcribe(waiting);
      waiting = null;
      return;
    }
    case "needsDecoding":
      return void decodeInBrowser();
    case "peaks":
      return waveform.addPeaks(answer.peaks, state === "recording");
    case "progress":
      if (state === "recording") return tellDelay(answer.seconds);
      progress.max = 1;
      if (duration > 0) progress.value = answer.seconds / duration;
      else tell(`${minutes(answer.seconds)} transcribed …`);
      return;
    case "sentence":
      return finished(answer.transcript);
    case "result":
      if (answer.result.transcript === undefined) view.draft(answer.result);
      else finished(answer.result.transcript);
      return;
    case "done": {
      const speed = answer.computing / Math.max(answer.seconds, 0.001);
      document.documentElement.dataset["speed"] = speed.toFixed(4);
      const length = `${answer.seconds.toFixed(1)} s of audio took ${answer.computing.toFixed(1)} s`;
      const nothing = sentences.length === 0 ? "No words were heard. " : "";
      return enter("ready", `${nothing}${answer.cancelled ? "Stopped. " : ""}${length}.`);
    }
    case "failed":
      return fail(answer.message);
  }
}

/** Say so if the computer cannot keep up with the microphone. */
function tellDelay(done: number): void {
  const behind = (recorded?.seconds ?? 0) - done;
  const late = behind > MOST_BEHIND ? ` This computer is ${behind.toFixed(0)} s behind.` : "";
  tell(`Listening … speak now.${late}`);
}

/** Says how things are, once: screen readers read every change of it. */
function tell(message: string): void {
  if (status.textContent !== message) status.textContent = message;
}

function finished(transcript: Transcript): void {
  const words = view.add(transcript);
  if (transcript.text === "") return;
  sentences.push(transcript);
  waveform.addWords(words);
}

function download(kind: Format): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([format(sentences, kind)], { type: "text/plain" }));
  link.download = `${name}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function listen(): void {
  picker.addEventListener("change", () => {
    const chosen = picker.files?.[0];
    if (chosen !== undefined) transcribe(chosen);
    picker.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const dropped = event.dataTransfer?.files[0];
    if (dropped !== undefined) transcribe(dropped);
  });
  record.addEventListener("click", () => {
    void (state === "recording" ? stopRecording() : startRecording());
  });
  cancel.addEventListener("click", () => ask({ type: "cancel" }));
  byId("downloads").addEventListener("click", (event) => {
    const kind = event.target instanceof HTMLElement ? event.target.dataset["format"] : undefined;
    if (kind === "copy") void navigator.clipboard.writeText(format(sentences, "txt"));
    else if (kind !== undefined) download(kind as Format);
  });
  const follow = (): void => {
    view.play(player.currentTime);
    waveform.mark(player.currentTime);
    if (!player.paused) requestAnimationFrame(follow);
  };
  player.addEventListener("play", follow);
  player.addEventListener("seeked", follow);
  player.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(player.duration)) duration = player.duration;
  });
}

/** Threads that were asked for in the address; with so small a model, more than one cost more. */
function askedThreads(): number {
  const asked = Number(new URLSearchParams(location.search).get("threads"));
  return asked >= 1 ? Math.min(Math.floor(asked), navigator.hardwareConcurrency) : 1;
}

/**
 * Wait until the service worker answers for the page, so that each file is fetched once and kept.
 *
 * For several threads the page is then loaded again, before anything large is, because it needs
 * headers that the service worker adds.
 *
 * @returns Whether that is about to happen.
 */
async function keepOffline(): Promise<boolean> {
  const workers = navigator.serviceWorker;
  if (workers === undefined) return false;
  const registered = workers.register("service_worker.js");
  try {
    if (workers.controller !== null) {
      registered.catch(() => {}); // it is here already; a new one is not waited for
    } else {
      await registered;
      await Promise.race([
        new Promise((resolve) => workers.addEventListener("controllerchange", resolve)),
        new Promise((resolve) => setTimeout(resolve, 5000)),
      ]);
    }
  } catch {
    return false; // a server without https, or a browser that keeps nothing
  }
  const again = askedThreads() > 1 && !crossOriginIsolated && workers.controller !== null;
  if (!again || sessionStorage.getItem("again") !== null) return false;
  sessionStorage.setItem("again", "yes");
  location.reload();
  return true;
}

function tellErrors(files: PageFiles): void {
  const { beam, greedy } = files.wordsWrong;
  const rate = files.languageModel === null ? greedy : beam;
  if (rate === null) return;
  byId("words-wrong").textContent =
    `On clearly read English by speakers it never heard, ${(rate * 100).toFixed(1)} % of the ` +
    `words were wrong: about one in ${Math.round(1 / rate)}.`;
}

async function main(): Promise<void> {
  listen();
  enter("loading", "Loading …");
  if (await keepOffline()) return;
  worker = new Worker("worker.js", { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => answered(data));
  worker.addEventListener("error", (event) => fail(`The page's worker failed: ${event.message}`));
  let files: PageFiles;
  try {
    files = await (await fetch("files.json")).json();
  } catch {
    return fail("The page's list of files cannot be loaded; is the server or the network away?");
  }
  tellErrors(files);
  ask({ type: "load", files, threads: crossOriginIsolated ? askedThreads() : 1 });
}

void main();
