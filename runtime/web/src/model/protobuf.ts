/** A field of a protobuf message. */
export interface Field {
  readonly number: number;
  /** Where the field begins, and where its content does and ends, in the bytes. */
  readonly begin: number;
  readonly content: number;
  readonly end: number;
}

/** The fields of the message between two places of some bytes, one level deep. */
export function* fieldsOf(bytes: Uint8Array, begin: number, end: number): Generator<Field> {
  for (let place = begin; place < end; ) {
    const start = place;
    let key: number;
    [key, place] = readNumber(bytes, place);
    const kind = key & 7;
    let content = place;
    if (kind === 0) [, place] = readNumber(bytes, place);
    else if (kind === 1) place += 8;
    else if (kind === 5) place += 4;
    else if (kind === 2) {
      let size: number;
      [size, content] = readNumber(bytes, place);
      place = content + size;
    } else throw new RangeError("not a protobuf message");
    if (place > end) throw new RangeError("a field reaches past the end");
    yield { number: Math.floor(key / 8), begin: start, content, end: place };
  }
}

/** A number and the place behind it; numbers beyond 2^53 are not exact. */
export function readNumber(bytes: Uint8Array, place: number): [number, number] {
  let number = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[place++];
    if (byte === undefined || factor > 2 ** 63) throw new RangeError("a number has no end");
    number += (byte & 127) * factor;
    if (byte < 128) return [number, place];
  }
}

/** The bytes of a number. */
export function writeNumber(number: number): number[] {
  const bytes: number[] = [];
  for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return [...bytes, number];
}
