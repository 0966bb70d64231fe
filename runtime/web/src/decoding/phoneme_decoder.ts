import type { PackedModel } from "../language/packed_model.js";
import { PronunciationTree } from "../language/pronunciation_tree.js";
import type { Pronunciations } from "../language/pronunciations.js";
import { BEAM_DEFAULTS, type BeamConfig } from "./beam_config.js";
import type { Decoding } from "./greedy.js";
import { PhonemeSearch } from "./phoneme_search.js";
import { Heads, type Rows } from "./rows.js";
import { geometricMean, textOf, type Token, withoutLeadingSpace } from "./transcript.js";
import { WordAligner } from "./word_alignment.js";
import { WordScorer } from "./word_scorer.js";

/** Decodes the output of a model with a phoneme head; see `decoding/phoneme_decoder.py`. */
export class PhonemeDecoder {
  readonly heads: Heads;
  readonly search: PhonemeSearch;
  readonly aligner: WordAligner;
  readonly #words: WordScorer;

  /**
   * @param model A language model, and how its words are spoken.
   * @param vocabulary The text of each letter class; `blank` is the blank's.
   */
  constructor(
    model: PackedModel,
    pronunciations: Pronunciations,
    vocabulary: readonly string[],
    blank: number,
    config: BeamConfig = BEAM_DEFAULTS,
  ) {
    this.heads = new Heads(vocabulary.length, blank, true);
    const scorer = new WordScorer(model, config);
    this.#words = scorer;
    const tree = new PronunciationTree(
      pronunciations,
      scorer.expected,
      scorer.expectedUnknown,
      config.variantPenalty,
    );
    this.search = new PhonemeSearch(tree, scorer, config, this.heads);
    const { silenceThreshold } = config;
    this.aligner = new WordAligner(tree, model.words, vocabulary, this.heads, silenceThreshold);
  }

  /** How much each word of a sentence was to be expected, in nats. */
  wordLogProbs(words: readonly string[]): number[] {
    return this.#words.logProbs(words);
  }

  /** Decode one utterance [frames, columns of `heads`]. */
  decode(rows: Rows, seconds: number): Decoding {
    const state = this.search.begin();
    this.search.advance(state, rows);
    const { labels, startFrames } = this.search.finish(state);
    const aligned = this.aligner.align(rows, labels, startFrames, this.search.blankFrames(rows));
    const tokens = withoutLeadingSpace(this.aligner.tokens(rows, aligned, seconds));
    return { text: textOf(tokens), tokens, confidence: this.#confidence(rows, tokens) };
  }

  /** Of no tokens, as probable as blanks are. */
  #confidence(rows: Rows, tokens: readonly Token[]): number {
    if (tokens.length > 0) return geometricMean(tokens.map((token) => token.confidence));
    if (rows.frames === 0) return 0;
    let sum = 0;
    for (let frame = 0; frame < rows.frames; frame++) {
      sum += rows.data[frame * rows.width + this.heads.begin + this.heads.blank]!;
    }
    return Math.min(1, Math.exp(sum / rows.frames));
  }
}
