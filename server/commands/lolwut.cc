// LOLWUT: the server's crystal. Each call cuts a spinel, turns it at random and draws it in text.
//
// Spinel grows as octahedra; the even versions have their corners cut off. A solid is the half
// spaces that it lies in, so that a ray through it needs no more than the greatest entry and the
// least exit.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/version.h"

namespace spinel {
namespace {

using Vector = std::array<double, 3>;

double Dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// All x with Dot(normal, x) <= distance.
struct HalfSpace {
  Vector normal;
  double distance;
};

std::vector<HalfSpace> CutCrystal(bool corners_off) {
  std::vector<HalfSpace> faces;
  faces.reserve(14);  // of a cube and an octahedron
  const double unit = 1 / std::numbers::sqrt3;
  for (int i = 0; i < 8; ++i) {
    faces.push_back({{i & 1 ? unit : -unit, i & 2 ? unit : -unit, i & 4 ? unit : -unit}, unit});
  }
  if (!corners_off) return faces;
  for (size_t axis = 0; axis < 3; ++axis) {
    for (const double sign : {-1.0, 1.0}) {
      HalfSpace face{{0, 0, 0}, 0.72};
      face.normal[axis] = sign;
      faces.push_back(face);
    }
  }
  return faces;
}

void Turn(std::vector<HalfSpace>* faces, size_t a, size_t b, double angle) {
  for (HalfSpace& face : *faces) {
    const double x = face.normal[a];
    const double y = face.normal[b];
    face.normal[a] = x * std::cos(angle) - y * std::sin(angle);
    face.normal[b] = x * std::sin(angle) + y * std::cos(angle);
  }
}

// The character for the ray through (x, y) along z.
char Shade(const std::vector<HalfSpace>& faces, double x, double y) {
  constexpr std::string_view kRamp = ".:-=+*%#@";
  constexpr Vector kLight = {-0.48, -0.60, -0.64};
  double enter = -10;
  double leave = 10;
  const HalfSpace* front = nullptr;
  for (const HalfSpace& face : faces) {
    const double slope = face.normal[2];
    const double room = face.distance - Dot(face.normal, {x, y, 0});
    if (std::abs(slope) < 1e-9) {
      if (room < 0) return ' ';
    } else if (slope > 0) {
      leave = std::min(leave, room / slope);
    } else if (room / slope > enter) {
      enter = room / slope;
      front = &face;
    }
  }
  if (front == nullptr || enter >= leave) return ' ';
  const double light = std::clamp((Dot(front->normal, kLight) + 0.35) / 1.35, 0.0, 1.0);
  return kRamp[static_cast<size_t>(std::lround(light * static_cast<double>(kRamp.size() - 1)))];
}

std::string DrawCrystal(int columns, int rows, bool corners_off) {
  std::random_device seed;
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::vector<HalfSpace> faces = CutCrystal(corners_off);
  Turn(&faces, 0, 1, angle(seed));
  Turn(&faces, 1, 2, angle(seed));
  Turn(&faces, 0, 2, angle(seed));
  // A character is about twice as high as it is wide.
  const double scale = 2.1 / std::min<double>(columns, 2 * rows);
  std::string text;
  for (int row = 0; row < rows; ++row) {
    std::string line;
    for (int column = 0; column < columns; ++column) {
      line += Shade(faces, (column + 0.5 - columns / 2.0) * scale,
                    (row + 0.5 - rows / 2.0) * scale * 2);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

void Lolwut(CommandContext&, ArgReader& args, ReplyWriter& reply) {
  constexpr int64_t kMaxColumns = 160;
  constexpr int64_t kMaxRows = 80;
  const int64_t version = args.Tag("VERSION") ? args.Int() : 5;
  const int64_t columns = args.HasNext() ? args.Int() : 48;
  const int64_t rows =
      args.HasNext() ? args.Int() : std::clamp<int64_t>(columns, 1, kMaxColumns) / 2;
  if (!args.Check(reply)) return;  // other versions of Redis take more arguments: let them be
  const std::string art =
      DrawCrystal(static_cast<int>(std::clamp<int64_t>(columns, 1, kMaxColumns)),
                  static_cast<int>(std::clamp<int64_t>(rows, 1, kMaxRows)), version % 2 == 0);
  reply.Verbatim(
      "txt", fmt::format("{}\nA spinel, cut just for you. Spinel ver. {} (Redis ver. {})\n", art,
                         kSpinelVersion, kRedisVersion));
}

constexpr CommandSpec kLolwutCommands[] = {
    {.name = "LOLWUT",
     .arity = -1,
     .flags = kReadOnly | kFast,
     .handler = Lolwut,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(N) with N the characters of the picture",
     .summary = "Draws a picture and tells the server's version.",
     .syntax = "[VERSION version] [columns [rows]]"},
};

}  // namespace

std::span<const CommandSpec> LolwutCommands() { return kLolwutCommands; }

}  // namespace spinel
