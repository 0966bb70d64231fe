/** Seconds of a window, and of audio that two neighbours share; see `recordings/windows.py`. */
export const WINDOW_SECONDS = 20;
export const OVERLAP_SECONDS = 4;

/** Part of the audio, from a frame on. */
export interface Window {
  readonly firstFrame: number;
  readonly samples: Float32Array;
}

/**
 * Cut audio into overlapping windows as it comes, holding no more than one of them and a block.
 *
 * @param window Frames of a window; `overlap` of them are shared with the next.
 * @param frameStride Samples a frame.
 */
export async function* cutWindows(
  blocks: AsyncIterable<Float32Array>,
  window: number,
  overlap: number,
  frameStride: number,
): AsyncGenerator<Window> {
  const size = window * frameStride;
  const step = window - overlap;
  let firstFrame = 0;
  let held: Float32Array = new Float32Array(0);
  for await (const block of blocks) {
    const joined = new Float32Array(held.length + block.length);
    joined.set(held);
    joined.set(block, held.length);
    held = joined;
    // One sample more than the window, or it would not be known that another one follows.
    while (held.length > size) {
      yield { firstFrame, samples: held.slice(0, size) };
      firstFrame += step;
      held = held.slice(step * frameStride);
    }
  }
  if (held.length > 0) yield { firstFrame, samples: held };
}
