import type { PackedModel } from "../language/packed_model.js";
import { BOUNDARY_ROW, FIRST_ROW, type WordNetwork } from "../language/word_network.js";
import type { BeamConfig } from "./beam_config.js";
import { logAddExp } from "./hypotheses.js";
import type { BestPath } from "./traceback.js";

/** Paths that are looked at for each text that is wanted; some differ in pronunciations alone. */
const MOST_PATHS = 5;
/** The place and the id of the word before the first. */
const NONE = -1;

/** A word of one text, or of several with all words before it in common. */
interface Word {
  readonly id: number;
  /** Ids of the last two words before it, NONE for none. */
  readonly earlier: readonly [number, number];
  /** The word before it, by its place, NONE for none. */
  readonly parent: number;
  /** How many words come before it, and itself. */
  readonly depth: number;
}

/**
 * Compares the best texts of a search once more, by n-grams and a neural network together.
 *
 * `decoding/rescoring.py` explains the method.
 */
export class Rescorer {
  readonly #weight: number;
  readonly #texts: number;
  readonly #threshold: number;
  readonly #ngramShare: number;
  readonly #networkShare: number;

  constructor(
    readonly model: PackedModel,
    readonly network: WordNetwork,
    config: BeamConfig,
  ) {
    this.#weight = config.languageModelWeight;
    this.#texts = config.rescoredTexts;
    this.#threshold = config.rescoredThreshold;
    this.#ngramShare = Math.log1p(-config.networkShare);
    this.#networkShare = Math.log(config.networkShare);
  }

  /**
   * The best path by both.
   *
   * @param paths Of the search, the most probable first.
   * @param wordIds The ids of a path's words.
   */
  best(paths: Iterable<BestPath>, wordIds: (path: BestPath) => readonly number[]): BestPath {
    const found = new Map<string, readonly [BestPath, readonly number[]]>();
    let left = MOST_PATHS * this.#texts;
    let least = -Infinity;
    for (const path of paths) {
      if (found.size === 0) least = path.score - this.#threshold;
      if (path.score < least) break;
      const ids = wordIds(path);
      const text = ids.join();
      if (!found.has(text)) found.set(text, [path, ids]);
      if (found.size === this.#texts || --left === 0) break;
    }
    const ranked = Array.from(found.values());
    const gains = this.gains(ranked.map(([, ids]) => ids));
    // Of equals the search's own order decides.
    let best: BestPath | undefined;
    ranked.forEach(([path], index) => {
      const score = path.score + gains[index]!;
      if (best === undefined || score > best.score) best = { ...path, score };
    });
    return best!;
  }

  /**
   * How many nats more probable texts are than by the n-grams alone.
   *
   * Words that the network does not know stay as probable as they were.
   *
   * @param texts Word ids of each.
   */
  gains(texts: readonly (readonly number[])[]): number[] {
    const [words, places] = sharedBeginnings(texts);
    const rows = words.map(({ id }) => this.network.row[id]!);
    const network = this.#networkLogProbs(words, rows);
    const gains = words.map((word, place) => {
      if (rows[place]! < FIRST_ROW) return 0;
      const nats = this.#ngramLogProb(word);
      const mixed = logAddExp(nats + this.#ngramShare, network[place]! + this.#networkShare);
      return (mixed - nats) * this.#weight;
    });
    return places.map((text) => text.reduce((sum, place) => sum + gains[place]!, 0));
  }

  #ngramLogProb({ id, earlier }: Word): number {
    let state = this.model.start;
    for (const word of earlier) {
      if (word === NONE) continue;
      this.model.score(state, word);
      state = this.model.following;
    }
    return this.model.score(state, id);
  }

  /** What the network says of each word, whose rows these are. */
  #networkLogProbs(words: readonly Word[], rows: readonly number[]): number[] {
    const { network } = this;
    // The start, then the words that others follow; of the last ones no state is needed.
    const parents = new Set(words.map(({ parent }) => parent));
    const places = Array.from(parents).sort((one, other) => one - other);
    const index = new Map(places.map((place, state) => [place, state]));
    const levels: number[][] = [];
    places.forEach((place, state) => (levels[words[place]?.depth ?? 0] ??= []).push(state));
    const inputs = network.inputs(places.map((place) => rows[place] ?? BOUNDARY_ROW));
    const states: Float32Array[] = [];
    const nothing = new Float32Array(network.hidden);
    for (const level of levels) {
      const earlier = level.map((state) => {
        const word = words[places[state]!];
        return word === undefined ? nothing : states[index.get(word.parent)!]!;
      });
      const following = network.advance(level.map((state) => inputs[state]!), earlier);
      level.forEach((state, place) => (states[state] = following[place]!));
    }
    const before = words.map(({ parent }) => index.get(parent)!);
    return network.logProbs(states, before, rows);
  }
}

/** What compares the best texts of a search once more, null if nothing does. */
export function makeRescorer(model: PackedModel, config: BeamConfig): Rescorer | null {
  if (model.network === null || config.networkShare === 0) return null;
  return new Rescorer(model, model.network, config);
}

/** The words of some texts, as far as those begin alike once, and their places in each text. */
function sharedBeginnings(texts: readonly (readonly number[])[]): [Word[], number[][]] {
  const words: Word[] = [];
  const known = new Map<string, number>();
  const places = texts.map((text) => {
    let parent = NONE;
    return text.map((id, index) => {
      const key = `${parent} ${id}`;
      let place = known.get(key);
      if (place === undefined) {
        place = words.length;
        known.set(key, place);
        const earlier = [text[index - 2] ?? NONE, text[index - 1] ?? NONE] as const;
        words.push({ id, earlier, parent, depth: index + 1 });
      }
      parent = place;
      return place;
    });
  });
  return [words, places];
}
