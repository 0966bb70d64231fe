import type { Word } from "./decoding/transcript.js";
import { roundHalfEven } from "./rounding.js";

/**
 * Subtitles from words and their times.
 *
 * The rules, their costs and the method are those of `asr_runtime/subtitles.py`, which explains
 * them; the result is that of `asr-run --format srt` and `--format vtt`.
 */
const LINE_CHARACTERS = 42;
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 7;
const CHARACTERS_PER_SECOND = 20;
const GAP_SECONDS = 0.08;
const SILENCE_SECONDS = 2;
const LINGER_SECONDS = 0.5;
const PENDING_WORDS = 120;

const CUE = 1;
const BREAK_INSIDE_PHRASE = 1.5;
const BREAK_BETWEEN_WORDS = 0.7;
const BREAK_AT_COMMA = 0.2;
const SHORT_CUE = 0.8;
const TOO_FAST = 0.3;
const PAUSE_INSIDE = 2;
const SENTENCE_INSIDE = 1.2;
const UNEVEN = 0.4;
const LINE_BREAK = 1;
const TOO_WIDE = 1e3;
const LONG_PAUSE = 0.4;

/** Words that begin a phrase: a line or a cue does not end with one of them. */
const OPENERS = new Set(
  (
    "a an the this that these those my your his her its our their no some any every each " +
    "of to in on at by for from with without into onto upon over under about between through " +
    "and or but nor so yet if when while because although though unless until than as whether " +
    "who whom whose which what where how i you he she it we they " +
    "is are was were be been am do does did has have had will would can could shall should may " +
    "might must not mr mrs dr"
  ).split(" "),
);

/** Words of a cue, line by line. */
type Layout = readonly (readonly Word[])[];

interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: Layout;
}

export function toSrt(words: readonly Word[]): string {
  return cuesOf(words)
    .map((cue, index) => `${index + 1}\n${times(cue, ",")}\n${textOf(cue)}\n\n`)
    .join("");
}

export function toVtt(words: readonly Word[]): string {
  const escaped = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `WEBVTT\n\n${cuesOf(words)
    .map((cue) => `${times(cue, ".")}\n${escaped(textOf(cue))}\n\n`)
    .join("")}`;
}

function cuesOf(words: readonly Word[]): Cue[] {
  const layouts: Layout[] = [];
  let pending: Word[] = [];
  for (const word of words) {
    if (pending.length > 0 && word.start - pending.at(-1)!.end >= SILENCE_SECONDS) {
      layouts.push(...broken(pending));
      pending = [];
    }
    pending.push(word);
    if (pending.length >= PENDING_WORDS) {
      const decided = broken(pending);
      pending = decided.pop()!.flat();
      layouts.push(...decided);
    }
  }
  layouts.push(...broken(pending));
  return timed(layouts);
}

/** When each cue is on screen. */
function timed(layouts: readonly Layout[]): Cue[] {
  const cues: Cue[] = [];
  for (const lines of layouts) {
    const words = lines.flat();
    const held = cues.at(-1);
    let start = words[0]!.start;
    if (held !== undefined) {
      start = Math.max(start, held.start + 0.001);
      const gap = start - held.start > 2 * GAP_SECONDS ? GAP_SECONDS : 0;
      const end = Math.max(Math.min(held.end, start - gap), held.start + 0.001);
      cues[cues.length - 1] = { ...held, end };
    }
    const last = words.at(-1)!.end;
    const shown = Math.max(SHORTEST_SECONDS, lengthOf(words) / CHARACTERS_PER_SECOND);
    const end = Math.max(last + LINGER_SECONDS, start + Math.min(shown, LONGEST_SECONDS));
    const longest = Math.max(LONGEST_SECONDS, last - start); // of a single endless word
    cues.push({ start, end: Math.min(end, start + longest), lines });
  }
  return cues;
}

