// An exported model in C++, with ONNX Runtime alone: a WAV file in, its greedy text out.
//
//     g++ -std=c++17 -O2 -I "$ORT/include" transcribe.cpp -L "$ORT/lib" -lonnxruntime -o transcribe
//     ./transcribe edge.onnx speech.wav        # 16 kHz, mono, 16 bits a sample
//
// $ORT is the folder of a release of ONNX Runtime. The front end is inside the model, so that there
// is no feature code here; the vocabulary is read from the model card.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// Samples of a WAV file, -1 to 1. Throws std::runtime_error for any other kind of file.
std::vector<float> read_wav(const std::string& path, std::uint32_t sample_rate) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    if (at + 4 <= bytes.size()) std::memcpy(&value, &bytes[at], 4);
    return value;
  };
  const auto is = [&](std::size_t at, const char* name) {
    return at + 4 <= bytes.size() && std::memcmp(&bytes[at], name, 4) == 0;
  };
  if (!is(0, "RIFF") || !is(8, "WAVE")) throw std::runtime_error(path + " is not a WAV file");
  bool known = false;
  for (std::size_t at = 12; at + 8 <= bytes.size(); at += 8 + word(at + 4) + word(at + 4) % 2) {
    if (is(at, "fmt ")) {
      const std::uint32_t coding = word(at + 8), bits = word(at + 20) >> 16;
      known = coding == 0x00010001u && word(at + 12) == sample_rate && bits == 16;  // PCM, mono
    } else if (is(at, "data")) {
      if (!known) break;
      if (at + 8 + word(at + 4) > bytes.size()) throw std::runtime_error(path + " is cut off");
      std::vector<std::int16_t> pcm(word(at + 4) / 2);
      std::memcpy(pcm.data(), &bytes[at + 8], 2 * pcm.size());
      std::vector<float> samples(pcm.size());
      std::transform(pcm.begin(), pcm.end(), samples.begin(), [](int v) { return v / 32768.f; });
      return samples;
    }
  }
  throw std::runtime_error(path + ": give " + std::to_string(sample_rate) + " Hz, mono, 16 bits");
}

/// The strings of the list that stands under `key` in a model card, which is JSON.
std::vector<std::string> read_list(const std::string& card, const std::string& key) {
  std::vector<std::string> items;
  std::size_t at = card.find('"' + key + "\": [");
  if (at == std::string::npos) throw std::runtime_error("the model card has no " + key);
  at = card.find('[', at);
  while (card[at] != ']') {
    const std::size_t begin = card.find('"', at) + 1, end = card.find('"', begin);
    items.push_back(card.substr(begin, end - begin));
    at = card.find_first_of(",]", end);
  }
  return items;
}

long read_number(const std::string& card, const std::string& key) {
  const std::size_t at = card.find('"' + key + "\": ");
  if (at == std::string::npos) throw std::runtime_error("the model card has no " + key);
  return std::stol(card.substr(at + key.size() + 4));
}

void run(const std::string& model, const std::string& recording) {
  Ort::Env env(ORT_LOGGING_LEVEL_ERROR);
  Ort::Session session(env, model.c_str(), Ort::SessionOptions{});
  Ort::AllocatorWithDefaultOptions allocator;
  const auto text =
      session.GetModelMetadata().LookupCustomMetadataMapAllocated("model_card", allocator);
  if (!text) throw std::runtime_error(model + " was not written by asr-export");
  const std::string card = text.get();
  const std::vector<std::string> vocabulary = read_list(card, "vocabulary");
  const std::size_t blank = read_number(card, "blank_id");

  std::vector<float> samples = read_wav(recording, read_number(card, "sample_rate"));
  std::vector<std::int64_t> length{static_cast<std::int64_t>(samples.size())};
  const std::int64_t shape[]{1, length[0]}, one[]{1};
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  Ort::Value inputs[]{
      Ort::Value::CreateTensor<float>(memory, samples.data(), samples.size(), shape, 2),
      Ort::Value::CreateTensor<std::int64_t>(memory, length.data(), 1, one, 1)};
  const char* input_names[]{"input_values", "input_lengths"};
  const char* output_names[]{"logprobs", "output_lengths"};
  auto outputs = session.Run(Ort::RunOptions{}, input_names, inputs, 2, output_names, 2);

  const float* row = outputs[0].GetTensorData<float>();
  const std::int64_t frames = outputs[1].GetTensorData<std::int64_t>()[0];
  std::size_t last = blank;
  for (std::int64_t frame = 0; frame < frames; ++frame, row += vocabulary.size()) {
    const std::size_t best = std::max_element(row, row + vocabulary.size()) - row;
    if (best != last && best != blank) std::cout << vocabulary[best];  // CTC: repetitions are one
    last = best;
  }
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: transcribe MODEL.onnx SPEECH.wav\n";
    return 2;
  }
  try {
    run(argv[1], argv[2]);
  } catch (const std::exception& error) {  // Ort::Exception is one
    std::cerr << error.what() << '\n';
    return 1;
  }
}
