import { RecognizerError } from "../errors.js";

/** How to stream a model, in frames. */
export interface StreamingCard {
  readonly chunk_frames: number;
  readonly lookahead_frames: number;
  readonly context_frames: number;
  readonly state_shape: readonly [number, number];
}

/** Corrections of a word's times and confidence; see `model_file/word_calibration.py`. */
export interface WordCalibration {
  readonly start_shift: number;
  readonly end_shift: number;
  readonly confidence_intercept: number;
  readonly confidence_slope: number;
  /** Cards of before lack these. */
  readonly language_slope?: number;
  readonly next_slope?: number;
  readonly letters_slope?: number;
}

/** What a model says about itself, as far as it is used here; see `model_file/model_card.py`. */
export interface ModelCard {
  readonly format_version: number;
  readonly sample_rate: number;
  readonly vocabulary: readonly string[];
  readonly blank_id: number;
  readonly frame_stride: number;
  readonly phonemes?: readonly string[];
  readonly streaming?: StreamingCard;
  readonly calibration?: Readonly<Record<string, WordCalibration>>;
  readonly word_error_rate?: Readonly<Record<string, unknown>>;
}

const FORMAT_VERSION = 1;

/** @throws RecognizerError for a card that cannot be used. */
export function parseModelCard(text: string): ModelCard {
  let card: ModelCard;
  try {
    card = JSON.parse(text);
  } catch {
    throw new RecognizerError("The model's card is broken; export the model again.");
  }
  if (card.format_version > FORMAT_VERSION) {
    throw new RecognizerError("The model is newer than this page; make the page again.");
  }
  const valid =
    Array.isArray(card.vocabulary) &&
    card.blank_id < card.vocabulary.length &&
    card.sample_rate > 0 &&
    card.frame_stride > 0;
  if (!valid) throw new RecognizerError("The model's card lacks something; export it again.");
  return card;
}
