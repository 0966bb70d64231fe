import { RecognizerError } from "../errors.js";
import { type ModelCard, parseModelCard } from "./model_card.js";
import { type Field, fieldsOf, writeNumber } from "./protobuf.js";

/** Field numbers of ONNX's messages (onnx.proto). */
const MODEL_GRAPH = 7;
const MODEL_METADATA = 14;
const GRAPH_INITIALIZER = 5;
const TENSOR_NAME = 8;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** Inputs of a model that can stream. They have defaults in the file. */
const STREAMING_INPUTS = new Set(["context_frames", "chunk_frames", "state"]);

/** A model file as the session takes it. */
export interface OnnxFile {
  readonly card: ModelCard;
  readonly bytes: Uint8Array;
}

/**
 * Read the card of a model that asr-export wrote, and make its streaming inputs usable.
 *
 * ONNX Runtime's JavaScript interface knows only inputs without a default. So the defaults of the
 * streaming inputs are left out of the bytes that the session gets; the file stays as it is.
 *
 * @throws RecognizerError for any other file.
 */
export function readOnnxFile(bytes: Uint8Array): OnnxFile {
  try {
    const fields = [...fieldsOf(bytes, 0, bytes.length)];
    const card = parseModelCard(metadata(bytes, fields, "model_card"));
    if (card.streaming === undefined) return { card, bytes };
    const parts: Uint8Array[] = [];
    for (const field of fields) {
      parts.push(
        field.number === MODEL_GRAPH
          ? withoutDefaults(bytes, field)
          : bytes.subarray(field.begin, field.end),
      );
    }
    return { card, bytes: joined(parts) };
  } catch (error) {
    if (error instanceof RecognizerError) throw error;
    throw new RecognizerError("The model is no ONNX file, or is damaged; load the page again.");
  }
}

function metadata(bytes: Uint8Array, fields: readonly Field[], wanted: string): string {
  for (const field of fields) {
    if (field.number !== MODEL_METADATA) continue;
    if (textOf(bytes, field, ENTRY_KEY) === wanted) return textOf(bytes, field, ENTRY_VALUE);
  }
  throw new RecognizerError("The model has no card; give one that asr-export wrote.");
}

function textOf(bytes: Uint8Array, message: Field, number: number): string {
  for (const field of fieldsOf(bytes, message.content, message.end)) {
    if (field.number !== number) continue;
    return new TextDecoder().decode(bytes.subarray(field.content, field.end));
  }
  return "";
}

function withoutDefaults(bytes: Uint8Array, graph: Field): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of fieldsOf(bytes, graph.content, graph.end)) {
    const isDefault =
      field.number === GRAPH_INITIALIZER && STREAMING_INPUTS.has(textOf(bytes, field, TENSOR_NAME));
    if (!isDefault) parts.push(bytes.subarray(field.begin, field.end));
  }
  const size = parts.reduce((total, part) => total + part.length, 0);
  const key = MODEL_GRAPH * 8 + 2;
  return joined([Uint8Array.from([...writeNumber(key), ...writeNumber(size)]), ...parts]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
