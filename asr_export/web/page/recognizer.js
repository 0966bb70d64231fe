// src/errors.ts
var RecognizerError = class extends Error {
};

// src/audio/wav.ts
var BLOCK_BYTES = 1 << 20;
var PCM = 1;
var FLOAT = 3;
var EXTENSIBLE = 65534;
async function readWavFormat(file) {
  const head = new DataView(await file.slice(0, 12).arrayBuffer());
  if (head.byteLength < 12 || fourLetters(head, 0) !== "RIFF" || fourLetters(head, 8) !== "WAVE") {
    return null;
  }
  let format2 = null;
  for (let place = 12; place + 8 <= file.size; ) {
    const chunk = new DataView(await file.slice(place, place + 48).arrayBuffer());
    const name2 = fourLetters(chunk, 0);
    const size2 = chunk.getUint32(4, true);
    if (name2 === "fmt " && chunk.byteLength >= 24) {
      let kind = chunk.getUint16(8, true);
      if (kind === EXTENSIBLE && chunk.byteLength >= 34) kind = chunk.getUint16(32, true);
      const bits = chunk.getUint16(22, true);
      const known = kind === PCM ? [8, 16, 24, 32] : kind === FLOAT ? [32, 64] : [];
      if (!known.includes(bits)) return null;
      const channels = chunk.getUint16(10, true);
      format2 = { sampleRate: chunk.getUint32(12, true), channels, bits, isFloat: kind === FLOAT };
    }
    if (name2 === "data") {
      if (format2 === null || format2.channels === 0) return null;
      const begin = place + 8;
      if (begin + size2 > file.size && size2 < 2147479552) {
        throw new RecognizerError("The file was cut off: it is shorter than its header says.");
      }
      return { ...format2, begin, end: Math.min(begin + size2, file.size) };
    }
    place += 8 + size2 + (size2 & 1);
  }
  throw new RecognizerError("The WAV file has no samples.");
}
async function* readWav(file, format2) {
  const frame = format2.channels * format2.bits / 8;
  const step = Math.max(1, Math.floor(BLOCK_BYTES / frame)) * frame;
  for (let begin = format2.begin; begin + frame <= format2.end; begin += step) {
    const bytes = await file.slice(begin, Math.min(begin + step, format2.end)).arrayBuffer();
    const view = new DataView(bytes);
    const mono = new Float32Array(Math.floor(bytes.byteLength / frame));
    for (let index = 0; index < mono.length; index++) {
      let sum = 0;
      for (let channel = 0; channel < format2.channels; channel++) {
        sum += sampleAt(view, index * frame + channel * format2.bits / 8, format2);
      }
      mono[index] = sum / format2.channels;
    }
    yield mono;
  }
}
function sampleAt(view, place, { bits, isFloat }) {
  if (isFloat) return bits === 32 ? view.getFloat32(place, true) : view.getFloat64(place, true);
  if (bits === 8) return (view.getUint8(place) - 128) / 128;
  if (bits === 16) return view.getInt16(place, true) / 2 ** 15;
  if (bits === 24) return (view.getInt8(place + 2) << 16 | view.getUint16(place, true)) / 2 ** 23;
  return view.getInt32(place, true) / 2 ** 31;
}
function fourLetters(view, place) {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(place + index)));
}

