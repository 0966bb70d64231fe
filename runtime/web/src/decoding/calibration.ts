import type { WordCalibration } from "../model/model_card.js";
import { geometricMean, textOf, type Token, WORD_BOUNDARY } from "./transcript.js";

const SHORTEST_SECONDS = 0.01; // of a word

/** Says how much each word of a sentence was to be expected, in nats. */
export interface LanguageEvidence {
  wordLogProbs(words: readonly string[]): readonly number[];
}

/** What is known of a word besides its sound: nats of it and of the next one, and its letters. */
type Evidence = readonly [nats: number, nextNats: number, letters: number];

/**
 * Correct the times and confidences of an utterance's words; see `decoding/calibration.py`.
 *
 * @param earliest Seconds before which no word begins.
 * @param language Asked where the calibration makes use of it.
 */
export function calibrated(
  tokens: readonly Token[],
  calibration: WordCalibration | undefined,
  earliest = 0,
  language: LanguageEvidence | null = null,
): readonly Token[] {
  if (calibration === undefined || tokens.length === 0) return tokens;
  const groups = grouped(tokens);
  const words = groups.filter((group) => group[0]!.text !== WORD_BOUNDARY);
  const starts: number[] = [];
  let atLeast = earliest;
  for (const word of words) {
    const start = Math.max(atLeast, word[0]!.start + calibration.start_shift);
    starts.push(start);
    atLeast = start + SHORTEST_SECONDS;
  }
  const ends = words.map((word, index) => {
    const limit = starts[index + 1] ?? Infinity;
    const end = Math.min(word[word.length - 1]!.end + calibration.end_shift, limit);
    return Math.max(starts[index]! + SHORTEST_SECONDS, end);
  });
  const evidence = evidenceOf(words, calibration, language);
  const result: Token[] = [];
  let index = 0;
  for (const group of groups) {
    if (group[0]!.text === WORD_BOUNDARY) {
      const begin = index > 0 ? ends[index - 1]! : earliest;
      const end = starts[index] ?? Math.max(begin, group[group.length - 1]!.end);
      // What is known of a word is known of the space that it begins with.
      const known = evidence[Math.min(index, words.length - 1)] ?? ([0, 0, 0] as const);
      result.push(...moved(group, Math.min(begin, end), end, calibration, known));
    } else {
      result.push(...moved(group, starts[index]!, ends[index]!, calibration, evidence[index]!));
      index++;
    }
  }
  return result;
}

function evidenceOf(
  words: readonly Token[][],
  calibration: WordCalibration,
  language: LanguageEvidence | null,
): Evidence[] {
  const { language_slope = 0, next_slope = 0 } = calibration;
  const asks = language !== null && (language_slope !== 0 || next_slope !== 0);
  const nats = asks ? language.wordLogProbs(words.map(textOf)) : [];
  return words.map((word, index) => [nats[index] ?? 0, nats[index + 1] ?? 0, word.length]);
}

/** Runs of spaces and of other characters. */
function grouped(tokens: readonly Token[]): Token[][] {
  const groups: Token[][] = [];
  for (const token of tokens) {
    const last = groups[groups.length - 1];
    const same = last !== undefined && (last[0]!.text === " ") === (token.text === " ");
    if (same) last.push(token);
    else groups.push([token]);
  }
  return groups;
}

function moved(
  group: readonly Token[],
  start: number,
  end: number,
  calibration: WordCalibration,
  evidence: Evidence,
): Token[] {
  const first = group[0]!.start;
  const length = group[group.length - 1]!.end - first;
  const scale = length > 0 ? (end - start) / length : 0;
  const confidence = geometricMean(group.map((token) => token.confidence));
  const likely = probability(confidence, calibration, evidence);
  const certainty = (token: Token): number => {
    if (group.length === 1 || confidence <= 0 || confidence >= 1) return likely;
    return likely ** (Math.log(Math.max(token.confidence, 1e-30)) / Math.log(confidence));
  };
  return group.map((token) => ({
    text: token.text,
    start: start + (token.start - first) * scale,
    end: length > 0 ? start + (token.end - first) * scale : end,
    confidence: certainty(token),
  }));
}

/** The probability that a word of some confidence is right. */
function probability(
  confidence: number,
  calibration: WordCalibration,
  [nats, nextNats, letters]: Evidence,
): number {
  const clipped = Math.min(Math.max(confidence, 1e-6), 1 - 1e-6);
  const { language_slope = 0, next_slope = 0, letters_slope = 0 } = calibration;
  const odds =
    calibration.confidence_intercept +
    calibration.confidence_slope * Math.log(clipped / (1 - clipped)) +
    language_slope * nats +
    next_slope * nextNats +
    letters_slope * letters;
  return 1 / (1 + Math.exp(-odds));
}
