import type { PackedModel } from "../language/packed_model.js";
import type { WordNetwork } from "../language/word_network.js";
import type { BeamConfig } from "./beam_config.js";
import type { BestPath } from "./traceback.js";
import type { GraphNode, WordGraph } from "./word_graph.js";
import { beginning, type History, WordMixture } from "./word_histories.js";

/** Nats by both below the best beginning at a node from which on another is given up. */
const LEAST = 3;

/** A way from the root to a node. */
interface Beginning {
  /** Nats, by the search, below the node's own way, 0 or less. */
  readonly lost: number;
  readonly history: History;
  /** The node that it came from, and the beginning there; null for the root's. */
  readonly from: GraphNode | null;
  readonly before: Beginning | null;
  /** Whether it goes on from there; if not, it takes the place of the node's own ones. */
  readonly own: boolean;
}

/**
 * Compares the texts of a search once more, by n-grams and a neural network together.
 *
 * `decoding/rescoring.py` explains the method.
 */
export class Rescorer {
  /** What says how probable words are. */
  readonly mixture: WordMixture;
  /** Nats below the search's best text that a text may be, to be compared. */
  readonly threshold: number;
  readonly #most: number;

  constructor(model: PackedModel, network: WordNetwork, config: BeamConfig) {
    this.mixture = new WordMixture(model, network, config);
    this.threshold = config.rescoredThreshold;
    this.#most = config.rescoredTexts;
  }

  /**
   * The best path by both.
   *
   * @param wordOf The id of a label's word.
   * @param context What was said before; without it, a sentence begins.
   */
  best(
    graph: WordGraph,
    wordOf: (label: number) => number,
    context: History = this.mixture.start,
  ): BestPath {
    const root = beginning(context.ngrams, context.network!, context.odds);
    const kept = new Map<GraphNode, readonly Beginning[]>();
    kept.set(graph.root, [{ lost: 0, history: root, from: null, before: null, own: true }]);
    for (const nodes of graph.levels) {
      this.mixture.extend(
        nodes.flatMap(({ parent, label }) =>
          kept.get(parent!)!.map(({ history }) => [history, wordOf(label)] as const),
        ),
      );
      for (const node of nodes) {
        const parent = node.parent!;
        const word = wordOf(node.label);
        const found = kept.get(parent)!.map(
          (before): Beginning => ({
            lost: before.lost,
            history: before.history.longer.get(word)!,
            from: parent,
            before,
            own: true,
          }),
        );
        for (const [other, cost] of node.others) {
          for (const before of kept.get(other)!) {
            const { history } = before;
            found.push({ lost: before.lost - cost, history, from: other, before, own: false });
          }
        }
        kept.set(node, this.#kept(found, node.distance));
      }
      this.mixture.advance(nodes.flatMap((node) => kept.get(node)!.map(({ history }) => history)));
    }
    return chosen(graph, kept);
  }

  /** The best ways to a node, each history once. */
  #kept(found: readonly Beginning[], distance: number): Beginning[] {
    const best = new Map<History, Beginning>();
    for (const each of found) {
      const earlier = best.get(each.history);
      if (earlier !== undefined && each.lost <= earlier.lost) continue;
      if (each.lost >= distance - this.threshold) best.set(each.history, each);
    }
    const score = ({ lost, history }: Beginning): number => lost + history.gain;
    const ranked = Array.from(best.values()).sort((one, other) => score(other) - score(one));
    const least = ranked.length > 0 ? score(ranked[0]!) - LEAST : 0;
    return ranked.slice(0, this.#most).filter((each) => score(each) >= least);
  }
}

/** What compares the texts of a search once more, null if nothing does. */
export function makeRescorer(model: PackedModel, config: BeamConfig): Rescorer | null {
  if (model.network === null || config.networkShare === 0) return null;
  return new Rescorer(model, model.network, config);
}

/** The best path of a graph through the best ways to its nodes. */
function chosen(
  graph: WordGraph,
  kept: ReadonlyMap<GraphNode, readonly Beginning[]>,
): BestPath {
  let score = -Infinity;
  let path: BestPath | null = null;
  let node: GraphNode | null = null;
  let last: Beginning | null = null;
  for (const [ending, end] of graph.endings) {
    for (const each of kept.get(end)!) {
      const total = ending.score + each.lost + each.history.gain;
      // Of equals the first decides.
      if (total > score) [score, path, node, last] = [total, ending, end, each];
    }
  }
  while (node !== graph.root) {
    const { from, before, own }: Beginning = last!;
    if (!own) path = graph.withBeginning(path!, node!, from!);
    [node, last] = [from, before];
  }
  return { ...path!, score };
}
