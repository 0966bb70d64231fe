import type { Hypotheses } from "./hypotheses.js";
import type { BestPath, Traceback } from "./traceback.js";
import { WordGraph } from "./word_graph.js";

/** A hypothesis that was joined to a better one with another text. */
interface Joined {
  /** Hashes of both texts. */
  readonly better: number;
  readonly worse: number;
  /** The number of the worse one in the traceback. */
  prefix: number;
  /** By how many nats it was worse, and how many it was from the best of all. */
  readonly cost: number;
  readonly distance: number;
}

/**
 * Notes of hypotheses that were joined to better ones with another text.
 *
 * They make a graph of the texts near the best one; `decoding/recombinations.py` explains how.
 */
export class Recombinations {
  /** Hashes of texts by the prefix's number; number 0 is the empty text. */
  #texts: number[] = [0];
  #joined: Joined[] = [];

  /** Note the hash of the text of a prefix that was just added. */
  name(text: number): void {
    this.#texts.push(text);
  }

  /**
   * Note a hypothesis that is joined to a better one.
   *
   * @param options All hypotheses of the frame; `first` is the better one, `other` the worse.
   * @param scores Nats of each, and `most` the best of them.
   */
  note(
    options: Hypotheses,
    first: number,
    other: number,
    scores: Float64Array,
    most: number,
  ): void {
    this.#joined.push({
      better: options.text(first),
      worse: options.text(other),
      prefix: options.trace[other]!,
      cost: scores[first]! - scores[other]!,
      distance: most - scores[other]!,
    });
  }

  /**
   * Forget the beginning of all texts, and what was noted of texts with another.
   *
   * @param traceback How the hypotheses were spelled; it forgets too.
   * @param beam The hypotheses; they get new prefixes.
   * @param labels How many labels to forget.
   */
  commit(traceback: Traceback, beam: Hypotheses, labels: number): void {
    const first = beam.trace[0]!;
    const root = labels > 0 ? traceback.ancestors(first)[labels - 1]! : 0;
    const text = this.#texts[root]!;
    const beginning = traceback.follow(first).labels.slice(0, labels);
    this.#joined = this.#joined.filter(({ prefix }) => {
      const spelled = traceback.follow(prefix).labels;
      return beginning.every((label, place) => spelled[place] === label);
    });
    const prefixes = new Int32Array(beam.count + this.#joined.length);
    prefixes.set(beam.trace.subarray(0, beam.count));
    this.#joined.forEach((each, index) => (prefixes[beam.count + index] = each.prefix));
    const kept = traceback.kept(prefixes, prefixes.length, labels);
    this.#texts = Array.from(kept, (number) => this.#texts[number]!);
    this.#texts[0] = text;
    traceback.keep(prefixes, prefixes.length, labels);
    beam.trace.set(prefixes.subarray(0, beam.count));
    this.#joined.forEach((each, index) => (each.prefix = prefixes[beam.count + index]!));
  }

  /** The texts that are so many nats below the best one of these, or less. */
  graph(traceback: Traceback, endings: readonly BestPath[], threshold: number): WordGraph {
    const textOf = (prefix: number): number => this.#texts[prefix]!;
    return new WordGraph(traceback, textOf, this.#nearest(), endings, threshold);
  }

  /**
   * By the better text's hash, what was joined to it.
   *
   * Of the frames in which the same two texts met, that one counts in which the worse was nearest
   * to the best hypothesis.
   */
  #nearest(): Map<number, readonly Joined[]> {
    const found = new Map<number, Map<number, Joined>>();
    for (const each of this.#joined) {
      let others = found.get(each.better);
      if (others === undefined) found.set(each.better, (others = new Map()));
      const known = others.get(each.worse);
      if (known === undefined || each.distance < known.distance) others.set(each.worse, each);
    }
    return new Map(Array.from(found, ([better, others]) => [better, [...others.values()]]));
  }
}
