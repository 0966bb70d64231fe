import type { LanguageModelArray, LanguageModelHeader } from "./language_model_file.js";
import { type Codes, type Matrix, MatrixProducts } from "./matrix_products.js";

/** The row of a sentence's start and end, that of all words that it does not know, and the next. */
export const BOUNDARY_ROW = 0;
const OTHER_ROW = 1;
export const FIRST_ROW = 2;

const VERSION = 1;
const MOST_ROWS = 1 << 17;
const MOST_NUMBERS = 1 << 12; // of a state or an embedding

/** Words of like frequency, and how they are embedded. */
interface Cluster {
  readonly begin: number;
  readonly rows: number;
  readonly dims: number;
  /** The embeddings, as they lie in the file. */
  readonly table: Codes;
  readonly bias: Float32Array;
  /** The embeddings of a rarer cluster, for products; null of the first, whose are in the head. */
  readonly tail: Matrix | null;
  /** From a state to a vector that is compared with the embeddings [dims, hidden]. */
  readonly out: Matrix;
  /** From an embedding to one of the first cluster [dims of that, dims]; null of the first. */
  readonly lift: Matrix | null;
}

/**
 * Probabilities of words after all words of a sentence before them.
 *
 * It is a gated recurrent unit whose common words have long embeddings and rare ones short ones;
 * `language/word_network.py` describes it and the arrays of the file.
 */
export class WordNetwork {
  /** Row of each word id; that of unknown words for those that it does not know [ids]. */
  readonly row: Int32Array;
  /** Numbers of a state. */
  readonly hidden: number;
  readonly #arrays: Record<string, LanguageModelArray>;
  readonly #products = new MatrixProducts();
  readonly #clusters: readonly Cluster[];
  readonly #input: Matrix;
  readonly #inputBias: Float32Array;
  readonly #recurrent: Matrix;
  readonly #recurrentBias: Float32Array;
  /** Embeddings of common words, and behind them those of the rarer clusters. */
  readonly #head: Matrix;
  readonly #headBias: Float32Array;