/** The words as cues, at the least cost of all. */
function broken(words: readonly Word[]): Layout[] {
  const count = words.length;
  const best = [0, ...new Array<number>(count).fill(Infinity)];
  const begins = new Array<number>(count + 1).fill(0);
  for (let end = 1; end <= count; end++) {
    const after = breakCost(words, end);
    for (let begin = end - 1; begin >= 0; begin--) {
      const part = words.slice(begin, end);
      const tooLong = part.at(-1)!.end - part[0]!.start > LONGEST_SECONDS;
      const [, badness] = lineCut(part);
      if (end - begin > 1 && (tooLong || badness >= TOO_WIDE)) break;
      const cost = best[begin]! + CUE + after + cueCost(words, begin, end) + badness;
      if (cost < best[end]!) {
        best[end] = cost;
        begins[end] = begin;
      }
    }
  }
  const layouts: Layout[] = [];
  for (let end = count; end > 0; end = begins[end]!) {
    const part = words.slice(begins[end]!, end);
    const [cut] = lineCut(part);
    layouts.push([part.slice(0, cut), part.slice(cut)].filter((line) => line.length > 0));
  }
  return layouts.reverse();
}

function cueCost(words: readonly Word[], begin: number, end: number): number {
  const part = words.slice(begin, end);
  const start = part[0]!.start;
  const until = words[end]?.start ?? part.at(-1)!.end + LINGER_SECONDS;
  const seconds = Math.max(0.05, Math.min(until, start + LONGEST_SECONDS) - start);
  let cost = TOO_FAST * Math.max(0, lengthOf(part) / seconds - CHARACTERS_PER_SECOND);
  if (seconds < SHORTEST_SECONDS || part.length === 1) cost += SHORT_CUE;
  let pauses = 0;
  let signs = 0;
  part.slice(0, -1).forEach((word, index) => {
    const pause = part[index + 1]!.start - word.end;
    if (pause > LONG_PAUSE) pauses += pause;
    if (stops(word)) signs++;
  });
  return cost + PAUSE_INSIDE * pauses + SENTENCE_INSIDE * signs;
}

/** How bad it is that a cue ends before word `end`. */
function breakCost(words: readonly Word[], end: number): number {
  if (end === words.length) return 0;
  const last = words[end - 1]!;
  if (stops(last)) return 0;
  const pause = words[end]!.start - last.end;
  if (/[,;:]$/.test(last.text) || pause >= LONG_PAUSE) {
    return BREAK_AT_COMMA * Math.max(0, 1 - pause);
  }
  const opens = OPENERS.has(last.text.toLowerCase());
  return (opens ? BREAK_INSIDE_PHRASE : BREAK_BETWEEN_WORDS) - Math.min(pause, LONG_PAUSE);
}

/** Where the second line begins, and how bad that is. */
function lineCut(words: readonly Word[]): [number, number] {
  const total = lengthOf(words);
  if (total <= LINE_CHARACTERS || words.length === 1) return [words.length, 0];
  let cut = words.length;
  let badness = Infinity;
  let first = -1;
  for (let place = 1; place < words.length; place++) {
    first += words[place - 1]!.text.length + 1;
    const second = total - first - 1;
    if (Math.max(first, second) > LINE_CHARACTERS) continue;
    const uneven = Math.abs(first - second) / LINE_CHARACTERS;
    const found = UNEVEN * uneven + LINE_BREAK * breakCost(words, place);
    if (found < badness) [cut, badness] = [place, found];
  }
  return [cut, Math.min(badness, TOO_WIDE)];
}

function stops(word: Word): boolean {
  return /[.?!…]$/.test(word.text);
}

function lengthOf(words: readonly Word[]): number {
  return words.reduce((sum, word) => sum + word.text.length + 1, -1);
}

function textOf(cue: Cue): string {
  return cue.lines.map((line) => line.map((word) => word.text).join(" ")).join("\n");
}

function times(cue: Cue, point: string): string {
  return `${clock(cue.start, point)} --> ${clock(cue.end, point)}`;
}

function clock(seconds: number, point: string): string {
  const total = roundHalfEven(seconds * 1000);
  const two = (number: number): string => String(Math.floor(number)).padStart(2, "0");
  const parts = [two(total / 3_600_000), two((total / 60_000) % 60), two((total / 1000) % 60)];
  return `${parts.join(":")}${point}${String(total % 1000).padStart(3, "0")}`;
}
