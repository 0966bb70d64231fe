import { RecognizerError } from "../errors.js";

/** What to tell a person whose microphone does not work, by the name of the browser's error. */
const PROBLEMS: Readonly<Record<string, string>> = {
  NotAllowedError: "The browser does not let this page use the microphone; allow it and try again.",
  NotFoundError: "There is no microphone; connect one and try again.",
  NotReadableError: "Another program holds the microphone; close it and try again.",
};

/** The microphone, as it is: without echo cancellation or other changes that hide speech. */
export class Microphone {
  #ended = (): void => {};

  private constructor(
    readonly context: AudioContext,
    readonly media: MediaStream,
    readonly node: AudioWorkletNode,
    hear: (samples: Float32Array) => void,
  ) {
    node.port.onmessage = ({ data }: MessageEvent<Float32Array | null>) => {
      if (data === null) this.#ended();
      else hear(data);
    };
  }

  /**
   * Begin to listen.
   *
   * @param hear Called with the next samples.
   * @param lost Called if the microphone goes away.
   * @throws RecognizerError if that does not work.
   */
  static async open(hear: (samples: Float32Array) => void, lost: () => void): Promise<Microphone> {
    if (navigator.mediaDevices === undefined) {
      throw new RecognizerError("Browsers give the microphone to pages of https: or localhost only.");
    }
    let media: MediaStream;
    try {
      media = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new RecognizerError(PROBLEMS[name] ?? `The microphone does not work (${error}).`);
    }
    const context = new AudioContext();
    await context.audioWorklet.addModule("recorder_worklet.js");
    const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    context.createMediaStreamSource(media).connect(node);
    media.getAudioTracks()[0]?.addEventListener("ended", lost);
    return new Microphone(context, media, node, hear);
  }

  get sampleRate(): number {
    return this.context.sampleRate;
  }

  /** Stop listening, after all samples that were heard. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => (this.#ended = resolve));
    this.node.port.postMessage("stop");
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))]);
    this.media.getTracks().forEach((track) => track.stop());
    await this.context.close();
  }
}
