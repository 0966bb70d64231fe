/** First and last frame of each label. */
export interface Alignment {
  first: Int32Array;
  last: Int32Array;
}

/**
 * The most probable CTC path that spells some labels (Viterbi), or null if the frames are too few.
 *
 * @param score Natural-log probability of a class in a frame.
 * @param frames How many frames there are.
 * @param labels Without blanks.
 * @param blank The blank's class.
 */
export function align(
  score: (frame: number, label: number) => number,
  frames: number,
  labels: readonly number[],
  blank: number,
): Alignment | null {
  const count = labels.length;
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  if (count === 0) return { first, last };
  if (frames === 0) return null;
  // States: a blank before, between and after the labels, and the labels at odd places.
  const states = 2 * count + 1;
  const steps = new Uint8Array(frames * states);
  let reached = new Float64Array(states).fill(-Infinity);
  let next = new Float64Array(states);
  reached[0] = score(0, blank);
  reached[1] = score(0, labels[0]!);
  for (let frame = 1; frame < frames; frame++) {
    const silence = score(frame, blank);
    for (let state = 0; state < states; state++) {
      let best = reached[state]!;
      let step = 0;
      if (state > 0 && reached[state - 1]! > best) {
        best = reached[state - 1]!;
        step = 1;
      }
      // A blank may be skipped but between equal labels.
      const label = state >> 1;
      const skips = (state & 1) === 1 && state > 1 && labels[label] !== labels[label - 1];
      if (skips && reached[state - 2]! > best) {
        best = reached[state - 2]!;
        step = 2;
      }
      steps[frame * states + state] = step;
      next[state] = best + ((state & 1) === 1 ? score(frame, labels[label]!) : silence);
    }
    [reached, next] = [next, reached];
  }
  let state = reached[states - 1]! > reached[states - 2]! ? states - 1 : states - 2;
  if (!Number.isFinite(reached[state])) return null;
  last.fill(-1);
  for (let frame = frames - 1; frame >= 0; frame--) {
    if (state & 1) {
      const label = state >> 1;
      first[label] = frame;
      if (last[label] === -1) last[label] = frame;
    }
    state -= steps[frame * states + state]!;
  }
  return { first, last };
}
