import type { PhonemeDecoder } from "../decoding/phoneme_decoder.js";
import type { SearchState } from "../decoding/phoneme_state.js";
import { Rows } from "../decoding/rows.js";
import type { Path, Spelled } from "../decoding/traceback.js";
import { textOf, type Token, withoutLeadingSpace } from "../decoding/transcript.js";
import type { AlignedWords } from "../decoding/word_alignment.js";
import type { History } from "../decoding/word_histories.js";
import type { Partial, SentenceSearch } from "./sentence_search.js";

/** Frames after which words may become stable; a multiple of them however frames come. */
const STEP = 10;
/** Words that ended so long ago are those of the best hypothesis from then on. */
const AGREEMENT_SECONDS = 3;
/**
 * Where the best texts are compared once more, words wait for that: until the sentence's first word
 * that is not stable began so long ago, and until so long after the last comparison. Then those are
 * settled that ended some time ago.
 */
const RESCORED_SECONDS = 3;
const SETTLED_SECONDS = 1.5;
const PAUSE_SECONDS = 1;
/** Seconds after a word boundary that a sentence is to be cut at by force. */
const CUT_SECONDS = 1;

/** The text that is ahead. */
interface Ahead extends Spelled {
  /** What all hypotheses have spelled, and which of them the text ends as. */
  readonly spelled: readonly Spelled[];
  readonly best: number;
  /** Label of the text from which on its labels are the hypothesis's. */
  readonly own: number;
  /** How many labels more than the text the hypothesis has before those. */
  readonly shift: number;
}

/**
 * `PhonemeDecoder.decode` for frames that come piece by piece; see `sentences/beam_sentence.py`.
 *
 * Words that all hypotheses have in common become stable, and their frames are not needed any more.
 */
export class BeamSentence implements SentenceSearch {
  begin = 0;
  frames = 0;
  #rows: Rows;
  #state: SearchState;
  /** The frame that the search's first is, and the first of those that are kept. */
  #origin = 0;
  #base = 0;
  #compared = 0;
  #stable: readonly Token[] = [];
  /** What the stable words of the sentence are to those that compare texts once more. */
  #context: History | undefined;

  constructor(
    readonly decoder: PhonemeDecoder,
    readonly seconds: number,
  ) {
    this.#rows = new Rows(new Float32Array(0), decoder.heads.width);
    this.#state = decoder.begin();
  }

