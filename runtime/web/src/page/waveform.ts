import type { Word } from "../decoding/transcript.js";
import { PEAKS_PER_SECOND } from "./messages.js";

/** Pixels a second: so much that the words of quick speech have room in two lines. */
const SCALE = 120;
const LINE_PIXELS = 18;
const GAP_PIXELS = 6;

/**
 * The picture of a recording with its words under it.
 *
 * Only what is in view is drawn, so that its length does not matter. People who cannot see it have
 * the text, which says the same.
 */
export class Waveform {
  readonly #canvas: HTMLCanvasElement;
  readonly #spacer: HTMLElement;
  #peaks: number[] = [];
  #words: Word[] = [];
  /** Line of each word, 0 or 1. */
  #lines: number[] = [];
  #ends = [0, 0];
  #place = -1;
  #due = false;

  /**
   * @param view Scrolls; has a canvas and an element that is as wide as the recording.
   * @param choose Called with the time that was clicked on.
   */
  constructor(
    readonly view: HTMLElement,
    choose: (seconds: number) => void,
  ) {
    this.#canvas = view.querySelector("canvas")!;
    this.#spacer = view.querySelector("[data-spacer]")!;
    view.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(view);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    this.#canvas.addEventListener("click", (event) => {
      choose((view.scrollLeft + event.offsetX) / SCALE);
    });
  }

  clear(): void {
    this.#peaks = [];
    this.#words = [];
    this.#lines = [];
    this.#ends = [0, 0];
    this.#place = -1;
    this.view.scrollLeft = 0;
    this.#resize();
  }

  /** More of the recording; `follow` scrolls to its end. */
  addPeaks(peaks: Float32Array, follow: boolean): void {
    for (const peak of peaks) this.#peaks.push(peak);
    this.#resize();
    if (follow) this.view.scrollLeft = this.view.scrollWidth;
  }

  addWords(words: readonly Word[]): void {
    const context = this.#context();
    for (const word of words) {
      const begin = word.start * SCALE;
      const end = begin + context.measureText(word.text).width + GAP_PIXELS;
      const line = this.#ends[0]! <= begin || this.#ends[0]! <= this.#ends[1]! ? 0 : 1;
      this.#words.push(word);
      this.#lines.push(line);
      this.#ends[line] = Math.max(begin, this.#ends[line]!) + end - begin;
    }
    this.#draw();
  }

  /** Mark the time that is being played; -1 for none. */
  mark(seconds: number): void {
    this.#place = seconds;
    const [left, width] = [this.view.scrollLeft, this.view.clientWidth];
    const place = seconds * SCALE;
    if (seconds >= 0 && (place < left || place > left + width - 20)) {
      this.view.scrollLeft = place - width / 4;
    }
    this.#draw();
  }

  #resize(): void {
    this.#spacer.style.width = `${(this.#peaks.length / PEAKS_PER_SECOND) * SCALE}px`;
    this.#draw();
  }

  #context(): CanvasRenderingContext2D {
    const context = this.#canvas.getContext("2d")!;
    context.font = "13px system-ui, sans-serif";
    return context;
  }

  #draw(): void {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#drawNow();
    });
  }

  #drawNow(): void {
    const { clientWidth: width, scrollLeft: left } = this.view;
    const height = this.#canvas.clientHeight;
    const ratio = devicePixelRatio;
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    const context = this.#context();
    context.scale(ratio, ratio);
    context.font = "13px system-ui, sans-serif";
    const style = getComputedStyle(this.view);
    const wave = height - 2 * LINE_PIXELS - 8;
    context.fillStyle = style.getPropertyValue("--wave");
    const bar = SCALE / PEAKS_PER_SECOND;
    const last = Math.min(this.#peaks.length, Math.ceil((left + width) / bar));
    for (let index = Math.max(0, Math.floor(left / bar)); index < last; index++) {
      // Quiet speech is to be seen as well.
      const size = Math.max(1, Math.sqrt(Math.min(1, this.#peaks[index]!)) * wave * 0.96);
      context.fillRect(index * bar - left, (wave - size) / 2, Math.max(1, bar - 0.8), size);
    }
    context.textBaseline = "top";
    let begin = [0, 0];
    this.#words.forEach((word, index) => {
      const line = this.#lines[index]!;
      const place = Math.max(word.start * SCALE, begin[line]!);
      const size = word.text.length * 9;
      begin[line] = place + context.measureText(word.text).width + GAP_PIXELS;
      if (place + size < left || place > left + width) return;
      const played = this.#place >= word.start && this.#place < word.end;
      context.fillStyle = style.getPropertyValue(played ? "--accent" : "--text");
      context.fillText(word.text, place - left, wave + 6 + line * LINE_PIXELS);
      context.fillStyle = style.getPropertyValue("--accent");
      context.fillRect(word.start * SCALE - left, wave + 1, (word.end - word.start) * SCALE, 2);
    });
    if (this.#place >= 0) {
      context.fillStyle = style.getPropertyValue("--accent");
      context.fillRect(this.#place * SCALE - left, 0, 2, wave);
    }
  }
}
