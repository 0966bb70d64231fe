import { PriorityQueue } from "./priority_queue.js";
import type { BestPath, Traceback } from "./traceback.js";

/** A prefix or node that was joined to another, and by how many nats it was worse. */
export interface Other {
  readonly prefix: number;
  readonly cost: number;
}

/** By the hash of a text what was joined to it. */
export type Joined = ReadonlyMap<number, readonly Other[]>;

/** A prefix of texts that are near the best one. */
export interface GraphNode {
  readonly prefix: number;
  /** The label that it ends with, and how many it has. */
  readonly label: number;
  readonly depth: number;
  readonly parent: GraphNode | null;
  /** Nats from the search's best text to the best one through the node. */
  readonly distance: number;
  /** Nodes that may take its place, and by how many nats they are worse. */
  others: (readonly [GraphNode, number])[];
  /** By how many other nodes at least it comes after the root; of a node in a circle null. */
  level: number | null;
}

/**
 * What a beam search might have said, as a graph in which texts that differ in places are one.
 *
 * `decoding/word_graph.py` explains it.
 */
export class WordGraph {
  readonly root: GraphNode;
  /** Nodes but the root, those first that need no others. */
  readonly levels: readonly (readonly GraphNode[])[];
  /** The best texts' own paths, the best of all first, and the nodes that they end at. */
  readonly endings: readonly (readonly [BestPath, GraphNode])[];

  /**
   * @param textOf The hash of a prefix's text.
   * @param endings The hypotheses at the end, with different texts.
   * @param threshold Nats below the best text that a text may be, by the search.
   */
  constructor(
    readonly traceback: Traceback,
    textOf: (prefix: number) => number,
    joined: Joined,
    endings: readonly BestPath[],
    threshold: number,
  ) {
    const sorted = endings.slice().sort((one, other) => other.score - one.score);
    const best = sorted[0]!.score;
    const near = sorted.filter(({ score }) => best - score <= threshold);
    const found = distances(traceback, textOf, joined, near, threshold);
    const nodes = new Map<number, GraphNode>();
    // A prefix has a larger number than what it is made of.
    for (const [prefix, distance] of Array.from(found).sort(([one], [other]) => one - other)) {
      const parent = prefix === 0 ? null : nodes.get(traceback.parent(prefix))!;
      const depth = parent === null ? 0 : parent.depth + 1;
      const label = traceback.label(prefix);
      nodes.set(prefix, { prefix, label, depth, parent, distance, others: [], level: null });
    }
    this.root = nodes.get(0)!;
    const ordered = Array.from(found.keys(), (prefix) => nodes.get(prefix)!);
    for (const node of ordered) {
      if (node === this.root) continue;
      for (const { prefix, cost } of joined.get(textOf(node.prefix)) ?? []) {
        const other = nodes.get(prefix);
        if (other !== undefined && node.distance + cost <= threshold) {
          node.others.push([other, cost]);
        }
      }
    }
    this.levels = levels(this.root, ordered);
    this.endings = near.map((path) => [path, nodes.get(path.prefix)!] as const);
  }

  /** A path through a node with the beginning of another node in its place. */
  withBeginning(path: BestPath, node: GraphNode, other: GraphNode): BestPath {
    const { labels, startFrames } = this.traceback.follow(other.prefix);
    const frames = [...startFrames, ...path.startFrames.slice(node.depth)];
    // A label of the rest may have been spelled before the last one of another beginning.
    for (let index = frames.length - 2; index >= 0; index--) {
      frames[index] = Math.min(frames[index]!, frames[index + 1]!);
    }
    return {
      labels: [...labels, ...path.labels.slice(node.depth)],
      startFrames: frames,
      score: path.score,
      prefix: path.prefix,
      own: labels.length + Math.max(path.own - node.depth, 0),
      shift: path.shift + node.depth - labels.length,
    };
  }
}

/** How far each node is from the best text, by its prefix, the nearest first. */
function distances(
  traceback: Traceback,
  textOf: (prefix: number) => number,
  joined: Joined,
  endings: readonly BestPath[],
  threshold: number,
): Map<number, number> {
  const found = new Map<number, number>();
  const queue = new PriorityQueue<number>();
  for (const { score, prefix } of endings) queue.push(endings[0]!.score - score, prefix);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { cost: distance, thing: prefix } = next;
    if (found.has(prefix)) continue;
    found.set(prefix, distance);
    if (prefix === 0) continue;
    queue.push(distance, traceback.parent(prefix));
    for (const other of joined.get(textOf(prefix)) ?? []) {
      if (distance + other.cost <= threshold) queue.push(distance + other.cost, other.prefix);
    }
  }
  return found;
}

/**
 * Order nodes so that what each needs comes before it.
 *
 * Two texts may each have been joined to the other, in different frames. Of such a circle the part
 * that comes back to its beginning is taken out of `others`.
 */
function levels(root: GraphNode, nodes: readonly GraphNode[]): GraphNode[][] {
  root.level = 0;
  const begun = new Set<GraphNode>();
  const needs = (node: GraphNode): GraphNode[] => [
    node.parent!,
    ...node.others.map(([other]) => other),
  ];
  for (const first of nodes) {
    const stack = [first];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (node.level !== null) {
        stack.pop();
      } else if (!begun.has(node)) {
        begun.add(node);
        stack.push(...needs(node).filter((each) => each.level === null && !begun.has(each)));
      } else {
        stack.pop();
        begun.delete(node);
        if (node.parent!.level === null) continue;
        node.others = node.others.filter(([other]) => other.level !== null);
        node.level = 1 + Math.max(...needs(node).map((each) => each.level!));
      }
    }
  }
  const found: GraphNode[][] = [];
  for (const node of nodes) if (node.level !== 0) (found[node.level! - 1] ??= []).push(node);
  return found;
}
