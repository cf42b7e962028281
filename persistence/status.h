// The outcome of what is done with files: fine, or a message for a person to read.
#pragma once

#include <string>
#include <utility>

namespace spinel {

class [[nodiscard]] Status {
 public:
  Status() = default;  // fine
  // Expects a message.
  static Status Error(std::string message) {
    Status status;
    status.message_ = std::move(message);
    return status;
  }

  bool ok() const { return message_.empty(); }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

}  // namespace spinel
