import type { Hypotheses } from "./hypotheses.js";
import { PriorityQueue } from "./priority_queue.js";
import type { BestPath, Traceback } from "./traceback.js";

/** Paths that are looked at before the search for more texts is given up. */
const MOST_TRIES = 2000;
/** Nats below the best path from which on a path is none, but a mark of what cannot be. */
const FARTHEST = 1e4;

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

/** A path that is not written yet: some other beginning of one that is. */
interface Candidate {
  readonly prefix: number;
  readonly path: BestPath;
  /** How many of the path's labels the prefix stands for, null for all. */
  readonly place: number | null;
}

/**
 * Notes of hypotheses that were joined to better ones with another text.
 *
 * They make the next best texts; `decoding/recombinations.py` explains how.
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

  /**
   * The best paths, the most probable first, with different labels.
   *
   * The score of a path with a replaced beginning is that of the path that it was made from, less
   * what the beginning was less probable when it was joined.
   *
   * @param endings The hypotheses at the end, with different texts.
   */
  *paths(traceback: Traceback, endings: readonly BestPath[]): Generator<BestPath, void> {
    const joined = this.#nearest();
    const queue = new PriorityQueue<Candidate>();
    for (const path of endings) {
      queue.push(-path.score, { prefix: path.prefix, path, place: null });
    }
    const farthest = queue.least + FARTHEST;
    const seen = new Set<string>();
    for (let tries = 0; tries < MOST_TRIES && queue.least <= farthest; tries++) {
      const { cost, thing } = queue.pop()!;
      const { prefix } = thing;
      const path =
        thing.place === null
          ? thing.path
          : replaced(traceback, thing.path, thing.place, prefix, -cost);
      const spelled = path.labels.join();
      if (seen.has(spelled)) continue;
      seen.add(spelled);
      yield path;
      traceback.ancestors(prefix).forEach((ancestor, index) => {
        for (const other of joined.get(this.#texts[ancestor]!) ?? []) {
          queue.push(cost + other.cost, { prefix: other.prefix, path, place: index + 1 });
        }
      });
    }
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

/** A path whose labels before a place are those of another prefix. */
function replaced(
  traceback: Traceback,
  path: BestPath,
  place: number,
  prefix: number,
  score: number,
): BestPath {
  const { labels, startFrames } = traceback.follow(prefix);
  const frames = [...startFrames, ...path.startFrames.slice(place)];
  // A label of the rest may have been spelled before the last one of another beginning.
  for (let index = frames.length - 2; index >= 0; index--) {
    frames[index] = Math.min(frames[index]!, frames[index + 1]!);
  }
  return {
    labels: [...labels, ...path.labels.slice(place)],
    startFrames: frames,
    score,
    prefix: path.prefix,
    own: labels.length + Math.max(path.own - place, 0),
    shift: path.shift + place - labels.length,
  };
}
