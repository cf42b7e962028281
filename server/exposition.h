// Text in the exposition format of Prometheus (version 0.0.4): families of samples, each family
// with its HELP and TYPE.
//
// Owner: whoever writes it; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace spinel {

class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // Begins a family; its samples follow. `type`: counter, gauge or histogram.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  // A sample of the family. Label values may be any bytes.
  void Sample(double value, Labels labels = {}) { Sample("", value, labels); }
  // `suffix`: "_bucket", "_sum", "_count" of a histogram.
  void Sample(std::string_view suffix, double value, Labels labels);
  // A family of one sample.
  void Single(std::string_view name, std::string_view type, std::string_view help, double value) {
    Family(name, type, help);
    Sample(value);
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  std::string family_;
};

}  // namespace spinel
