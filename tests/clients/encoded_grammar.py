"""Random commands on what strings and sorted sets can stand for: bitmaps, HyperLogLogs, positions.

Left out by name, because Redis 7.0 lacks it: BITCOUNT with a start and no end.
"""


class EncodedParts:
    """Parts of commands; mixed into grammar.Generator, whose randomness they use."""

    def bits_key(self):
        """Mostly a string of bits, now and then an integer, text or something else."""
        kind = self.dice.random()
        if kind < 0.04:
            return self.any_key()
        return self.key() if kind < 0.2 else f"bits:{self.dice.randrange(6)}"

    def bits_keys(self):
        return [self.bits_key() for _ in range(self.dice.randrange(1, 5))]

    def bit_offset(self):
        return self.dice.choice((
            self.dice.randrange(16), self.dice.randrange(16), self.dice.randrange(400),
            self.dice.randrange(400), self.dice.randrange(200_000), -1, 2**32, "#1"))

    def bit(self):
        return 2 if self.dice.random() < 0.03 else self.dice.randrange(2)

    def bit_bound(self):
        return self.dice.choice((0, 1, -1, self.dice.randrange(-70, 70), self.dice.randrange(-70, 70),
                                 self.dice.randrange(-2000, 2000)))

    def bit_range(self):
        return self.dice.choice(([], [self.bit_bound(), self.bit_bound()],
                                 [self.bit_bound(), self.bit_bound(), self.unit_of_bits()],
                                 [self.bit_bound(), self.bit_bound(), self.unit_of_bits()]))

    def bit_start(self):
        return self.dice.choice(([], [self.bit_bound()]))

    def unit_of_bits(self):
        return self.dice.choice(("BYTE", "BIT", "bit", "BIT"))

    def bit_operation(self):
        return self.dice.choice(("AND", "OR", "XOR", "xor"))

    def field_type(self):
        if self.dice.random() < 0.03:
            return self.dice.choice(("u64", "i65", "i0", "x8", "u"))
        return self.dice.choice(("i", "u")) + str(self.dice.choice((1, 2, 5, 8, 8, 16, 31, 32, 63)))

    def field_offset(self):
        offset = self.dice.choice((0, 8, self.dice.randrange(100), self.dice.randrange(500)))
        return f"#{offset}" if self.dice.random() < 0.4 else offset

    def field_value(self):
        # Not the lowest number: Redis 7.0 saturates it to the highest that a short type holds.
        return self.dice.choice((0, 1, -1, 3, 127, 128, 255, 256, -128, 2**31, -(2**31), 2**63 - 1,
                                 -(2**62), self.dice.randrange(-1000, 1000)))

    def fields(self):
        made = []
        for _ in range(self.dice.randrange(1, 5)):
            if self.dice.random() < 0.4:
                made += ["OVERFLOW", self.dice.choice(("WRAP", "SAT", "FAIL"))]
            made += self.dice.choice((
                ["GET", self.field_type(), self.field_offset()],
                ["SET", self.field_type(), self.field_offset(), self.field_value()],
                ["INCRBY", self.field_type(), self.field_offset(), self.field_value()]))
        return made

    def read_fields(self):
        return [part for _ in range(self.dice.randrange(1, 4))
                for part in ("GET", self.field_type(), self.field_offset())]

    def hll_key(self):
        return self.any_key() if self.dice.random() < 0.03 else f"hll:{self.dice.randrange(6)}"

    def hll_keys(self):
        return [self.hll_key() for _ in range(self.dice.randrange(1, 5))]

    def hll_elements(self):
        count = self.dice.randrange(100, 900) if self.dice.random() < 0.03 else self.dice.randrange(6)
        return [f"element:{self.dice.randrange(5000)}" for _ in range(count)]

    def hll_bytes(self):
        """Bytes that are not what they seem."""
        return self.dice.choice((b"HYLL", b"HYLL\x00" + bytes(11), b"HYLL\x02" + bytes(11),
                                 b"HYLL\x01" + bytes(11) + b"\x7f\xff",
                                 b"HYLL\x01" + bytes(11) + b"\x7f\xfe\x88"))

    def geo_key(self):
        return self.any_key() if self.dice.random() < 0.03 else f"geo:{self.dice.randrange(5)}"

    def longitude(self):
        if self.dice.random() < 0.03:
            return self.dice.choice((180, -180, 181, "inf"))
        return round(self.dice.choice((self.dice.gauss(15, 0.5), self.dice.uniform(-180, 180))), 6)

    def latitude(self):
        if self.dice.random() < 0.03:
            return self.dice.choice((85.05112878, -85.05112878, 86))
        return round(self.dice.choice((self.dice.gauss(40, 0.5), self.dice.uniform(-85, 85))), 6)

    def place(self):
        return f"place:{self.dice.randrange(60)}"

    def places(self):
        return [self.place() for _ in range(self.dice.randrange(4))]

    def positions(self):
        count = self.dice.randrange(10, 40) if self.dice.random() < 0.05 else self.dice.randrange(1, 5)
        return [part for _ in range(count)
                for part in (self.longitude(), self.latitude(), self.place())]

    def geo_add_options(self):
        return [word for word in ("NX", "XX", "CH") if self.dice.random() < 0.15]

    def unit(self):
        return "yd" if self.dice.random() < 0.03 else self.dice.choice(("m", "km", "FT", "mi"))

    def extent(self):
        return self.dice.choice((0, 1, 50, 200, 1000, 5000, 100_000, 2_000_000, -1, "x"))

    def distance(self):
        return [self.extent(), self.unit()]

    def optional_unit(self):
        return self.dice.choice(([], [self.unit()]))

    def reply_options(self):
        # In one order or another: only the nearest are comparable where several are as near.
        return ([word for word in ("WITHDIST", "WITHHASH", "WITHCOORD") if self.dice.random() < 0.3]
                + self.dice.choice(([], ["ASC"], ["DESC"], ["COUNT", 1000]))
                + (["COUNT", 2000, "ANY"] if self.dice.random() < 0.1 else []))

    def store_options(self):
        return self.dice.choice(([], [], ["STORE", self.geo_key()], ["STOREDIST", self.geo_key()]))

    def area(self):
        center = self.dice.choice((["FROMMEMBER", self.place()],
                                   ["FROMLONLAT", self.longitude(), self.latitude()]))
        shape = ["BYRADIUS"] + self.distance()
        return center + shape if self.dice.random() < 0.5 else shape + center

    def store_distances(self):
        return ["STOREDIST"] if self.dice.random() < 0.3 else []


