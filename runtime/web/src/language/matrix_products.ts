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
 * A matrix times a vector, and perhaps more [rows].
 *
 * @param matrix Row by row [rows, length of the vector].
 * @param added What is added to the product [rows].
 */
export function product(
  matrix: Float32Array | Int8Array,
  vector: Float32Array,
  rows: number,
  added?: Float32Array,
): Float32Array {
  const result = new Float32Array(rows);
  const columns = vector.length;
  let row = 0;
  // Sums of four rows do not wait for each other.
  for (; row + 4 <= rows; row += 4) {
    const first = row * columns;
    const second = first + columns;
    const third = second + columns;
    const fourth = third + columns;
    let [one, two, three, four] = [0, 0, 0, 0];
    for (let column = 0; column < columns; column++) {
      const number = vector[column]!;
      one += matrix[first + column]! * number;
      two += matrix[second + column]! * number;
      three += matrix[third + column]! * number;
      four += matrix[fourth + column]! * number;
    }
    result[row] = one;
    result[row + 1] = two;
    result[row + 2] = three;
    result[row + 3] = four;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++) {
      sum += matrix[row * columns + column]! * vector[column]!;
    }
    result[row] = sum;
  }
  if (added !== undefined) for (row = 0; row < rows; row++) result[row]! += added[row]!;
  return result;
}

/** The same of a matrix as codes. */
export function productOfCodes(
  { codes, scale }: Codes,
  vector: Float32Array,
  added: Float32Array,
): Float32Array {
  const result = product(codes, vector, scale.length);
  for (let row = 0; row < result.length; row++) {
    result[row] = result[row]! * scale[row]! + added[row]!;
  }
  return result;
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
