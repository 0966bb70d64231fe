import type { PronunciationTree } from "../language/pronunciation_tree.js";
import type { BeamConfig } from "./beam_config.js";
import { logAddExp } from "./hypotheses.js";
import { PhonemeFrames } from "./phoneme_frames.js";
import { SearchState } from "./phoneme_state.js";
import type { Heads, Rows } from "./rows.js";
import type { BestPath, Spelled } from "./traceback.js";
import type { WordGraph } from "./word_graph.js";
import type { WordScorer } from "./word_scorer.js";

const FINALISTS = 16;

/**
 * CTC beam search over words by their sounds; `decoding/phoneme_search.py` explains the method.
 */
export class PhonemeSearch {
  readonly #tree: PronunciationTree;
  readonly #words: WordScorer;
  readonly #frames: PhonemeFrames;

  constructor(tree: PronunciationTree, words: WordScorer, config: BeamConfig, heads: Heads) {
    this.#tree = tree;
    this.#words = words;
    this.#frames = new PhonemeFrames(tree, words, config, heads);
  }

  /** The state before an utterance, with notes if `alternatives` will be asked for. */
  begin(notes = false): SearchState {
    return new SearchState(this.#words, this.#tree, notes);
  }

  /** Whether no label is considered, of each frame [frames]. */
  blankFrames(rows: Rows): Uint8Array {
    return this.#frames.blankFrames(rows);
  }

  /** Search the next frames; the result does not depend on how they are divided. */
  advance(state: SearchState, rows: Rows): void {
    this.#frames.advance(state, rows);
  }

  /** Search the end of an utterance once more if no hypothesis ends with a word. */
  conclude(state: SearchState): void {
    this.#frames.conclude(state);
  }

  /** The words that are ahead so far, without one that is being spoken. */
  best(state: SearchState): BestPath {
    const index = this.leader(state);
    return this.#path(state, index, state.beam.total(index));
  }

  /** Which hypothesis is ahead; in silence one between words, if there is any. */
  leader(state: SearchState): number {
    const { beam } = state;
    const among = this.#between(state);
    let best = -1;
    let most = -Infinity;
    for (let index = 0; index < beam.count; index++) {
      const total = beam.total(index);
      if (state.silent && among.size > 0 && !among.has(index)) continue;
      if (total > most) [best, most] = [index, total];
    }
    return best;
  }

  /** The best text of an utterance that ends here. The state stays as it is. */
  finish(state: SearchState): BestPath {
    const endings = this.#endings(state);
    const best = endings.reduce((one, other) => (other.nats > one.nats ? other : one));
    return this.#path(state, best.index, best.nats);
  }

  /** The texts of an utterance that ends here that are near the best one. */
  graph(state: SearchState, threshold: number): WordGraph {
    if (state.recombinations === null) throw new TypeError("the search has no notes");
    const endings = this.#endings(state).map(({ index, nats }) => this.#path(state, index, nats));
    return state.recombinations.graph(state.traceback, endings, threshold);
  }

  /** The best texts, by the best hypothesis of each, and their nats. */
  #endings(state: SearchState): readonly { readonly index: number; readonly nats: number }[] {
    const { beam } = state;
    const complete = this.#between(state);
    let ranked = Array.from({ length: beam.count }, (_, index) => index);
    if (complete.size > 0) ranked = ranked.filter((index) => complete.has(index));
    ranked.sort((one, other) => beam.total(other) - beam.total(one));
    // One text may stand with several last phonemes.
    const texts: { index: number; nats: number }[] = [];
    for (const index of ranked.slice(0, FINALISTS)) {
      const text = texts.find((each) => beam.sameText(each.index, index));
      if (text === undefined) texts.push({ index, nats: beam.total(index) });
      else text.nats = logAddExp(text.nats, beam.total(index));
    }
    return texts;
  }

  /** What every hypothesis has spelled. */
  spelled(state: SearchState): Spelled[] {
    const { beam } = state;
    return Array.from({ length: beam.count }, (_, index) => {
      const { labels, startFrames } = state.traceback.follow(beam.trace[index]!);
      const began = beam.began[index]!;
      // The next word of a hypothesis between words begins later than all frames so far.
      const next = this.#tree.between(beam.node[index]!) ? state.frames : began;
      return { labels, startFrames: [...startFrames, next], since: [...startFrames, began] };
    });
  }

  #between(state: SearchState): Set<number> {
    const places = new Set<number>();
    for (let index = 0; index < state.beam.count; index++) {
      if (this.#tree.between(state.beam.node[index]!)) places.add(index);
    }
    return places;
  }

  #path(state: SearchState, index: number, nats: number): BestPath {
    const prefix = state.beam.trace[index]!;
    const score = nats + state.silence;
    return { ...state.traceback.follow(prefix), score, prefix, own: 0, shift: 0 };
  }
}