E = EncodedParts

ENCODED_GRAMMAR = {
    "bitmap": (
        ("SETBIT", E.bits_key, E.bit_offset, E.bit),
        ("SETBIT", E.bits_key, E.bit_offset, E.bit),
        ("GETBIT", E.bits_key, E.bit_offset),
        ("BITCOUNT", E.bits_key, E.bit_range),
        ("BITPOS", E.bits_key, E.bit, E.bit_range),
        ("BITPOS", E.bits_key, E.bit, E.bit_start),
        ("BITOP", E.bit_operation, E.bits_key, E.bits_keys),
        ("BITOP", "NOT", E.bits_key, E.bits_key),
        ("BITFIELD", E.bits_key, E.fields),
        ("BITFIELD", E.bits_key, E.fields),
        ("BITFIELD_RO", E.bits_key, E.read_fields),
        ("GET", E.bits_key),
        ("OBJECT", "ENCODING", E.bits_key),
    ),
    "hyperloglog": (
        ("PFADD", E.hll_key, E.hll_elements),
        ("PFADD", E.hll_key, E.hll_elements),
        ("PFCOUNT", E.hll_key),
        ("PFCOUNT", E.hll_keys),
        ("PFMERGE", E.hll_key, E.hll_keys),
        ("PFDEBUG", "ENCODING", E.hll_key),
        ("PFDEBUG", "DECODE", E.hll_key),
        ("GET", E.hll_key),
        ("SET", E.hll_key, E.hll_bytes),
        ("DEL", E.hll_key),
    ),
    "geo": (
        ("GEOADD", E.geo_key, E.geo_add_options, E.positions),
        ("GEOADD", E.geo_key, E.positions),
        ("GEOADD", E.geo_key, E.positions),
        ("GEODIST", E.geo_key, E.place, E.place, E.optional_unit),
        ("GEOHASH", E.geo_key, E.places),
        ("GEOPOS", E.geo_key, E.places),
        ("GEORADIUS", E.geo_key, E.longitude, E.latitude, E.distance, E.reply_options,
         E.store_options),
        ("GEORADIUS_RO", E.geo_key, E.longitude, E.latitude, E.distance, E.reply_options),
        ("GEORADIUSBYMEMBER", E.geo_key, E.place, E.distance, E.reply_options, E.store_options),
        ("GEORADIUSBYMEMBER_RO", E.geo_key, E.place, E.distance, E.reply_options),
        ("GEOSEARCH", E.geo_key, E.area, E.reply_options),
        ("GEOSEARCH", E.geo_key, E.area, E.reply_options),
        ("GEOSEARCHSTORE", E.geo_key, E.geo_key, E.area, E.store_distances),
        ("ZREM", E.geo_key, E.place),
    ),
}
ENCODED_WEIGHTS = {"bitmap": 4, "hyperloglog": 2, "geo": 3}
