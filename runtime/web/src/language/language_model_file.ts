import { RecognizerError } from "../errors.js";
import { PackedModel } from "./packed_model.js";

const MAGIC = "ASRNGRAM";
/** Formats that are read: without rare words and with them. */
const FORMAT_VERSIONS = [2, 3];

export type LanguageModelArray =
  | Int8Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int32Array
  | Float32Array;

/** What a language model file says about itself, as far as it is used here. */
export interface LanguageModelHeader {
  format_version: number;
  order: number;
  ngrams: Record<string, number>;
  bytes: number;
  sha256: string;
  arrays: Record<string, { offset: number; length: number; type: string }>;
  dev_perplexity?: number;
  /** The sizes of the neural network beside the n-grams, if there is one; see `WordNetwork`. */
  network?: {
    version: number;
    hidden: number;
    edges: readonly number[];
    dims: readonly number[];
  };
}

const TYPES = {
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
} as const;

/**
 * Read a language model; `language/language_model_file.py` describes the file.
 *
 * @param content The whole file; its arrays stay in use.
 * @throws RecognizerError for a file that is none, is damaged or is of another format.
 */
export async function readLanguageModel(content: ArrayBuffer): Promise<PackedModel> {
  const bytes = new Uint8Array(content);
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC || bytes.length < MAGIC.length + 4) {
    throw new RecognizerError("The language model is no language model file.");
  }
  const begin = 12 + new DataView(content).getUint32(8, true);
  let header: LanguageModelHeader;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, begin)));
  } catch {
    throw damaged();
  }
  if (!FORMAT_VERSIONS.includes(header.format_version)) {
    throw new RecognizerError(
      `The language model has format ${header.format_version}; this page reads format ` +
        `${FORMAT_VERSIONS.join(" and ")}. Build it again with asr-train language-model.`,
    );
  }
  if (bytes.length !== begin + header.bytes) throw damaged();
  // Browsers offer the digest on secure pages alone, which service workers need as well.
  if (globalThis.crypto?.subtle !== undefined) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(begin)));
    const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (text !== header.sha256) throw damaged();
  }
  const arrays: Record<string, LanguageModelArray> = {};
  try {
    for (const [name, place] of Object.entries(header.arrays)) {
      if (!(place.type in TYPES)) continue;
      const Kind = TYPES[place.type as keyof typeof TYPES];
      arrays[name] = new Kind(content, begin + place.offset, place.length);
    }
    return new PackedModel(header, arrays);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw damaged();
    throw error;
  }
}

function damaged(): RecognizerError {
  return new RecognizerError("The language model is damaged or cut off; load the page again.");
}
