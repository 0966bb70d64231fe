/** Things in the order of their costs, of equal ones the first first (a binary heap). */
export class PriorityQueue<T> {
  readonly #heap: { readonly cost: number; readonly number: number; readonly thing: T }[] = [];
  #number = 0;

  push(cost: number, thing: T): void {
    const heap = this.#heap;
    heap.push({ cost, number: this.#number++, thing });
    for (let place = heap.length - 1; place > 0; ) {
      const above = (place - 1) >> 1;
      if (!this.#before(place, above)) break;
      this.#swap(place, above);
      place = above;
    }
  }

  /** Takes the cheapest out. */
  pop(): { readonly cost: number; readonly thing: T } | undefined {
    const heap = this.#heap;
    if (heap.length === 0) return undefined;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    for (let place = 0; ; ) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2]) {
        if (below < heap.length && this.#before(below, least)) least = below;
      }
      if (least === place) return first;
      this.#swap(place, least);
      place = least;
    }
  }

  #before(one: number, other: number): boolean {
    const [first, second] = [this.#heap[one]!, this.#heap[other]!];
    return first.cost < second.cost || (first.cost === second.cost && first.number < second.number);
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other]!, this.#heap[one]!];
  }
}
