import { COLUMNS, type Multiply, multiplication, ROWS, VECTORS } from "./product_module.js";

const PAGE_BYTES = 1 << 16;
const NUMBER_BYTES = 4;

/** A matrix in the memory of a `MatrixProducts`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly place: number;
}

/** A matrix as it lies in a file, row by row, and the factor of each row. */
export interface Codes {
  readonly codes: Int8Array;
  readonly scale: Float32Array;
}

/** Matrices in one memory, and their products with vectors. */
export class MatrixProducts {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #multiply: Multiply = multiplication(this.#memory);
  #used = 0;

  /** Keep a matrix, of parts with the same columns one below the other. */
  add(columns: number, ...parts: readonly Codes[]): Matrix {
    const rows = parts.reduce((sum, { scale }) => sum + scale.length, 0);
    const stride = padded(columns, COLUMNS);
    const place = this.#used;
    this.#used += padded(rows, ROWS) * stride * NUMBER_BYTES;
    const numbers = this.#numbers(place, rows * stride);
    let begin = 0;
    for (const { codes, scale } of parts) {
      for (let row = 0; row < scale.length; row++, begin += stride) {
        for (let column = 0; column < columns; column++) {
          numbers[begin + column] = codes[row * columns + column]! * scale[row]!;
        }
      }
    }
    return { rows, columns, place };
  }

  /**
   * A matrix times each of some vectors, and perhaps more [vectors][rows].
   *
   * @param added What is added to each product [rows].
   */
  times(matrix: Matrix, vectors: readonly Float32Array[], added?: Float32Array): Float32Array[] {
    const { rows, columns, place } = matrix;
    const [height, width] = [padded(rows, ROWS), padded(columns, COLUMNS)];
    const products: Float32Array[] = [];
    const results = this.#used + VECTORS * width * NUMBER_BYTES;
    for (let first = 0; first < vectors.length; first += VECTORS) {
      const some = vectors.slice(first, first + VECTORS);
      const given = this.#numbers(this.#used, VECTORS * (width + height)).fill(0, 0, VECTORS * width);
      some.forEach((vector, index) => given.set(vector, index * width));
      this.#multiply(place, this.#used, results, height, width);
      some.forEach((_, index) => {
        const begin = VECTORS * width + index * height;
        products.push(given.slice(begin, begin + rows));
      });
    }
    if (added === undefined) return products;
    for (const product of products) {
      for (let row = 0; row < rows; row++) product[row]! += added[row]!;
    }
    return products;
  }

  /** The memory from some place on, which is made larger for it. */
  #numbers(place: number, count: number): Float32Array {
    const missing = place + count * NUMBER_BYTES - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    return new Float32Array(this.#memory.buffer, place, count);
  }
}

function padded(count: number, multiple: number): number {
  return Math.ceil(count / multiple) * multiple;
}
