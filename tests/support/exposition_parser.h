// Reads the exposition format of Prometheus strictly: what it accepts, Prometheus does.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/numbers.h"

namespace spinel {

struct ExpositionSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct ExpositionFamily {
  std::string type;
  std::string help;
  std::vector<ExpositionSample> samples;
};

// Throws std::runtime_error with the line that is wrong.
class ExpositionParser {
 public:
  explicit ExpositionParser(std::string_view text) {
    if (!text.ends_with('\n')) throw std::runtime_error("the last line does not end");
    while (!text.empty()) {
      line_ = text.substr(0, text.find('\n'));
      text.remove_prefix(line_.size() + 1);
      ReadLine(line_);
    }
  }

  const std::map<std::string, ExpositionFamily>& families() const { return families_; }

  // The value of the sample with that name and these labels; nullopt: there is none.
  std::optional<double> Value(const std::string& name,
                              const std::map<std::string, std::string>& labels = {}) const {
    for (const auto& [family, content] : families_) {
      for (const ExpositionSample& sample : content.samples) {
        if (sample.name == name && sample.labels == labels) return sample.value;
      }
    }
    return std::nullopt;
  }

 private:
  [[noreturn]] void Fail(const char* why) const {
    throw std::runtime_error(std::string(why) + ": " + std::string(line_));
  }

  static bool IsNameCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  }

  std::string Word(std::string_view* line) const {
    size_t end = 0;
    while (end < line->size() && IsNameCharacter((*line)[end])) ++end;
    if (end == 0) Fail("a name is missing");
    const std::string word(line->substr(0, end));
    line->remove_prefix(end);
    return word;
  }

  void Expect(std::string_view* line, std::string_view text) const {
    if (!line->starts_with(text)) Fail("unexpected text");
    line->remove_prefix(text.size());
  }

  std::string Quoted(std::string_view* line) const {
    Expect(line, "\"");
    std::string text;
    while (!line->starts_with('"')) {
      if (line->empty()) Fail("a quote is missing");
      if (line->starts_with('\\')) {
        line->remove_prefix(1);
        const char c = line->empty() ? ' ' : line->front();
        if (c != '\\' && c != '"' && c != 'n') Fail("an unknown escape");
        text.push_back(c == 'n' ? '\n' : c);
      } else {
        text.push_back(line->front());
      }
      line->remove_prefix(1);
    }
    line->remove_prefix(1);
    return text;
  }

  void ReadLine(std::string_view line) {
    if (line.starts_with("# HELP ")) {
      line.remove_prefix(7);
      current_ = Word(&line);
      Expect(&line, " ");
      if (line.empty()) Fail("no help");
      if (families_.count(current_) != 0) Fail("a family is there twice");
      families_[current_].help = line;
      return;
    }
    if (line.starts_with("# TYPE ")) {
      line.remove_prefix(7);
      if (Word(&line) != current_) Fail("HELP and TYPE do not agree");
      Expect(&line, " ");
      families_[current_].type = line;
      return;
    }
    ReadSample(line);
  }

  void ReadSample(std::string_view line) {
    ExpositionSample sample;
    sample.name = Word(&line);
    if (current_.empty() || !sample.name.starts_with(current_)) Fail("a sample of no family");
    if (line.starts_with('{')) {
      line.remove_prefix(1);
      for (;;) {
        const std::string label = Word(&line);
        Expect(&line, "=");
        if (!sample.labels.emplace(label, Quoted(&line)).second) Fail("a label is there twice");
        if (!line.starts_with(',')) break;
        line.remove_prefix(1);
      }
      Expect(&line, "}");
    }
    Expect(&line, " ");
    if (!ParseDouble(line, &sample.value)) Fail("no number");
    if (Value(sample.name, sample.labels)) Fail("a sample is there twice");
    families_[current_].samples.push_back(std::move(sample));
  }

  std::string_view line_;
  std::string current_;
  std::map<std::string, ExpositionFamily> families_;
};

}  // namespace spinel
