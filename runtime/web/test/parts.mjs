// Parts of the recogniser besides its decoders, for tests/web: node parts.mjs REQUEST.json
import { openAsBlob, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const requestPath = process.argv[2];
const request = JSON.parse(readFileSync(requestPath, "utf8"));
const parts = await import(request.bundle);
const content = (name) => {
  const bytes = readFileSync(resolve(dirname(requestPath), name));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
const floats = (name) => new Float32Array(content(name));

const operations = {
  resample({ samples, from, to, block }) {
    const resampler = new parts.Resampler(from, to);
    const input = floats(samples);
    const output = [];
    for (let begin = 0; begin < input.length; begin += block) {
      output.push(...resampler.feed(input.slice(begin, begin + block)));
    }
    output.push(...resampler.finish());
    return output;
  },
  seam({ before, after, width, blank, config }) {
    const heads = new parts.Heads(width, blank, false);
    const rows = (name) => new parts.Rows(floats(name), width);
    return parts.findSeam(rows(before), rows(after), heads, config);
  },
  async wav({ file }) {
    const blob = await openAsBlob(join(dirname(requestPath), file));
    try {
      const format = await parts.readWavFormat(blob);
      if (format === null) return null;
      const samples = [];
      for await (const block of parts.readWav(blob, format)) samples.push(...block);
      return { sampleRate: format.sampleRate, samples };
    } catch (error) {
      if (error instanceof parts.RecognizerError) return error.message;
      throw error;
    }
  },
  format({ sentences, kind }) {
    return parts.format(sentences, kind);
  },
  card({ file }) {
    const { card, bytes } = parts.readOnnxFile(new Uint8Array(readFileSync(file)));
    return { card, size: bytes.length };
  },
  async gains({ file, texts }) {
    const model = await parts.readLanguageModel(content(file));
    const decoder = new parts.PhonemeDecoder(model, model.pronunciations(), ["a", "_"], 1);
    const { mixture } = decoder.rescorer;
    const start = { ...mixture.start, longer: new Map() };
    return texts.map((text) => {
      let history = start;
      for (const word of text) {
        mixture.extend([[history, word]]);
        history = history.longer.get(word);
        mixture.advance([history]);
      }
      return history.gain;
    });
  },
  async languageModel({ file }) {
    try {
      await parts.readLanguageModel(content(file));
      return "";
    } catch (error) {
      if (error instanceof parts.RecognizerError) return error.message;
      throw error;
    }
  },
};
const answers = [];
for (const each of request.cases) answers.push(await operations[each.operation](each));
process.stdout.write(JSON.stringify(answers));