  advance(rows: Rows): void {
    while (rows.frames > 0) {
      const step = Math.min(STEP - (this.#state.frames % STEP), rows.frames);
      const piece = rows.slice(0, step);
      rows = rows.slice(step);
      this.decoder.search.advance(this.#state, piece);
      this.#rows = Rows.concat([this.#rows, piece], piece.width);
      this.frames += step;
      if (this.#state.frames % STEP === 0) this.#agree();
    }
  }

  partial(): Partial {
    const tokens = this.#withStable(this.#written(this.decoder.search.best(this.#state)));
    return { text: textOf(tokens).trimEnd(), stable: textOf(this.#stable) };
  }

  end(): readonly Token[] {
    this.decoder.search.conclude(this.#state);
    const tokens = this.#withStable(this.#written(this.decoder.bestText(this.#state, this.#context)));
    this.#state = this.decoder.begin();
    this.begin = this.#origin = this.#base = this.frames;
    this.#rows = this.#rows.slice(0, 0).copy();
    this.#stable = [];
    this.#context = undefined;
    return tokens;
  }

  split(): readonly Token[] {
    const earliest = this.begin + Math.floor((this.frames - this.begin) / 3);
    if (this.#base <= earliest) {
      const ahead = this.#ahead();
      const at = (place: number): number => ahead.startFrames[place]! + this.#origin;
      const places = Array.from(ahead.labels, (_, index) => index + 1);
      const late = places.filter((place) => at(place) > earliest && place >= ahead.own);
      if (late.length === 0) return this.end();
      const limit = this.frames - CUT_SECONDS / this.seconds;
      const before = late.filter((place) => at(place) < limit);
      this.#settle((before.at(-1) ?? late.at(-1))!, ahead);
    }
    const tokens = this.#stable;
    this.begin = this.#base;
    this.#stable = [];
    return tokens;
  }

  /** The text that is ahead, after the best ones were compared once more. */
  #ahead(): Ahead {
    const { search, rescorer } = this.decoder;
    const state = this.#state;
    const spelled = search.spelled(state);
    if (rescorer === null) {
      const best = search.leader(state);
      return { ...spelled[best]!, spelled, best, own: 0, shift: 0 };
    }
    const found = this.decoder.bestText(state, this.#context);
    const { own, shift } = found;
    let best = -1;
    for (let index = 0; index < state.beam.count; index++) {
      if (state.beam.trace[index] !== found.prefix) continue;
      if (best < 0 || state.beam.total(index) > state.beam.total(best)) best = index;
    }
    // The hypothesis's own labels go on where the path's beginning ends.
    const joined = (path: readonly number[], rest: readonly number[]): number[] => [
      ...path.slice(0, own),
      ...rest.slice(own + shift),
    ];
    const { labels, startFrames, since } = spelled[best]!;
    return {
      labels: joined(found.labels, labels),
      startFrames: joined(found.startFrames, startFrames),
      since: joined(found.startFrames, since),
      spelled,
      best,
      own,
      shift,
    };
  }

  /** Make the words stable that all hypotheses share, or that are old enough. */
  #agree(): void {
    const compares = this.decoder.rescorer !== null;
    if (compares && this.#waits()) return;
    const ahead = this.#ahead();
    const { labels, since } = ahead;
    let shared = compares ? 0 : labels.length;
    for (const other of ahead.spelled) {
      let same = 0;
      while (same < shared && other.labels[same] === labels[same]) same++;
      shared = same;
    }
    const seconds = compares ? SETTLED_SECONDS : AGREEMENT_SECONDS;
    const limit = this.frames - seconds / this.seconds - this.#origin;
    for (let place = labels.length; place > 0; place--) {
      if (place <= shared || (place >= ahead.own && since[place]! < limit)) {
        this.#settle(place, ahead);
        return;
      }
    }
  }

  /** Whether it is too early to compare the best texts once more; if not, it is done now. */
  #waits(): boolean {
    if (this.frames < this.#compared + PAUSE_SECONDS / this.seconds) return true;
    const began = this.decoder.search.best(this.#state).startFrames[0];
    const limit = this.frames - RESCORED_SECONDS / this.seconds - this.#origin;
    if (began === undefined || began > limit) return true;
    this.#compared = this.frames;
    return false;
  }

  /**
   * Make the words before a place of the text ahead stable; others than these are dropped.
   *
   * @param place A place among the hypothesis's own labels.
   */
  #settle(place: number, ahead: Ahead): void {
    const own = place + ahead.shift;
    const before = ahead.spelled[ahead.best]!.labels.slice(0, own);
    const agrees: number[] = [];
    // The frame from which on none of the hypotheses spells what comes before.
    let cut = Infinity;
    ahead.spelled.forEach((other, index) => {
      if (before.some((label, word) => other.labels[word] !== label)) return;
      agrees.push(index);
      cut = Math.min(cut, other.startFrames[own]! + this.#origin - this.#base);
    });
    const startFrames = ahead.startFrames.slice(0, ahead.labels.length);
    const { words, end } = this.#align({ labels: ahead.labels, startFrames });
    const settled = { words: words.slice(0, place), end: words[place]?.first[0] ?? end };
    this.#stable = this.#withStable(this.#tokens(settled));
    this.#state.beam = this.#state.beam.take(agrees);
    this.#state.commit(own);
    const ids = ahead.labels.slice(0, place).map((label) => this.decoder.wordId(label));
    this.#context = this.decoder.rescorer?.mixture.after(ids, this.#context);
    this.#rows = this.#rows.slice(cut).copy();
    this.#base += cut;
  }

  #written(found: Path): readonly Token[] {
    return this.#tokens(this.#align(found));
  }

  #align({ labels, startFrames }: Path): AlignedWords {
    const { search, aligner } = this.decoder;
    const frames = startFrames.map((frame) => frame + this.#origin - this.#base);
    return aligner.align(this.#rows, labels, frames, search.blankFrames(this.#rows));
  }

  #tokens(aligned: AlignedWords): readonly Token[] {
    const { aligner } = this.decoder;
    return aligner.tokens(this.#rows, aligned, this.seconds, this.#base, this.#stable.at(-1));
  }

  #withStable(tokens: readonly Token[]): readonly Token[] {
    return this.#stable.length > 0 ? [...this.#stable, ...tokens] : withoutLeadingSpace(tokens);
  }
}
