import { BLANK } from "../language/phonemes.js";
import type { PronunciationTree } from "../language/pronunciation_tree.js";
import type { BeamConfig } from "./beam_config.js";
import { IMPROBABLE, type Frame, type Refuge, type SearchState } from "./phoneme_state.js";
import { PhonemeSteps } from "./phoneme_steps.js";
import type { Heads, Rows } from "./rows.js";
import type { WordScorer } from "./word_scorer.js";

/** Nats by which no hypothesis that can still end falls behind what was heard, within a word. */
const DEAD_END = 12;
/** So many times as wide is the beam after a dead end. */
const WIDER = 2;

/**
 * The frames of the search by phonemes: which need no step, and the way out of dead ends.
 *
 * `decoding/phoneme_frames.py` explains the method.
 */
export class PhonemeFrames {
  readonly #tree: PronunciationTree;
  readonly #config: BeamConfig;
  readonly #heads: Heads;
  readonly #steps: PhonemeSteps;
  readonly #wideSteps: PhonemeSteps;
  readonly #leastLabel: number;

  constructor(tree: PronunciationTree, words: WordScorer, config: BeamConfig, heads: Heads) {
    this.#tree = tree;
    this.#config = config;
    this.#heads = heads;
    this.#steps = new PhonemeSteps(tree, words, config);
    this.#wideSteps = this.#steps.widened(WIDER);
    this.#leastLabel = Math.log(config.labelThreshold);
  }

  /** Search the next frames; the result does not depend on how they are divided. */
  advance(state: SearchState, rows: Rows): void {
    for (let frame = 0; frame < rows.frames; frame++) {
      const begin = frame * rows.width + this.#heads.begin;
      const row = new Float64Array(BLANK + 1);
      const labels: number[] = [];
      let overlap = 0;
      for (let label = 0; label <= BLANK; label++) {
        row[label] = Math.max(rows.data[begin + label]!, IMPROBABLE);
        if (label < BLANK && row[label]! > this.#leastLabel) labels.push(label);
        overlap += Math.exp(Math.min(row[label]!, state.lastRow[label]!));
      }
      state.lastRow.set(row);
      row[BLANK]! -= this.#config.blankPenalty;
      const steady = overlap > this.#config.steadyThreshold;
      this.#search(state, { number: state.frames, row, labels, steady });
      state.frames++;
    }
  }

  /** Search the end of an utterance once more if no hypothesis ends with a word. */
  conclude(state: SearchState): void {
    if (state.refuge !== null && !state.wide && this.#bestBetween(state) === -Infinity) {
      this.#retry(state, state.refuge);
    }
  }

  /** Whether no label is considered, of each frame [frames]. */
  blankFrames(rows: Rows): Uint8Array {
    const quiet = new Uint8Array(rows.frames).fill(1);
    for (let frame = 0; frame < rows.frames; frame++) {
      const begin = frame * rows.width + this.#heads.begin;
      for (let label = 0; label < BLANK; label++) {
        if (rows.data[begin + label]! > this.#leastLabel) {
          quiet[frame] = 0;
          break;
        }
      }
    }
    return quiet;
  }

  /** Search a frame, and once more what led to a dead end. */
  #search(state: SearchState, frame: Frame): void {
    const refuge = state.refuge ?? state.settle();
    if (!state.wide) {
      refuge.frames.push(frame);
      refuge.heard += Math.max(...frame.row);
    }
    if (!this.#step(state, frame)) return;
    const between = this.#bestBetween(state);
    if (state.wide) {
      if (between > state.best() - this.#config.wordEndThreshold) {
        state.wide = false;
        state.settle();
      }
    } else if (between > -Infinity) state.settle();
    else if (refuge.best + refuge.heard - state.best() > DEAD_END) this.#retry(state, refuge);
    if (state.recombinations === null && state.traceback.needsPruning) state.commit(0);
  }

  /** Search the frames since the refuge once more, with a wider beam. */
  #retry(state: SearchState, refuge: Refuge): void {
    state.goBack(refuge);
    state.wide = true;
    for (const frame of refuge.frames) this.#step(state, frame);
  }

  /** Search a frame, and tell whether labels could be added in it. */
  #step(state: SearchState, { number, row, labels, steady }: Frame): boolean {
    const steps = state.wide ? this.#wideSteps : this.#steps;
    if (labels.length === 0) {
      state.silence += row[BLANK]!;
      state.silent = true;
      state.stepped = false;
    } else if (state.stepped && steady) {
      steps.stay(state.ownBeam(), row);
      state.stepped = false;
    } else {
      state.countSilence();
      steps.step(state, row, labels, number);
      state.stepped = true;
    }
    return state.stepped;
  }

  /** Nats of the best hypothesis between words; minus infinity if there is none. */
  #bestBetween({ beam }: SearchState): number {
    let best = -Infinity;
    for (let index = 0; index < beam.count; index++) {
      if (this.#tree.between(beam.node[index]!)) best = Math.max(best, beam.total(index));
    }
    return best;
  }
}
