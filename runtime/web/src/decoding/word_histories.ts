import type { PackedModel } from "../language/packed_model.js";
import { BOUNDARY_ROW, FIRST_ROW, type WordNetwork } from "../language/word_network.js";
import type { BeamConfig } from "./beam_config.js";
import { logAddExp } from "./hypotheses.js";

/** What a word counts for the shares, as a part of what it counted one word before. */
const MEMORY = 0.9;

/** Nats by which the shares' odds fall at most. */
const MOST_ODDS = 9;

/** Words from a beginning on. */
export interface History {
  /** Nats of the search's scores that they are more probable than by the n-grams alone. */
  readonly gain: number;
  /** The n-grams' state after them. */
  readonly ngrams: number;
  /** Nats by which the odds that the network's share has to the n-grams' have changed, 0 or less. */
  readonly odds: number;
  /** The last word's row, and the words before it. */
  readonly row: number;
  readonly earlier: History | null;
  /** The network's state after them, null while nothing needs it. */
  network: Float32Array | null;
  /** The same words and one more, by its id. */
  readonly longer: Map<number, History>;
}

/** Probabilities of n-grams and of a network, mixed word by word; see `word_histories.py`. */
export class WordMixture {
  /** The beginning of a sentence. */
  readonly start: History;
  readonly #weight: number;
  readonly #firstOdds: number;
  readonly #adaptation: number;

  constructor(
    readonly model: PackedModel,
    readonly network: WordNetwork,
    config: BeamConfig,
  ) {
    this.#weight = config.languageModelWeight;
    this.#firstOdds = Math.log(config.networkShare) - Math.log1p(-config.networkShare);
    this.#adaptation = config.shareAdaptation;
    const inputs = network.inputs([BOUNDARY_ROW]);
    const [state] = network.advance(inputs, [new Float32Array(network.hidden)]);
    this.start = beginning(model.start, state!);
  }

  /** What some words are to those after them; without `context`, from a sentence's beginning. */
  after(words: readonly number[], context: History = this.start): History {
    const rows = words.map((word) => this.network.row[word]!);
    const inputs = this.network.inputs(rows);
    let { ngrams, network, odds } = context;
    words.forEach((word, place) => {
      const byNgrams = this.model.score(ngrams, word);
      const byNetwork = this.network.logProbs([network!], [0], [rows[place]!])[0]!;
      ngrams = this.model.following;
      odds = this.#laterOdds(byNgrams, byNetwork, rows[place]!, odds);
      [network] = this.network.advance([inputs[place]!], [network!]) as [Float32Array];
    });
    return beginning(ngrams, network!, odds);
  }

  /** Add words to histories whose network's states are known. */
  extend(asked: readonly (readonly [History, number])[]): void {
    const unique = new Map<History, Set<number>>();
    for (const [history, word] of asked) {
      if (history.longer.has(word)) continue;
      const words = unique.get(history);
      if (words === undefined) unique.set(history, new Set([word]));
      else words.add(word);
    }
    if (unique.size === 0) return;
    const histories = Array.from(unique.keys());
    const questions = histories.flatMap((history, state) =>
      Array.from(unique.get(history)!, (word) => ({ history, state, word })),
    );
    const rows = questions.map(({ word }) => this.network.row[word]!);
    const said = this.network.logProbs(
      histories.map(({ network }) => network!),
      questions.map(({ state }) => state),
      rows,
    );
    questions.forEach(({ history, word }, place) => {
      const nats = this.model.score(history.ngrams, word);
      const [row, byNetwork, { odds }] = [rows[place]!, said[place]!, history];
      // Words that the network does not know stay as probable as they were.
      const gain = row < FIRST_ROW ? 0 : this.#gain(nats, byNetwork, odds);
      history.longer.set(word, {
        gain: history.gain + gain,
        odds: this.#laterOdds(nats, byNetwork, row, odds),
        ngrams: this.model.following,
        row,
        earlier: history,
        network: null,
        longer: new Map(),
      });
    });
  }

  #gain(byNgrams: number, byNetwork: number, later: number): number {
    const odds = this.#firstOdds + later;
    const ngrams = byNgrams - logAddExp(0, odds);
    return (logAddExp(ngrams, byNetwork - logAddExp(0, -odds)) - byNgrams) * this.#weight;
  }

  #laterOdds(byNgrams: number, byNetwork: number, row: number, odds: number): number {
    if (row < FIRST_ROW) return odds;
    const later = MEMORY * odds + this.#adaptation * (byNetwork - byNgrams);
    return Math.min(Math.max(later, -MOST_ODDS), 0);
  }

  /** Find the network's states after histories. */
  advance(histories: readonly History[]): void {
    const unknown = Array.from(new Set(histories)).filter(({ network }) => network === null);
    if (unknown.length === 0) return;
    const states = this.network.advance(
      this.network.inputs(unknown.map(({ row }) => row)),
      unknown.map(({ earlier }) => earlier!.network!),
    );
    unknown.forEach((history, place) => (history.network = states[place]!));
  }
}

/** No words after what these are the states of. */
export function beginning(ngrams: number, network: Float32Array, odds = 0): History {
  return { gain: 0, odds, ngrams, row: BOUNDARY_ROW, earlier: null, network, longer: new Map() };
}
