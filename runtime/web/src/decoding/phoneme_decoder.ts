import { FIRST_WORD, type PackedModel, UNKNOWN } from "../language/packed_model.js";
import { PronunciationTree } from "../language/pronunciation_tree.js";
import type { Pronunciations } from "../language/pronunciations.js";
import { BEAM_DEFAULTS, type BeamConfig } from "./beam_config.js";
import type { Decoding } from "./greedy.js";
import { PhonemeSearch } from "./phoneme_search.js";
import type { SearchState } from "./phoneme_state.js";
import { makeRescorer, type Rescorer } from "./rescoring.js";
import { Heads, type Rows } from "./rows.js";
import type { BestPath } from "./traceback.js";
import { geometricMean, textOf, type Token, withoutLeadingSpace } from "./transcript.js";
import { WordAligner } from "./word_alignment.js";
import type { History } from "./word_histories.js";
import { WordScorer } from "./word_scorer.js";

/** Decodes the output of a model with a phoneme head; see `decoding/phoneme_decoder.py`. */
export class PhonemeDecoder {
  readonly heads: Heads;
  readonly search: PhonemeSearch;
  readonly aligner: WordAligner;
  /** Compares the best texts once more, null if nothing does. */
  readonly rescorer: Rescorer | null;
  readonly #words: WordScorer;
  readonly #tree: PronunciationTree;

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
    this.#tree = tree;
    this.rescorer = makeRescorer(model, config);
    this.search = new PhonemeSearch(tree, scorer, config, this.heads);
    const { silenceThreshold } = config;
    this.aligner = new WordAligner(tree, model.words, vocabulary, this.heads, silenceThreshold);
  }

  /** How much each word of a sentence was to be expected, in nats. */
  wordLogProbs(words: readonly string[]): number[] {
    return this.#words.logProbs(words);
  }

  /** The search's state before an utterance. */
  begin(): SearchState {
    return this.search.begin(this.rescorer !== null);
  }

  /**
   * The best text of an utterance that ends here, of those that were compared once more.
   *
   * The aligner places every path, also what no path spells, so that none has to be passed over.
   *
   * @param context What was said before; without it, a sentence begins.
   */
  bestText(state: SearchState, context?: History): BestPath {
    if (this.rescorer === null) return this.search.finish(state);
    const graph = this.search.graph(state, this.rescorer.threshold);
    return this.rescorer.best(graph, (label) => this.wordId(label), context);
  }

  /** The language model's id of a pronunciation's word. */
  wordId(label: number): number {
    const word = this.#tree.word[label]!;
    return word < 0 ? UNKNOWN : word + FIRST_WORD;
  }

  /** Decode one utterance [frames, columns of `heads`]. */
  decode(rows: Rows, seconds: number): Decoding {
    const state = this.begin();
    this.search.advance(state, rows);
    this.search.conclude(state);
    const { labels, startFrames } = this.bestText(state);
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
