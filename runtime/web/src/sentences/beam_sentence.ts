import type { PhonemeDecoder } from "../decoding/phoneme_decoder.js";
import type { BestPath, Spelled } from "../decoding/phoneme_search.js";
import type { SearchState } from "../decoding/phoneme_steps.js";
import { Rows } from "../decoding/rows.js";
import { textOf, type Token, withoutLeadingSpace } from "../decoding/transcript.js";
import type { AlignedWords } from "../decoding/word_alignment.js";
import type { Partial, SentenceSearch } from "./sentence_search.js";

/** Frames after which words may become stable; a multiple of them however frames come. */
const STEP = 10;
/** Words that ended so long ago are those of the best hypothesis from then on. */
const AGREEMENT_SECONDS = 3;
/** Seconds after a word boundary that a sentence is to be cut at by force. */
const CUT_SECONDS = 1;

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
  #stable: readonly Token[] = [];

  constructor(
    readonly decoder: PhonemeDecoder,
    readonly seconds: number,
  ) {
    this.#rows = new Rows(new Float32Array(0), decoder.heads.width);
    this.#state = decoder.search.begin();
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
    const tokens = this.#withStable(this.#written(this.decoder.search.finish(this.#state)));
    this.#state = this.decoder.search.begin();
    this.begin = this.#origin = this.#base = this.frames;
    this.#rows = this.#rows.slice(0, 0).copy();
    this.#stable = [];
    return tokens;
  }

  split(): readonly Token[] {
    const earliest = this.begin + Math.floor((this.frames - this.begin) / 3);
    if (this.#base <= earliest) {
      const [spelled, best] = this.#spelled();
      const { labels, startFrames } = spelled[best]!;
      const at = (place: number): number => startFrames[place]! + this.#origin;
      const places = Array.from(labels, (_, index) => index + 1);
      const late = places.filter((place) => at(place) > earliest);
      if (late.length === 0) return this.end();
      const limit = this.frames - CUT_SECONDS / this.seconds;
      const before = late.filter((place) => at(place) < limit);
      this.#settle((before.at(-1) ?? late.at(-1))!, spelled, best);
    }
    const tokens = this.#stable;
    this.begin = this.#base;
    this.#stable = [];
    return tokens;
  }

  /** What the hypotheses have spelled, and which is the best. */
  #spelled(): [Spelled[], number] {
    const { search } = this.decoder;
    return [search.spelled(this.#state), search.leader(this.#state)];
  }

  /** Make the words stable that all hypotheses share, or that are old enough. */
  #agree(): void {
    const [spelled, best] = this.#spelled();
    const { labels, since } = spelled[best]!;
    if (labels.length === 0) return;
    let shared = labels.length;
    for (const other of spelled) {
      let same = 0;
      while (same < shared && other.labels[same] === labels[same]) same++;
      shared = same;
    }
    const limit = this.frames - AGREEMENT_SECONDS / this.seconds - this.#origin;
    for (let place = labels.length; place > 0; place--) {
      if (place <= shared || since[place]! < limit) {
        this.#settle(place, spelled, best);
        return;
      }
    }
  }

  /** Make the words before a place of the best hypothesis stable; others than these are dropped. */
  #settle(place: number, spelled: readonly Spelled[], best: number): void {
    const { labels, startFrames } = spelled[best]!;
    const agrees: number[] = [];
    // The frame from which on none of the hypotheses spells what comes before.
    let cut = Infinity;
    spelled.forEach((other, index) => {
      for (let word = 0; word < place; word++) if (other.labels[word] !== labels[word]) return;
      agrees.push(index);
      cut = Math.min(cut, other.startFrames[place]! + this.#origin - this.#base);
    });
    const aligned = this.#align({ labels, startFrames: startFrames.slice(0, labels.length) });
    const before: AlignedWords = {
      words: aligned.words.slice(0, place),
      end: aligned.words[place]?.first[0] ?? aligned.end,
    };
    this.#stable = this.#withStable(this.#tokens(before));
    this.#state.beam = this.#state.beam.take(agrees);
    this.#state.traceback.keep(this.#state.beam.trace, this.#state.beam.count, place);
    this.#rows = this.#rows.slice(cut).copy();
    this.#base += cut;
  }

  #written(found: BestPath): readonly Token[] {
    return this.#tokens(this.#align(found));
  }

  #align({ labels, startFrames }: BestPath): AlignedWords {
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
