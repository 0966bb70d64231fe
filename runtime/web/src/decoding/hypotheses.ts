import { LOG_ZERO } from "../language/pronunciation_tree.js";
import type { Recombinations } from "./recombinations.js";

/** Of a node in a hypothesis's key, below its context; both together are exact in a double. */
const NODE_RANGE = 2 ** 24;

/**
 * The hypotheses of the moment, a column each; those with one key have the same future.
 *
 * The fields are those of `decoding/hypotheses.py`. `textHigh` and `textLow` are a hash of all words,
 * which tells hypotheses of one key apart.
 */
export class Hypotheses {
  count = 0;
  key = new Float64Array(256);
  textHigh = new Int32Array(256);
  textLow = new Int32Array(256);
  context = new Int32Array(256);
  node = new Int32Array(256);
  began = new Int32Array(256);
  trace = new Int32Array(256);
  blank = new Float64Array(256);
  spoken = new Float64Array(256);
  ahead = new Float64Array(256);

  /** Room for one more at the end, and its place. */
  grow(): number {
    if (this.count === this.key.length) {
      const size = this.count * 2;
      this.key = grown(this.key, new Float64Array(size));
      this.blank = grown(this.blank, new Float64Array(size));
      this.spoken = grown(this.spoken, new Float64Array(size));
      this.ahead = grown(this.ahead, new Float64Array(size));
      this.textHigh = grown(this.textHigh, new Int32Array(size));
      this.textLow = grown(this.textLow, new Int32Array(size));
      this.context = grown(this.context, new Int32Array(size));
      this.node = grown(this.node, new Int32Array(size));
      this.began = grown(this.began, new Int32Array(size));
      this.trace = grown(this.trace, new Int32Array(size));
    }
    return this.count++;
  }

  /** Adds one of others, and gives its place here. */
  push(from: Hypotheses, index: number): number {
    const place = this.grow();
    this.key[place] = from.key[index]!;
    this.textHigh[place] = from.textHigh[index]!;
    this.textLow[place] = from.textLow[index]!;
    this.context[place] = from.context[index]!;
    this.node[place] = from.node[index]!;
    this.began[place] = from.began[index]!;
    this.trace[place] = from.trace[index]!;
    this.blank[place] = from.blank[index]!;
    this.spoken[place] = from.spoken[index]!;
    this.ahead[place] = from.ahead[index]!;
    return place;
  }

  /** Moves one to a node and a context. */
  place(index: number, node: number, context: number): void {
    this.node[index] = node;
    this.context[index] = context;
    this.key[index] = context * NODE_RANGE + node;
  }

  /** The hash of a text that goes on with one more word. */
  hash(index: number, word: number): void {
    const high = this.textHigh[index]!;
    const low = this.textLow[index]!;
    this.textLow[index] = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d) + Math.imul(word, 0x9e3779b1) + 1;
    this.textHigh[index] = Math.imul(high ^ (high >>> 13), 0x297a2d39) + Math.imul(word, 0x85ebca6b) + 7;
  }

  sameText(one: number, other: number): boolean {
    return (
      this.textHigh[one] === this.textHigh[other] && this.textLow[one] === this.textLow[other]
    );
  }

  /** As many bits of a text's hash as are exact in a double; 0 of the empty text. */
  text(index: number): number {
    return (this.textHigh[index]! >>> 0) * 2 ** 21 + (this.textLow[index]! >>> 11);
  }

  /** Nats of all paths of one. */
  total(index: number): number {
    return logAddExp(this.blank[index]!, this.spoken[index]!);
  }

  copy(): Hypotheses {
    return this.part(0, this.count);
  }

  /** A copy of those from one place up to another. */
  part(begin: number, end: number): Hypotheses {
    const part = new Hypotheses();
    for (let index = begin; index < end; index++) part.push(this, index);
    return part;
  }

  take(indices: readonly number[]): Hypotheses {
    const taken = new Hypotheses();
    for (const index of indices) taken.push(this, index);
    return taken;
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** The logarithm of the sum of what two logarithms are of. */
export function logAddExp(one: number, other: number): number {
  if (one === other) return one + Math.LN2;
  const difference = one - other;
  if (difference > 0) return one + Math.log1p(Math.exp(-difference));
  return other + Math.log1p(Math.exp(difference));
}

/** The `size`-th largest of some numbers. */
export function nthLargest(numbers: Float64Array, size: number): number {
  return numbers.slice().sort()[numbers.length - size]!;
}

/**
 * The best hypotheses, at most `size`: of each key the best text, with all its paths.
 *
 * Of other texts with the same future, which cannot win any more, nothing is taken.
 *
 * @param recombinations Notes these other texts.
 */
export function merge(
  options: Hypotheses,
  size: number,
  recombinations: Recombinations | null = null,
): Hypotheses {
  const scores = new Float64Array(options.count);
  for (let index = 0; index < options.count; index++) {
    scores[index] = Math.max(options.blank[index]!, options.spoken[index]!);
  }
  let order = Array.from(scores.keys());
  if (order.length > 3 * size) order = best(order, scores, 3 * size);
  const { key } = options;
  const most = recombinations === null ? 0 : scores.reduce((one, other) => Math.max(one, other));
  order.sort(
    (one, other) => key[one]! - key[other]! || scores[other]! - scores[one]! || one - other,
  );
  const merged = new Hypotheses();
  for (let begin = 0; begin < order.length; ) {
    const first = order[begin]!;
    let blank = options.blank[first]!;
    let spoken = options.spoken[first]!;
    let next = begin + 1;
    for (; next < order.length && key[order[next]!] === key[first]; next++) {
      const other = order[next]!;
      const same = options.sameText(first, other);
      if (!same) recombinations?.note(options, first, other, scores, most);
      blank = logAddExp(blank, same ? options.blank[other]! : LOG_ZERO);
      spoken = logAddExp(spoken, same ? options.spoken[other]! : LOG_ZERO);
    }
    const place = merged.push(options, first);
    merged.blank[place] = blank;
    merged.spoken[place] = spoken;
    begin = next;
  }
  if (merged.count <= size) return merged;
  const totals = new Float64Array(merged.count);
  for (let index = 0; index < merged.count; index++) {
    totals[index] = Math.max(merged.blank[index]!, merged.spoken[index]!);
  }
  return merged.take(best(Array.from(totals.keys()), totals, size));
}

/** The `size` of some places whose scores are best, in the places' order. */
function best(places: number[], scores: Float64Array, size: number): number[] {
  const ranked = places.slice().sort((one, other) => scores[other]! - scores[one]!);
  return ranked.slice(0, size).sort((one, other) => one - other);
}
