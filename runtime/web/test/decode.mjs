// Decodes log-probabilities with the bundle, for tests/web: node decode.mjs REQUEST.json
// The request names the bundle, the language model, the card, and the cases; the answer is printed.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const requestPath = process.argv[2];
const request = JSON.parse(readFileSync(requestPath, "utf8"));
const { PhonemeDecoder, Rows, SentenceDecoder, greedyDecode, readLanguageModel } = await import(
  request.bundle
);
const { vocabulary, blank_id: blank, seconds, calibration } = request;

let decoder = null;
if (request.language_model) {
  const bytes = readFileSync(request.language_model);
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const language = await readLanguageModel(content);
  decoder = new PhonemeDecoder(language, language.pronunciations(), vocabulary, blank);
}

const answers = request.cases.map((each) => {
  const bytes = readFileSync(join(dirname(requestPath), each.rows));
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const rows = new Rows(data, each.width);
  const chosen = each.greedy ? null : decoder;
  if (each.pieces === undefined) {
    return chosen === null
      ? greedyDecode(rows, vocabulary, blank, seconds)
      : chosen.decode(rows, seconds);
  }
  const corrected = calibration ?? undefined;
  const sentences = new SentenceDecoder(chosen, vocabulary, blank, seconds, corrected, each.endpoint);
  const results = [];
  const partials = [];
  for (let begin = 0; begin < rows.frames; begin += each.pieces) {
    results.push(...sentences.feed(rows.slice(begin, Math.min(begin + each.pieces, rows.frames))));
    partials.push(sentences.partial());
  }
  results.push(...sentences.finish(each.duration));
  return { sentences: results, partials };
});
process.stdout.write(JSON.stringify(answers));