  /**
   * @param ids How many word ids the n-grams have.
   * @throws RangeError or TypeError unless the arrays make a network.
   */
  constructor(
    header: LanguageModelHeader,
    arrays: Record<string, LanguageModelArray>,
    ids: number,
  ) {
    const { version, hidden, edges, dims } = header.network!;
    if (version !== VERSION) throw new RangeError("the network is of another version");
    for (const size of [hidden, ...dims]) {
      if (!(Number.isInteger(size) && 1 <= size && size <= MOST_NUMBERS)) {
        throw new RangeError("the network has no such size");
      }
    }
    const grows = edges.every((edge, place) => place === 0 || edge > edges[place - 1]!);
    const last = edges[dims.length];
    if (!(edges.length === dims.length + 1 && edges[0] === 0 && grows && edges[1]! > FIRST_ROW)) {
      throw new RangeError("the network has no such clusters");
    }
    if (last === undefined || last > MOST_ROWS) throw new RangeError("the network is too large");
    this.#arrays = arrays;
    this.hidden = hidden;
    const width = dims[0]!;
    this.#input = this.#matrix("input", 3 * hidden, width);
    this.#recurrent = this.#matrix("recurrent", 3 * hidden, hidden);
    this.#inputBias = this.#vector("input_bias", 3 * hidden);
    this.#recurrentBias = this.#vector("recurrent_bias", 3 * hidden);
    this.#clusters = dims.map((size, cluster) => {
      const begin = edges[cluster]!;
      const rows = edges[cluster + 1]! - begin;
      const table = this.#codes(`table${cluster}`, rows, size);
      return {
        begin,
        rows,
        dims: size,
        table,
        tail: cluster === 0 ? null : this.#products.add(size, table),
        bias: this.#vector(`bias${cluster}`, rows),
        out: this.#matrix(`out${cluster}`, size, hidden),
        lift: cluster === 0 ? null : this.#matrix(`lift${cluster}`, width, size),
      };
    });
    const rarer = dims.length - 1;
    const { rows, table, bias } = this.#clusters[0]!;
    this.#head = this.#products.add(width, table, this.#codes("cluster", rarer, width));
    this.#headBias = new Float32Array(rows + rarer);
    this.#headBias.set(bias);
    this.#headBias.set(this.#vector("cluster_bias", rarer), rows);

    const words = arrays["network_words"];
    if (!(words instanceof Int32Array) || words.length !== last - FIRST_ROW) {
      throw new RangeError("the network knows other words");
    }
    this.row = new Int32Array(ids).fill(OTHER_ROW);
    words.forEach((word, place) => {
      if (word < 0 || word >= ids) throw new RangeError("the network has an unknown word");
      this.row[word] = FIRST_ROW + place;
    });
  }

  /** What words bring to the state [words][3 * hidden]. */
  inputs(rows: readonly number[]): Float32Array[] {
    const embedded = rows.map((row): Float32Array => {
      const { begin, table, dims, lift } = this.#clusterOf(row);
      const inside = row - begin;
      const factor = table.scale[inside]! * Math.sqrt(dims);
      const codes = table.codes.subarray(inside * dims, (inside + 1) * dims);
      const short = Float32Array.from(codes, (code) => code * factor);
      return lift === null ? short : this.#products.times(lift, [short])[0]!;
    });
    return this.#products.times(this.#input, embedded, this.#inputBias);
  }

  /**
   * The states after one more word each [words][hidden].
   *
   * @param inputs What `inputs` gave for the words.
   * @param states States before them.
   */
  advance(inputs: readonly Float32Array[], states: readonly Float32Array[]): Float32Array[] {
    const size = this.hidden;
    const recurrents = this.#products.times(this.#recurrent, states, this.#recurrentBias);
    return states.map((state, word) => {
      const [input, recurrent] = [inputs[word]!, recurrents[word]!];
      const following = new Float32Array(size);
      for (let index = 0; index < size; index++) {
        const reset = logistic(recurrent[index]! + input[index]!);
        const update = logistic(recurrent[size + index]! + input[size + index]!);
        const brought = input[2 * size + index]!;
        const candidate = Math.tanh(reset * recurrent[2 * size + index]! + brought);
        following[index] = candidate + update * (state[index]! - candidate);
      }
      return following;
    });
  }

  /**
   * Natural-log probabilities of words [words].
   *
   * @param states States.
   * @param before The state before each word, by its place [words].
   * @param rows The words.
   */
  logProbs(
    states: readonly Float32Array[],
    before: readonly number[],
    rows: readonly number[],
  ): number[] {
    const [common] = this.#clusters;
    const asked = this.#products.times(common!.out, states);
    const heads = this.#products.times(this.#head, asked, this.#headBias);
    const headSums = heads.map(logSumExp);
    const head = (word: number, row: number): number =>
      heads[before[word]!]![row]! - headSums[before[word]!]!;
    const found = rows.map((row, word) => (row < common!.rows ? head(word, row) : 0));
    this.#clusters.forEach(({ begin, rows: size, tail, bias, out }, cluster) => {
      if (tail === null) return;
      const words = Array.from(rows.keys()).filter(
        (word) => rows[word]! >= begin && rows[word]! < begin + size,
      );
      const which = Array.from(new Set(words.map((word) => before[word]!)));
      const queries = this.#products.times(out, which.map((state) => states[state]!));
      const tails = this.#products.times(tail, queries, bias);
      const tailSums = tails.map(logSumExp);
      for (const word of words) {
        const place = which.indexOf(before[word]!);
        const inside = tails[place]![rows[word]! - begin]! - tailSums[place]!;
        found[word] = head(word, common!.rows + cluster - 1) + inside;
      }
    });
    return found;
  }

  #clusterOf(row: number): Cluster {
    let place = this.#clusters.length - 1;
    while (row < this.#clusters[place]!.begin) place--;
    return this.#clusters[place]!;
  }

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#products.add(columns, this.#codes(name, rows, columns));
  }

  #codes(name: string, rows: number, columns: number): Codes {
    const codes = this.#arrays[`network_${name}`];
    if (!(codes instanceof Int8Array) || codes.length !== rows * columns) {
      throw new RangeError(`network_${name} has another size`);
    }
    return { codes, scale: this.#vector(`${name}_scale`, rows) };
  }

  #vector(name: string, size: number): Float32Array {
    const vector = this.#arrays[`network_${name}`];
    const fits = vector instanceof Float32Array && vector.length === size;
    if (!fits || !vector.every(Number.isFinite)) {
      throw new RangeError(`network_${name} has another size`);
    }
    return vector;
  }
}

/** The logarithm of the sum of what logarithms are of. */
function logSumExp(logs: Float32Array): number {
  let most = -Infinity;
  for (const log of logs) most = Math.max(most, log);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - most);
  return most + Math.log(sum);
}

function logistic(number: number): number {
  return 1 / (1 + Math.exp(-number));
}
