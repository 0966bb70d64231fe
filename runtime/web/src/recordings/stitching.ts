import { type Heads, Rows } from "../decoding/rows.js";

/** A character that only one window has, and one that the two read differently. */
const GAP = 2;
const CHANGE = 3;

/** Where a seam may lie, in frames; `recordings/stitching.py` explains all of it. */
export interface SeamConfig {
  readonly margin: number;
  readonly pause: number;
  readonly reach: number;
}

/** Join the windows' frames; every frame comes out once, in order. Two windows are held at a time. */
export async function* stitch(
  windows: AsyncIterable<{ firstFrame: number; rows: Rows }>,
  heads: Heads,
  config: SeamConfig,
): AsyncGenerator<Rows> {
  let heldFirst = 0;
  let held: Rows | null = null;
  for await (const { firstFrame, rows } of windows) {
    if (held === null) {
      [heldFirst, held] = [firstFrame, rows];
      continue;
    }
    let shared: Rows = held.slice(firstFrame - heldFirst);
    // The held one's last frame is half outside of it.
    shared = shared.slice(0, Math.min(shared.frames - 1, rows.frames));
    const seam = findSeam(shared, rows.slice(0, shared.frames), heads, config);
    yield held.slice(0, firstFrame - heldFirst + seam);
    [heldFirst, held] = [firstFrame + seam, rows.slice(seam)];
  }
  if (held !== null) yield held;
}

/** How many of the frames that two windows share are best taken from the first one. */
export function findSeam(before: Rows, after: Rows, heads: Heads, config: SeamConfig): number {
  const { frames } = before;
  if (frames === 0) return 0;
  const first = Array.from({ length: frames }, (_, frame) => heads.heard(before, frame));
  const second = Array.from({ length: frames }, (_, frame) => heads.heard(after, frame));
  const lost = lostAt(first, second, heads.blank);
  const margin = Math.min(config.margin, Math.floor(frames / 2));
  let seams: number[] = [];
  for (const part of [1, 2, 4]) {
    const least = Math.floor(margin / part);
    seams = Array.from({ length: frames + 1 - 2 * least }, (_, place) => least + place);
    if (seams.some((seam) => lost[seam] === 0)) break;
  }
  const fewest = Math.min(...seams.map((seam) => lost[seam]!));
  seams = seams.filter((seam) => lost[seam] === fewest);

  const quiet = first.map((label, frame) => label === heads.blank && second[frame] === heads.blank);
  const lengths = runLengths(quiet);
  // A seam belongs to a pause if it has one of its frames on both sides.
  const pauses = seams.map((seam) =>
    seam > 0 && seam < frames && quiet[seam] && quiet[seam - 1] ? lengths[seam]! : 0,
  );
  const longestPause = Math.max(...pauses);
  if (longestPause >= config.pause) {
    const longest = seams.filter((_, place) => pauses[place] === longestPause);
    let run = 1;
    while (run < longest.length && longest[run]! - longest[run - 1]! === 1) run++;
    return longest[Math.floor(run / 2)]!;
  }
  const total = [0];
  for (let frame = 0; frame < frames; frame++) {
    total.push(total[frame]! + difference(before, after, frame, heads));
  }
  let best = seams[0]!;
  let least = Infinity;
  for (const seam of seams) {
    const low = Math.max(seam - config.reach, 0);
    const high = Math.min(seam + config.reach, frames);
    const mean = (total[high]! - total[low]!) / (high - low);
    if (mean < least) [best, least] = [seam, mean];
  }
  return best;
}

/** How much probability two windows give to different classes in a frame. */
function difference(before: Rows, after: Rows, frame: number, heads: Heads): number {
  let sum = 0;
  for (let column = heads.begin; column < heads.width; column++) {
    const place = frame * before.width + column;
    sum += Math.abs(Math.exp(before.data[place]!) - Math.exp(after.data[place]!)) / 2;
  }
  return sum;
}

/** How many characters each seam would lose, double or change [frames + 1]. */
function lostAt(first: readonly number[], second: readonly number[], blank: number): number[] {
  const starts = [first, second].map((path) => startsOf(path, blank)) as [number[], number[]];
  const [one, other] = [
    starts[0].map((frame) => first[frame]!),
    starts[1].map((frame) => second[frame]!),
  ];
  const ahead = distances(one, other);
  const behind = distances(one.slice().reverse(), other.slice().reverse());
  const all = ahead[one.length]![other.length]!;
  const read = [0, 0];
  return Array.from({ length: first.length + 1 }, (_, seam) => {
    while (read[0]! < one.length && starts[0][read[0]!]! < seam) read[0]!++;
    while (read[1]! < other.length && starts[1][read[1]!]! < seam) read[1]!++;
    const [row, column] = [read[0]!, read[1]!];
    let lost = ahead[row]![column]! + behind[one.length - row]![other.length - column]! - all;
    if (seam > 0 && seam < first.length) {
      // Across a seam, equal classes merge into one character.
      const merges = first[seam - 1] === second[seam];
      const goesOn = second[seam - 1] === second[seam];
      const either = merges ? first[seam - 1] : second[seam];
      if (either !== blank && merges !== goesOn) lost++;
    }
    return lost;
  });
}

/** Frames in which a character begins. */
function startsOf(path: readonly number[], blank: number): number[] {
  const starts: number[] = [];
  path.forEach((label, frame) => {
    if (label !== blank && label !== path[frame - 1]) starts.push(frame);
  });
  return starts;
}

/** Edit distances between all beginnings of two texts. */
function distances(one: readonly number[], other: readonly number[]): number[][] {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column * GAP)];
  one.forEach((label, index) => {
    const above = rows[index]!;
    const row = [GAP * (index + 1)];
    other.forEach((also, column) => {
      const changed = above[column]! + (label === also ? 0 : CHANGE);
      row.push(Math.min(above[column + 1]! + GAP, changed, row[column]! + GAP));
    });
    rows.push(row);
  });
  return rows;
}

/** For each frame the length of the run of set flags that it is in, else 0. */
function runLengths(flags: readonly boolean[]): number[] {
  const lengths = new Array<number>(flags.length).fill(0);
  for (let begin = 0; begin < flags.length; begin++) {
    let end = begin;
    while (flags[end]) end++;
    lengths.fill(end - begin, begin, end);
    begin = end;
  }
  return lengths;
}
