"""What the suites that use redis-py begin with."""

import redis

from support import ServerTestCase


class Clients(ServerTestCase):
    OPTIONS = ("--io-threads", "2")

    def setUp(self):
        super().setUp()
        self.client = self.open()

    def open(self):
        client = redis.Redis(port=self.server.port, socket_timeout=30)
        self.addCleanup(client.close)
        return client
