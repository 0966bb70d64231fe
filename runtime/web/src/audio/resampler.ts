/** Zero crossings of the sinc on each side, and the share of the band that is kept. */
const CROSSINGS = 48;
const PASSBAND = 0.95;
/** Of the Kaiser window: some 100 dB of attenuation. */
const BETA = 10;

/**
 * Resamples endless audio; the result does not depend on how it is divided.
 *
 * A windowed-sinc filter for each phase (Smith and Gossett, "A flexible sampling-rate conversion
 * method", ICASSP 1984). Half a filter, 3 ms at 16 kHz, waits for the next samples.
 */
export class Resampler {
  /** Samples so far, at the rate that they came in. */
  samples = 0;
  readonly #step: number;
  readonly #phases: number;
  readonly #half: number;
  readonly #filters: Float32Array[] = [];
  #held = new Float32Array(0);
  /** Number of the first sample that is held. */
  #first = 0;
  #written = 0;

  /** @param from Samples a second that come in; `to` those that come out. Both are rounded. */
  constructor(from: number, to: number) {
    const [input, output] = [Math.round(from), Math.round(to)];
    const divisor = greatestDivisor(input, output);
    this.#step = input / divisor;
    this.#phases = output / divisor;
    const cutoff = Math.min(1, output / input) * (input === output ? 1 : PASSBAND);
    this.#half = Math.ceil(CROSSINGS / cutoff);
    if (input === output) return;
    for (let phase = 0; phase < this.#phases; phase++) {
      const filter = new Float32Array(2 * this.#half);
      let sum = 0;
      for (let tap = 0; tap < filter.length; tap++) {
        const distance = tap - this.#half + 1 - phase / this.#phases;
        const window = kaiser(distance / this.#half);
        filter[tap] = sinc(distance * cutoff) * window;
        sum += filter[tap]!;
      }
      // The same loudness whatever the phase.
      this.#filters.push(filter.map((weight) => weight / sum));
    }
  }

  /** The next samples at the new rate, as far as they can be told. */
  feed(samples: Float32Array): Float32Array {
    this.samples += samples.length;
    if (this.#filters.length === 0) return samples;
    this.#hold(samples);
    return this.#write(this.samples - this.#half);
  }

  /** What is left when the audio ends. */
  finish(): Float32Array {
    if (this.#filters.length === 0) return new Float32Array(0);
    const end = this.samples;
    this.#hold(new Float32Array(2 * this.#half));
    return this.#write(end);
  }

  #hold(samples: Float32Array): void {
    const joined = new Float32Array(this.#held.length + samples.length);
    joined.set(this.#held);
    joined.set(samples, this.#held.length);
    this.#held = joined;
  }

  /** All output whose place lies before an input sample. */
  #write(before: number): Float32Array {
    const last = Math.ceil((Math.max(before, 0) * this.#phases) / this.#step);
    const output = new Float32Array(Math.max(0, last - this.#written));
    for (let place = 0; place < output.length; place++) {
      const position = (this.#written + place) * this.#step;
      const whole = Math.floor(position / this.#phases);
      const filter = this.#filters[position % this.#phases]!;
      const begin = whole - this.#half + 1 - this.#first;
      let sum = 0;
      for (let tap = Math.max(0, -begin); tap < filter.length; tap++) {
        sum += filter[tap]! * (this.#held[begin + tap] ?? 0);
      }
      output[place] = sum;
    }
    this.#written += output.length;
    const next = Math.floor((this.#written * this.#step) / this.#phases) - this.#half + 1;
    const drop = Math.min(Math.max(0, next - this.#first), this.#held.length);
    this.#held = this.#held.slice(drop);
    this.#first += drop;
    return output;
  }
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}

function sinc(place: number): number {
  return place === 0 ? 1 : Math.sin(Math.PI * place) / (Math.PI * place);
}

/** The Kaiser window, from -1 to 1. */
function kaiser(place: number): number {
  if (Math.abs(place) >= 1) return 0;
  return bessel(BETA * Math.sqrt(1 - place * place)) / bessel(BETA);
}

/** The modified Bessel function of the first kind, of order 0. */
function bessel(number: number): number {
  let term = 1;
  let sum = 1;
  for (let index = 1; term > sum * 1e-12; index++) {
    term *= (number / 2 / index) ** 2;
    sum += term;
  }
  return sum;
}