// src/audio/resampler.ts
var CROSSINGS = 48;
var PASSBAND = 0.95;
var BETA = 10;
var Resampler = class {
  /** Samples so far, at the rate that they came in. */
  samples = 0;
  #step;
  #phases;
  #half;
  #filters = [];
  #held = new Float32Array(0);
  /** Number of the first sample that is held. */
  #first = 0;
  #written = 0;
  /** @param from Samples a second that come in; `to` those that come out. Both are rounded. */
  constructor(from, to) {
    const [input, output] = [Math.round(from), Math.round(to)];
    const divisor = greatestDivisor(input, output);
    this.#step = input / divisor;
    this.#phases = output / divisor;
    const cutoff = Math.min(1, output / input) * (input === output ? 1 : PASSBAND);
    this.#half = Math.ceil(CROSSINGS / cutoff);
    if (input === output) return;
    for (let phase = 0; phase < this.#phases; phase++) {
      const filter = new Float32Array(2 * this.#half);
      let sum = 0;
      for (let tap = 0; tap < filter.length; tap++) {
        const distance = tap - this.#half + 1 - phase / this.#phases;
        const window = kaiser(distance / this.#half);
        filter[tap] = sinc(distance * cutoff) * window;
        sum += filter[tap];
      }
      this.#filters.push(filter.map((weight) => weight / sum));
    }
  }
  /** The next samples at the new rate, as far as they can be told. */
  feed(samples) {
    this.samples += samples.length;
    if (this.#filters.length === 0) return samples;
    this.#hold(samples);
    return this.#write(this.samples - this.#half);
  }
  /** What is left when the audio ends. */
  finish() {
    if (this.#filters.length === 0) return new Float32Array(0);
    const end = this.samples;
    this.#hold(new Float32Array(2 * this.#half));
    return this.#write(end);
  }
  #hold(samples) {
    const joined2 = new Float32Array(this.#held.length + samples.length);
    joined2.set(this.#held);
    joined2.set(samples, this.#held.length);
    this.#held = joined2;
  }
  /** All output whose place lies before an input sample. */
  #write(before) {
    const last = Math.ceil(Math.max(before, 0) * this.#phases / this.#step);
    const output = new Float32Array(Math.max(0, last - this.#written));
    for (let place = 0; place < output.length; place++) {
      const position = (this.#written + place) * this.#step;
      const whole = Math.floor(position / this.#phases);
      const filter = this.#filters[position % this.#phases];
      const begin = whole - this.#half + 1 - this.#first;
      let sum = 0;
      for (let tap = Math.max(0, -begin); tap < filter.length; tap++) {
        sum += filter[tap] * (this.#held[begin + tap] ?? 0);
      }
      output[place] = sum;
    }
    this.#written += output.length;
    const next = Math.floor(this.#written * this.#step / this.#phases) - this.#half + 1;
    const drop = Math.min(Math.max(0, next - this.#first), this.#held.length);
    this.#held = this.#held.slice(drop);
    this.#first += drop;
    return output;
  }
};
function greatestDivisor(one, other) {
  return other === 0 ? one : greatestDivisor(other, one % other);
}
function sinc(place) {
  return place === 0 ? 1 : Math.sin(Math.PI * place) / (Math.PI * place);
}
function kaiser(place) {
  if (Math.abs(place) >= 1) return 0;
  return bessel(BETA * Math.sqrt(1 - place * place)) / bessel(BETA);
}
function bessel(number) {
  let term = 1;
  let sum = 1;
  for (let index = 1; term > sum * 1e-12; index++) {
    term *= (number / 2 / index) ** 2;
    sum += term;
  }
  return sum;
}

// src/decoding/transcript.ts
var WORD_BOUNDARY = " ";
function wordsOf(tokens) {
  const words = [];
  let letters = [];
  const close = () => {
    if (letters.length === 0) return;
    words.push({
      text: letters.map((letter) => letter.text).join(""),
      start: letters[0].start,
      end: letters[letters.length - 1].end,
      confidence: geometricMean(letters.map((letter) => letter.confidence))
    });
    letters = [];
  };
  for (const token of tokens) {
    if (token.text === WORD_BOUNDARY) close();
    else letters.push(token);
  }
  close();
  return words;
}
function textOf(tokens) {
  return tokens.map((token) => token.text).join("");
}
function geometricMean(probabilities) {
  if (Math.min(...probabilities) <= 0) return 0;
  const sum = probabilities.reduce((total, probability2) => total + Math.log(probability2), 0);
  return Math.exp(sum / probabilities.length);
}
function withoutLeadingSpace(tokens) {
  return tokens[0]?.text === WORD_BOUNDARY ? tokens.slice(1) : tokens;
}

// src/decoding/greedy.ts
function greedyDecode(rows, vocabulary, blank, seconds) {
  const tokens = [];
  const classes = vocabulary.length;
  let total = 0;
  for (let frame = 0; frame < rows.frames; ) {
    const label = rows.best(frame, 0, classes);
    const begin = frame;
    let sum = 0;
    do {
      sum += rows.data[frame * rows.width + label];
      frame++;
    } while (frame < rows.frames && rows.best(frame, 0, classes) === label);
    total += sum;
    if (label === blank) continue;
    const text = vocabulary[label];
    if (text === WORD_BOUNDARY && (tokens.at(-1)?.text ?? WORD_BOUNDARY) === WORD_BOUNDARY) continue;
    const confidence = Math.min(1, Math.exp(sum / (frame - begin)));
    tokens.push({ text, start: begin * seconds, end: frame * seconds, confidence });
  }
  if (tokens.at(-1)?.text === WORD_BOUNDARY) tokens.pop();
  const silence = rows.frames === 0 ? 0 : Math.min(1, Math.exp(total / rows.frames));
  return {
    text: textOf(tokens),
    tokens,
    confidence: tokens.length ? geometricMean(tokens.map((token) => token.confidence)) : silence
  };
}
function greedyText(rows, vocabulary, blank) {
  return greedyDecode(rows, vocabulary, blank, 1).text;
}

// src/language/bit_vector.ts
function popcount(bits) {
  bits -= bits >>> 1 & 1431655765;
  bits = (bits & 858993459) + (bits >>> 2 & 858993459);
  return Math.imul(bits + (bits >>> 4) & 252645135, 16843009) >>> 24;
}
function setBits(packed, count) {
  const places = [];
  for (let place = 0; place < count; place++) {
    if (packed[place >> 3] >> (place & 7) & 1) places.push(place);
  }
  return Int32Array.from(places);
}

// src/language/packed_ngrams.ts
var BLOCK = 32;
var VALUE_BITS = 16;
var ROW = 1 << VALUE_BITS;
var ALL = 4294967295 | 0;
var PackedNgrams = class {
  /** Contexts, each a row of n-grams. */
  rows;
  /** N-grams that are contexts of longer ones. */
  heads;
  #blocks;
  #width;
  #value;
  #offsets;
  /** Row times ROW plus number of each block's first n-gram: at most 2^40, so exact in a double. */
  #samples;
  #base;
  #headsBefore;
  /**
   * @param count N-grams.
   * @param first Each block's first n-gram: its number within its row.
   * @param width Bits of each block's other numbers.
   * @param blocks All blocks, one after another.
   * @param heads Whether these n-grams can be contexts.
   * @throws RangeError unless the arrays fit each other.
   */
  constructor(count, first, width, blocks, heads) {
    const blockCount = Math.max(1, Math.ceil(count / BLOCK));
    if (count < 0 || first.length !== blockCount || width.length !== blockCount) {
      throw new RangeError("blocks are missing");
    }
    this.#blocks = blocks;
    this.#width = width;
    this.#value = heads ? 2 : 1;
    this.#offsets = new Int32Array(blockCount);
    this.#samples = new Float64Array(blockCount);
    this.#base = new Int32Array(blockCount);
    this.#headsBefore = new Int32Array(blockCount + 1);
    let end = 0;
    for (let block = 0; block < blockCount; block++) {
      if (width[block] > VALUE_BITS) throw new RangeError("a block is too wide");
      this.#offsets[block] = end;
      end += width[block] + this.#value;
    }
    if (blocks.length !== end + VALUE_BITS) throw new RangeError("n-grams are missing");
    const left = blockCount * BLOCK - count;
    const lastStarts = blocks[this.#offsets[blockCount - 1]];
    if (!(blocks[0] & 1) || left > 0 && lastStarts >>> BLOCK - left !== 2 ** left - 1) {
      throw new RangeError("rows have no beginning");
    }
    let begun = 0;
    let headCount = 0;
    for (let block = 0; block < blockCount; block++) {
      const starts = blocks[this.#offsets[block]];
      const row = begun + (starts & 1) - 1;
      this.#samples[block] = row * ROW + first[block];
      this.#base[block] = starts >>> 1 === 0 ? first[block] : 0;
      begun += popcount(starts);
      if (heads) headCount += popcount(blocks[this.#offsets[block] + 1]);
      this.#headsBefore[block + 1] = headCount;
    }
    this.#samples[0] = 0;
    this.rows = begun - left;
    this.heads = headCount;
  }
  /** Where each row begins [rows]. */
  begins() {
    const places = new Int32Array(this.rows);
    let found = 0;
    for (let block = 0; block < this.#offsets.length; block++) {
      let starts = this.#blocks[this.#offsets[block]];
      while (starts !== 0 && found < this.rows) {
        places[found++] = block * BLOCK + 31 - Math.clz32(starts & -starts);
        starts &= starts - 1;
      }
    }
    return places;
  }
  /** The index of an n-gram, by its row and its number within it, or -1 if there is none. */
  find(row, value) {
    const key = row * ROW + value;
    let low = 0;
    let high = this.#samples.length;
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.#samples[middle] <= key) low = middle + 1;
      else high = middle;
    }
    const block = low - 1;
    const offset = this.#offsets[block];
    const width = this.#width[block];
    const within2 = value - this.#base[block] & ROW - 1;
    if (within2 >>> width !== 0) return -1;
    const inner = this.#blocks[offset] & ~1;
    const wanted = row - Math.floor(this.#samples[block] / ROW);
    let other = 0;
    const planes = offset + this.#value;
    for (let bit = 0; bit < width; bit++) {
      other |= within2 >>> bit & 1 ? ~this.#blocks[planes + bit] : this.#blocks[planes + bit];
    }
    while (other !== ALL) {
      const free = ~other & other + 1;
      const upTo = free | free - 1;
      if (popcount(inner & upTo) === wanted) return block * BLOCK + 31 - Math.clz32(free);
      other |= upTo;
    }
    return -1;
  }
  /** Whether an n-gram is a context. */
  isHead(index) {
    const word = this.#blocks[this.#offsets[index >> 5] + 1];
    return (word >>> (index & 31) & 1) === 1;
  }
  /** The row in the next order of an n-gram that is a context. */
  contextRow(index) {
    const block = index >> 5;
    const below = ~(-1 << (index & 31));
    const word = this.#blocks[this.#offsets[block] + 1];
    return this.#headsBefore[block] + popcount(word & below);
  }
  /** The number of an n-gram within its row. */
  numberAt(index) {
    const block = index >> 5;
    const place = index & 31;
    const planes = this.#offsets[block] + this.#value;
    let number = 0;
    for (let bit = 0; bit < this.#width[block]; bit++) {
      number |= (this.#blocks[planes + bit] >>> place & 1) << bit;
    }
    return number + this.#base[block];
  }
};

// src/language/phonemes.ts
var PHONEMES = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split(" ");
var BLANK = PHONEMES.length;
var MAX_PHONEMES = 64;

// src/language/pronunciations.ts
var END = PHONEMES.length;
var SYMBOLS = END + 1;
function unpackPronunciations(packed, counts, words) {
  const word = [];
  let index = 0;
  for (let bit = 0; bit < counts.length * 8 && index < words; bit++) {
    if (counts[bit >> 3] >> (bit & 7) & 1) index++;
    else word.push(index);
  }
  const offsets = new Int32Array(word.length + 1);
  const phonemes = new Uint8Array(packed.length * 3);
  let length = 0;
  let found = 0;
  const add = (symbol) => {
    if (found === word.length) return;
    if (symbol !== END) {
      phonemes[length++] = symbol;
      return;
    }
    const size2 = length - offsets[found];
    if (size2 < 1 || size2 > MAX_PHONEMES) throw new RangeError("a pronunciation is broken");
    offsets[++found] = length;
  };
  for (const number of packed) {
    if (number >= SYMBOLS ** 3) throw new RangeError("a number stands for no phonemes");
    add(Math.floor(number / (SYMBOLS * SYMBOLS)));
    add(Math.floor(number / SYMBOLS) % SYMBOLS);
    add(number % SYMBOLS);
  }
  if (index !== words || found !== word.length) throw new RangeError("pronunciations are missing");
  return { word: Int32Array.from(word), offsets, phonemes: phonemes.subarray(0, length) };
}

// src/language/product_module.ts
var VECTORS = 4;
var ROWS = 2;
var COLUMNS = 4;
var GET = 32;
var SET = 33;
var CONSTANT = 65;
var ADD = 106;
var SHIFT = 116;
var LESS = 73;
var LOOP = [3, 64];
var AGAIN = [13, 0];
var END2 = 11;
var ADD_NUMBERS = 146;
var STORE_NUMBER = (offset) => [56, 2, offset];
var LOAD = [253, 0, 4, 0];
var ZEROS = [253, 12, ...new Array(16).fill(0)];
var NUMBER_AT = (lane) => [253, 31, lane];
var ADD_LANES = [253, 228, 1];
var MULTIPLY_LANES = [253, 230, 1];
var INTEGER = 127;
var LANES = 123;
var [MATRIX, VECTOR, RESULT, ROW_COUNT, COLUMN_COUNT] = [0, 1, 2, 3, 4];
var [STRIDE, LENGTH, LAST, PLACE, POINT] = [5, 6, 7, 8, 9];
var [ONE, OTHER, SUMS] = [10, 11, 12];
var increase = (variable, ...by) => [
  ...[GET, variable, ...by, ADD, SET, variable]
];
var each = (count, code) => Array.from({ length: count }, (_, index) => code(index)).flat();
var CODE = [
  ...[GET, COLUMN_COUNT, CONSTANT, 2, SHIFT, SET, STRIDE],
  ...[GET, ROW_COUNT, CONSTANT, 2, SHIFT, SET, LENGTH],
  ...[GET, RESULT, GET, LENGTH, ADD, SET, LAST],
  ...LOOP,
  ...each(ROWS * VECTORS, (sum) => [...ZEROS, SET, SUMS + sum]),
  ...[CONSTANT, 0, SET, PLACE],
  ...LOOP,
  ...[GET, MATRIX, GET, PLACE, ADD, ...LOAD, SET, ONE],
  ...[GET, MATRIX, GET, STRIDE, ADD, GET, PLACE, ADD, ...LOAD, SET, OTHER],
  ...[GET, VECTOR, GET, PLACE, ADD, SET, POINT],
  ...each(VECTORS, (vector) => [
    ...each(ROWS, (row) => [
      ...[GET, POINT, ...LOAD, GET, ONE + row, ...MULTIPLY_LANES],
      ...[GET, SUMS + vector * ROWS + row, ...ADD_LANES, SET, SUMS + vector * ROWS + row]
    ]),
    ...increase(POINT, GET, STRIDE)
  ]),
  ...increase(PLACE, CONSTANT, 16),
  ...[GET, PLACE, GET, STRIDE, LESS, ...AGAIN, END2],
  ...[GET, RESULT, SET, POINT],
  ...each(VECTORS, (vector) => [
    ...each(ROWS, (row) => [
      ...[GET, POINT],
      ...each(COLUMNS, (lane) => [
        ...[GET, SUMS + vector * ROWS + row, ...NUMBER_AT(lane)],
        ...lane > 0 ? [ADD_NUMBERS] : []
      ]),
      ...STORE_NUMBER(4 * row)
    ]),
    ...increase(POINT, GET, LENGTH)
  ]),
  ...increase(MATRIX, GET, STRIDE, GET, STRIDE, ADD),
  ...increase(RESULT, CONSTANT, 4 * ROWS),
  ...[GET, RESULT, GET, LAST, LESS, ...AGAIN, END2]
];
function multiplication(memory) {
  const variables = [2, 5, INTEGER, 2 + ROWS * VECTORS, LANES];
  const body = [...variables, ...CODE, END2];
  const bytes = [
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    // A function of five integers without a result; the memory it works in; that it is there, and
    // has a name; what it does.
    ...section(1, [1, 96, 5, ...new Array(5).fill(INTEGER), 0]),
    ...section(2, [1, ...name("m"), ...name("m"), 2, 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("f"), 0, 0]),
    ...section(10, [1, ...size(body.length), ...body])
  ];
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  return new WebAssembly.Instance(module, { m: { m: memory } }).exports["f"];
}
function section(kind, content) {
  return [kind, ...size(content.length), ...content];
}
function name(letter) {
  return [1, letter.charCodeAt(0)];
}
function size(number) {
  return number < 128 ? [number] : [number & 127 | 128, ...size(number >> 7)];
}

// src/language/matrix_products.ts
var PAGE_BYTES = 1 << 16;
var NUMBER_BYTES = 4;
var MatrixProducts = class {
  #memory = new WebAssembly.Memory({ initial: 1 });
  #multiply = multiplication(this.#memory);
  #used = 0;
  /** Keep a matrix, of parts with the same columns one below the other. */
  add(columns, ...parts) {
    const rows = parts.reduce((sum, { scale }) => sum + scale.length, 0);
    const stride = padded(columns, COLUMNS);
    const place = this.#used;
    this.#used += padded(rows, ROWS) * stride * NUMBER_BYTES;
    const numbers = this.#numbers(place, rows * stride);
    let begin = 0;
    for (const { codes, scale } of parts) {
      for (let row = 0; row < scale.length; row++, begin += stride) {
        for (let column = 0; column < columns; column++) {
          numbers[begin + column] = codes[row * columns + column] * scale[row];
        }
      }
    }
    return { rows, columns, place };
  }
  /**
   * A matrix times each of some vectors, and perhaps more [vectors][rows].
   *
   * @param added What is added to each product [rows].
   */
  times(matrix, vectors, added) {
    const { rows, columns, place } = matrix;
    const [height, width] = [padded(rows, ROWS), padded(columns, COLUMNS)];
    const products = [];
    const results = this.#used + VECTORS * width * NUMBER_BYTES;
    for (let first = 0; first < vectors.length; first += VECTORS) {
      const some = vectors.slice(first, first + VECTORS);
      const given = this.#numbers(this.#used, VECTORS * (width + height)).fill(0, 0, VECTORS * width);
      some.forEach((vector, index) => given.set(vector, index * width));
      this.#multiply(place, this.#used, results, height, width);
      some.forEach((_, index) => {
        const begin = VECTORS * width + index * height;
        products.push(given.slice(begin, begin + rows));
      });
    }
    if (added === void 0) return products;
    for (const product of products) {
      for (let row = 0; row < rows; row++) product[row] += added[row];
    }
    return products;
  }
  /** The memory from some place on, which is made larger for it. */
  #numbers(place, count) {
    const missing = place + count * NUMBER_BYTES - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    return new Float32Array(this.#memory.buffer, place, count);
  }
};
function padded(count, multiple) {
  return Math.ceil(count / multiple) * multiple;
}

// src/language/word_network.ts
var BOUNDARY_ROW = 0;
var OTHER_ROW = 1;
var FIRST_ROW = 2;
var VERSION = 1;
var MOST_ROWS = 1 << 17;
var MOST_NUMBERS = 1 << 12;
var WordNetwork = class {
  /** Row of each word id; that of unknown words for those that it does not know [ids]. */
  row;
  /** Numbers of a state. */
  hidden;
  #arrays;
  #products = new MatrixProducts();
  #clusters;
  #input;
  #inputBias;
  #recurrent;
  #recurrentBias;
  /** Embeddings of common words, and behind them those of the rarer clusters. */
  #head;
  #headBias;
  /**
   * @param ids How many word ids the n-grams have.
   * @throws RangeError or TypeError unless the arrays make a network.
   */
  constructor(header, arrays, ids) {
    const { version, hidden, edges, dims } = header.network;
    if (version !== VERSION) throw new RangeError("the network is of another version");
    for (const size2 of [hidden, ...dims]) {
      if (!(Number.isInteger(size2) && 1 <= size2 && size2 <= MOST_NUMBERS)) {
        throw new RangeError("the network has no such size");
      }
    }
    const grows = edges.every((edge, place) => place === 0 || edge > edges[place - 1]);
    const last = edges[dims.length];
    if (!(edges.length === dims.length + 1 && edges[0] === 0 && grows && edges[1] > FIRST_ROW)) {
      throw new RangeError("the network has no such clusters");
    }
    if (last === void 0 || last > MOST_ROWS) throw new RangeError("the network is too large");
    this.#arrays = arrays;
    this.hidden = hidden;
    const width = dims[0];
    this.#input = this.#matrix("input", 3 * hidden, width);
    this.#recurrent = this.#matrix("recurrent", 3 * hidden, hidden);
    this.#inputBias = this.#vector("input_bias", 3 * hidden);
    this.#recurrentBias = this.#vector("recurrent_bias", 3 * hidden);
    this.#clusters = dims.map((size2, cluster) => {
      const begin = edges[cluster];
      const rows2 = edges[cluster + 1] - begin;
      const table2 = this.#codes(`table${cluster}`, rows2, size2);
      return {
        begin,
        rows: rows2,
        dims: size2,
        table: table2,
        tail: cluster === 0 ? null : this.#products.add(size2, table2),
        bias: this.#vector(`bias${cluster}`, rows2),
        out: this.#matrix(`out${cluster}`, size2, hidden),
        lift: cluster === 0 ? null : this.#matrix(`lift${cluster}`, width, size2)
      };
    });
    const rarer = dims.length - 1;
    const { rows, table, bias } = this.#clusters[0];
    this.#head = this.#products.add(width, table, this.#codes("cluster", rarer, width));
    this.#headBias = new Float32Array(rows + rarer);
    this.#headBias.set(bias);
    this.#headBias.set(this.#vector("cluster_bias", rarer), rows);
    const words = arrays["network_words"];
    if (!(words instanceof Int32Array) || words.length !== last - FIRST_ROW) {
      throw new RangeError("the network knows other words");
    }
    this.row = new Int32Array(ids).fill(OTHER_ROW);
    words.forEach((word, place) => {
      if (word < 0 || word >= ids) throw new RangeError("the network has an unknown word");
      this.row[word] = FIRST_ROW + place;
    });
  }
  /** What words bring to the state [words][3 * hidden]. */
  inputs(rows) {
    const embedded = rows.map((row) => {
      const { begin, table, dims, lift } = this.#clusterOf(row);
      const inside = row - begin;
      const factor = table.scale[inside] * Math.sqrt(dims);
      const codes = table.codes.subarray(inside * dims, (inside + 1) * dims);
      const short = Float32Array.from(codes, (code) => code * factor);
      return lift === null ? short : this.#products.times(lift, [short])[0];
    });
    return this.#products.times(this.#input, embedded, this.#inputBias);
  }
  /**
   * The states after one more word each [words][hidden].
   *
   * @param inputs What `inputs` gave for the words.
   * @param states States before them.
   */
  advance(inputs, states) {
    const size2 = this.hidden;
    const recurrents = this.#products.times(this.#recurrent, states, this.#recurrentBias);
    return states.map((state, word) => {
      const [input, recurrent] = [inputs[word], recurrents[word]];
      const following = new Float32Array(size2);
      for (let index = 0; index < size2; index++) {
        const reset = logistic(recurrent[index] + input[index]);
        const update = logistic(recurrent[size2 + index] + input[size2 + index]);
        const brought = input[2 * size2 + index];
        const candidate = Math.tanh(reset * recurrent[2 * size2 + index] + brought);
        following[index] = candidate + update * (state[index] - candidate);
      }
      return following;
    });
  }
  /**
   * Natural-log probabilities of words [words].
   *
   * @param states States.
   * @param before The state before each word, by its place [words].
   * @param rows The words.
   */
  logProbs(states, before, rows) {
    const [common] = this.#clusters;
    const asked = this.#products.times(common.out, states);
    const heads = this.#products.times(this.#head, asked, this.#headBias);
    const headSums = heads.map(logSumExp);
    const head = (word, row) => heads[before[word]][row] - headSums[before[word]];
    const found = rows.map((row, word) => row < common.rows ? head(word, row) : 0);
    this.#clusters.forEach(({ begin, rows: size2, tail, bias, out }, cluster) => {
      if (tail === null) return;
      const words = Array.from(rows.keys()).filter(
        (word) => rows[word] >= begin && rows[word] < begin + size2
      );
      const which = Array.from(new Set(words.map((word) => before[word])));
      const queries = this.#products.times(out, which.map((state) => states[state]));
      const tails = this.#products.times(tail, queries, bias);
      const tailSums = tails.map(logSumExp);
      for (const word of words) {
        const place = which.indexOf(before[word]);
        const inside = tails[place][rows[word] - begin] - tailSums[place];
        found[word] = head(word, common.rows + cluster - 1) + inside;
      }
    });
    return found;
  }
  #clusterOf(row) {
    let place = this.#clusters.length - 1;
    while (row < this.#clusters[place].begin) place--;
    return this.#clusters[place];
  }
  #matrix(name2, rows, columns) {
    return this.#products.add(columns, this.#codes(name2, rows, columns));
  }
  #codes(name2, rows, columns) {
    const codes = this.#arrays[`network_${name2}`];
    if (!(codes instanceof Int8Array) || codes.length !== rows * columns) {
      throw new RangeError(`network_${name2} has another size`);
    }
    return { codes, scale: this.#vector(`${name2}_scale`, rows) };
  }
  #vector(name2, size2) {
    const vector = this.#arrays[`network_${name2}`];
    const fits = vector instanceof Float32Array && vector.length === size2;
    if (!fits || !vector.every(Number.isFinite)) {
      throw new RangeError(`network_${name2} has another size`);
    }
    return vector;
  }
};
function logSumExp(logs) {
  let most = -Infinity;
  for (const log of logs) most = Math.max(most, log);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - most);
  return most + Math.log(sum);
}
function logistic(number) {
  return 1 / (1 + Math.exp(-number));
}

// src/language/packed_model.ts
var UNKNOWN = 0;
var BOUNDARY = 1;
var FIRST_WORD = 2;
var STATE_BITS = 24;
var CODES = 16;
var PackedModel = class {
  order;
  /** The vocabulary in alphabetical order; word ids start at FIRST_WORD. */
  words;
  /** Natural-log probability of each word id by itself. */
  unigrams;
  /** The state at the beginning of a sentence. */
  start;
  /** The neural network beside the n-grams, null if the file has none. */
  network;
  /** The state after the word that `score` was last asked for. */
  following = 0;
  #arrays;
  /** By word id: the id among the words that n-grams know, and what is added for it. */
  #id;
  #share;
  /** Natural-log probability of each word that n-grams know. */
  #known;
  #rank;
  #row2;
  #backoff1;
  #bigrams;
  #number2;
  #values2;
  #codes;
  #begin2 = null;
  #trigrams = null;
  #values3 = new Float32Array(CODES);
  #backoff2 = new Uint8Array(0);
  #backoffValues2 = new Float32Array(0);
  /** @throws RangeError or TypeError unless the arrays make a model. */
  constructor(header, arrays) {
    this.#arrays = arrays;
    this.order = header.order;
    this.words = new TextDecoder().decode(array(arrays, "words", Uint8Array)).split("\n");
    const codes = array(arrays, "probability1", Uint8Array);
    const values = array(arrays, "probability_values1", Float32Array);
    const size2 = codes.length;
    const known = Float32Array.from(codes, (code) => values[code]);
    this.#known = known;
    [this.#id, this.#share] = rareWords(arrays, this.words.length, size2);
    this.unigrams = this.#share.map((share, word) => known[this.#id[word]] + share);
    this.#rank = ranks(codes, values);
    this.start = this.#rank[BOUNDARY];
    this.#number2 = header.ngrams["2"];
    if (size2 + this.#number2 > 2 ** STATE_BITS) throw new RangeError("too many bigrams");
    const heads = setBits(array(arrays, "heads1", Uint8Array), size2);
    const backoff = array(arrays, "backoff1", Uint8Array);
    const backoffValues = array(arrays, "backoff_values1", Float32Array);
    if (backoff.length !== heads.length) throw new RangeError("back-off weights are missing");
    this.#row2 = new Int32Array(size2).fill(-1);
    this.#backoff1 = new Float32Array(size2);
    heads.forEach((rank, row) => {
      this.#row2[rank] = row;
      this.#backoff1[rank] = backoffValues[backoff[row]];
    });
    const longer = this.order > 2;
    this.#bigrams = ngrams(header, arrays, 2, longer);
    if (this.#bigrams.rows !== heads.length) throw new RangeError("contexts are missing");
    this.#values2 = array(arrays, "probability_values2", Float32Array);
    this.#codes = array(arrays, "probability", Uint8Array);
    if (longer) {
      const begins = this.#bigrams.begins();
      this.#begin2 = new Int32Array(size2);
      heads.forEach((rank, row) => this.#begin2[rank] = begins[row]);
      this.#trigrams = ngrams(header, arrays, 3, false);
      this.#backoff2 = array(arrays, "backoff2", Uint8Array);
      this.#backoffValues2 = array(arrays, "backoff_values2", Float32Array);
      this.#values3 = array(arrays, "probability_values3", Float32Array);
      const contexts = this.#bigrams.heads;
      if (this.#trigrams.rows !== contexts || this.#backoff2.length !== contexts) {
        throw new RangeError("contexts of trigrams are missing");
      }
    }
    const all = this.#number2 + (longer ? header.ngrams["3"] : 0);
    if (this.#codes.length !== all + 1 >> 1) throw new RangeError("codes are missing");
    this.network = header.network === void 0 ? null : new WordNetwork(header, arrays, this.words.length + FIRST_WORD);
  }
  /** How the words are spoken, null of a file that does not say. */
  pronunciations() {
    const { phonemes, pronunciations } = this.#arrays;
    if (phonemes === void 0 || pronunciations === void 0) return null;
    return unpackPronunciations(
      array(this.#arrays, "phonemes", Uint16Array),
      array(this.#arrays, "pronunciations", Uint8Array),
      this.words.length
    );
  }
  /** The id of a word, UNKNOWN of one outside the vocabulary. */
  id(word) {
    let low = 0;
    let high = this.words.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.words[middle] < word) low = middle + 1;
      else high = middle;
    }
    return this.words[low] === word ? low + FIRST_WORD : UNKNOWN;
  }
  /** Natural-log probability of a word id after a state; `following` is then the next state. */
  score(state, word) {
    const share = this.#share[word];
    const score = this.#score(state, this.#id[word]);
    return share === 0 ? score : Math.fround(score + share);
  }
  /** As `score`, of an id among the words that n-grams know. */
  #score(state, word) {
    const size2 = this.#known.length;
    const rank = this.#rank[word];
    const longer = state >= size2;
    let context = state;
    let row = 0;
    if (longer) {
      row = this.#bigrams.contextRow(state - size2);
      context = Math.min(this.#bigrams.numberAt(state - size2), size2 - 1);
    }
    const bigramRow = this.#row2[context];
    const index = bigramRow < 0 ? -1 : this.#bigrams.find(bigramRow, rank);
    const trigrams = this.#trigrams;
    this.following = rank;
    if (trigrams !== null && index >= 0 && this.#bigrams.isHead(index)) {
      this.following = index + size2;
    }
    let score = index >= 0 ? this.#values2[this.#code(index)] : Math.fround(this.#backoff1[context] + this.#known[word]);
    if (!longer || trigrams === null) return score;
    if (index >= 0) {
      const third = trigrams.find(row, index - this.#begin2[context]);
      if (third >= 0) return this.#values3[this.#code(third + this.#number2)];
    }
    score += this.#backoffValues2[this.#backoff2[row]];
    return Math.fround(score);
  }
  /** Codes have 4 bits, the first one of a byte in the low bits. */
  #code(index) {
    return this.#codes[index >> 1] >> ((index & 1) << 2) & CODES - 1;
  }
};
function ranks(codes, values) {
  const order = Array.from(values.keys()).sort((one, other) => values[other] - values[one]);
  const place = new Int32Array(order.length);
  let places = 0;
  order.forEach((code, index) => {
    if (index > 0 && values[code] !== values[order[index - 1]]) places++;
    place[code] = places;
  });
  const next = new Int32Array(places + 2);
  for (const code of codes) next[place[code] + 1]++;
  for (let index = 1; index < next.length; index++) next[index] += next[index - 1];
  return Int32Array.from(codes, (code) => next[place[code]]++);
}
function rareWords(arrays, words, known) {
  const ids = new Int32Array(words + FIRST_WORD);
  const shares = new Float32Array(words + FIRST_WORD);
  const rare = arrays["rare"] === void 0 ? [] : setBits(array(arrays, "rare", Uint8Array), words);
  if (words - rare.length + FIRST_WORD !== known) throw new RangeError("words are missing");
  ids[BOUNDARY] = BOUNDARY;
  let next = 0;
  for (let word = 0; word < words; word++) {
    if (next < rare.length && rare[next] === word) {
      const code = array(arrays, "share", Uint8Array)[next++];
      shares[word + FIRST_WORD] = array(arrays, "share_values", Float32Array)[code];
      ids[word + FIRST_WORD] = UNKNOWN;
    } else {
      ids[word + FIRST_WORD] = word + FIRST_WORD - next;
    }
  }
  return [ids, shares];
}
function ngrams(header, arrays, order, heads) {
  return new PackedNgrams(
    header.ngrams[String(order)],
    array(arrays, `first${order}`, Uint16Array),
    array(arrays, `width${order}`, Uint8Array),
    array(arrays, `blocks${order}`, Uint32Array),
    heads
  );
}
function array(arrays, name2, Kind) {
  const found = arrays[name2];
  if (!(found instanceof Kind)) throw new TypeError(`the array ${name2} is missing`);
  return found;
}

// src/language/phonotactics.ts
function phonotactics(pronunciations) {
  const size2 = PHONEMES.length + 1;
  const logs = new Float64Array(size2 * size2).fill(1);
  const { offsets, phonemes } = pronunciations;
  for (let spoken = 0; spoken + 1 < offsets.length; spoken++) {
    let before = BLANK;
    for (let place = offsets[spoken]; place < offsets[spoken + 1]; place++) {
      logs[before * size2 + phonemes[place]] += 1;
      before = phonemes[place];
    }
    logs[before * size2 + BLANK] += 1;
  }
  logs[BLANK * size2 + BLANK] = 1e-9;
  for (let before = 0; before < size2; before++) {
    const row = logs.subarray(before * size2, (before + 1) * size2);
    const total = row.reduce((sum, count) => sum + count, 0);
    row.forEach((count, after) => row[after] = Math.log(count / total));
  }
  return logs;
}

// src/language/pronunciation_tree.ts
var NO_WORD = -1;
var LOG_ZERO = Math.fround(-1e30);
var PronunciationTree = class {
  roots;
  outside;
  nowhere;
  /** The last phoneme of each node, BLANK where there is none. */
  label;
  /** Highest score of the words at or below each node, for the look-ahead (Ortmanns 1996). */
  best;
  /** Where the pronunciations that end at each node begin [nodes + 1]. */
  ends;
  /** Word and penalty of the pronunciations, those of unknown words, one a phoneme, behind them. */
  word;
  penalty;
  /** See `phonotactics`. */
  follows;
  /** From this number on, pronunciations are those of unknown words. */
  unknown;
  #low;
  #high;
  #first;
  #order;
  #pronunciations;
  /**
   * @param pronunciations Of a vocabulary.
   * @param scores What each word scores at best by itself, nats [words].
   * @param unknown Likewise, of an unknown word.
   * @param variantPenalty Nats taken from each pronunciation of a word but its first.
   */
  constructor(pronunciations, scores, unknown, variantPenalty) {
    this.#pronunciations = pronunciations;
    const { word } = pronunciations;
    const count = word.length;
    this.unknown = count;
    const penalty = new Float32Array(count);
    const worth = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      if (index > 0 && word[index] === word[index - 1]) penalty[index] = variantPenalty;
      worth[index] = scores[word[index]] - penalty[index];
    }
    const size2 = PHONEMES.length;
    const { nodes, low, high, first, label, best: best2, final: final2 } = grow(pronunciations, worth, 2 * size2 + 2);
    this.roots = nodes;
    this.outside = this.roots + size2 + 1;
    this.nowhere = this.outside + size2;
    low.fill(low[0], this.roots, this.outside);
    high.fill(high[0], this.roots, this.outside);
    first.fill(first[0], this.roots, this.outside);
    for (let phoneme = 0; phoneme < size2; phoneme++) {
      label[this.roots + phoneme] = phoneme;
      label[this.outside + phoneme] = phoneme;
      best2[this.outside + phoneme] = unknown;
    }
    best2[this.nowhere] = LOG_ZERO;
    this.#low = low.slice(0, this.nowhere + 1);
    this.#high = high.slice(0, this.nowhere + 1);
    this.#first = first.slice(0, this.nowhere + 1);
    this.label = label.slice(0, this.nowhere + 1);
    this.best = best2.slice(0, this.nowhere + 1);
    this.ends = new Int32Array(this.nowhere + 2);
    for (const node of final2) this.ends[node + 1] += 1;
    for (let label2 = 0; label2 < size2; label2++) this.ends[this.outside + label2 + 1] = 1;
    for (let index = 1; index < this.ends.length; index++) {
      this.ends[index] += this.ends[index - 1];
    }
    const next = this.ends.slice();
    this.#order = new Int32Array(count);
    for (let index = 0; index < count; index++) this.#order[next[final2[index]]++] = index;
    this.follows = phonotactics(pronunciations);
    this.word = new Int32Array(count + size2).fill(NO_WORD);
    this.penalty = new Float32Array(count + size2);
    for (let place = 0; place < count; place++) {
      this.word[place] = word[this.#order[place]];
      this.penalty[place] = penalty[this.#order[place]];
    }
    for (let label2 = 0; label2 < size2; label2++) {
      this.penalty[count + label2] = -this.follows[label2 * (size2 + 1) + BLANK];
    }
  }
  /** The node after a node and a phoneme. */
  after(node, label) {
    const [low, high] = [this.#low[node], this.#high[node]];
    const present = label < 32 ? low >>> label : high >>> label - 32;
    if ((present & 1) === 0) return this.nowhere;
    return this.#first[node] + childrenBefore(low, high, label);
  }
  /** Whether a node is one between words. */
  between(node) {
    return node >= this.roots && node < this.outside;
  }
  /** The phonemes of a pronunciation of the vocabulary. */
  spoken(pronunciation) {
    const { offsets, phonemes } = this.#pronunciations;
    const index = this.#order[pronunciation];
    return phonemes.subarray(offsets[index], offsets[index + 1]);
  }
};
function grow(pronunciations, worth, more) {
  const { offsets, phonemes } = pronunciations;
  const most = 1 + phonemes.length + more;
  const low = new Uint32Array(most);
  const high = new Uint32Array(most);
  const first = new Int32Array(most);
  const label = new Uint8Array(most).fill(BLANK);
  const best2 = new Float32Array(most);
  const final2 = new Int32Array(worth.length);
  const left = Int32Array.from(worth.keys());
  let [begin, nodes] = [0, 1];
  for (let level = 0, count = left.length; count > 0; level++) {
    for (let place = 0; place < count; place++) {
      const index = left[place];
      const phoneme = phonemes[offsets[index] + level];
      if (phoneme < 32) low[final2[index]] |= 1 << phoneme;
      else high[final2[index]] |= 1 << phoneme - 32;
    }
    const end = nodes;
    for (let parent = begin; parent < end; parent++) {
      const children = popcount(low[parent]) + popcount(high[parent]);
      if (children > 0) first[parent] = nodes;
      nodes += children;
    }
    begin = end;
    best2.fill(-Infinity, begin, nodes);
    let kept = 0;
    for (let place = 0; place < count; place++) {
      const index = left[place];
      const phoneme = phonemes[offsets[index] + level];
      const parent = final2[index];
      const node = first[parent] + childrenBefore(low[parent], high[parent], phoneme);
      final2[index] = node;
      label[node] = phoneme;
      if (worth[index] > best2[node]) best2[node] = worth[index];
      if (offsets[index + 1] - offsets[index] > level + 1) left[kept++] = index;
    }
    count = kept;
  }
  return { nodes, low, high, first, label, best: best2, final: final2 };
}
function childrenBefore(low, high, phoneme) {
  if (phoneme < 32) return popcount(low & ~(-1 << phoneme));
  return popcount(low) + popcount(high & ~(-1 << phoneme - 32));
}

// src/decoding/beam_config.ts
var BEAM_DEFAULTS = {
  beamSize: 300,
  beamThreshold: 14,
  wordEndThreshold: 8,
  labelThreshold: 3e-3,
  steadyThreshold: 0.8,
  blankPenalty: 0.25,
  languageModelWeight: 1,
  wordBonus: 0,
  unknownWordPenalty: 2,
  unknownPhonemePenalty: 0.5,
  variantPenalty: 1,
  silenceThreshold: 1,
  networkShare: 0.8,
  shareAdaptation: 0.25,
  rescoredTexts: 5,
  rescoredThreshold: 4
};

// src/decoding/hypotheses.ts
var NODE_RANGE = 2 ** 24;
var Hypotheses = class _Hypotheses {
  count = 0;
  key = new Float64Array(256);
  textHigh = new Int32Array(256);
  textLow = new Int32Array(256);
  context = new Int32Array(256);
  node = new Int32Array(256);
  began = new Int32Array(256);
  trace = new Int32Array(256);
  blank = new Float64Array(256);
  spoken = new Float64Array(256);
  ahead = new Float64Array(256);
  /** Room for one more at the end, and its place. */
  grow() {
    if (this.count === this.key.length) {
      const size2 = this.count * 2;
      this.key = grown(this.key, new Float64Array(size2));
      this.blank = grown(this.blank, new Float64Array(size2));
      this.spoken = grown(this.spoken, new Float64Array(size2));
      this.ahead = grown(this.ahead, new Float64Array(size2));
      this.textHigh = grown(this.textHigh, new Int32Array(size2));
      this.textLow = grown(this.textLow, new Int32Array(size2));
      this.context = grown(this.context, new Int32Array(size2));
      this.node = grown(this.node, new Int32Array(size2));
      this.began = grown(this.began, new Int32Array(size2));
      this.trace = grown(this.trace, new Int32Array(size2));
    }
    return this.count++;
  }
  /** Adds one of others, and gives its place here. */
  push(from, index) {
    const place = this.grow();
    this.key[place] = from.key[index];
    this.textHigh[place] = from.textHigh[index];
    this.textLow[place] = from.textLow[index];
    this.context[place] = from.context[index];
    this.node[place] = from.node[index];
    this.began[place] = from.began[index];
    this.trace[place] = from.trace[index];
    this.blank[place] = from.blank[index];
    this.spoken[place] = from.spoken[index];
    this.ahead[place] = from.ahead[index];
    return place;
  }
  /** Moves one to a node and a context. */
  place(index, node, context) {
    this.node[index] = node;
    this.context[index] = context;
    this.key[index] = context * NODE_RANGE + node;
  }
  /** The hash of a text that goes on with one more word. */
  hash(index, word) {
    const high = this.textHigh[index];
    const low = this.textLow[index];
    this.textLow[index] = Math.imul(low ^ low >>> 15, 739982445) + Math.imul(word, 2654435761) + 1;
    this.textHigh[index] = Math.imul(high ^ high >>> 13, 695872825) + Math.imul(word, 2246822507) + 7;
  }
  sameText(one, other) {
    return this.textHigh[one] === this.textHigh[other] && this.textLow[one] === this.textLow[other];
  }
  /** As many bits of a text's hash as are exact in a double; 0 of the empty text. */
  text(index) {
    return (this.textHigh[index] >>> 0) * 2 ** 21 + (this.textLow[index] >>> 11);
  }
  /** Nats of all paths of one. */
  total(index) {
    return logAddExp(this.blank[index], this.spoken[index]);
  }
  copy() {
    return this.part(0, this.count);
  }
  /** A copy of those from one place up to another. */
  part(begin, end) {
    const part = new _Hypotheses();
    for (let index = begin; index < end; index++) part.push(this, index);
    return part;
  }
  take(indices) {
    const taken = new _Hypotheses();
    for (const index of indices) taken.push(this, index);
    return taken;
  }
};
function grown(from, to) {
  to.set(from);
  return to;
}
function logAddExp(one, other) {
  if (one === other) return one + Math.LN2;
  const difference2 = one - other;
  if (difference2 > 0) return one + Math.log1p(Math.exp(-difference2));
  return other + Math.log1p(Math.exp(difference2));
}
function nthLargest(numbers, size2) {
  return numbers.slice().sort()[numbers.length - size2];
}
function merge(options, size2, recombinations = null) {
  const scores = new Float64Array(options.count);
  for (let index = 0; index < options.count; index++) {
    scores[index] = Math.max(options.blank[index], options.spoken[index]);
  }
  let order = Array.from(scores.keys());
  if (order.length > 3 * size2) order = best(order, scores, 3 * size2);
  const { key } = options;
  const most = recombinations === null ? 0 : scores.reduce((one, other) => Math.max(one, other));
  order.sort(
    (one, other) => key[one] - key[other] || scores[other] - scores[one] || one - other
  );
  const merged = new Hypotheses();
  for (let begin = 0; begin < order.length; ) {
    const first = order[begin];
    let blank = options.blank[first];
    let spoken = options.spoken[first];
    let next = begin + 1;
    for (; next < order.length && key[order[next]] === key[first]; next++) {
      const other = order[next];
      const same = options.sameText(first, other);
      if (!same) recombinations?.note(options, first, other, scores, most);
      blank = logAddExp(blank, same ? options.blank[other] : LOG_ZERO);
      spoken = logAddExp(spoken, same ? options.spoken[other] : LOG_ZERO);
    }
    const place = merged.push(options, first);
    merged.blank[place] = blank;
    merged.spoken[place] = spoken;
    begin = next;
  }
  if (merged.count <= size2) return merged;
  const totals = new Float64Array(merged.count);
  for (let index = 0; index < merged.count; index++) {
    totals[index] = Math.max(merged.blank[index], merged.spoken[index]);
  }
  return merged.take(best(Array.from(totals.keys()), totals, size2));
}
function best(places, scores, size2) {
  const ranked = places.slice().sort((one, other) => scores[other] - scores[one]);
  return ranked.slice(0, size2).sort((one, other) => one - other);
}

// src/decoding/priority_queue.ts
var PriorityQueue = class {
  #heap = [];
  #number = 0;
  push(cost, thing) {
    const heap = this.#heap;
    heap.push({ cost, number: this.#number++, thing });
    for (let place = heap.length - 1; place > 0; ) {
      const above = place - 1 >> 1;
      if (!this.#before(place, above)) break;
      this.#swap(place, above);
      place = above;
    }
  }
  /** Takes the cheapest out. */
  pop() {
    const heap = this.#heap;
    if (heap.length === 0) return void 0;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    for (let place = 0; ; ) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2]) {
        if (below < heap.length && this.#before(below, least)) least = below;
      }
      if (least === place) return first;
      this.#swap(place, least);
      place = least;
    }
  }
  #before(one, other) {
    const [first, second] = [this.#heap[one], this.#heap[other]];
    return first.cost < second.cost || first.cost === second.cost && first.number < second.number;
  }
  #swap(one, other) {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other], this.#heap[one]];
  }
};

// src/decoding/word_graph.ts
var WordGraph = class {
  /**
   * @param textOf The hash of a prefix's text.
   * @param endings The hypotheses at the end, with different texts.
   * @param threshold Nats below the best text that a text may be, by the search.
   */
  constructor(traceback, textOf4, joined2, endings, threshold) {
    this.traceback = traceback;
    const sorted = endings.slice().sort((one, other) => other.score - one.score);
    const best2 = sorted[0].score;
    const near = sorted.filter(({ score }) => best2 - score <= threshold);
    const found = distances(traceback, textOf4, joined2, near, threshold);
    const nodes = /* @__PURE__ */ new Map();
    for (const [prefix, distance] of Array.from(found).sort(([one], [other]) => one - other)) {
      const parent = prefix === 0 ? null : nodes.get(traceback.parent(prefix));
      const depth = parent === null ? 0 : parent.depth + 1;
      const label = traceback.label(prefix);
      nodes.set(prefix, { prefix, label, depth, parent, distance, others: [], level: null });
    }
    this.root = nodes.get(0);
    const ordered = Array.from(found.keys(), (prefix) => nodes.get(prefix));
    for (const node of ordered) {
      if (node === this.root) continue;
      for (const { prefix, cost } of joined2.get(textOf4(node.prefix)) ?? []) {
        const other = nodes.get(prefix);
        if (other !== void 0 && node.distance + cost <= threshold) {
          node.others.push([other, cost]);
        }
      }
    }
    this.levels = levels(this.root, ordered);
    this.endings = near.map((path) => [path, nodes.get(path.prefix)]);
  }
  traceback;
  root;
  /** Nodes but the root, those first that need no others. */
  levels;
  /** The best texts' own paths, the best of all first, and the nodes that they end at. */
  endings;
  /** A path through a node with the beginning of another node in its place. */
  withBeginning(path, node, other) {
    const { labels, startFrames } = this.traceback.follow(other.prefix);
    const frames = [...startFrames, ...path.startFrames.slice(node.depth)];
    for (let index = frames.length - 2; index >= 0; index--) {
      frames[index] = Math.min(frames[index], frames[index + 1]);
    }
    return {
      labels: [...labels, ...path.labels.slice(node.depth)],
      startFrames: frames,
      score: path.score,
      prefix: path.prefix,
      own: labels.length + Math.max(path.own - node.depth, 0),
      shift: path.shift + node.depth - labels.length
    };
  }
};
function distances(traceback, textOf4, joined2, endings, threshold) {
  const found = /* @__PURE__ */ new Map();
  const queue = new PriorityQueue();
  for (const { score, prefix } of endings) queue.push(endings[0].score - score, prefix);
  for (let next = queue.pop(); next !== void 0; next = queue.pop()) {
    const { cost: distance, thing: prefix } = next;
    if (found.has(prefix)) continue;
    found.set(prefix, distance);
    if (prefix === 0) continue;
    queue.push(distance, traceback.parent(prefix));
    for (const other of joined2.get(textOf4(prefix)) ?? []) {
      if (distance + other.cost <= threshold) queue.push(distance + other.cost, other.prefix);
    }
  }
  return found;
}
function levels(root, nodes) {
  root.level = 0;
  const begun = /* @__PURE__ */ new Set();
  const needs = (node) => [
    node.parent,
    ...node.others.map(([other]) => other)
  ];
  for (const first of nodes) {
    const stack = [first];
    while (stack.length > 0) {
      const node = stack.at(-1);
      if (node.level !== null) {
        stack.pop();
      } else if (!begun.has(node)) {
        begun.add(node);
        stack.push(...needs(node).filter((each2) => each2.level === null && !begun.has(each2)));
      } else {
        stack.pop();
        begun.delete(node);
        if (node.parent.level === null) continue;
        node.others = node.others.filter(([other]) => other.level !== null);
        node.level = 1 + Math.max(...needs(node).map((each2) => each2.level));
      }
    }
  }
  const found = [];
  for (const node of nodes) if (node.level !== 0) (found[node.level - 1] ??= []).push(node);
  return found;
}

// src/decoding/recombinations.ts
var Recombinations = class {
  /** Hashes of texts by the prefix's number; number 0 is the empty text. */
  #texts = [0];
  #joined = [];
  /** Note the hash of the text of a prefix that was just added. */
  name(text) {
    this.#texts.push(text);
  }
  /**
   * Note a hypothesis that is joined to a better one.
   *
   * @param options All hypotheses of the frame; `first` is the better one, `other` the worse.
   * @param scores Nats of each, and `most` the best of them.
   */
  note(options, first, other, scores, most) {
    this.#joined.push({
      better: options.text(first),
      worse: options.text(other),
      prefix: options.trace[other],
      cost: scores[first] - scores[other],
      distance: most - scores[other]
    });
  }
  /**
   * Forget the beginning of all texts, and what was noted of texts with another.
   *
   * @param traceback How the hypotheses were spelled; it forgets too.
   * @param beam The hypotheses; they get new prefixes.
   * @param labels How many labels to forget.
   */
  commit(traceback, beam, labels) {
    const first = beam.trace[0];
    const root = labels > 0 ? traceback.ancestors(first)[labels - 1] : 0;
    const text = this.#texts[root];
    const beginning2 = traceback.follow(first).labels.slice(0, labels);
    this.#joined = this.#joined.filter(({ prefix }) => {
      const spelled = traceback.follow(prefix).labels;
      return beginning2.every((label, place) => spelled[place] === label);
    });
    const prefixes = new Int32Array(beam.count + this.#joined.length);
    prefixes.set(beam.trace.subarray(0, beam.count));
    this.#joined.forEach((each2, index) => prefixes[beam.count + index] = each2.prefix);
    const kept = traceback.kept(prefixes, prefixes.length, labels);
    this.#texts = Array.from(kept, (number) => this.#texts[number]);
    this.#texts[0] = text;
    traceback.keep(prefixes, prefixes.length, labels);
    beam.trace.set(prefixes.subarray(0, beam.count));
    this.#joined.forEach((each2, index) => each2.prefix = prefixes[beam.count + index]);
  }
  /** The texts that are so many nats below the best one of these, or less. */
  graph(traceback, endings, threshold) {
    const textOf4 = (prefix) => this.#texts[prefix];
    return new WordGraph(traceback, textOf4, this.#nearest(), endings, threshold);
  }
  /**
   * By the better text's hash, what was joined to it.
   *
   * Of the frames in which the same two texts met, that one counts in which the worse was nearest
   * to the best hypothesis.
   */
  #nearest() {
    const found = /* @__PURE__ */ new Map();
    for (const each2 of this.#joined) {
      let others = found.get(each2.better);
      if (others === void 0) found.set(each2.better, others = /* @__PURE__ */ new Map());
      const known = others.get(each2.worse);
      if (known === void 0 || each2.distance < known.distance) others.set(each2.worse, each2);
    }
    return new Map(Array.from(found, ([better, others]) => [better, [...others.values()]]));
  }
};

// src/decoding/traceback.ts
var FEW = 1 << 16;
var Traceback = class {
  #count = 1;
  #limit = FEW;
  #parents = new Int32Array(1 << 12);
  #labels = new Int32Array(1 << 12);
  #frames = new Int32Array(1 << 12);
  /** Whether it has grown so much since `keep` that forgetting is due. */
  get needsPruning() {
    return this.#count >= this.#limit;
  }
  /** The number of a new prefix. */
  add(parent, label, frame) {
    if (this.#count === this.#parents.length) {
      this.#parents = doubled(this.#parents);
      this.#labels = doubled(this.#labels);
      this.#frames = doubled(this.#frames);
    }
    this.#parents[this.#count] = parent;
    this.#labels[this.#count] = label;
    this.#frames[this.#count] = frame;
    return this.#count++;
  }
  /** The prefix that one goes on from; of the root the root. */
  parent(number) {
    return this.#parents[number];
  }
  /** The label that a prefix adds. */
  label(number) {
    return this.#labels[number];
  }
  follow(number) {
    const places = this.ancestors(number);
    return {
      labels: places.map((place) => this.#labels[place]),
      startFrames: places.map((place) => this.#frames[place])
    };
  }
  /**
   * Forget all but some prefixes and what they are made of.
   *
   * @param numbers Prefixes, replaced by their new numbers.
   * @param count How many of these there are.
   * @param without Labels to forget at the beginning of each, the same ones for all.
   */
  keep(numbers, count, without = 0) {
    const firsts = /* @__PURE__ */ new Set();
    const whole = [];
    for (let index = 0; index < count; index++) {
      const places = this.ancestors(numbers[index]).slice(without);
      if (places.length > 0) firsts.add(places[0]);
      whole.push(places.at(-1) ?? 0);
    }
    const sorted = this.kept(numbers, count, without);
    const renumbered = /* @__PURE__ */ new Map();
    sorted.forEach((old, place) => renumbered.set(old, place));
    sorted.forEach((old, place) => {
      const parent = firsts.has(old) ? 0 : renumbered.get(this.#parents[old]) ?? 0;
      this.#parents[place] = parent;
      this.#labels[place] = this.#labels[old];
      this.#frames[place] = this.#frames[old];
    });
    this.#count = sorted.length;
    this.#limit = Math.max(FEW, 2 * sorted.length);
    whole.forEach((old, index) => numbers[index] = renumbered.get(old));
  }
  /** The numbers in order that the prefixes which `keep` would leave have before it. */
  kept(numbers, count, without = 0) {
    const kept = /* @__PURE__ */ new Set([0]);
    for (let index = 0; index < count; index++) {
      const places = this.ancestors(numbers[index]);
      for (let place = places.length - 1; place >= without && !kept.has(places[place]); place--) {
        kept.add(places[place]);
      }
    }
    return Int32Array.from(kept).sort();
  }
  /** The numbers of a prefix's own beginnings, from its first label to all of it. */
  ancestors(number) {
    const places = [];
    for (; number !== 0; number = this.#parents[number]) places.push(number);
    return places.reverse();
  }
};
function doubled(array2) {
  const larger = new Int32Array(array2.length * 2);
  larger.set(array2);
  return larger;
}

// src/decoding/word_scorer.ts
var WordScorer = class {
  constructor(model, config) {
    this.model = model;
    this.#weight = config.languageModelWeight;
    this.#bonus = config.wordBonus;
    this.start = model.start;
    const weight = Math.fround(this.#weight);
    this.expected = Float32Array.from(
      model.unigrams.subarray(FIRST_WORD),
      (nats) => Math.fround(nats * weight) + Math.fround(this.#bonus)
    );
    this.expectedUnknown = Math.fround(model.unigrams[UNKNOWN] * weight) + this.#bonus;
  }
  model;
  /** What each word scores at best by itself, for the look-ahead [words]. */
  expected;
  /** What a word outside the vocabulary scores by itself. */
  expectedUnknown;
  start;
  #weight;
  #bonus;
  /** Nats for a word after a context, or for NO_WORD; `model.following` is the next context. */
  score(context, word) {
    const id = word < 0 ? UNKNOWN : word + FIRST_WORD;
    return this.model.score(context, id) * this.#weight + this.#bonus;
  }
  /** How much each word of a sentence was to be expected, in nats. */
  logProbs(words) {
    let state = this.start;
    return words.map((word) => {
      const nats = this.model.score(state, this.model.id(word));
      state = this.model.following;
      return nats;
    });
  }
};
var PLACES = 1 << 12;
var WordCache = class {
  constructor(words) {
    this.words = words;
  }
  words;
  /** The context after the word that `score` was last asked for. */
  following = 0;
  #keys = new Float64Array(PLACES).fill(-1);
  #scores = new Float64Array(PLACES);
  #following = new Int32Array(PLACES);
  score(context, word) {
    const key = context * 2 ** 20 + word + 1;
    const mixed = Math.imul(context, 2654435761) ^ Math.imul(word + 1, 2246822507);
    const place = mixed >>> 8 & PLACES - 1;
    if (this.#keys[place] !== key) {
      this.#keys[place] = key;
      this.#scores[place] = this.words.score(context, word);
      this.#following[place] = this.words.model.following;
    }
    this.following = this.#following[place];
    return this.#scores[place];
  }
};

// src/decoding/phoneme_state.ts
var IMPROBABLE = -1e4;
var SearchState = class {
  beam = new Hypotheses();
  traceback = new Traceback();
  words;
  /** Notes for other texts than the best; null where that is enough. */
  recombinations;
  /** Frames searched so far. */
  frames = 0;
  /** Nats of the blanks since a label was last likely, which all hypotheses have yet to get. */
  silence = 0;
  silent = false;
  /** Log-probabilities of the last frame. */
  lastRow = new Float64Array(BLANK + 1).fill(IMPROBABLE);
  /** Whether labels could be added in that. */
  stepped = false;
  /** Where to go back to from a dead end; null for the beam as it is. */
  refuge = null;
  /** Whether the beam is wide, because there was one. */
  wide = false;
  constructor(words, tree, notes) {
    this.words = new WordCache(words);
    this.recombinations = notes ? new Recombinations() : null;
    const root = this.beam.grow();
    this.beam.place(root, tree.roots + BLANK, words.start);
    this.beam.spoken[root] = LOG_ZERO;
  }
  /** Makes the hypotheses as they are now the ones to go back to. */
  settle() {
    const { beam, silence, silent, stepped } = this;
    this.refuge = { beam, silence, silent, stepped, best: this.best() + silence, heard: 0, frames: [] };
    return this.refuge;
  }
  /** Nats of the best hypothesis. */
  best() {
    let best2 = -Infinity;
    for (let index = 0; index < this.beam.count; index++) {
      best2 = Math.max(best2, this.beam.total(index));
    }
    return best2;
  }
  /** Takes the hypotheses of a refuge, to search the frames since then once more. */
  goBack({ beam, silence, silent, stepped }) {
    Object.assign(this, { beam, silence, silent, stepped });
  }
  /** The hypotheses, to be changed where they are: not those to go back to. */
  ownBeam() {
    if (this.beam === this.refuge?.beam) this.beam = this.beam.copy();
    return this.beam;
  }
  /** All hypotheses get the blanks since the last label: their paths are in the blank after them. */
  countSilence() {
    if (!this.silent) return;
    const beam = this.ownBeam();
    for (let index = 0; index < beam.count; index++) {
      beam.blank[index] = beam.total(index) + this.silence;
      beam.spoken[index] = LOG_ZERO;
    }
    this.silence = 0;
    this.silent = false;
  }
  /** Leave out the first labels, which all hypotheses must share, from what is spelled. */
  commit(labels) {
    const { beam, refuge } = this;
    const { count } = beam;
    const both = beam.copy();
    const sharing = refuge === null ? [] : this.#sharing(refuge.beam, labels);
    for (const index of sharing) both.push(refuge.beam, index);
    if (this.recombinations === null) this.traceback.keep(both.trace, both.count, labels);
    else this.recombinations.commit(this.traceback, both, labels);
    this.beam = both.part(0, count);
    const rest = both.part(count, both.count);
    this.refuge = refuge === null || rest.count === 0 ? null : { ...refuge, beam: rest };
  }
  /** Which hypotheses begin with the first labels of the beam's. */
  #sharing(hypotheses, labels) {
    const beginning2 = this.traceback.follow(this.beam.trace[0]).labels.slice(0, labels);
    return Array.from({ length: hypotheses.count }, (_, index) => index).filter((index) => {
      const spelled = this.traceback.follow(hypotheses.trace[index]).labels;
      return beginning2.every((label, place) => spelled[place] === label);
    });
  }
};

// src/decoding/phoneme_steps.ts
var SURPRISE = 2.5;
var PhonemeSteps = class _PhonemeSteps {
  #tree;
  #words;
  #config;
  /** What each pronunciation scores at most, without its penalty. */
  #most;
  /** What a phoneme of an unknown word scores after each phoneme, or as the first. */
  #unknown;
  /** Unknown words are many and seldom said: they have a beam between the two others. */
  #near;
  #beginUnknown;
  /** @param like Steps with the same tree and words, whose tables these share. */
  constructor(tree, words, config, like) {
    this.#tree = tree;
    this.#words = words;
    this.#config = config;
    this.#near = (config.beamThreshold + config.wordEndThreshold) / 2;
    if (like !== void 0) {
      this.#most = like.#most;
      this.#unknown = like.#unknown;
      this.#beginUnknown = like.#beginUnknown;
      return;
    }
    this.#most = Float32Array.from(
      tree.word,
      (word) => word < 0 ? words.expectedUnknown + SURPRISE : words.expected[word] + SURPRISE
    );
    this.#unknown = Float64Array.from(
      tree.follows,
      (nats) => nats - config.unknownPhonemePenalty + words.expectedUnknown
    );
    const first = this.#unknown.subarray(BLANK * (BLANK + 1), BLANK * (BLANK + 1) + BLANK);
    first.forEach((nats, label) => first[label] = nats - config.unknownWordPenalty);
    this.#beginUnknown = Math.max(...first);
  }
  /** The same steps with a beam that is so many times as wide, for ends of words too. */
  widened(factor) {
    const beamThreshold = this.#config.beamThreshold * factor;
    const config = {
      ...this.#config,
      beamSize: this.#config.beamSize * factor,
      beamThreshold,
      wordEndThreshold: beamThreshold
    };
    return new _PhonemeSteps(this.#tree, this.#words, config, this);
  }
  /** Hypotheses add nothing in a frame. */
  stay(beam, row) {
    for (let index = 0; index < beam.count; index++) {
      const total = beam.total(index);
      beam.spoken[index] += row[this.#tree.label[beam.node[index]]];
      beam.blank[index] = total + row[BLANK];
    }
  }
  /** The hypotheses after a frame in which some labels are likely. */
  step(state, row, labels, frame) {
    const { beam } = state;
    const tree = this.#tree;
    const count = beam.count;
    const width = labels.length;
    const stayBlank = new Float64Array(count);
    const staySpoken = new Float64Array(count);
    const base = new Float64Array(count * width);
    const nodes = new Int32Array(count * width);
    const scores = new Float64Array(count + count * width);
    let best2 = -Infinity;
    let mostTotal = -Infinity;
    let mostNode = 0;
    for (let index = 0; index < count; index++) {
      const node = beam.node[index];
      const last = tree.label[node];
      const total = beam.total(index);
      const given = beam.ahead[index];
      stayBlank[index] = total + row[BLANK];
      staySpoken[index] = beam.spoken[index] + row[last];
      scores[index] = Math.max(stayBlank[index], staySpoken[index]);
      mostTotal = Math.max(mostTotal, total);
      mostNode = Math.max(mostNode, node);
      best2 = Math.max(best2, scores[index]);
      for (let column = 0; column < width; column++) {
        const label = labels[column];
        const place = index * width + column;
        base[place] = (label === last ? beam.blank[index] - given : total - given) + row[label];
        nodes[place] = tree.after(node, label);
        const score = base[place] + tree.best[nodes[place]];
        scores[count + place] = score;
        best2 = Math.max(best2, score);
      }
    }
    let limit = best2 - this.#config.beamThreshold;
    if (scores.length > this.#config.beamSize) {
      const able = scores.filter((score) => score > limit);
      if (able.length > this.#config.beamSize) limit = nthLargest(able, this.#config.beamSize);
    }
    const options = new Hypotheses();
    for (let index = 0; index < count; index++) {
      if (scores[index] <= limit) continue;
      const place = options.push(beam, index);
      options.blank[place] = stayBlank[index];
      options.spoken[place] = staySpoken[index];
    }
    const added = new Hypotheses();
    for (let place = 0; place < count * width; place++) {
      const score = scores[count + place];
      if (score > limit) {
        this.#speak(added, beam, Math.floor(place / width), nodes[place], score, frame);
      }
    }
    this.#collect(state, options, added, best2, limit, frame);
    const near = Math.max(limit, best2 - this.#near);
    const mostLabel = Math.max(...labels.map((label) => row[label]));
    const dear = mostTotal + mostLabel + this.#beginUnknown <= near;
    if (!dear || mostNode >= tree.outside) {
      const unknown = new Hypotheses();
      for (let index = 0; index < count; index++) {
        const node = beam.node[index];
        if (node < tree.roots) continue;
        const before = node >= tree.outside ? tree.label[node] : BLANK;
        for (let column = 0; column < width; column++) {
          const label = labels[column];
          const score = base[index * width + column] + this.#unknown[before * (BLANK + 1) + label];
          if (score <= near) continue;
          const place = this.#speak(unknown, beam, index, tree.outside + label, score, frame);
          unknown.hash(place, ~(tree.outside + label));
        }
      }
      this.#collect(state, options, unknown, best2, limit, frame);
    }
    state.beam = merge(options, this.#config.beamSize, state.recombinations);
  }
  /** Adds a hypothesis that adds a phoneme to one of the beam's. */
  #speak(added, beam, parent, node, score, frame) {
    const place = added.push(beam, parent);
    if (this.#tree.between(beam.node[parent])) added.began[place] = frame;
    added.blank[place] = LOG_ZERO;
    added.spoken[place] = score;
    added.ahead[place] = this.#tree.best[node];
    added.place(place, node, beam.context[parent]);
    return place;
  }
  /**
   * Adds hypotheses with a new phoneme to the options, and those whose words end with it.
   *
   * @param best Of all hypotheses before words ended.
   * @param limit What one must score at least.
   */
  #collect(state, options, added, best2, limit, frame) {
    const tree = this.#tree;
    for (let index = 0; index < added.count; index++) options.push(added, index);
    const least = Math.max(limit, best2 - this.#config.wordEndThreshold);
    for (let index = 0; index < added.count; index++) {
      const spoken = added.spoken[index];
      if (spoken <= least - SURPRISE) continue;
      const node = added.node[index];
      for (let end = tree.ends[node]; end < tree.ends[node + 1]; end++) {
        const score = spoken - added.ahead[index] - tree.penalty[end];
        if (score + this.#most[end] <= least) continue;
        const word = tree.word[end];
        const total = state.words.score(added.context[index], word) + score;
        if (total <= least) continue;
        const place = options.push(added, index);
        options.hash(place, word);
        options.place(place, tree.roots + tree.label[node], state.words.following);
        options.trace[place] = state.traceback.add(added.trace[index], end, added.began[index]);
        state.recombinations?.name(options.text(place));
        options.began[place] = frame;
        options.blank[place] = LOG_ZERO;
        options.spoken[place] = total;
        options.ahead[place] = 0;
      }
    }
  }
};

// src/decoding/phoneme_frames.ts
var DEAD_END = 12;
var WIDER = 2;
var PhonemeFrames = class {
  #tree;
  #config;
  #heads;
  #steps;
  #wideSteps;
  #leastLabel;
  constructor(tree, words, config, heads) {
    this.#tree = tree;
    this.#config = config;
    this.#heads = heads;
    this.#steps = new PhonemeSteps(tree, words, config);
    this.#wideSteps = this.#steps.widened(WIDER);
    this.#leastLabel = Math.log(config.labelThreshold);
  }
  /** Search the next frames; the result does not depend on how they are divided. */
  advance(state, rows) {
    for (let frame = 0; frame < rows.frames; frame++) {
      const begin = frame * rows.width + this.#heads.begin;
      const row = new Float64Array(BLANK + 1);
      const labels = [];
      let overlap = 0;
      for (let label = 0; label <= BLANK; label++) {
        row[label] = Math.max(rows.data[begin + label], IMPROBABLE);
        if (label < BLANK && row[label] > this.#leastLabel) labels.push(label);
        overlap += Math.exp(Math.min(row[label], state.lastRow[label]));
      }
      state.lastRow.set(row);
      row[BLANK] -= this.#config.blankPenalty;
      const steady = overlap > this.#config.steadyThreshold;
      this.#search(state, { number: state.frames, row, labels, steady });
      state.frames++;
    }
  }
  /** Search the end of an utterance once more if no hypothesis ends with a word. */
  conclude(state) {
    if (state.refuge !== null && !state.wide && this.#bestBetween(state) === -Infinity) {
      this.#retry(state, state.refuge);
    }
  }
  /** Whether no label is considered, of each frame [frames]. */
  blankFrames(rows) {
    const quiet = new Uint8Array(rows.frames).fill(1);
    for (let frame = 0; frame < rows.frames; frame++) {
      const begin = frame * rows.width + this.#heads.begin;
      for (let label = 0; label < BLANK; label++) {
        if (rows.data[begin + label] > this.#leastLabel) {
          quiet[frame] = 0;
          break;
        }
      }
    }
    return quiet;
  }
  /** Search a frame, and once more what led to a dead end. */
  #search(state, frame) {
    const refuge = state.refuge ?? state.settle();
    if (!state.wide) {
      refuge.frames.push(frame);
      refuge.heard += Math.max(...frame.row);
    }
    if (!this.#step(state, frame)) return;
    const between = this.#bestBetween(state);
    if (state.wide) {
      if (between > state.best() - this.#config.wordEndThreshold) {
        state.wide = false;
        state.settle();
      }
    } else if (between > -Infinity) state.settle();
    else if (refuge.best + refuge.heard - state.best() > DEAD_END) this.#retry(state, refuge);
    if (state.recombinations === null && state.traceback.needsPruning) state.commit(0);
  }
  /** Search the frames since the refuge once more, with a wider beam. */
  #retry(state, refuge) {
    state.goBack(refuge);
    state.wide = true;
    for (const frame of refuge.frames) this.#step(state, frame);
  }
  /** Search a frame, and tell whether labels could be added in it. */
  #step(state, { number, row, labels, steady }) {
    const steps = state.wide ? this.#wideSteps : this.#steps;
    if (labels.length === 0) {
      state.silence += row[BLANK];
      state.silent = true;
      state.stepped = false;
    } else if (state.stepped && steady) {
      steps.stay(state.ownBeam(), row);
      state.stepped = false;
    } else {
      state.countSilence();
      steps.step(state, row, labels, number);
      state.stepped = true;
    }
    return state.stepped;
  }
  /** Nats of the best hypothesis between words; minus infinity if there is none. */
  #bestBetween({ beam }) {
    let best2 = -Infinity;
    for (let index = 0; index < beam.count; index++) {
      if (this.#tree.between(beam.node[index])) best2 = Math.max(best2, beam.total(index));
    }
    return best2;
  }
};

// src/decoding/phoneme_search.ts
var FINALISTS = 16;
var PhonemeSearch = class {
  #tree;
  #words;
  #frames;
  constructor(tree, words, config, heads) {
    this.#tree = tree;
    this.#words = words;
    this.#frames = new PhonemeFrames(tree, words, config, heads);
  }
  /** The state before an utterance, with notes if `alternatives` will be asked for. */
  begin(notes = false) {
    return new SearchState(this.#words, this.#tree, notes);
  }
  /** Whether no label is considered, of each frame [frames]. */
  blankFrames(rows) {
    return this.#frames.blankFrames(rows);
  }
  /** Search the next frames; the result does not depend on how they are divided. */
  advance(state, rows) {
    this.#frames.advance(state, rows);
  }
  /** Search the end of an utterance once more if no hypothesis ends with a word. */
  conclude(state) {
    this.#frames.conclude(state);
  }
  /** The words that are ahead so far, without one that is being spoken. */
  best(state) {
    const index = this.leader(state);
    return this.#path(state, index, state.beam.total(index));
  }
  /** Which hypothesis is ahead; in silence one between words, if there is any. */
  leader(state) {
    const { beam } = state;
    const among = this.#between(state);
    let best2 = -1;
    let most = -Infinity;
    for (let index = 0; index < beam.count; index++) {
      const total = beam.total(index);
      if (state.silent && among.size > 0 && !among.has(index)) continue;
      if (total > most) [best2, most] = [index, total];
    }
    return best2;
  }
  /** The best text of an utterance that ends here. The state stays as it is. */
  finish(state) {
    const endings = this.#endings(state);
    const best2 = endings.reduce((one, other) => other.nats > one.nats ? other : one);
    return this.#path(state, best2.index, best2.nats);
  }
  /** The texts of an utterance that ends here that are near the best one. */
  graph(state, threshold) {
    if (state.recombinations === null) throw new TypeError("the search has no notes");
    const endings = this.#endings(state).map(({ index, nats }) => this.#path(state, index, nats));
    return state.recombinations.graph(state.traceback, endings, threshold);
  }
  /** The best texts, by the best hypothesis of each, and their nats. */
  #endings(state) {
    const { beam } = state;
    const complete = this.#between(state);
    let ranked = Array.from({ length: beam.count }, (_, index) => index);
    if (complete.size > 0) ranked = ranked.filter((index) => complete.has(index));
    ranked.sort((one, other) => beam.total(other) - beam.total(one));
    const texts = [];
    for (const index of ranked.slice(0, FINALISTS)) {
      const text = texts.find((each2) => beam.sameText(each2.index, index));
      if (text === void 0) texts.push({ index, nats: beam.total(index) });
      else text.nats = logAddExp(text.nats, beam.total(index));
    }
    return texts;
  }
  /** What every hypothesis has spelled. */
  spelled(state) {
    const { beam } = state;
    return Array.from({ length: beam.count }, (_, index) => {
      const { labels, startFrames } = state.traceback.follow(beam.trace[index]);
      const began = beam.began[index];
      const next = this.#tree.between(beam.node[index]) ? state.frames : began;
      return { labels, startFrames: [...startFrames, next], since: [...startFrames, began] };
    });
  }
  #between(state) {
    const places = /* @__PURE__ */ new Set();
    for (let index = 0; index < state.beam.count; index++) {
      if (this.#tree.between(state.beam.node[index])) places.add(index);
    }
    return places;
  }
  #path(state, index, nats) {
    const prefix = state.beam.trace[index];
    const score = nats + state.silence;
    return { ...state.traceback.follow(prefix), score, prefix, own: 0, shift: 0 };
  }
};

// src/decoding/word_histories.ts
var MEMORY = 0.9;
var MOST_ODDS = 9;
var WordMixture = class {
  constructor(model, network, config) {
    this.model = model;
    this.network = network;
    this.#weight = config.languageModelWeight;
    this.#firstOdds = Math.log(config.networkShare) - Math.log1p(-config.networkShare);
    this.#adaptation = config.shareAdaptation;
    const inputs = network.inputs([BOUNDARY_ROW]);
    const [state] = network.advance(inputs, [new Float32Array(network.hidden)]);
    this.start = beginning(model.start, state);
  }
  model;
  network;
  /** The beginning of a sentence. */
  start;
  #weight;
  #firstOdds;
  #adaptation;
  /** What some words are to those after them; without `context`, from a sentence's beginning. */
  after(words, context = this.start) {
    const rows = words.map((word) => this.network.row[word]);
    const inputs = this.network.inputs(rows);
    let { ngrams: ngrams2, network, odds } = context;
    words.forEach((word, place) => {
      const byNgrams = this.model.score(ngrams2, word);
      const byNetwork = this.network.logProbs([network], [0], [rows[place]])[0];
      ngrams2 = this.model.following;
      odds = this.#laterOdds(byNgrams, byNetwork, rows[place], odds);
      [network] = this.network.advance([inputs[place]], [network]);
    });
    return beginning(ngrams2, network, odds);
  }
  /** Add words to histories whose network's states are known. */
  extend(asked) {
    const unique = /* @__PURE__ */ new Map();
    for (const [history, word] of asked) {
      if (history.longer.has(word)) continue;
      const words = unique.get(history);
      if (words === void 0) unique.set(history, /* @__PURE__ */ new Set([word]));
      else words.add(word);
    }
    if (unique.size === 0) return;
    const histories = Array.from(unique.keys());
    const questions = histories.flatMap(
      (history, state) => Array.from(unique.get(history), (word) => ({ history, state, word }))
    );
    const rows = questions.map(({ word }) => this.network.row[word]);
    const said = this.network.logProbs(
      histories.map(({ network }) => network),
      questions.map(({ state }) => state),
      rows
    );
    questions.forEach(({ history, word }, place) => {
      const nats = this.model.score(history.ngrams, word);
      const [row, byNetwork, { odds }] = [rows[place], said[place], history];
      const gain = row < FIRST_ROW ? 0 : this.#gain(nats, byNetwork, odds);
      history.longer.set(word, {
        gain: history.gain + gain,
        odds: this.#laterOdds(nats, byNetwork, row, odds),
        ngrams: this.model.following,
        row,
        earlier: history,
        network: null,
        longer: /* @__PURE__ */ new Map()
      });
    });
  }
  #gain(byNgrams, byNetwork, later2) {
    const odds = this.#firstOdds + later2;
    const ngrams2 = byNgrams - logAddExp(0, odds);
    return (logAddExp(ngrams2, byNetwork - logAddExp(0, -odds)) - byNgrams) * this.#weight;
  }
  #laterOdds(byNgrams, byNetwork, row, odds) {
    if (row < FIRST_ROW) return odds;
    const later2 = MEMORY * odds + this.#adaptation * (byNetwork - byNgrams);
    return Math.min(Math.max(later2, -MOST_ODDS), 0);
  }
  /** Find the network's states after histories. */
  advance(histories) {
    const unknown = Array.from(new Set(histories)).filter(({ network }) => network === null);
    if (unknown.length === 0) return;
    const states = this.network.advance(
      this.network.inputs(unknown.map(({ row }) => row)),
      unknown.map(({ earlier }) => earlier.network)
    );
    unknown.forEach((history, place) => history.network = states[place]);
  }
};
function beginning(ngrams2, network, odds = 0) {
  return { gain: 0, odds, ngrams: ngrams2, row: BOUNDARY_ROW, earlier: null, network, longer: /* @__PURE__ */ new Map() };
}

// src/decoding/rescoring.ts
var LEAST = 3;
var Rescorer = class {
  /** What says how probable words are. */
  mixture;
  /** Nats below the search's best text that a text may be, to be compared. */
  threshold;
  #most;
  constructor(model, network, config) {
    this.mixture = new WordMixture(model, network, config);
    this.threshold = config.rescoredThreshold;
    this.#most = config.rescoredTexts;
  }
  /**
   * The best path by both.
   *
   * @param wordOf The id of a label's word.
   * @param context What was said before; without it, a sentence begins.
   */
  best(graph, wordOf, context = this.mixture.start) {
    const root = beginning(context.ngrams, context.network, context.odds);
    const kept = /* @__PURE__ */ new Map();
    kept.set(graph.root, [{ lost: 0, history: root, from: null, before: null, own: true }]);
    for (const nodes of graph.levels) {
      this.mixture.extend(
        nodes.flatMap(
          ({ parent, label }) => kept.get(parent).map(({ history }) => [history, wordOf(label)])
        )
      );
      for (const node of nodes) {
        const parent = node.parent;
        const word = wordOf(node.label);
        const found = kept.get(parent).map(
          (before) => ({
            lost: before.lost,
            history: before.history.longer.get(word),
            from: parent,
            before,
            own: true
          })
        );
        for (const [other, cost] of node.others) {
          for (const before of kept.get(other)) {
            const { history } = before;
            found.push({ lost: before.lost - cost, history, from: other, before, own: false });
          }
        }
        kept.set(node, this.#kept(found, node.distance));
      }
      this.mixture.advance(nodes.flatMap((node) => kept.get(node).map(({ history }) => history)));
    }
    return chosen(graph, kept);
  }
  /** The best ways to a node, each history once. */
  #kept(found, distance) {
    const best2 = /* @__PURE__ */ new Map();
    for (const each2 of found) {
      const earlier = best2.get(each2.history);
      if (earlier !== void 0 && each2.lost <= earlier.lost) continue;
      if (each2.lost >= distance - this.threshold) best2.set(each2.history, each2);
    }
    const score = ({ lost, history }) => lost + history.gain;
    const ranked = Array.from(best2.values()).sort((one, other) => score(other) - score(one));
    const least = ranked.length > 0 ? score(ranked[0]) - LEAST : 0;
    return ranked.slice(0, this.#most).filter((each2) => score(each2) >= least);
  }
};
function makeRescorer(model, config) {
  if (model.network === null || config.networkShare === 0) return null;
  return new Rescorer(model, model.network, config);
}
function chosen(graph, kept) {
  let score = -Infinity;
  let path = null;
  let node = null;
  let last = null;
  for (const [ending, end] of graph.endings) {
    for (const each2 of kept.get(end)) {
      const total = ending.score + each2.lost + each2.history.gain;
      if (total > score) [score, path, node, last] = [total, ending, end, each2];
    }
  }
  while (node !== graph.root) {
    const { from, before, own } = last;
    if (!own) path = graph.withBeginning(path, node, from);
    [node, last] = [from, before];
  }
  return { ...path, score };
}

// src/decoding/rows.ts
var Rows = class _Rows {
  /** @param data float32 [frames, width], natural logarithms. */
  constructor(data, width) {
    this.data = data;
    this.width = width;
  }
  data;
  width;
  get frames() {
    return this.data.length / this.width;
  }
  /** Some of the frames, not copied. */
  slice(begin, end = this.frames) {
    return new _Rows(this.data.subarray(begin * this.width, end * this.width), this.width);
  }
  /** The same frames in memory of their own, so that what they were part of can be forgotten. */
  copy() {
    return new _Rows(this.data.slice(), this.width);
  }
  static concat(parts, width) {
    if (parts.length === 1) return parts[0];
    const data = new Float32Array(parts.reduce((length, part) => length + part.data.length, 0));
    let place = 0;
    for (const part of parts) {
      data.set(part.data, place);
      place += part.data.length;
    }
    return new _Rows(data, width);
  }
  /** The class of some columns that is best in a frame, counted from the first of them. */
  best(frame, begin, end) {
    const row = frame * this.width;
    let best2 = begin;
    for (let column = begin + 1; column < end; column++) {
      if (this.data[row + column] > this.data[row + best2]) best2 = column;
    }
    return best2 - begin;
  }
};
var Heads = class {
  /**
   * @param letters Classes of the vocabulary, which come first.
   * @param letterBlank Their blank.
   * @param phonemes Whether those of the phonemes follow; these are then what is decoded.
   */
  constructor(letters, letterBlank, phonemes) {
    this.letters = letters;
    this.letterBlank = letterBlank;
    this.phonemes = phonemes;
  }
  letters;
  letterBlank;
  phonemes;
  get width() {
    return this.letters + (this.phonemes ? BLANK + 1 : 0);
  }
  /** The first column that is decoded. */
  get begin() {
    return this.phonemes ? this.letters : 0;
  }
  /** The blank among the columns that are decoded. */
  get blank() {
    return this.phonemes ? BLANK : this.letterBlank;
  }
  /** The class that is best in a frame, of those that are decoded. */
  heard(rows, frame) {
    return rows.best(frame, this.begin, this.width);
  }
};

// src/decoding/alignment.ts
function align(score, frames, labels, blank) {
  const count = labels.length;
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  if (count === 0) return { first, last };
  if (frames === 0) return null;
  const states = 2 * count + 1;
  const steps = new Uint8Array(frames * states);
  let reached = new Float64Array(states).fill(-Infinity);
  let next = new Float64Array(states);
  reached[0] = score(0, blank);
  reached[1] = score(0, labels[0]);
  for (let frame = 1; frame < frames; frame++) {
    const silence = score(frame, blank);
    for (let state2 = 0; state2 < states; state2++) {
      let best2 = reached[state2];
      let step = 0;
      if (state2 > 0 && reached[state2 - 1] > best2) {
        best2 = reached[state2 - 1];
        step = 1;
      }
      const label = state2 >> 1;
      const skips = (state2 & 1) === 1 && state2 > 1 && labels[label] !== labels[label - 1];
      if (skips && reached[state2 - 2] > best2) {
        best2 = reached[state2 - 2];
        step = 2;
      }
      steps[frame * states + state2] = step;
      next[state2] = best2 + ((state2 & 1) === 1 ? score(frame, labels[label]) : silence);
    }
    [reached, next] = [next, reached];
  }
  let state = reached[states - 1] > reached[states - 2] ? states - 1 : states - 2;
  if (!Number.isFinite(reached[state])) return null;
  last.fill(-1);
  for (let frame = frames - 1; frame >= 0; frame--) {
    if (state & 1) {
      const label = state >> 1;
      first[label] = frame;
      if (last[label] === -1) last[label] = frame;
    }
    state -= steps[frame * states + state];
  }
  return { first, last };
}

// src/decoding/word_alignment.ts
var LEAST_PART = 150;
var MOST_PART = 600;
var PAUSE_SECONDS = 0.3;
var WordAligner = class {
  constructor(tree, texts, vocabulary, heads, silenceThreshold) {
    this.tree = tree;
    this.texts = texts;
    this.vocabulary = vocabulary;
    this.heads = heads;
    this.silenceThreshold = silenceThreshold;
  }
  tree;
  texts;
  vocabulary;
  heads;
  silenceThreshold;
  /**
   * When each word was spoken.
   *
   * @param words Pronunciations, as the search found them; `startFrames` are the frames they began in.
   * @param quiet Frames in which no label was considered [frames].
   */
  align(rows, words, startFrames, quiet) {
    const spoken = words.map(
      (word, index) => this.#phonemes(rows, word, startFrames[index], startFrames[index + 1] ?? rows.frames)
    );
    const aligned = [];
    const parts = [0, ...partsOf(startFrames, quiet), words.length];
    for (let part = 0; part + 1 < parts.length; part++) {
      const [one, other] = [parts[part], parts[part + 1]];
      if (one === other) continue;
      const begin = one > 0 ? startFrames[one] : 0;
      const end = other < words.length ? startFrames[other] : rows.frames;
      const labels = spoken.slice(one, other).flat();
      const found = this.#align(rows, labels, quiet, begin, end);
      let place = 0;
      for (let index = one; index < other; index++) {
        const phonemes = spoken[index];
        const range = [place, place += phonemes.length];
        const still = phonemes.map(() => startFrames[index]);
        aligned.push({
          pronunciation: words[index],
          phonemes,
          first: found === null ? still : Array.from(found.first.slice(...range)),
          last: found === null ? still : Array.from(found.last.slice(...range))
        });
      }
    }
    return { words: aligned, end: rows.frames };
  }
  /**
   * The characters of the words that were spoken, a space before each.
   *
   * @param offset Frames before these, for the times.
   * @param previous The token before these, if there is any; the first space begins where it ends.
   */
  tokens(rows, aligned, seconds, offset = 0, previous) {
    const tokens = [];
    let end = previous?.end;
    const spoken = this.#spoken(rows, aligned, seconds);
    aligned.words.forEach((_, index) => {
      if (!spoken[index]) return;
      let letters = this.#letters(rows, aligned, index, seconds, offset);
      if (letters.length === 0) return;
      if (end !== void 0 && letters[0].start < end) letters = later(letters, end);
      const start = letters[0].start;
      const confidence = geometricMean(letters.map((letter) => letter.confidence));
      tokens.push({ text: WORD_BOUNDARY, start: end ?? start, end: start, confidence });
      tokens.push(...letters);
      end = letters.at(-1).end;
    });
    return tokens;
  }
  /** Which words were spoken: of those without a pause between them all or none. */
  #spoken(rows, { words }, seconds) {
    const phrases = [];
    const gained = [];
    words.forEach((word, index) => {
      const gap = word.first[0] - (words[index - 1]?.last.at(-1) ?? -Infinity) - 1;
      if (gap * seconds > PAUSE_SECONDS) gained.push(0);
      gained[gained.length - 1] += this.#gainOverBlank(rows, word);
      phrases.push(gained.length - 1);
    });
    return phrases.map((phrase) => gained[phrase] >= -this.silenceThreshold);
  }
  #score(rows, frame, label) {
    return Math.max(rows.data[frame * rows.width + this.heads.begin + label], IMPROBABLE);
  }
  /** The phonemes of a word; of an unknown one those that are best in its frames. */
  #phonemes(rows, word, begin, end) {
    if (word < this.tree.unknown) return Array.from(this.tree.spoken(word));
    const best2 = [];
    let before = -1;
    for (let frame = begin; frame < end; frame++) {
      const label = this.heads.heard(rows, frame);
      if (label !== before && label !== BLANK) best2.push(label);
      before = label;
    }
    return best2.length > 0 ? best2 : [word - this.tree.unknown];
  }
  /** `align` in the frames that are not quiet, and one of each silence; null if it cannot be. */
  #align(rows, labels, quiet, begin, end) {
    const every = Array.from({ length: end - begin }, (_, index) => begin + index);
    const busy = every.filter((frame) => frame === begin || !quiet[frame] || !quiet[frame - 1]);
    for (const frames of [busy, every]) {
      const score = (frame, label) => this.#score(rows, frames[frame], label);
      const found = align(score, frames.length, labels, BLANK);
      if (found === null) continue;
      return {
        first: found.first.map((frame) => frames[frame]),
        last: found.last.map((frame) => frames[frame])
      };
    }
    return null;
  }
  /** Nats by which a word's phonemes are more probable in their frames than blanks. */
  #gainOverBlank(rows, word) {
    let gain = 0;
    word.phonemes.forEach((phoneme, index) => {
      for (let frame = word.first[index]; frame <= word.last[index]; frame++) {
        gain += this.#score(rows, frame, phoneme) - this.#score(rows, frame, BLANK);
      }
    });
    return gain;
  }
  /** The geometric mean of the probabilities of a word's phonemes. */
  #confidence(rows, word) {
    let mean = 0;
    word.phonemes.forEach((phoneme, index) => {
      const [first, last] = [word.first[index], word.last[index]];
      let sum = 0;
      for (let frame = first; frame <= last; frame++) sum += this.#score(rows, frame, phoneme);
      mean += sum / (last + 1 - first) / word.phonemes.length;
    });
    return Math.exp(Math.min(mean, 0));
  }
  #letters(rows, aligned, index, seconds, offset) {
    const word = aligned.words[index];
    if (word.pronunciation >= this.tree.unknown) {
      const begin = index > 0 ? aligned.words[index - 1].last.at(-1) + 1 : 0;
      const after = aligned.words[index + 1]?.first[0] ?? aligned.end;
      return this.#heardLetters(rows.slice(begin, Math.max(begin, after)), seconds, offset + begin);
    }
    const text = this.texts[this.tree.word[word.pronunciation]];
    const first = word.first[0] + offset;
    const step = (word.last.at(-1) + 1 + offset - first) / text.length;
    const confidence = this.#confidence(rows, word);
    return Array.from(text, (letter, place) => ({
      text: letter,
      start: (first + place * step) * seconds,
      end: (first + (place + 1) * step) * seconds,
      confidence
    }));
  }
  /** The longest word that the letter head heard in some frames. */
  #heardLetters(rows, seconds, offset) {
    const { tokens } = greedyDecode(rows, this.vocabulary, this.heads.letterBlank, 1);
    const words = [[]];
    for (const token of tokens) {
      if (token.text === WORD_BOUNDARY) words.push([]);
      else words.at(-1).push(token);
    }
    const longest = words.reduce((one, other) => other.length > one.length ? other : one);
    return longest.map((token) => ({
      ...token,
      start: (token.start + offset) * seconds,
      end: (token.end + offset) * seconds
    }));
  }
};
function later(letters, start) {
  return letters.map((letter) => ({
    ...letter,
    start: Math.max(letter.start, start),
    end: Math.max(letter.end, start)
  }));
}
function partsOf(startFrames, quiet) {
  const parts = [];
  let begin = 0;
  while (quiet.length - begin > MOST_PART) {
    const able = [];
    startFrames.forEach((frame, word2) => {
      if (frame >= begin + LEAST_PART && frame <= begin + MOST_PART) able.push(word2);
    });
    const word = able.find((each2) => quiet[Math.max(startFrames[each2] - 1, 0)] === 1) ?? able[0] ?? // Of a long silence, the end.
    startFrames.findIndex((frame) => frame > begin + MOST_PART);
    if (word === -1) break;
    parts.push(word);
    begin = startFrames[word];
  }
  return parts;
}

// src/decoding/phoneme_decoder.ts
var PhonemeDecoder = class {
  heads;
  search;
  aligner;
  /** Compares the best texts once more, null if nothing does. */
  rescorer;
  #words;
  #tree;
  /**
   * @param model A language model, and how its words are spoken.
   * @param vocabulary The text of each letter class; `blank` is the blank's.
   */
  constructor(model, pronunciations, vocabulary, blank, config = BEAM_DEFAULTS) {
    this.heads = new Heads(vocabulary.length, blank, true);
    const scorer = new WordScorer(model, config);
    this.#words = scorer;
    const tree = new PronunciationTree(
      pronunciations,
      scorer.expected,
      scorer.expectedUnknown,
      config.variantPenalty
    );
    this.#tree = tree;
    this.rescorer = makeRescorer(model, config);
    this.search = new PhonemeSearch(tree, scorer, config, this.heads);
    const { silenceThreshold } = config;
    this.aligner = new WordAligner(tree, model.words, vocabulary, this.heads, silenceThreshold);
  }
  /** How much each word of a sentence was to be expected, in nats. */
  wordLogProbs(words) {
    return this.#words.logProbs(words);
  }
  /** The search's state before an utterance. */
  begin() {
    return this.search.begin(this.rescorer !== null);
  }
  /**
   * The best text of an utterance that ends here, of those that were compared once more.
   *
   * The aligner places every path, also what no path spells, so that none has to be passed over.
   *
   * @param context What was said before; without it, a sentence begins.
   */
  bestText(state, context) {
    if (this.rescorer === null) return this.search.finish(state);
    const graph = this.search.graph(state, this.rescorer.threshold);
    return this.rescorer.best(graph, (label) => this.wordId(label), context);
  }
  /** The language model's id of a pronunciation's word. */
  wordId(label) {
    const word = this.#tree.word[label];
    return word < 0 ? UNKNOWN : word + FIRST_WORD;
  }
  /** Decode one utterance [frames, columns of `heads`]. */
  decode(rows, seconds) {
    const state = this.begin();
    this.search.advance(state, rows);
    this.search.conclude(state);
    const { labels, startFrames } = this.bestText(state);
    const aligned = this.aligner.align(rows, labels, startFrames, this.search.blankFrames(rows));
    const tokens = withoutLeadingSpace(this.aligner.tokens(rows, aligned, seconds));
    return { text: textOf(tokens), tokens, confidence: this.#confidence(rows, tokens) };
  }
  /** Of no tokens, as probable as blanks are. */
  #confidence(rows, tokens) {
    if (tokens.length > 0) return geometricMean(tokens.map((token) => token.confidence));
    if (rows.frames === 0) return 0;
    let sum = 0;
    for (let frame = 0; frame < rows.frames; frame++) {
      sum += rows.data[frame * rows.width + this.heads.begin + this.heads.blank];
    }
    return Math.min(1, Math.exp(sum / rows.frames));
  }
};

// src/rounding.ts
function roundHalfEven(number) {
  const rounded = Math.round(number);
  return Math.abs(number % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

// src/subtitles.ts
var LINE_CHARACTERS = 42;
var SHORTEST_SECONDS = 1;
var LONGEST_SECONDS = 7;
var CHARACTERS_PER_SECOND = 20;
var GAP_SECONDS = 0.08;
var SILENCE_SECONDS = 2;
var LINGER_SECONDS = 0.5;
var PENDING_WORDS = 120;
var CUE = 1;
var BREAK_INSIDE_PHRASE = 1.5;
var BREAK_BETWEEN_WORDS = 0.7;
var BREAK_AT_COMMA = 0.2;
var SHORT_CUE = 0.8;
var TOO_FAST = 0.3;
var PAUSE_INSIDE = 2;
var SENTENCE_INSIDE = 1.2;
var UNEVEN = 0.4;
var LINE_BREAK = 1;
var TOO_WIDE = 1e3;
var LONG_PAUSE = 0.4;
var OPENERS = new Set(
  "a an the this that these those my your his her its our their no some any every each of to in on at by for from with without into onto upon over under about between through and or but nor so yet if when while because although though unless until than as whether who whom whose which what where how i you he she it we they is are was were be been am do does did has have had will would can could shall should may might must not mr mrs dr".split(" ")
);
function toSrt(words) {
  return cuesOf(words).map((cue, index) => `${index + 1}
${times(cue, ",")}
${textOf2(cue)}

`).join("");
}
function toVtt(words) {
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `WEBVTT

${cuesOf(words).map((cue) => `${times(cue, ".")}
${escaped(textOf2(cue))}

`).join("")}`;
}
function cuesOf(words) {
  const layouts = [];
  let pending = [];
  for (const word of words) {
    if (pending.length > 0 && word.start - pending.at(-1).end >= SILENCE_SECONDS) {
      layouts.push(...broken(pending));
      pending = [];
    }
    pending.push(word);
    if (pending.length >= PENDING_WORDS) {
      const decided = broken(pending);
      pending = decided.pop().flat();
      layouts.push(...decided);
    }
  }
  layouts.push(...broken(pending));
  return timed(layouts);
}
function timed(layouts) {
  const cues = [];
  for (const lines of layouts) {
    const words = lines.flat();
    const held = cues.at(-1);
    let start = words[0].start;
    if (held !== void 0) {
      start = Math.max(start, held.start + 1e-3);
      const gap = start - held.start > 2 * GAP_SECONDS ? GAP_SECONDS : 0;
      const end2 = Math.max(Math.min(held.end, start - gap), held.start + 1e-3);
      cues[cues.length - 1] = { ...held, end: end2 };
    }
    const last = words.at(-1).end;
    const shown = Math.max(SHORTEST_SECONDS, lengthOf(words) / CHARACTERS_PER_SECOND);
    const end = Math.max(last + LINGER_SECONDS, start + Math.min(shown, LONGEST_SECONDS));
    const longest = Math.max(LONGEST_SECONDS, last - start);
    cues.push({ start, end: Math.min(end, start + longest), lines });
  }
  return cues;
}
function broken(words) {
  const count = words.length;
  const best2 = [0, ...new Array(count).fill(Infinity)];
  const begins = new Array(count + 1).fill(0);
  for (let end = 1; end <= count; end++) {
    const after = breakCost(words, end);
    for (let begin = end - 1; begin >= 0; begin--) {
      const part = words.slice(begin, end);
      const tooLong = part.at(-1).end - part[0].start > LONGEST_SECONDS;
      const [, badness] = lineCut(part);
      if (end - begin > 1 && (tooLong || badness >= TOO_WIDE)) break;
      const cost = best2[begin] + CUE + after + cueCost(words, begin, end) + badness;
      if (cost < best2[end]) {
        best2[end] = cost;
        begins[end] = begin;
      }
    }
  }
  const layouts = [];
  for (let end = count; end > 0; end = begins[end]) {
    const part = words.slice(begins[end], end);
    const [cut] = lineCut(part);
    layouts.push([part.slice(0, cut), part.slice(cut)].filter((line) => line.length > 0));
  }
  return layouts.reverse();
}
function cueCost(words, begin, end) {
  const part = words.slice(begin, end);
  const start = part[0].start;
  const until = words[end]?.start ?? part.at(-1).end + LINGER_SECONDS;
  const seconds = Math.max(0.05, Math.min(until, start + LONGEST_SECONDS) - start);
  let cost = TOO_FAST * Math.max(0, lengthOf(part) / seconds - CHARACTERS_PER_SECOND);
  if (seconds < SHORTEST_SECONDS || part.length === 1) cost += SHORT_CUE;
  let pauses = 0;
  let signs = 0;
  part.slice(0, -1).forEach((word, index) => {
    const pause = part[index + 1].start - word.end;
    if (pause > LONG_PAUSE) pauses += pause;
    if (stops(word)) signs++;
  });
  return cost + PAUSE_INSIDE * pauses + SENTENCE_INSIDE * signs;
}
function breakCost(words, end) {
  if (end === words.length) return 0;
  const last = words[end - 1];
  if (stops(last)) return 0;
  const pause = words[end].start - last.end;
  if (/[,;:]$/.test(last.text) || pause >= LONG_PAUSE) {
    return BREAK_AT_COMMA * Math.max(0, 1 - pause);
  }
  const opens = OPENERS.has(last.text.toLowerCase());
  return (opens ? BREAK_INSIDE_PHRASE : BREAK_BETWEEN_WORDS) - Math.min(pause, LONG_PAUSE);
}
function lineCut(words) {
  const total = lengthOf(words);
  if (total <= LINE_CHARACTERS || words.length === 1) return [words.length, 0];
  let cut = words.length;
  let badness = Infinity;
  let first = -1;
  for (let place = 1; place < words.length; place++) {
    first += words[place - 1].text.length + 1;
    const second = total - first - 1;
    if (Math.max(first, second) > LINE_CHARACTERS) continue;
    const uneven = Math.abs(first - second) / LINE_CHARACTERS;
    const found = UNEVEN * uneven + LINE_BREAK * breakCost(words, place);
    if (found < badness) [cut, badness] = [place, found];
  }
  return [cut, Math.min(badness, TOO_WIDE)];
}
function stops(word) {
  return /[.?!…]$/.test(word.text);
}
function lengthOf(words) {
  return words.reduce((sum, word) => sum + word.text.length + 1, -1);
}
function textOf2(cue) {
  return cue.lines.map((line) => line.map((word) => word.text).join(" ")).join("\n");
}
function times(cue, point) {
  return `${clock(cue.start, point)} --> ${clock(cue.end, point)}`;
}
function clock(seconds, point) {
  const total = roundHalfEven(seconds * 1e3);
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const parts = [two(total / 36e5), two(total / 6e4 % 60), two(total / 1e3 % 60)];
  return `${parts.join(":")}${point}${String(total % 1e3).padStart(3, "0")}`;
}

// src/formats.ts
function format(sentences, kind) {
  const words = sentences.flatMap((sentence) => wordsOf(sentence.tokens));
  switch (kind) {
    case "txt":
      return sentences.map((sentence) => `${sentence.text}
`).join("");
    case "srt":
      return toSrt(words);
    case "vtt":
      return toVtt(words);
    case "json":
      return `${JSON.stringify(toJson(sentences), null, 1)}
`;
  }
}
function toJson(sentences) {
  const rounded = (span) => ({
    text: span.text,
    start: round(span.start, 3),
    end: round(span.end, 3),
    confidence: round(span.confidence, 4)
  });
  return {
    text: sentences.map((sentence) => sentence.text).join(" "),
    sentences: sentences.map((sentence) => ({
      text: sentence.text,
      confidence: round(sentence.confidence, 4),
      start: round(sentence.start, 3),
      duration: round(sentence.duration, 3),
      words: wordsOf(sentence.tokens).map(rounded)
    }))
  };
}
function round(number, digits) {
  return Number(number.toFixed(digits));
}

// src/language/language_model_file.ts
var MAGIC = "ASRNGRAM";
var FORMAT_VERSIONS = [2, 3];
var TYPES = {
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array
};
async function readLanguageModel(content) {
  const bytes = new Uint8Array(content);
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC || bytes.length < MAGIC.length + 4) {
    throw new RecognizerError("The language model is no language model file.");
  }
  const begin = 12 + new DataView(content).getUint32(8, true);
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, begin)));
  } catch {
    throw damaged();
  }
  if (!FORMAT_VERSIONS.includes(header.format_version)) {
    throw new RecognizerError(
      `The language model has format ${header.format_version}; this page reads format ${FORMAT_VERSIONS.join(" and ")}. Build it again with asr-train language-model.`
    );
  }
  if (bytes.length !== begin + header.bytes) throw damaged();
  if (globalThis.crypto?.subtle !== void 0) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(begin)));
    const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (text !== header.sha256) throw damaged();
  }
  const arrays = {};
  try {
    for (const [name2, place] of Object.entries(header.arrays)) {
      if (!(place.type in TYPES)) continue;
      const Kind = TYPES[place.type];
      arrays[name2] = new Kind(content, begin + place.offset, place.length);
    }
    return new PackedModel(header, arrays);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw damaged();
    throw error;
  }
}
function damaged() {
  return new RecognizerError("The language model is damaged or cut off; load the page again.");
}

// src/model/acoustic_model.ts
var EVERYTHING = 1 << 30;
var AcousticModel = class {
  /** @param phonemes Whether to give what its second head says as well. */
  constructor(session, TensorClass, card, phonemes) {
    this.session = session;
    this.TensorClass = TensorClass;
    this.card = card;
    this.heads = new Heads(card.vocabulary.length, card.blank_id, phonemes);
    this.#outputs = phonemes ? ["logprobs", "phoneme_logprobs"] : ["logprobs"];
  }
  session;
  TensorClass;
  card;
  /** The columns of the rows that it gives. */
  heads;
  #outputs;
  /** Whether a second head has the phonemes that the search knows. */
  static hasPhonemes(card) {
    return card.phonemes?.join(" ") === PHONEMES.join(" ");
  }
  get secondsPerFrame() {
    return this.card.frame_stride / this.card.sample_rate;
  }
  /** The state before the first chunk. */
  get firstState() {
    const [layers, hidden] = this.card.streaming?.state_shape ?? [0, 0];
    return new Float32Array(layers * hidden);
  }
  /** Log-probabilities of a whole waveform, mono at the card's rate. */
  async run(samples) {
    const { rows } = await this.runChunk(samples, 0, EVERYTHING, this.firstState);
    return rows;
  }
  /** Log-probabilities of a part of a stream, as docs/live.md says. */
  async runChunk(samples, contextFrames, chunkFrames, state) {
    const integer = (number) => new this.TensorClass("int64", BigInt64Array.of(BigInt(number)), [1]);
    const feeds = {
      input_values: new this.TensorClass("float32", samples, [1, samples.length]),
      input_lengths: integer(samples.length)
    };
    const outputs = [...this.#outputs, "output_lengths"];
    if (this.card.streaming !== void 0) {
      feeds["context_frames"] = integer(contextFrames);
      feeds["chunk_frames"] = integer(chunkFrames);
      feeds["state"] = new this.TensorClass("float32", state, [1, ...this.card.streaming.state_shape]);
      outputs.push("next_state");
    }
    const found = await this.session.run(feeds, outputs);
    const frames = Number(found["output_lengths"].data[0]);
    const next = found["next_state"]?.data;
    return { rows: this.#rows(found, frames), state: next?.slice() ?? state };
  }
  /** The heads' columns side by side. */
  #rows(found, frames) {
    const { width, letters } = this.heads;
    const data = new Float32Array(frames * width);
    let begin = 0;
    for (const [index, name2] of this.#outputs.entries()) {
      const columns = index === 0 ? letters : BLANK + 1;
      const head = found[name2].data;
      if (head.length < frames * columns) {
        throw new RecognizerError("The model gave too few log-probabilities; export it again.");
      }
      for (let frame = 0; frame < frames; frame++) {
        data.set(head.subarray(frame * columns, (frame + 1) * columns), frame * width + begin);
      }
      begin += columns;
    }
    return new Rows(data, width);
  }
};

// src/model/model_card.ts
var FORMAT_VERSION = 1;
function parseModelCard(text) {
  let card;
  try {
    card = JSON.parse(text);
  } catch {
    throw new RecognizerError("The model's card is broken; export the model again.");
  }
  if (card.format_version > FORMAT_VERSION) {
    throw new RecognizerError("The model is newer than this page; make the page again.");
  }
  const valid = Array.isArray(card.vocabulary) && card.blank_id < card.vocabulary.length && card.sample_rate > 0 && card.frame_stride > 0;
  if (!valid) throw new RecognizerError("The model's card lacks something; export it again.");
  return card;
}

// src/model/protobuf.ts
function* fieldsOf(bytes, begin, end) {
  for (let place = begin; place < end; ) {
    const start = place;
    let key;
    [key, place] = readNumber(bytes, place);
    const kind = key & 7;
    let content = place;
    if (kind === 0) [, place] = readNumber(bytes, place);
    else if (kind === 1) place += 8;
    else if (kind === 5) place += 4;
    else if (kind === 2) {
      let size2;
      [size2, content] = readNumber(bytes, place);
      place = content + size2;
    } else throw new RangeError("not a protobuf message");
    if (place > end) throw new RangeError("a field reaches past the end");
    yield { number: Math.floor(key / 8), begin: start, content, end: place };
  }
}
function readNumber(bytes, place) {
  let number = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[place++];
    if (byte === void 0 || factor > 2 ** 63) throw new RangeError("a number has no end");
    number += (byte & 127) * factor;
    if (byte < 128) return [number, place];
  }
}
function writeNumber(number) {
  const bytes = [];
  for (; number >= 128; number = Math.floor(number / 128)) bytes.push(number % 128 | 128);
  return [...bytes, number];
}

// src/model/onnx_file.ts
var MODEL_GRAPH = 7;
var MODEL_METADATA = 14;
var GRAPH_INITIALIZER = 5;
var TENSOR_NAME = 8;
var ENTRY_KEY = 1;
var ENTRY_VALUE = 2;
var STREAMING_INPUTS = /* @__PURE__ */ new Set(["context_frames", "chunk_frames", "state"]);
function readOnnxFile(bytes) {
  try {
    const fields = [...fieldsOf(bytes, 0, bytes.length)];
    const card = parseModelCard(metadata(bytes, fields, "model_card"));
    if (card.streaming === void 0) return { card, bytes };
    const parts = [];
    for (const field of fields) {
      parts.push(
        field.number === MODEL_GRAPH ? withoutDefaults(bytes, field) : bytes.subarray(field.begin, field.end)
      );
    }
    return { card, bytes: joined(parts) };
  } catch (error) {
    if (error instanceof RecognizerError) throw error;
    throw new RecognizerError("The model is no ONNX file, or is damaged; load the page again.");
  }
}
function metadata(bytes, fields, wanted) {
  for (const field of fields) {
    if (field.number !== MODEL_METADATA) continue;
    if (textOf3(bytes, field, ENTRY_KEY) === wanted) return textOf3(bytes, field, ENTRY_VALUE);
  }
  throw new RecognizerError("The model has no card; give one that asr-export wrote.");
}
function textOf3(bytes, message, number) {
  for (const field of fieldsOf(bytes, message.content, message.end)) {
    if (field.number !== number) continue;
    return new TextDecoder().decode(bytes.subarray(field.content, field.end));
  }
  return "";
}
function withoutDefaults(bytes, graph) {
  const parts = [];
  for (const field of fieldsOf(bytes, graph.content, graph.end)) {
    const isDefault = field.number === GRAPH_INITIALIZER && STREAMING_INPUTS.has(textOf3(bytes, field, TENSOR_NAME));
    if (!isDefault) parts.push(bytes.subarray(field.begin, field.end));
  }
  const size2 = parts.reduce((total, part) => total + part.length, 0);
  const key = MODEL_GRAPH * 8 + 2;
  return joined([Uint8Array.from([...writeNumber(key), ...writeNumber(size2)]), ...parts]);
}
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

// src/decoding/calibration.ts
var SHORTEST_SECONDS2 = 0.01;
function calibrated(tokens, calibration, earliest = 0, language = null) {
  if (calibration === void 0 || tokens.length === 0) return tokens;
  const groups = grouped(tokens);
  const words = groups.filter((group) => group[0].text !== WORD_BOUNDARY);
  const starts = [];
  let atLeast = earliest;
  for (const word of words) {
    const start = Math.max(atLeast, word[0].start + calibration.start_shift);
    starts.push(start);
    atLeast = start + SHORTEST_SECONDS2;
  }
  const ends = words.map((word, index2) => {
    const limit = starts[index2 + 1] ?? Infinity;
    const end = Math.min(word[word.length - 1].end + calibration.end_shift, limit);
    return Math.max(starts[index2] + SHORTEST_SECONDS2, end);
  });
  const evidence = evidenceOf(words, calibration, language);
  const result = [];
  let index = 0;
  for (const group of groups) {
    if (group[0].text === WORD_BOUNDARY) {
      const begin = index > 0 ? ends[index - 1] : earliest;
      const end = starts[index] ?? Math.max(begin, group[group.length - 1].end);
      const known = evidence[Math.min(index, words.length - 1)] ?? [0, 0, 0];
      result.push(...moved(group, Math.min(begin, end), end, calibration, known));
    } else {
      result.push(...moved(group, starts[index], ends[index], calibration, evidence[index]));
      index++;
    }
  }
  return result;
}
function evidenceOf(words, calibration, language) {
  const { language_slope = 0, next_slope = 0 } = calibration;
  const asks = language !== null && (language_slope !== 0 || next_slope !== 0);
  const nats = asks ? language.wordLogProbs(words.map(textOf)) : [];
  return words.map((word, index) => [nats[index] ?? 0, nats[index + 1] ?? 0, word.length]);
}
function grouped(tokens) {
  const groups = [];
  for (const token of tokens) {
    const last = groups[groups.length - 1];
    const same = last !== void 0 && last[0].text === " " === (token.text === " ");
    if (same) last.push(token);
    else groups.push([token]);
  }
  return groups;
}
function moved(group, start, end, calibration, evidence) {
  const first = group[0].start;
  const length = group[group.length - 1].end - first;
  const scale = length > 0 ? (end - start) / length : 0;
  const confidence = geometricMean(group.map((token) => token.confidence));
  const likely = probability(confidence, calibration, evidence);
  const certainty = (token) => {
    if (group.length === 1 || confidence <= 0 || confidence >= 1) return likely;
    return likely ** (Math.log(Math.max(token.confidence, 1e-30)) / Math.log(confidence));
  };
  return group.map((token) => ({
    text: token.text,
    start: start + (token.start - first) * scale,
    end: length > 0 ? start + (token.end - first) * scale : end,
    confidence: certainty(token)
  }));
}
function probability(confidence, calibration, [nats, nextNats, letters]) {
  const clipped = Math.min(Math.max(confidence, 1e-6), 1 - 1e-6);
  const { language_slope = 0, next_slope = 0, letters_slope = 0 } = calibration;
  const odds = calibration.confidence_intercept + calibration.confidence_slope * Math.log(clipped / (1 - clipped)) + language_slope * nats + next_slope * nextNats + letters_slope * letters;
  return 1 / (1 + Math.exp(-odds));
}

// src/live/live_stream.ts
var EVERYTHING2 = 1 << 30;
var LiveStream = class {
  /**
   * @param sampleRate Of the samples that will be fed, Hz.
   * @throws RecognizerError for a model that cannot stream.
   */
  constructor(model, decoder, sampleRate) {
    this.model = model;
    this.decoder = decoder;
    this.sampleRate = sampleRate;
    const { streaming } = model.card;
    if (streaming === void 0) {
      throw new RecognizerError(
        "This model transcribes files only; export it with: asr-export onnx … --streaming"
      );
    }
    this.#streaming = streaming;
    this.#stride = model.card.frame_stride;
    this.#resampler = new Resampler(sampleRate, model.card.sample_rate);
    this.#state = model.firstState;
  }
  model;
  decoder;
  sampleRate;
  #streaming;
  #stride;
  #resampler;
  #state;
  /** Samples from the context of the next chunk on. */
  #samples = new Float32Array(0);
  #position = 0;
  #shown = "";
  /** Seconds of audio so far. */
  get duration() {
    return this.#resampler.samples / this.sampleRate;
  }
  /** The next mono samples; a result for each sentence that ended or chunk that changed the text. */
  async feed(samples) {
    this.#append(this.#resampler.feed(samples));
    const { chunk_frames, lookahead_frames } = this.#streaming;
    const window = (chunk_frames + lookahead_frames) * this.#stride - 1;
    const results = [];
    for (; ; ) {
      const context = this.#context;
      const length = context * this.#stride + window;
      if (this.#samples.length < length) return results;
      results.push(...await this.#chunk(this.#samples.slice(0, length), chunk_frames));
      const done = context + chunk_frames - this.#context;
      this.#samples = this.#samples.slice(done * this.#stride);
    }
  }
  /** The rest, when the audio has ended. */
  async finish() {
    this.#append(this.#resampler.finish());
    const results = [];
    if (this.#samples.length > 0) results.push(...await this.#chunk(this.#samples, EVERYTHING2));
    results.push(...this.decoder.finish(this.duration).map(final));
    if (this.#shown !== "" && !results.some((result) => result.isFinal)) {
      const start = this.duration;
      results.push({ text: "", stable: "", isFinal: false, start, duration: 0 });
    }
    return results;
  }
  /** Frames of audio before the next chunk that are kept. */
  get #context() {
    return Math.min(this.#position, this.#streaming.context_frames);
  }
  #append(samples) {
    const joined2 = new Float32Array(this.#samples.length + samples.length);
    joined2.set(this.#samples);
    joined2.set(samples, this.#samples.length);
    this.#samples = joined2;
  }
  async #chunk(samples, frames) {
    const chunk = await this.model.runChunk(samples, this.#context, frames, this.#state);
    this.#state = chunk.state;
    this.#position += chunk.rows.frames;
    const results = this.decoder.feed(chunk.rows).map(final);
    if (results.length > 0) this.#shown = "";
    const { text, stable } = this.decoder.partial();
    if (text !== this.#shown) {
      const { start } = this.decoder;
      results.push({ text, stable, isFinal: false, start, duration: this.decoder.duration - start });
      this.#shown = text;
    }
    return results;
  }
};
function final(transcript) {
  const { text, start, duration } = transcript;
  return { text, stable: text, isFinal: true, start, duration, transcript };
}

// src/recordings/stitching.ts
var GAP = 2;
var CHANGE = 3;
async function* stitch(windows, heads, config) {
  let heldFirst = 0;
  let held = null;
  for await (const { firstFrame, rows } of windows) {
    if (held === null) {
      [heldFirst, held] = [firstFrame, rows];
      continue;
    }
    let shared = held.slice(firstFrame - heldFirst);
    shared = shared.slice(0, Math.min(shared.frames - 1, rows.frames));
    const seam = findSeam(shared, rows.slice(0, shared.frames), heads, config);
    yield held.slice(0, firstFrame - heldFirst + seam);
    [heldFirst, held] = [firstFrame + seam, rows.slice(seam)];
  }
  if (held !== null) yield held;
}
function findSeam(before, after, heads, config) {
  const { frames } = before;
  if (frames === 0) return 0;
  const first = Array.from({ length: frames }, (_, frame) => heads.heard(before, frame));
  const second = Array.from({ length: frames }, (_, frame) => heads.heard(after, frame));
  const lost = lostAt(first, second, heads.blank);
  const margin = Math.min(config.margin, Math.floor(frames / 2));
  let seams = [];
  for (const part of [1, 2, 4]) {
    const least2 = Math.floor(margin / part);
    seams = Array.from({ length: frames + 1 - 2 * least2 }, (_, place) => least2 + place);
    if (seams.some((seam) => lost[seam] === 0)) break;
  }
  const fewest = Math.min(...seams.map((seam) => lost[seam]));
  seams = seams.filter((seam) => lost[seam] === fewest);
  const quiet = first.map((label, frame) => label === heads.blank && second[frame] === heads.blank);
  const lengths = runLengths(quiet);
  const pauses = seams.map(
    (seam) => seam > 0 && seam < frames && quiet[seam] && quiet[seam - 1] ? lengths[seam] : 0
  );
  const longestPause = Math.max(...pauses);
  if (longestPause >= config.pause) {
    const longest = seams.filter((_, place) => pauses[place] === longestPause);
    let run = 1;
    while (run < longest.length && longest[run] - longest[run - 1] === 1) run++;
    return longest[Math.floor(run / 2)];
  }
  const total = [0];
  for (let frame = 0; frame < frames; frame++) {
    total.push(total[frame] + difference(before, after, frame, heads));
  }
  let best2 = seams[0];
  let least = Infinity;
  for (const seam of seams) {
    const low = Math.max(seam - config.reach, 0);
    const high = Math.min(seam + config.reach, frames);
    const mean = (total[high] - total[low]) / (high - low);
    if (mean < least) [best2, least] = [seam, mean];
  }
  return best2;
}
function difference(before, after, frame, heads) {
  let sum = 0;
  for (let column = heads.begin; column < heads.width; column++) {
    const place = frame * before.width + column;
    sum += Math.abs(Math.exp(before.data[place]) - Math.exp(after.data[place])) / 2;
  }
  return sum;
}
function lostAt(first, second, blank) {
  const starts = [first, second].map((path) => startsOf(path, blank));
  const [one, other] = [
    starts[0].map((frame) => first[frame]),
    starts[1].map((frame) => second[frame])
  ];
  const ahead = distances2(one, other);
  const behind = distances2(one.slice().reverse(), other.slice().reverse());
  const all = ahead[one.length][other.length];
  const read = [0, 0];
  return Array.from({ length: first.length + 1 }, (_, seam) => {
    while (read[0] < one.length && starts[0][read[0]] < seam) read[0]++;
    while (read[1] < other.length && starts[1][read[1]] < seam) read[1]++;
    const [row, column] = [read[0], read[1]];
    let lost = ahead[row][column] + behind[one.length - row][other.length - column] - all;
    if (seam > 0 && seam < first.length) {
      const merges = first[seam - 1] === second[seam];
      const goesOn = second[seam - 1] === second[seam];
      const either = merges ? first[seam - 1] : second[seam];
      if (either !== blank && merges !== goesOn) lost++;
    }
    return lost;
  });
}
function startsOf(path, blank) {
  const starts = [];
  path.forEach((label, frame) => {
    if (label !== blank && label !== path[frame - 1]) starts.push(frame);
  });
  return starts;
}
function distances2(one, other) {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column * GAP)];
  one.forEach((label, index) => {
    const above = rows[index];
    const row = [GAP * (index + 1)];
    other.forEach((also, column) => {
      const changed = above[column] + (label === also ? 0 : CHANGE);
      row.push(Math.min(above[column + 1] + GAP, changed, row[column] + GAP));
    });
    rows.push(row);
  });
  return rows;
}
function runLengths(flags) {
  const lengths = new Array(flags.length).fill(0);
  for (let begin = 0; begin < flags.length; begin++) {
    let end = begin;
    while (flags[end]) end++;
    lengths.fill(end - begin, begin, end);
    begin = end;
  }
  return lengths;
}

// src/recordings/windows.ts
var WINDOW_SECONDS = 20;
var OVERLAP_SECONDS = 4;
async function* cutWindows(blocks, window, overlap, frameStride) {
  const size2 = window * frameStride;
  const step = window - overlap;
  let firstFrame = 0;
  let held = new Float32Array(0);
  for await (const block of blocks) {
    const joined2 = new Float32Array(held.length + block.length);
    joined2.set(held);
    joined2.set(block, held.length);
    held = joined2;
    while (held.length > size2) {
      yield { firstFrame, samples: held.slice(0, size2) };
      firstFrame += step;
      held = held.slice(step * frameStride);
    }
  }
  if (held.length > 0) yield { firstFrame, samples: held };
}

// src/sentences/beam_sentence.ts
var STEP = 10;
var AGREEMENT_SECONDS = 3;
var RESCORED_SECONDS = 3;
var SETTLED_SECONDS = 1.5;
var PAUSE_SECONDS2 = 1;
var CUT_SECONDS = 1;
var BeamSentence = class {
  constructor(decoder, seconds) {
    this.decoder = decoder;
    this.seconds = seconds;
    this.#rows = new Rows(new Float32Array(0), decoder.heads.width);
    this.#state = decoder.begin();
  }
  decoder;
  seconds;
  begin = 0;
  frames = 0;
  #rows;
  #state;
  /** The frame that the search's first is, and the first of those that are kept. */
  #origin = 0;
  #base = 0;
  #compared = 0;
  #stable = [];
  /** What the stable words of the sentence are to those that compare texts once more. */
  #context;
  advance(rows) {
    while (rows.frames > 0) {
      const step = Math.min(STEP - this.#state.frames % STEP, rows.frames);
      const piece = rows.slice(0, step);
      rows = rows.slice(step);
      this.decoder.search.advance(this.#state, piece);
      this.#rows = Rows.concat([this.#rows, piece], piece.width);
      this.frames += step;
      if (this.#state.frames % STEP === 0) this.#agree();
    }
  }
  partial() {
    const tokens = this.#withStable(this.#written(this.decoder.search.best(this.#state)));
    return { text: textOf(tokens).trimEnd(), stable: textOf(this.#stable) };
  }
  end() {
    this.decoder.search.conclude(this.#state);
    const tokens = this.#withStable(this.#written(this.decoder.bestText(this.#state, this.#context)));
    this.#state = this.decoder.begin();
    this.begin = this.#origin = this.#base = this.frames;
    this.#rows = this.#rows.slice(0, 0).copy();
    this.#stable = [];
    this.#context = void 0;
    return tokens;
  }
  split() {
    const earliest = this.begin + Math.floor((this.frames - this.begin) / 3);
    if (this.#base <= earliest) {
      const ahead = this.#ahead();
      const at = (place) => ahead.startFrames[place] + this.#origin;
      const places = Array.from(ahead.labels, (_, index) => index + 1);
      const late = places.filter((place) => at(place) > earliest && place >= ahead.own);
      if (late.length === 0) return this.end();
      const limit = this.frames - CUT_SECONDS / this.seconds;
      const before = late.filter((place) => at(place) < limit);
      this.#settle(before.at(-1) ?? late.at(-1), ahead);
    }
    const tokens = this.#stable;
    this.begin = this.#base;
    this.#stable = [];
    return tokens;
  }
  /** The text that is ahead, after the best ones were compared once more. */
  #ahead() {
    const { search, rescorer } = this.decoder;
    const state = this.#state;
    const spelled = search.spelled(state);
    if (rescorer === null) {
      const best3 = search.leader(state);
      return { ...spelled[best3], spelled, best: best3, own: 0, shift: 0 };
    }
    const found = this.decoder.bestText(state, this.#context);
    const { own, shift } = found;
    let best2 = -1;
    for (let index = 0; index < state.beam.count; index++) {
      if (state.beam.trace[index] !== found.prefix) continue;
      if (best2 < 0 || state.beam.total(index) > state.beam.total(best2)) best2 = index;
    }
    const joined2 = (path, rest) => [
      ...path.slice(0, own),
      ...rest.slice(own + shift)
    ];
    const { labels, startFrames, since } = spelled[best2];
    return {
      labels: joined2(found.labels, labels),
      startFrames: joined2(found.startFrames, startFrames),
      since: joined2(found.startFrames, since),
      spelled,
      best: best2,
      own,
      shift
    };
  }
  /** Make the words stable that all hypotheses share, or that are old enough. */
  #agree() {
    const compares = this.decoder.rescorer !== null;
    if (compares && this.#waits()) return;
    const ahead = this.#ahead();
    const { labels, since } = ahead;
    let shared = compares ? 0 : labels.length;
    for (const other of ahead.spelled) {
      let same = 0;
      while (same < shared && other.labels[same] === labels[same]) same++;
      shared = same;
    }
    const seconds = compares ? SETTLED_SECONDS : AGREEMENT_SECONDS;
    const limit = this.frames - seconds / this.seconds - this.#origin;
    for (let place = labels.length; place > 0; place--) {
      if (place <= shared || place >= ahead.own && since[place] < limit) {
        this.#settle(place, ahead);
        return;
      }
    }
  }
  /** Whether it is too early to compare the best texts once more; if not, it is done now. */
  #waits() {
    if (this.frames < this.#compared + PAUSE_SECONDS2 / this.seconds) return true;
    const began = this.decoder.search.best(this.#state).startFrames[0];
    const limit = this.frames - RESCORED_SECONDS / this.seconds - this.#origin;
    if (began === void 0 || began > limit) return true;
    this.#compared = this.frames;
    return false;
  }
  /**
   * Make the words before a place of the text ahead stable; others than these are dropped.
   *
   * @param place A place among the hypothesis's own labels.
   */
  #settle(place, ahead) {
    const own = place + ahead.shift;
    const before = ahead.spelled[ahead.best].labels.slice(0, own);
    const agrees = [];
    let cut = Infinity;
    ahead.spelled.forEach((other, index) => {
      if (before.some((label, word) => other.labels[word] !== label)) return;
      agrees.push(index);
      cut = Math.min(cut, other.startFrames[own] + this.#origin - this.#base);
    });
    const startFrames = ahead.startFrames.slice(0, ahead.labels.length);
    const { words, end } = this.#align({ labels: ahead.labels, startFrames });
    const settled = { words: words.slice(0, place), end: words[place]?.first[0] ?? end };
    this.#stable = this.#withStable(this.#tokens(settled));
    this.#state.beam = this.#state.beam.take(agrees);
    this.#state.commit(own);
    const ids = ahead.labels.slice(0, place).map((label) => this.decoder.wordId(label));
    this.#context = this.decoder.rescorer?.mixture.after(ids, this.#context);
    this.#rows = this.#rows.slice(cut).copy();
    this.#base += cut;
  }
  #written(found) {
    return this.#tokens(this.#align(found));
  }
  #align({ labels, startFrames }) {
    const { search, aligner } = this.decoder;
    const frames = startFrames.map((frame) => frame + this.#origin - this.#base);
    return aligner.align(this.#rows, labels, frames, search.blankFrames(this.#rows));
  }
  #tokens(aligned) {
    const { aligner } = this.decoder;
    return aligner.tokens(this.#rows, aligned, this.seconds, this.#base, this.#stable.at(-1));
  }
  #withStable(tokens) {
    return this.#stable.length > 0 ? [...this.#stable, ...tokens] : withoutLeadingSpace(tokens);
  }
};

// src/sentences/endpointing.ts
var ENDPOINT_DEFAULTS = { silenceSeconds: 0.8, maxSeconds: 30 };
var LEAST_SECONDS = 0.3;
var Endpointer = class {
  #longest;
  #silence;
  #least;
  #length = 0;
  #run = 0;
  #needed = 0;
  constructor(config, secondsPerFrame) {
    const frames = (seconds) => roundHalfEven(seconds / secondsPerFrame);
    this.#longest = Math.max(1, frames(config.maxSeconds));
    this.#silence = Math.max(1, Math.min(frames(config.silenceSeconds), this.#longest));
    this.#least = Math.min(this.#silence, Math.max(1, frames(LEAST_SECONDS)));
    this.restart();
  }
  /** Begin a sentence that has so many frames already, the last ones of them silent. */
  restart(length = 0, silence = 0) {
    this.#length = length;
    this.#run = silence;
    this.#needed = this.#neededAt(length);
  }
  add(silent) {
    this.#length++;
    if (!silent) {
      this.#run = 0;
      return;
    }
    if (this.#run === 0) this.#needed = this.#neededAt(this.#length);
    this.#run++;
  }
  /** Whether the silence is long enough to end the sentence. */
  get ended() {
    return this.#run >= this.#needed;
  }
  /** Whether the sentence must end, pause or not. */
  get overlong() {
    return this.#length >= this.#longest;
  }
  /** Frames at the end that may belong to the next sentence. */
  get waiting() {
    return Math.max(0, this.#run - Math.floor((this.#needed + 1) / 2));
  }
  #neededAt(length) {
    const third = Math.floor(this.#longest / 3);
    if (length <= third) return this.#silence;
    const share = Math.min(1, (length - third) / Math.max(1, third));
    return roundHalfEven(this.#silence - share * (this.#silence - this.#least));
  }
};

// src/sentences/greedy_sentence.ts
var GreedySentence = class {
  constructor(vocabulary, blank, seconds) {
    this.vocabulary = vocabulary;
    this.blank = blank;
    this.seconds = seconds;
    this.#rows = new Rows(new Float32Array(0), vocabulary.length);
    this.#space = vocabulary.indexOf(WORD_BOUNDARY);
  }
  vocabulary;
  blank;
  seconds;
  begin = 0;
  frames = 0;
  #rows;
  #space;
  advance(rows) {
    this.#rows = Rows.concat([this.#rows, rows], rows.width);
    this.frames += rows.frames;
  }
  partial() {
    const space = this.#last(this.#space);
    const stable = this.#rows.slice(0, Math.max(space, 0));
    return {
      text: greedyText(this.#rows, this.vocabulary, this.blank),
      stable: greedyText(stable, this.vocabulary, this.blank)
    };
  }
  end() {
    return this.#cut(this.frames - this.begin);
  }
  split() {
    for (const label of [this.#space, this.blank]) {
      const frame = this.#last(label);
      if (frame >= Math.floor(this.#rows.frames / 3)) return this.#cut(frame);
    }
    return this.end();
  }
  /** The last frame in which a label is the best, -1 if there is none. */
  #last(label) {
    let frame = this.#rows.frames - 1;
    while (frame >= 0 && this.#rows.best(frame, 0, this.vocabulary.length) !== label) frame--;
    return frame;
  }
  #cut(frame) {
    const found = greedyDecode(this.#rows.slice(0, frame), this.vocabulary, this.blank, 1);
    const begin = this.begin;
    this.begin += frame;
    this.#rows = this.#rows.slice(frame).copy();
    return found.tokens.map((token) => ({
      ...token,
      start: (token.start + begin) * this.seconds,
      end: (token.end + begin) * this.seconds
    }));
  }
};

// src/sentences/sentence_decoder.ts
var SentenceDecoder = class {
  /** @param decoder Null decodes greedily. */
  constructor(decoder, vocabulary, blank, seconds, calibration, endpoint = ENDPOINT_DEFAULTS) {
    this.seconds = seconds;
    this.calibration = calibration;
    this.#heads = decoder?.heads ?? new Heads(vocabulary.length, blank, false);
    this.#decoder = decoder;
    this.#pauses = new Endpointer(endpoint, seconds);
    this.#search = decoder === null ? new GreedySentence(vocabulary, blank, seconds) : new BeamSentence(decoder, seconds);
    this.#silent = /* @__PURE__ */ new Set([this.#heads.blank]);
    if (decoder === null) this.#silent.add(vocabulary.indexOf(" "));
    this.#waiting = new Rows(new Float32Array(0), this.#heads.width);
  }
  seconds;
  calibration;
  #heads;
  #pauses;
  #search;
  #silent;
  #decoder;
  #waiting;
  /** Where the sentence that is being spoken begins, in seconds. */
  get start() {
    return this.#search.begin * this.seconds;
  }
  /** Seconds of all frames fed so far. */
  get duration() {
    return (this.#search.frames + this.#waiting.frames) * this.seconds;
  }
  /** The sentences that the next frames finish, in order; times count from the first frame ever. */
  feed(rows) {
    const frames = Rows.concat([this.#waiting, rows], rows.width);
    let done = 0;
    let seen = this.#waiting.frames;
    const sentences = [];
    for (let frame = 0; frame < rows.frames; frame++) {
      seen++;
      this.#pauses.add(this.#silent.has(this.#heads.heard(rows, frame)));
      if (!this.#pauses.ended && !this.#pauses.overlong) continue;
      const { waiting } = this.#pauses;
      this.#search.advance(frames.slice(done, seen - waiting));
      done = seen - waiting;
      const { begin } = this.#search;
      let tokens;
      if (this.#pauses.ended) {
        tokens = this.#search.end();
        this.#pauses.restart(waiting, waiting);
      } else {
        tokens = this.#search.split();
        this.#pauses.restart(this.#search.frames - this.#search.begin + waiting, waiting);
      }
      sentences.push(...this.#sentence(tokens, begin));
    }
    const ready = seen - this.#pauses.waiting;
    this.#search.advance(frames.slice(done, ready));
    this.#waiting = frames.slice(ready).copy();
    return sentences;
  }
  /** The sentence that is being spoken. */
  partial() {
    return this.#search.partial();
  }
  /** Decode what is left when the audio, of some duration in seconds, ends. */
  finish(duration) {
    this.#search.advance(this.#waiting);
    const { begin } = this.#search;
    return this.#sentence(this.#search.end(), begin, duration);
  }
  #sentence(tokens, begin, duration) {
    if (tokens.length === 0) return [];
    let start = begin * this.seconds;
    let end = this.#search.begin * this.seconds;
    if (duration !== void 0) {
      start = Math.min(start, duration);
      end = duration;
      tokens = within(tokens, duration);
    }
    tokens = calibrated(tokens, this.calibration, start, this.#decoder);
    const confidence = geometricMean(tokens.map((token) => token.confidence));
    return [{ text: textOf(tokens), confidence, tokens, start, duration: end - start }];
  }
};
function within(tokens, duration) {
  return tokens.map((token) => ({
    ...token,
    start: Math.min(token.start, duration),
    end: Math.min(token.end, duration)
  }));
}

// src/recognizer.ts
var LONG_SECONDS = 60;
var LEAST_SECONDS2 = 0.05;
var MARGIN_SECONDS = 1;
var PAUSE_SECONDS3 = 0.24;
var REACH_SECONDS = 0.15;
var Recognizer = class {
  /** @param decoder Null decodes greedily. */
  constructor(model, decoder) {
    this.model = model;
    this.decoder = decoder;
  }
  model;
  decoder;
  /** The beam search for a model and a language model; null if they need the search by letters. */
  static decoder(model, language) {
    const { card } = model;
    const spoken = AcousticModel.hasPhonemes(card) ? language.pronunciations() : null;
    if (spoken === null) return null;
    return new PhonemeDecoder(language, spoken, card.vocabulary, card.blank_id);
  }
  /**
   * Transcribe a recording of any length; its sentences come as they are found.
   *
   * One of at most a minute is one transcript. Times count from the recording's beginning.
   *
   * @param progress Called with the seconds of audio that are done.
   * @throws RecognizerError for audio that is none.
   */
  async *transcribe(audio, progress = () => {
  }) {
    const { card } = this.model;
    const resampler = new Resampler(audio.sampleRate, card.sample_rate);
    const resampled = resample(audio.blocks, resampler);
    const begun = [];
    let length = 0;
    let next = await resampled.next();
    for (; !next.done && length <= LONG_SECONDS * card.sample_rate; next = await resampled.next()) {
      begun.push(next.value);
      length += next.value.length;
    }
    const long = length > LONG_SECONDS * card.sample_rate;
    const duration = () => resampler.samples / audio.sampleRate;
    if (!long && duration() < LEAST_SECONDS2) {
      throw new RecognizerError("The recording is empty or shorter than any word.");
    }
    if (!long) {
      yield this.decode(await this.model.run(concat(begun, length)), duration());
      progress(duration());
      return;
    }
    const rest = async function* () {
      yield* begun.splice(0);
      if (!next.done) yield next.value;
      yield* resampled;
    };
    const decoder = this.#sentences();
    let done = 0;
    for await (const rows of this.#stitched(rest())) {
      yield* decoder.feed(rows);
      done += rows.frames;
      progress(done * this.model.secondsPerFrame);
    }
    yield* decoder.finish(duration());
    progress(duration());
  }
  /** Decode log-probabilities of some seconds of audio. */
  decode(rows, duration) {
    const { vocabulary, blank_id } = this.model.card;
    const seconds = this.model.secondsPerFrame;
    const found = this.decoder === null ? greedyDecode(rows, vocabulary, blank_id, seconds) : this.decoder.decode(rows, seconds);
    const heard = within(found.tokens, duration);
    const tokens = calibrated(heard, this.#calibration, 0, this.decoder);
    const corrected = this.#calibration !== void 0 && tokens.length > 0;
    const confidence = corrected ? geometricMean(tokens.map((token) => token.confidence)) : found.confidence;
    return { ...found, confidence, tokens, start: 0, duration };
  }
  /** Begin to transcribe audio while it is recorded. */
  stream(sampleRate) {
    return new LiveStream(this.model, this.#sentences(), sampleRate);
  }
  #sentences() {
    const { vocabulary, blank_id } = this.model.card;
    return new SentenceDecoder(
      this.decoder,
      vocabulary,
      blank_id,
      this.model.secondsPerFrame,
      this.#calibration
    );
  }
  get #calibration() {
    return this.model.card.calibration?.[this.decoder === null ? "greedy" : "phonemes"];
  }
  #stitched(samples) {
    const { model } = this;
    const frames = (seconds) => Math.max(1, roundHalfEven(seconds / model.secondsPerFrame));
    const windows = cutWindows(
      samples,
      frames(WINDOW_SECONDS),
      frames(OVERLAP_SECONDS),
      model.card.frame_stride
    );
    const read = async function* () {
      for await (const { firstFrame, samples: part } of windows) {
        yield { firstFrame, rows: await model.run(part) };
      }
    };
    return stitch(read(), model.heads, {
      margin: frames(MARGIN_SECONDS),
      pause: frames(PAUSE_SECONDS3),
      reach: frames(REACH_SECONDS)
    });
  }
};
async function* resample(blocks, resampler) {
  for await (const block of blocks) yield resampler.feed(block);
  yield resampler.finish();
}
function concat(parts, length) {
  const whole = new Float32Array(length);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
export {
  AcousticModel,
  Heads,
  PhonemeDecoder,
  Recognizer,
  RecognizerError,
  Resampler,
  Rows,
  SentenceDecoder,
  findSeam,
  format,
  greedyDecode,
  readLanguageModel,
  readOnnxFile,
  readWav,
  readWavFormat,
  wordsOf
};
