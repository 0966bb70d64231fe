/** The recogniser without ONNX Runtime, which the caller brings: for pages of one's own, and tests. */
export { readWav, readWavFormat, type WavFormat } from "./audio/wav.js";
export { Resampler } from "./audio/resampler.js";
export { greedyDecode } from "./decoding/greedy.js";
export { PhonemeDecoder } from "./decoding/phoneme_decoder.js";
export { Heads, Rows } from "./decoding/rows.js";
export { type Transcript, type Word, wordsOf } from "./decoding/transcript.js";
export { RecognizerError } from "./errors.js";
export { type Format, format } from "./formats.js";
export { readLanguageModel } from "./language/language_model_file.js";
export type { LiveStream, StreamResult } from "./live/live_stream.js";
export { AcousticModel } from "./model/acoustic_model.js";
export { readOnnxFile } from "./model/onnx_file.js";
export { type Audio, Recognizer } from "./recognizer.js";
export { findSeam } from "./recordings/stitching.js";
export { SentenceDecoder } from "./sentences/sentence_decoder.js";
