/** A matrix as it lies in a file, row by row, and the factor of each row. */
export interface Codes {
  readonly codes: Int8Array;
  readonly scale: Float32Array;
}

/** The matrix that codes stand for, row by row. */
export function decoded({ codes, scale }: Codes): Float32Array {
  const columns = codes.length / scale.length;
  const matrix = new Float32Array(codes.length);
  for (let row = 0, place = 0; row < scale.length; row++) {
    for (let column = 0; column < columns; column++, place++) {
      matrix[place] = codes[place]! * scale[row]!;
    }
  }
  return matrix;
}

/**
 * A matrix times each of some vectors, and perhaps more [vectors][rows].
 *
 * @param matrix Row by row [rows, length of a vector].
 * @param added What is added to each product [rows].
 */
export function products(
  matrix: Float32Array | Int8Array,
  vectors: readonly Float32Array[],
  rows: number,
  added?: Float32Array,
): Float32Array[] {
  const results = vectors.map(() => new Float32Array(rows));
  for (let index = 0; index < vectors.length; index += 2) {
    const [one, other] = [index, Math.min(index + 1, vectors.length - 1)];
    multiply(matrix, vectors[one]!, vectors[other]!, results[one]!, results[other]!);
  }
  if (added === undefined) return results;
  for (const result of results) result.forEach((sum, row) => (result[row] = sum + added[row]!));
  return results;
}

/** The same of a matrix as codes. */
export function productsOfCodes(
  { codes, scale }: Codes,
  vectors: readonly Float32Array[],
  added: Float32Array,
): Float32Array[] {
  const results = products(codes, vectors, scale.length);
  for (const result of results) {
    result.forEach((sum, row) => (result[row] = sum * scale[row]! + added[row]!));
  }
  return results;
}

/** A matrix times two vectors at once, because reading it takes the longer time. */
function multiply(
  matrix: Float32Array | Int8Array,
  one: Float32Array,
  other: Float32Array,
  ofOne: Float32Array,
  ofOther: Float32Array,
): void {
  const rows = ofOne.length;
  const columns = one.length;
  let row = 0;
  // Sums of four rows do not wait for each other.
  for (; row + 4 <= rows; row += 4) {
    const first = row * columns;
    const second = first + columns;
    const third = second + columns;
    const fourth = third + columns;
    let one1 = 0;
    let one2 = 0;
    let one3 = 0;
    let one4 = 0;
    let other1 = 0;
    let other2 = 0;
    let other3 = 0;
    let other4 = 0;
    for (let column = 0; column < columns; column++) {
      const number = one[column]!;
      const number2 = other[column]!;
      let weight = matrix[first + column]!;
      one1 += weight * number;
      other1 += weight * number2;
      weight = matrix[second + column]!;
      one2 += weight * number;
      other2 += weight * number2;
      weight = matrix[third + column]!;
      one3 += weight * number;
      other3 += weight * number2;
      weight = matrix[fourth + column]!;
      one4 += weight * number;
      other4 += weight * number2;
    }
    ofOne[row] = one1;
    ofOne[row + 1] = one2;
    ofOne[row + 2] = one3;
    ofOne[row + 3] = one4;
    ofOther[row] = other1;
    ofOther[row + 1] = other2;
    ofOther[row + 2] = other3;
    ofOther[row + 3] = other4;
  }
  for (; row < rows; row++) {
    let sum = 0;
    let sum2 = 0;
    for (let column = 0; column < columns; column++) {
      const weight = matrix[row * columns + column]!;
      sum += weight * one[column]!;
      sum2 += weight * other[column]!;
    }
    ofOne[row] = sum;
    ofOther[row] = sum2;
  }
}

/** The logarithm of the sum of what logarithms are of. */
export function logSumExp(logs: Float32Array): number {
  let most = -Infinity;
  for (const log of logs) most = Math.max(most, log);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - most);
  return most + Math.log(sum);
}

/** The logistic function. */
export function logistic(number: number): number {
  return 1 / (1 + Math.exp(-number));
}
