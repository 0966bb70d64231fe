// An exported model in Node, with onnxruntime-node alone, which is looked for where you are:
//
//   npm install --ignore-scripts onnxruntime-node  # its script would fetch CUDA's libraries
//   node examples/node_greedy.mjs runtime/asr_runtime/models/edge.onnx speech.wav
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { InferenceSession, Tensor } = createRequire(`${process.cwd()}/`)("onnxruntime-node");
const [model, wav] = process.argv.slice(2).map((path) => readFileSync(path));
const card = modelCard(model);
const format = [wav.readUInt32LE(24), wav.readUInt16LE(22), wav.readUInt16LE(34)];
if (format.join() !== `${card.sample_rate},1,16`) {
  throw new Error(`give a WAV file of ${card.sample_rate} Hz, mono, 16 bits a sample`);
}
const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
const begin = wav.indexOf("data", 36, "latin1") + 8; // behind the chunk's name and its size
const integers = { length: wav.readUInt32LE(begin - 4) / 2 };
const samples = Float32Array.from(integers, (_, at) => wav.readInt16LE(begin + 2 * at) / 32768);
const { logprobs, output_lengths } = await session.run({
  input_values: new Tensor("float32", samples, [1, samples.length]),
  input_lengths: new Tensor("int64", BigInt64Array.of(BigInt(samples.length)), [1]),
});
const { vocabulary, blank_id } = card;
const path = Array.from({ length: Number(output_lengths.data[0]) }, (_, frame) => {
  const row = logprobs.data.subarray(frame * vocabulary.length, (frame + 1) * vocabulary.length);
  return row.indexOf(Math.max(...row));
});
// Repeated labels are one, then blanks go.
const labels = path.filter((label, frame) => label !== path[frame - 1] && label !== blank_id);
console.log(labels.map((label) => vocabulary[label]).join("").trim().replace(/ +/g, " "));

/** The metadata entry model_card of an ONNX file: behind its name a tag, a length and JSON. */
function modelCard(file) {
  let place = file.lastIndexOf("model_card") + "model_card".length + 1;
  let length = file[place] & 127;
  for (let shift = 7; file[place++] > 127; shift += 7) length |= (file[place] & 127) << shift;
  return JSON.parse(file.toString("utf8", place, place + length));
}
