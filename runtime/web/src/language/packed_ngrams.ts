import { popcount } from "./bit_vector.js";

/** N-grams of a block, a bit of a uint32 each. */
const BLOCK = 32;
const VALUE_BITS = 16;
const ROW = 1 << VALUE_BITS;
const ALL = 0xffffffff | 0;

/**
 * Sorted n-grams in blocks of 32, searched where they lie in the file.
 *
 * The layout and the method (bit slicing) are those of `language/packed_ngrams.py`, which explains
 * them; here one n-gram is looked for at a time.
 */
export class PackedNgrams {
  /** Contexts, each a row of n-grams. */
  readonly rows: number;
  /** N-grams that are contexts of longer ones. */
  readonly heads: number;

  readonly #blocks: Uint32Array;
  readonly #width: Uint8Array;
  readonly #value: number;
  readonly #offsets: Int32Array;
  /** Row times ROW plus number of each block's first n-gram: at most 2^40, so exact in a double. */
  readonly #samples: Float64Array;
  readonly #base: Int32Array;
  readonly #headsBefore: Int32Array;

  /**
   * @param count N-grams.
   * @param first Each block's first n-gram: its number within its row.
   * @param width Bits of each block's other numbers.
   * @param blocks All blocks, one after another.
   * @param heads Whether these n-grams can be contexts.
   * @throws RangeError unless the arrays fit each other.
   */
  constructor(
    count: number,
    first: Uint16Array,
    width: Uint8Array,
    blocks: Uint32Array,
    heads: boolean,
  ) {
    const blockCount = Math.max(1, Math.ceil(count / BLOCK));
    if (count < 0 || first.length !== blockCount || width.length !== blockCount) {
      throw new RangeError("blocks are missing");
    }
    this.#blocks = blocks;
    this.#width = width;
    this.#value = heads ? 2 : 1;
    this.#offsets = new Int32Array(blockCount);
    this.#samples = new Float64Array(blockCount);
    this.#base = new Int32Array(blockCount);
    this.#headsBefore = new Int32Array(blockCount + 1);
    let end = 0;
    for (let block = 0; block < blockCount; block++) {
      if (width[block]! > VALUE_BITS) throw new RangeError("a block is too wide");
      this.#offsets[block] = end;
      end += width[block]! + this.#value;
    }
    if (blocks.length !== end + VALUE_BITS) throw new RangeError("n-grams are missing");
    const left = blockCount * BLOCK - count;
    const lastStarts = blocks[this.#offsets[blockCount - 1]!]!;
    if (!(blocks[0]! & 1) || (left > 0 && lastStarts >>> (BLOCK - left) !== 2 ** left - 1)) {
      throw new RangeError("rows have no beginning");
    }
    let begun = 0;
    let headCount = 0;
    for (let block = 0; block < blockCount; block++) {
      const starts = blocks[this.#offsets[block]!]!;
      const row = begun + (starts & 1) - 1;
      this.#samples[block] = row * ROW + first[block]!;
      this.#base[block] = starts >>> 1 === 0 ? first[block]! : 0;
      begun += popcount(starts);
      if (heads) headCount += popcount(blocks[this.#offsets[block]! + 1]!);
      this.#headsBefore[block + 1] = headCount;
    }
    this.#samples[0] = 0;
    this.rows = begun - left;
    this.heads = headCount;
  }

  /** Where each row begins [rows]. */
  begins(): Int32Array {
    const places = new Int32Array(this.rows);
    let found = 0;
    for (let block = 0; block < this.#offsets.length; block++) {
      let starts = this.#blocks[this.#offsets[block]!]!;
      while (starts !== 0 && found < this.rows) {
        places[found++] = block * BLOCK + 31 - Math.clz32(starts & -starts);
        starts &= starts - 1;
      }
    }
    return places;
  }

  /** The index of an n-gram, by its row and its number within it, or -1 if there is none. */
  find(row: number, value: number): number {
    const key = row * ROW + value;
    let low = 0;
    let high = this.#samples.length;
    // The last block whose first n-gram is not after the one that is looked for.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#samples[middle]! <= key) low = middle + 1;
      else high = middle;
    }
    const block = low - 1;
    const offset = this.#offsets[block]!;
    const width = this.#width[block]!;
    const within = (value - this.#base[block]!) & (ROW - 1);
    if (within >>> width !== 0) return -1;
    const inner = this.#blocks[offset]! & ~1;
    const wanted = row - Math.floor(this.#samples[block]! / ROW);
    // No bit is set where the number is the same.
    let other = 0;
    const planes = offset + this.#value;
    for (let bit = 0; bit < width; bit++) {
      other |= (within >>> bit) & 1 ? ~this.#blocks[planes + bit]! : this.#blocks[planes + bit]!;
    }
    // The first that has the number, if its row is the one: so many rows begin up to there.
    while (other !== ALL) {
      const free = ~other & (other + 1);
      const upTo = free | (free - 1);
      if (popcount(inner & upTo) === wanted) return block * BLOCK + 31 - Math.clz32(free);
      other |= upTo;
    }
    return -1;
  }

  /** Whether an n-gram is a context. */
  isHead(index: number): boolean {
    const word = this.#blocks[this.#offsets[index >> 5]! + 1]!;
    return ((word >>> (index & 31)) & 1) === 1;
  }

  /** The row in the next order of an n-gram that is a context. */
  contextRow(index: number): number {
    const block = index >> 5;
    const below = ~(-1 << (index & 31));
    const word = this.#blocks[this.#offsets[block]! + 1]!;
    return this.#headsBefore[block]! + popcount(word & below);
  }

  /** The number of an n-gram within its row. */
  numberAt(index: number): number {
    const block = index >> 5;
    const place = index & 31;
    const planes = this.#offsets[block]! + this.#value;
    let number = 0;
    for (let bit = 0; bit < this.#width[block]!; bit++) {
      number |= ((this.#blocks[planes + bit]! >>> place) & 1) << bit;
    }
    return number + this.#base[block]!;
  }
}
