// A request and its answer, as far as the metrics port needs them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spinel {

struct HttpRequest {
  std::string path = "/";  // without the query, and not unescaped: all paths are plain
  std::string query;       // "a=b&c=d"
  std::string authorization;
  std::string host;
  std::string fetch_site;  // Sec-Fetch-Site: whose page asks, if a browser says so
  bool loopback = false;   // from this machine
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// The value of a query's parameter, unescaped; empty: it is not there.
std::string QueryParameter(std::string_view query, std::string_view name);

}  // namespace spinel
