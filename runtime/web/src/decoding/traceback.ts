const FEW = 1 << 16;

/** A prefix's words from its first, and the frames that they began in. */
export interface Path {
  labels: readonly number[];
  startFrames: readonly number[];
}

/** The best text of an utterance: pronunciations of its words, and the frames that they began in. */
export interface BestPath extends Path {
  /** Nats of the text, with the language model's share. */
  readonly score: number;
  /** Number in the traceback of the hypothesis that the path ends as. */
  readonly prefix: number;
  /** Label of the path from which on its labels are that hypothesis's. */
  readonly own: number;
  /** How many labels more than the path that hypothesis has before those. */
  readonly shift: number;
}

/** What a hypothesis has spelled; see `Spelled` of `decoding/traceback.py`. */
export interface Spelled {
  /** Pronunciations of its words. */
  labels: readonly number[];
  /** Frame from which on each word was spoken, and behind them the next one will be. */
  startFrames: readonly number[];
  /** Frame from which on it stands that the text before each place has ended. */
  since: readonly number[];
}

/** How each hypothesis was spelled: a tree that grows at its leaves; number 0 is the root. */
export class Traceback {
  #count = 1;
  #limit = FEW;
  #parents = new Int32Array(1 << 12);
  #labels = new Int32Array(1 << 12);
  #frames = new Int32Array(1 << 12);

  /** Whether it has grown so much since `keep` that forgetting is due. */
  get needsPruning(): boolean {
    return this.#count >= this.#limit;
  }

  /** The number of a new prefix. */
  add(parent: number, label: number, frame: number): number {
    if (this.#count === this.#parents.length) {
      this.#parents = doubled(this.#parents);
      this.#labels = doubled(this.#labels);
      this.#frames = doubled(this.#frames);
    }
    this.#parents[this.#count] = parent;
    this.#labels[this.#count] = label;
    this.#frames[this.#count] = frame;
    return this.#count++;
  }

  /** The prefix that one goes on from; of the root the root. */
  parent(number: number): number {
    return this.#parents[number]!;
  }

  /** The label that a prefix adds. */
  label(number: number): number {
    return this.#labels[number]!;
  }

  follow(number: number): Path {
    const places = this.ancestors(number);
    return {
      labels: places.map((place) => this.#labels[place]!),
      startFrames: places.map((place) => this.#frames[place]!),
    };
  }

  /**
   * Forget all but some prefixes and what they are made of.
   *
   * @param numbers Prefixes, replaced by their new numbers.
   * @param count How many of these there are.
   * @param without Labels to forget at the beginning of each, the same ones for all.
   */
  keep(numbers: Int32Array, count: number, without = 0): void {
    const firsts = new Set<number>();
    const whole: number[] = [];
    for (let index = 0; index < count; index++) {
      const places = this.ancestors(numbers[index]!).slice(without);
      if (places.length > 0) firsts.add(places[0]!);
      whole.push(places.at(-1) ?? 0);
    }
    const sorted = this.kept(numbers, count, without);
    const renumbered = new Map<number, number>();
    sorted.forEach((old, place) => renumbered.set(old, place));
    // Parents have smaller numbers than their children, so that nothing is overwritten too early.
    sorted.forEach((old, place) => {
      const parent = firsts.has(old) ? 0 : (renumbered.get(this.#parents[old]!) ?? 0);
      this.#parents[place] = parent;
      this.#labels[place] = this.#labels[old]!;
      this.#frames[place] = this.#frames[old]!;
    });
    this.#count = sorted.length;
    this.#limit = Math.max(FEW, 2 * sorted.length);
    whole.forEach((old, index) => (numbers[index] = renumbered.get(old)!));
  }

  /** The numbers in order that the prefixes which `keep` would leave have before it. */
  kept(numbers: Int32Array, count: number, without = 0): Int32Array {
    const kept = new Set<number>([0]);
    for (let index = 0; index < count; index++) {
      const places = this.ancestors(numbers[index]!);
      // Of a prefix that was seen all beginnings were.
      for (let place = places.length - 1; place >= without && !kept.has(places[place]!); place--) {
        kept.add(places[place]!);
      }
    }
    return Int32Array.from(kept).sort();
  }

  /** The numbers of a prefix's own beginnings, from its first label to all of it. */
  ancestors(number: number): number[] {
    const places: number[] = [];
    for (; number !== 0; number = this.#parents[number]!) places.push(number);
    return places.reverse();
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
