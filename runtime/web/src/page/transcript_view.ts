import { type Transcript, type Word, wordsOf } from "../decoding/transcript.js";
import type { StreamResult } from "../live/live_stream.js";

/** Seconds as people write them. */
export function minutes(seconds: number): string {
  const total = Math.floor(seconds);
  const two = (number: number): string => String(number).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const rest = Math.floor((total % 3600) / 60);
  return hours > 0 ? `${hours}:${two(rest)}:${two(total % 60)}` : `${rest}:${two(total % 60)}`;
}

/** The text on the page: a paragraph a sentence, a shaded span a word. */
export class TranscriptView {
  #words: { element: HTMLElement; word: Word }[] = [];
  #current = -1;
  #draft: HTMLElement | null = null;

  /**
   * @param root Where the text goes.
   * @param spoken A live region that screen readers read finished sentences from.
   * @param tell Shows the times of the word under the pointer or the keyboard's mark.
   * @param choose Called with the time of a word that was chosen.
   */
  constructor(
    readonly root: HTMLElement,
    readonly spoken: HTMLElement,
    readonly tell: (text: string) => void,
    choose: (seconds: number) => void,
  ) {
    const wordAt = (target: EventTarget | null): number =>
      this.#words.findIndex(({ element }) => element === target);
    root.addEventListener("pointerover", (event) => this.#tell(wordAt(event.target)));
    root.addEventListener("click", (event) => {
      const index = wordAt(event.target);
      if (index < 0) return;
      this.#move(index);
      choose(this.#words[index]!.word.start);
    });
    root.addEventListener("keydown", (event) => {
      const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
      const step = steps[event.key];
      if (step !== undefined) this.#move(this.#current + step);
      else if (event.key === "Home") this.#move(0);
      else if (event.key === "End") this.#move(this.#words.length - 1);
      else if (event.key === "Enter" && this.#current >= 0) {
        choose(this.#words[this.#current]!.word.start);
      } else return;
      event.preventDefault();
    });
    root.addEventListener("blur", () => this.#unmark());
  }

  clear(): void {
    this.root.replaceChildren();
    this.spoken.replaceChildren();
    this.#words = [];
    this.#current = -1;
    this.#draft = null;
  }

  /** A finished sentence takes the place of its draft. */
  add(sentence: Transcript): Word[] {
    this.#draft?.remove();
    this.#draft = null;
    if (sentence.text === "") return [];
    const paragraph = document.createElement("p");
    const words = wordsOf(sentence.tokens);
    words.forEach((word, index) => {
      const element = document.createElement("span");
      element.className = "word";
      element.textContent = word.text;
      element.title = describe(word);
      element.style.setProperty("--doubt", `${Math.round((1 - word.confidence) * 100)}%`);
      element.style.setProperty("--turn", String(Math.min(index, 40)));
      paragraph.append(element, " ");
      this.#words.push({ element, word });
    });
    this.root.append(paragraph);
    const line = document.createElement("p");
    line.textContent = sentence.text;
    this.spoken.append(line);
    this.#scroll(paragraph);
    return words;
  }

  /** What a sentence that is being spoken looks like now. */
  draft(result: StreamResult): void {
    this.#draft?.remove();
    this.#draft = null;
    if (result.text === "") return;
    const paragraph = document.createElement("p");
    paragraph.className = "draft";
    paragraph.append(result.stable);
    const open = document.createElement("span");
    open.className = "open";
    open.textContent = result.text.slice(result.stable.length);
    paragraph.append(open);
    this.root.append(paragraph);
    this.#draft = paragraph;
    this.#scroll(paragraph);
  }

  /** Mark the word that is being played. */
  play(seconds: number): void {
    for (const { element, word } of this.#words) {
      element.classList.toggle("played", seconds >= word.start && seconds < word.end);
    }
  }

  #move(index: number): void {
    if (this.#words.length === 0) return;
    this.#unmark();
    this.#current = Math.max(0, Math.min(index, this.#words.length - 1));
    const { element } = this.#words[this.#current]!;
    element.classList.add("current");
    element.scrollIntoView({ block: "nearest" });
    this.#tell(this.#current);
  }

  #unmark(): void {
    this.#words[this.#current]?.element.classList.remove("current");
  }

  #tell(index: number): void {
    const found = this.#words[index];
    if (found !== undefined) this.tell(`“${found.word.text}” ${describe(found.word)}`);
  }

  #scroll(paragraph: HTMLElement): void {
    paragraph.scrollIntoView({ block: "nearest" });
  }
}

function describe(word: Word): string {
  const percent = Math.round(word.confidence * 100);
  return `${word.start.toFixed(2)} to ${word.end.toFixed(2)} s, ${percent} % sure`;
}
