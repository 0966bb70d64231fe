/** Multiplies a matrix with four vectors; all are float32, and numbers are places in the memory. */
export type Multiply = (
  matrix: number,
  vectors: number,
  results: number,
  rows: number,
  columns: number,
) => void;

/** Vectors that are multiplied at once, and what rows and columns must be multiples of. */
export const VECTORS = 4;
export const ROWS = 2;
export const COLUMNS = 4;

// Instructions of WebAssembly, those on vectors of numbers behind a prefix.
const GET = 0x20;
const SET = 0x21;
const CONSTANT = 0x41;
const ADD = 0x6a;
const SHIFT = 0x74;
const LESS = 0x49;
const LOOP = [0x03, 0x40];
const AGAIN = [0x0d, 0];
const END = 0x0b;
const ADD_NUMBERS = 0x92;
const STORE_NUMBER = (offset: number): number[] => [0x38, 2, offset];
const LOAD = [0xfd, 0x00, 4, 0];
const ZEROS = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
const NUMBER_AT = (lane: number): number[] => [0xfd, 0x1f, lane];
const ADD_LANES = [0xfd, 0xe4, 0x01];
const MULTIPLY_LANES = [0xfd, 0xe6, 0x01];

const INTEGER = 0x7f;
const LANES = 0x7b;

// Parameters, then other variables: bytes of a row, bytes of a result, where the first result ends,
// a place in the row, a place in a vector, parts of two rows, and four sums for each of them.
const [MATRIX, VECTOR, RESULT, ROW_COUNT, COLUMN_COUNT] = [0, 1, 2, 3, 4] as const;
const [STRIDE, LENGTH, LAST, PLACE, POINT] = [5, 6, 7, 8, 9] as const;
const [ONE, OTHER, SUMS] = [10, 11, 12] as const;

/** Add a number to a variable. */
const increase = (variable: number, ...by: number[]): number[] => [
  ...[GET, variable, ...by, ADD, SET, variable],
];
const each = (count: number, code: (index: number) => number[]): number[] =>
  Array.from({ length: count }, (_, index) => code(index)).flat();

/** Two rows at a time, for each four columns at a time, all vectors. */
const CODE = [
  ...[GET, COLUMN_COUNT, CONSTANT, 2, SHIFT, SET, STRIDE],
  ...[GET, ROW_COUNT, CONSTANT, 2, SHIFT, SET, LENGTH],
  ...[GET, RESULT, GET, LENGTH, ADD, SET, LAST],
  ...LOOP,
  ...each(ROWS * VECTORS, (sum) => [...ZEROS, SET, SUMS + sum]),
  ...[CONSTANT, 0, SET, PLACE],
  ...LOOP,
  ...[GET, MATRIX, GET, PLACE, ADD, ...LOAD, SET, ONE],
  ...[GET, MATRIX, GET, STRIDE, ADD, GET, PLACE, ADD, ...LOAD, SET, OTHER],
  ...[GET, VECTOR, GET, PLACE, ADD, SET, POINT],
  ...each(VECTORS, (vector) => [
    ...each(ROWS, (row) => [
      ...[GET, POINT, ...LOAD, GET, ONE + row, ...MULTIPLY_LANES],
      ...[GET, SUMS + vector * ROWS + row, ...ADD_LANES, SET, SUMS + vector * ROWS + row],
    ]),
    ...increase(POINT, GET, STRIDE),
  ]),
  ...increase(PLACE, CONSTANT, 16),
  ...[GET, PLACE, GET, STRIDE, LESS, ...AGAIN, END],
  ...[GET, RESULT, SET, POINT],
  ...each(VECTORS, (vector) => [
    ...each(ROWS, (row) => [
      ...[GET, POINT],
      ...each(COLUMNS, (lane) => [
        ...[GET, SUMS + vector * ROWS + row, ...NUMBER_AT(lane)],
        ...(lane > 0 ? [ADD_NUMBERS] : []),
      ]),
      ...STORE_NUMBER(4 * row),
    ]),
    ...increase(POINT, GET, LENGTH),
  ]),
  ...increase(MATRIX, GET, STRIDE, GET, STRIDE, ADD),
  ...increase(RESULT, CONSTANT, 4 * ROWS),
  ...[GET, RESULT, GET, LAST, LESS, ...AGAIN, END],
];

/**
 * A function that works in some memory, in WebAssembly: four numbers at a time, as JavaScript cannot.
 */
export function multiplication(memory: WebAssembly.Memory): Multiply {
  const variables = [2, 5, INTEGER, 2 + ROWS * VECTORS, LANES];
  const body = [...variables, ...CODE, END];
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // A function of five integers without a result; the memory it works in; that it is there, and
    // has a name; what it does.
    ...section(1, [1, 0x60, 5, ...new Array<number>(5).fill(INTEGER), 0]),
    ...section(2, [1, ...name("m"), ...name("m"), 2, 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("f"), 0, 0]),
    ...section(10, [1, ...size(body.length), ...body]),
  ];
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  return new WebAssembly.Instance(module, { m: { m: memory } }).exports["f"] as Multiply;
}

function section(kind: number, content: readonly number[]): number[] {
  return [kind, ...size(content.length), ...content];
}

function name(letter: string): number[] {
  return [1, letter.charCodeAt(0)];
}

/** A number, seven bits a byte. */
function size(number: number): number[] {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...size(number >> 7)];
}
