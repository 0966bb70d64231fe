/** How many bits of a 32-bit number are set. */
export function popcount(bits: number): number {
  bits -= (bits >>> 1) & 0x55555555;
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The places of the bits that are set among the first `count` of an array, the lowest bit first. */
export function setBits(packed: Uint8Array, count: number): Int32Array {
  const places: number[] = [];
  for (let place = 0; place < count; place++) {
    if ((packed[place >> 3]! >> (place & 7)) & 1) places.push(place);
  }
  return Int32Array.from(places);
}
