/** Settings of the search by phonemes, in nats unless said; `decoding/beam_config.py` explains them. */
export interface BeamConfig {
  /** Hypotheses kept after each frame. */
  readonly beamSize: number;
  readonly beamThreshold: number;
  readonly wordEndThreshold: number;
  /** A probability. */
  readonly labelThreshold: number;
  /** A probability. */
  readonly steadyThreshold: number;
  readonly blankPenalty: number;
  readonly languageModelWeight: number;
  readonly wordBonus: number;
  readonly unknownWordPenalty: number;
  readonly unknownPhonemePenalty: number;
  readonly variantPenalty: number;
  readonly silenceThreshold: number;
  /** The neural network's share of a word's probability when the texts are compared again. */
  readonly networkShare: number;
  /** How much it falls where the n-grams foretold the words before better. */
  readonly shareAdaptation: number;
  /** Beginnings of texts that are compared at each word, at most. */
  readonly rescoredTexts: number;
  /** Texts that score this much less than the best one are not compared. */
  readonly rescoredThreshold: number;
}

/** The defaults of `PhonemeBeamConfig`. */
export const BEAM_DEFAULTS: BeamConfig = {
  beamSize: 300,
  beamThreshold: 14.0,
  wordEndThreshold: 8.0,
  labelThreshold: 3e-3,
  steadyThreshold: 0.8,
  blankPenalty: 0.25,
  languageModelWeight: 1,
  wordBonus: 0.0,
  unknownWordPenalty: 2.0,
  unknownPhonemePenalty: 0.5,
  variantPenalty: 1.0,
  silenceThreshold: 1.0,
  networkShare: 0.8,
  shareAdaptation: 0.25,
  rescoredTexts: 5,
  rescoredThreshold: 4,
};
