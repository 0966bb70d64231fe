import { BLANK } from "../language/phonemes.js";
import { LOG_ZERO, type PronunciationTree } from "../language/pronunciation_tree.js";
import { Hypotheses } from "./hypotheses.js";
import { Recombinations } from "./recombinations.js";
import { Traceback } from "./traceback.js";
import { WordCache, type WordScorer } from "./word_scorer.js";

/** Nats of a label that cannot be, so that there is always a best text. */
export const IMPROBABLE = -1e4;

/** A frame to search; see `Frame` of `decoding/phoneme_state.py`. */
export interface Frame {
  readonly number: number;
  readonly row: Float64Array;
  readonly labels: readonly number[];
  readonly steady: boolean;
}

/** The last frame after which a hypothesis stood between words, and all frames since. */
export interface Refuge {
  readonly beam: Hypotheses;
  readonly silence: number;
  readonly silent: boolean;
  readonly stepped: boolean;
  /** Nats of the best hypothesis then. */
  readonly best: number;
  /** Nats of the most probable labels of the frames since. */
  heard: number;
  readonly frames: Frame[];
}

/** How far the search of one utterance has come; see `decoding/phoneme_state.py`. */
export class SearchState {
  beam = new Hypotheses();
  readonly traceback = new Traceback();
  readonly words: WordCache;
  /** Notes for other texts than the best; null where that is enough. */
  readonly recombinations: Recombinations | null;
  /** Frames searched so far. */
  frames = 0;
  /** Nats of the blanks since a label was last likely, which all hypotheses have yet to get. */
  silence = 0;
  silent = false;
  /** Log-probabilities of the last frame. */
  readonly lastRow = new Float64Array(BLANK + 1).fill(IMPROBABLE);
  /** Whether labels could be added in that. */
  stepped = false;
  /** Where to go back to from a dead end; null for the beam as it is. */
  refuge: Refuge | null = null;
  /** Whether the beam is wide, because there was one. */
  wide = false;

  constructor(words: WordScorer, tree: PronunciationTree, notes: boolean) {
    this.words = new WordCache(words);
    this.recombinations = notes ? new Recombinations() : null;
    const root = this.beam.grow();
    this.beam.place(root, tree.roots + BLANK, words.start);
    this.beam.spoken[root] = LOG_ZERO;
  }

  /** Makes the hypotheses as they are now the ones to go back to. */
  settle(): Refuge {
    const { beam, silence, silent, stepped } = this;
    this.refuge = { beam, silence, silent, stepped, best: this.best() + silence, heard: 0, frames: [] };
    return this.refuge;
  }

  /** Nats of the best hypothesis. */
  best(): number {
    let best = -Infinity;
    for (let index = 0; index < this.beam.count; index++) {
      best = Math.max(best, this.beam.total(index));
    }
    return best;
  }

  /** Takes the hypotheses of a refuge, to search the frames since then once more. */
  goBack({ beam, silence, silent, stepped }: Refuge): void {
    Object.assign(this, { beam, silence, silent, stepped });
  }

  /** The hypotheses, to be changed where they are: not those to go back to. */
  ownBeam(): Hypotheses {
    if (this.beam === this.refuge?.beam) this.beam = this.beam.copy();
    return this.beam;
  }

  /** All hypotheses get the blanks since the last label: their paths are in the blank after them. */
  countSilence(): void {
    if (!this.silent) return;
    const beam = this.ownBeam();
    for (let index = 0; index < beam.count; index++) {
      beam.blank[index] = beam.total(index) + this.silence;
      beam.spoken[index] = LOG_ZERO;
    }
    this.silence = 0;
    this.silent = false;
  }

  /** Leave out the first labels, which all hypotheses must share, from what is spelled. */
  commit(labels: number): void {
    const { beam, refuge } = this;
    const { count } = beam;
    // What to go back to must share them too; it is done for both at once.
    const both = beam.copy();
    const sharing = refuge === null ? [] : this.#sharing(refuge.beam, labels);
    for (const index of sharing) both.push(refuge!.beam, index);
    if (this.recombinations === null) this.traceback.keep(both.trace, both.count, labels);
    else this.recombinations.commit(this.traceback, both, labels);
    this.beam = both.part(0, count);
    const rest = both.part(count, both.count);
    this.refuge = refuge === null || rest.count === 0 ? null : { ...refuge, beam: rest };
  }

  /** Which hypotheses begin with the first labels of the beam's. */
  #sharing(hypotheses: Hypotheses, labels: number): number[] {
    const beginning = this.traceback.follow(this.beam.trace[0]!).labels.slice(0, labels);
    return Array.from({ length: hypotheses.count }, (_, index) => index).filter((index) => {
      const spelled = this.traceback.follow(hypotheses.trace[index]!).labels;
      return beginning.every((label, place) => spelled[place] === label);
    });
  }
}
