#include <catch2/catch.hpp>

#include "tests/support/zset_fixture.h"

namespace spinel {

class GeoFixture : public ZsetFixture {
 protected:
  void AddSicily() {
    CHECK(Run("GEOADD", "s", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669",
              "Catania") == Int(2));
  }
  RespValue Point(std::string_view longitude, std::string_view latitude) {
    return Array({Score(longitude), Score(latitude)});
  }
  RespValue NoPoint() { return resp3() ? Nil() : NilArray(); }
};

TEST_CASE_METHOD(GeoFixture, "GEOADD: scores of Redis; NX, XX and CH") {
  BothEncodings([this] {
    AddSicily();
    CHECK(Run("ZSCORE", "s", "Palermo") == Score("3479099956230698"));
    CHECK(Run("GEOADD", "s", "NX", "1", "1", "Palermo") == Int(0));
    CHECK(Run("GEOADD", "s", "XX", "CH", "1", "1", "Palermo", "2", "2", "new") == Int(1));
    CHECK(Run("ZCARD", "s") == Int(2));
    CHECK(Run("GEOADD", "none", "XX", "1", "1", "a") == Int(0));
    CHECK(Run("GEOADD", "s", "NX", "XX", "1", "1", "a") == SyntaxError());
    CHECK(Run("GEOADD", "s", "1", "1", "a", "2") == SyntaxError());
    CHECK(Run("GEOADD", "s", "NX", "CH", "NX") == SyntaxError());
    CHECK(Run("GEOADD", "s", "1", "1", "a", "200", "100", "b") ==
          Error("ERR invalid longitude,latitude pair 200.000000,100.000000"));
    CHECK(Run("GEOADD", "s", "x", "1", "a") == Error("ERR value is not a valid float"));
    CHECK(Run("ZCARD", "s") == Int(2));
  });
  Run("SET", "text", "x");
  CHECK(Run("GEOADD", "text", "1", "1", "a") == WrongType());
}

TEST_CASE_METHOD(GeoFixture, "GEODIST, GEOHASH, GEOPOS: as Redis answers") {
  BothEncodings([this] {
    AddSicily();
    CHECK(Run("GEODIST", "s", "Palermo", "Catania") == Bulk("166274.1516"));
    CHECK(Run("GEODIST", "s", "Palermo", "Catania", "km") == Bulk("166.2742"));
    CHECK(Run("GEODIST", "s", "Palermo", "Catania", "FT") == Bulk("545518.8700"));
    CHECK(Run("GEODIST", "s", "Palermo", "Palermo") == Bulk("0.0000"));
    CHECK(Run("GEODIST", "s", "Palermo", "none") == Nil());
    CHECK(Run("GEODIST", "none", "Palermo", "Catania") == Nil());
    CHECK(Run("GEODIST", "s", "Palermo", "Catania", "parsec") ==
          Error("ERR unsupported unit provided. please use M, KM, FT, MI"));
    CHECK(Run("GEODIST", "s", "Palermo", "Catania", "m", "x") == SyntaxError());
    CHECK(Run("GEOHASH", "s", "Palermo", "none", "Catania") ==
          Array({Bulk("sqc8b49rny0"), Nil(), Bulk("sqdtr74hyu0")}));
    CHECK(Run("GEOHASH", "s") == Array({}));
    CHECK(Run("GEOPOS", "s", "Palermo", "none") ==
          Array({Point("13.36138933897018433", "38.11555639549629859"), NoPoint()}));
    CHECK(Run("GEOPOS", "none", "a") == Array({NoPoint()}));
  });
}

TEST_CASE_METHOD(GeoFixture, "GEORADIUS: options of the reply") {
  BothEncodings([this] {
    AddSicily();
    CHECK(Run("GEORADIUS", "s", "15", "37", "200", "km") == Bulks({"Palermo", "Catania"}));
    CHECK(Run("GEORADIUS", "s", "15", "37", "200", "km", "ASC", "WITHDIST") ==
          Array({Array({Bulk("Catania"), Bulk("56.4413")}),
                 Array({Bulk("Palermo"), Bulk("190.4424")})}));
    CHECK(Run("GEORADIUS_RO", "s", "15", "37", "200", "km", "COUNT", "1", "WITHHASH", "WITHCOORD",
              "WITHDIST") ==
          Array({Array({Bulk("Catania"), Bulk("56.4413"), Int(3479447370796909),
                        Point("15.08726745843887329", "37.50266842333162032")})}));
    CHECK(Run("GEORADIUSBYMEMBER", "s", "Palermo", "200000", "m", "DESC") ==
          Bulks({"Catania", "Palermo"}));
    CHECK(Run("GEORADIUSBYMEMBER_RO", "s", "Palermo", "1", "mi") == Bulks({"Palermo"}));
    CHECK(Run("GEORADIUS", "none", "15", "37", "200", "km") == Array({}));
    CHECK(Run("GEORADIUSBYMEMBER", "none", "x", "200", "nonsense") == Array({}));
    CHECK(Run("GEORADIUSBYMEMBER", "s", "x", "200", "km") ==
          Error("ERR could not decode requested zset member"));
  });
}

TEST_CASE_METHOD(GeoFixture, "GEORADIUS: STORE and STOREDIST") {
  AddSicily();
  CHECK(Run("GEORADIUS", "s", "15", "37", "200", "km", "STORE", "d") == Int(2));
  CHECK(Run("ZRANGE", "d", "0", "-1") == Bulks({"Palermo", "Catania"}));
  CHECK(Run("GEORADIUS", "s", "15", "37", "200", "km", "COUNT", "1", "STORE", "x", "STOREDIST",
            "d") == Int(1));
  CHECK(Run("EXISTS", "x") == Int(0));
  CHECK(Run("ZRANGE", "d", "0", "-1") == Bulks({"Catania"}));
  CHECK(std::stod(Run("ZSCORE", "d", "Catania").text) == Approx(56.4412578701582));
  CHECK(Run("GEORADIUS", "s", "0", "0", "1", "m", "STORE", "d") == Int(0));
  CHECK(Run("EXISTS", "d") == Int(0));
  CHECK(Run("GEORADIUSBYMEMBER", "s", "Palermo", "1", "m", "STORE", "s") == Int(1));
  CHECK(Run("ZCARD", "s") == Int(1));
  CHECK(
      Run("GEORADIUS", "s", "15", "37", "200", "km", "STORE", "d", "WITHDIST") ==
      Error("ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD "
            "options"));
  CHECK(Run("GEORADIUS_RO", "s", "15", "37", "200", "km", "STORE", "d") == SyntaxError());
  CHECK(Run("COMMAND", "GETKEYS", "GEORADIUS", "s", "15", "37", "200", "km", "STORE", "d") ==
        Bulks({"s", "d"}));
}

TEST_CASE_METHOD(GeoFixture, "GEOSEARCH, GEOSEARCHSTORE: circles and boxes") {
  BothEncodings([this] {
    AddSicily();
    Run("GEOADD", "s", "12.758489", "38.788135", "edge1", "17.241510", "38.788135", "edge2");
    CHECK(Run("GEOSEARCH", "s", "FROMLONLAT", "15", "37", "BYRADIUS", "200", "km", "ASC") ==
          Bulks({"Catania", "Palermo"}));
    CHECK(Run("GEOSEARCH", "s", "FROMLONLAT", "15", "37", "BYBOX", "400", "400", "km", "ASC",
              "WITHDIST") == Array({Array({Bulk("Catania"), Bulk("56.4413")}),
                                    Array({Bulk("Palermo"), Bulk("190.4424")}),
                                    Array({Bulk("edge2"), Bulk("279.7403")}),
                                    Array({Bulk("edge1"), Bulk("279.7405")})}));
    CHECK(Run("GEOSEARCH", "s", "FROMMEMBER", "Catania", "BYBOX", "1", "1", "m") ==
          Bulks({"Catania"}));
    CHECK(Run("GEOSEARCH", "s", "FROMLONLAT", "15", "37", "BYRADIUS", "20000", "km", "COUNT", "3",
              "ANY")
              .elements.size() == 3);
    CHECK(Run("GEOSEARCHSTORE", "d", "s", "FROMLONLAT", "15", "37", "BYBOX", "400", "400", "km",
              "COUNT", "2", "STOREDIST") == Int(2));
    CHECK(Run("ZRANGE", "d", "0", "-1") == Bulks({"Catania", "Palermo"}));
    CHECK(Run("GEOSEARCHSTORE", "d", "none", "FROMMEMBER", "x", "BYRADIUS", "1", "m") == Int(0));
    CHECK(Run("EXISTS", "d") == Int(0));
  });
}

TEST_CASE_METHOD(GeoFixture, "GEOSEARCH: bad arguments") {
  AddSicily();
  const auto search = [this](std::vector<std::string> options) {
    options.insert(options.begin(), {"GEOSEARCH", "s"});
    return RunArgs(options).text;
  };
  CHECK(search({"FROMLONLAT", "1", "1", "FROMMEMBER", "Palermo", "BYRADIUS", "1", "m"}) ==
        "ERR syntax error");
  CHECK(search({"FROMLONLAT", "1", "1", "BYBOX", "1", "1", "m", "BYRADIUS", "1", "m"}) ==
        "ERR syntax error");
  CHECK(search({"BYBOX", "1", "1", "m", "ASC"}) ==
        "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH");
  CHECK(search({"FROMLONLAT", "1", "1", "ASC", "DESC"}) ==
        "ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH");
  CHECK(search({"FROMLONLAT", "1", "1", "BYRADIUS", "1", "m", "ANY"}) ==
        "ERR the ANY argument requires COUNT argument");
  CHECK(search({"FROMLONLAT", "1", "1", "BYRADIUS", "1", "m", "COUNT", "0"}) ==
        "ERR COUNT must be > 0");
  CHECK(search({"FROMLONLAT", "1", "1", "BYRADIUS", "-1", "m"}) == "ERR radius cannot be negative");
  CHECK(search({"FROMLONLAT", "1", "1", "BYRADIUS", "x", "m"}) == "ERR need numeric radius");
  CHECK(search({"FROMLONLAT", "1", "1", "BYBOX", "x", "1", "m"}) == "ERR need numeric width");
  CHECK(search({"FROMLONLAT", "1", "1", "BYBOX", "1", "x", "m"}) == "ERR need numeric height");
  CHECK(search({"FROMLONLAT", "1", "1", "BYBOX", "1", "-1", "m"}) ==
        "ERR height or width cannot be negative");
  CHECK(search({"FROMLONLAT", "1", "1", "BYRADIUS", "1", "m", "STOREDIST"}) == "ERR syntax error");
  CHECK(search({"FROMMEMBER", "none", "BYRADIUS", "1", "m"}) ==
        "ERR could not decode requested zset member");
  CHECK(
      Run("GEOSEARCHSTORE", "d", "s", "FROMLONLAT", "1", "1", "BYRADIUS", "1", "m", "WITHDIST") ==
      Error("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"));
  Run("SET", "s", "text");
  CHECK(Run("GEOSEARCH", "s", "FROMLONLAT", "1", "1", "BYRADIUS", "1", "m") == WrongType());
  // Before anything is said about the other arguments.
  CHECK(Run("GEOSEARCH", "s", "FROMLONLAT", "1", "1", "BYRADIUS", "-1", "m") == WrongType());
}

}  // namespace spinel
