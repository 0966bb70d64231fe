import { BLANK } from "../language/phonemes.js";
import { LOG_ZERO, type PronunciationTree } from "../language/pronunciation_tree.js";
import type { BeamConfig } from "./beam_config.js";
import { Hypotheses, merge, nthLargest } from "./hypotheses.js";
import type { SearchState } from "./phoneme_state.js";
import type { WordScorer } from "./word_scorer.js";

/** So much more words are expected to score after others than by themselves; few score more. */
const SURPRISE = 2.5;

/**
 * One frame of the search by phonemes: hypotheses stay, add a phoneme, and end words.
 *
 * It is `decoding/phoneme_steps.py`, one hypothesis at a time instead of whole arrays of them.
 */
export class PhonemeSteps {
  readonly #tree: PronunciationTree;
  readonly #words: WordScorer;
  readonly #config: BeamConfig;
  /** What each pronunciation scores at most, without its penalty. */
  readonly #most: Float32Array;
  /** What a phoneme of an unknown word scores after each phoneme, or as the first. */
  readonly #unknown: Float64Array;
  /** Unknown words are many and seldom said: they have a beam between the two others. */
  readonly #near: number;
  readonly #beginUnknown: number;

  /** @param like Steps with the same tree and words, whose tables these share. */
  constructor(
    tree: PronunciationTree,
    words: WordScorer,
    config: BeamConfig,
    like?: PhonemeSteps,
  ) {
    this.#tree = tree;
    this.#words = words;
    this.#config = config;
    this.#near = (config.beamThreshold + config.wordEndThreshold) / 2;
    if (like !== undefined) {
      this.#most = like.#most;
      this.#unknown = like.#unknown;
      this.#beginUnknown = like.#beginUnknown;
      return;
    }
    this.#most = Float32Array.from(tree.word, (word) =>
      word < 0 ? words.expectedUnknown + SURPRISE : words.expected[word]! + SURPRISE,
    );
    this.#unknown = Float64Array.from(
      tree.follows,
      (nats) => nats - config.unknownPhonemePenalty + words.expectedUnknown,
    );
    const first = this.#unknown.subarray(BLANK * (BLANK + 1), BLANK * (BLANK + 1) + BLANK);
    first.forEach((nats, label) => (first[label] = nats - config.unknownWordPenalty));
    this.#beginUnknown = Math.max(...first);
  }

  /** The same steps with a beam that is so many times as wide, for ends of words too. */
  widened(factor: number): PhonemeSteps {
    const beamThreshold = this.#config.beamThreshold * factor;
    const config = {
      ...this.#config,
      beamSize: this.#config.beamSize * factor,
      beamThreshold,
      wordEndThreshold: beamThreshold,
    };
    return new PhonemeSteps(this.#tree, this.#words, config, this);
  }

  /** Hypotheses add nothing in a frame. */
  stay(beam: Hypotheses, row: Float64Array): void {
    for (let index = 0; index < beam.count; index++) {
      const total = beam.total(index);
      beam.spoken[index]! += row[this.#tree.label[beam.node[index]!]!]!;
      beam.blank[index] = total + row[BLANK]!;
    }
  }

  /** The hypotheses after a frame in which some labels are likely. */
  step(state: SearchState, row: Float64Array, labels: readonly number[], frame: number): void {
    const { beam } = state;
    const tree = this.#tree;
    const count = beam.count;
    const width = labels.length;
    const stayBlank = new Float64Array(count);
    const staySpoken = new Float64Array(count);
    const base = new Float64Array(count * width);
    const nodes = new Int32Array(count * width);
    // Scores of those that stay, then of those that add a label.
    const scores = new Float64Array(count + count * width);
    let best = -Infinity;
    let mostTotal = -Infinity;
    let mostNode = 0;
    for (let index = 0; index < count; index++) {
      const node = beam.node[index]!;
      const last = tree.label[node]!;
      const total = beam.total(index);
      const given = beam.ahead[index]!;
      stayBlank[index] = total + row[BLANK]!;
      staySpoken[index] = beam.spoken[index]! + row[last]!;
      scores[index] = Math.max(stayBlank[index]!, staySpoken[index]!);
      mostTotal = Math.max(mostTotal, total);
      mostNode = Math.max(mostNode, node);
      best = Math.max(best, scores[index]!);
      for (let column = 0; column < width; column++) {
        const label = labels[column]!;
        const place = index * width + column;
        // A repeated label is a new one after a blank only.
        base[place] = (label === last ? beam.blank[index]! - given : total - given) + row[label]!;
        nodes[place] = tree.after(node, label);
        const score = base[place]! + tree.best[nodes[place]!]!;
        scores[count + place] = score;
        best = Math.max(best, score);
      }
    }
    let limit = best - this.#config.beamThreshold;
    if (scores.length > this.#config.beamSize) {
      const able = scores.filter((score) => score > limit);
      if (able.length > this.#config.beamSize) limit = nthLargest(able, this.#config.beamSize);
    }

    const options = new Hypotheses();
    for (let index = 0; index < count; index++) {
      if (scores[index]! <= limit) continue;
      const place = options.push(beam, index);
      options.blank[place] = stayBlank[index]!;
      options.spoken[place] = staySpoken[index]!;
    }
    const added = new Hypotheses();
    for (let place = 0; place < count * width; place++) {
      const score = scores[count + place]!;
      if (score > limit) {
        this.#speak(added, beam, Math.floor(place / width), nodes[place]!, score, frame);
      }
    }
    this.#collect(state, options, added, best, limit, frame);

    // Where unknown words are dear, most frames need not look at them.
    const near = Math.max(limit, best - this.#near);
    const mostLabel = Math.max(...labels.map((label) => row[label]!));
    const dear = mostTotal + mostLabel + this.#beginUnknown <= near;
    if (!dear || mostNode >= tree.outside) {
      const unknown = new Hypotheses();
      for (let index = 0; index < count; index++) {
        const node = beam.node[index]!;
        if (node < tree.roots) continue;
        const before = node >= tree.outside ? tree.label[node]! : BLANK;
        for (let column = 0; column < width; column++) {
          const label = labels[column]!;
          const score = base[index * width + column]! + this.#unknown[before * (BLANK + 1) + label]!;
          if (score <= near) continue;
          const place = this.#speak(unknown, beam, index, tree.outside + label, score, frame);
          // Its phonemes tell an unknown word from others.
          unknown.hash(place, ~(tree.outside + label));
        }
      }
      this.#collect(state, options, unknown, best, limit, frame);
    }
    state.beam = merge(options, this.#config.beamSize, state.recombinations);
  }

  /** Adds a hypothesis that adds a phoneme to one of the beam's. */
  #speak(
    added: Hypotheses,
    beam: Hypotheses,
    parent: number,
    node: number,
    score: number,
    frame: number,
  ): number {
    const place = added.push(beam, parent);
    if (this.#tree.between(beam.node[parent]!)) added.began[place] = frame;
    added.blank[place] = LOG_ZERO;
    added.spoken[place] = score;
    added.ahead[place] = this.#tree.best[node]!;
    added.place(place, node, beam.context[parent]!);
    return place;
  }

  /**
   * Adds hypotheses with a new phoneme to the options, and those whose words end with it.
   *
   * @param best Of all hypotheses before words ended.
   * @param limit What one must score at least.
   */
  #collect(
    state: SearchState,
    options: Hypotheses,
    added: Hypotheses,
    best: number,
    limit: number,
    frame: number,
  ): void {
    const tree = this.#tree;
    for (let index = 0; index < added.count; index++) options.push(added, index);
    const least = Math.max(limit, best - this.#config.wordEndThreshold);
    for (let index = 0; index < added.count; index++) {
      const spoken = added.spoken[index]!;
      // No word scores much more than was given in advance.
      if (spoken <= least - SURPRISE) continue;
      const node = added.node[index]!;
      for (let end = tree.ends[node]!; end < tree.ends[node + 1]!; end++) {
        const score = spoken - added.ahead[index]! - tree.penalty[end]!;
        if (score + this.#most[end]! <= least) continue;
        const word = tree.word[end]!;
        const total = state.words.score(added.context[index]!, word) + score;
        if (total <= least) continue;
        const place = options.push(added, index);
        options.hash(place, word);
        options.place(place, tree.roots + tree.label[node]!, state.words.following);
        options.trace[place] = state.traceback.add(added.trace[index]!, end, added.began[index]!);
        state.recombinations?.name(options.text(place));
        // From now on, when the last word ended.
        options.began[place] = frame;
        options.blank[place] = LOG_ZERO;
        options.spoken[place] = total;
        options.ahead[place] = 0;
      }
    }
  }
}
