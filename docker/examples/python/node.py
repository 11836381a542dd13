#!/usr/bin/env python3
"""A complete node for `./raft test --image`, without Raft: Python 3.8 or later, standard library only.

The first member in RAFT_MEMBERS keeps everything in memory and does all the work; the others refuse and point at it.
So it is linearizable under partitions and pauses, but it is not fault tolerant, and it forgets everything when it is
killed: a run with --faults kill must report that as a violation. Replace `Store` by your own Raft and keep the rest.
The protocol is described in raft-node/PROTOCOL.md.
"""
import asyncio
import json
import os
import signal
import struct
import sys

MAGIC, VERSION = b"RAFT", 1
KEY_MAX, VALUE_MAX, FRAME_MAX, HELLO_MAX = 1024, 1 << 20, (2 << 20) + 4096, 1024
GET, PUT, CAS, DELETE = 1, 2, 3, 4
OK, REFUSED, UNKNOWN = 0, 1, 2
DONE, FOUND, ABSENT, COMPARE_FAILED = 0, 1, 2, 3
NOT_LEADER, BUSY, INVALID, TOO_LARGE, UNSUPPORTED = 1, 2, 3, 4, 5


class Refusal(Exception):
    """The request was certainly not carried out."""

    def __init__(self, reason, message, leader=""):
        super().__init__(message)
        self.reason, self.leader = reason, leader


class Fields:
    """Takes fields from a frame; never reads beyond its end."""

    def __init__(self, frame):
        self.frame, self.at = frame, 0

    def take(self, size):
        if self.at + size > len(self.frame):
            raise Refusal(INVALID, "The frame is too short.")
        self.at += size
        return self.frame[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def sized(self, length_size, size_max):
        size = self.number(length_size)
        if size > size_max:
            raise Refusal(TOO_LARGE, f"{size} bytes are more than {size_max}.")
        return self.take(size)


class Store:
    """The system under test. An operation that returns took effect exactly once."""

    def __init__(self, node_id, members):
        self.id, self.leader, self.data, self.index = node_id, members[0], {}, 0

    def apply(self, operation, key, value, expected):
        if self.id != self.leader:
            raise Refusal(NOT_LEADER, f"The leader is {self.leader}.", self.leader)
        self.index += 1
        present = self.data.get(key)
        if operation == GET:
            return (ABSENT, None) if present is None else (FOUND, present)
        if operation == DELETE:
            return (ABSENT if self.data.pop(key, None) is None else DONE, None)
        if operation == CAS and present != expected:
            return COMPARE_FAILED, None
        self.data[key] = value
        return DONE, None

    def status(self):
        role = "leader" if self.id == self.leader else "follower"
        return {"id": self.id, "role": role, "term": 1, "leader": self.leader,
                "commitIndex": self.index, "appliedIndex": self.index, "lastIndex": self.index}


def answer(store, request_id, fields):
    head = struct.pack(">Q", request_id)
    try:
        operation, flags = fields.number(1), fields.number(1)
        if operation not in (GET, PUT, CAS, DELETE) or flags != 0:
            raise Refusal(UNSUPPORTED, f"Operation {operation} with flags {flags} is not known here.")
        key, value, expected = fields.sized(2, KEY_MAX), None, None
        if operation == CAS and fields.number(1):
            expected = fields.sized(4, VALUE_MAX)
        if operation in (PUT, CAS):
            value = fields.sized(4, VALUE_MAX)
        if not key or fields.at != len(fields.frame):
            raise Refusal(INVALID, "A key is empty or bytes are left over.")
        result, found = store.apply(operation, key, value, expected)
        body = struct.pack(">BQQB", OK, 1, store.index, result)
        return head + body + (b"" if found is None else struct.pack(">I", len(found)) + found)
    except Refusal as refusal:
        leader, message = refusal.leader.encode(), str(refusal).encode()
        return (head + struct.pack(">BBB", REFUSED, refusal.reason, len(leader)) + leader
                + struct.pack(">H", len(message)) + message)


async def read_frame(reader, size_max):
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > size_max:
        raise ConnectionError(f"a frame of {size} bytes")
    return await reader.readexactly(size)


async def serve_client(store, cluster_id, reader, writer):
    def send(body):
        writer.write(struct.pack(">I", len(body)) + body)

    try:
        hello = await read_frame(reader, HELLO_MAX)
        if hello[:4] != MAGIC or len(hello) < 6:
            return
        if int.from_bytes(hello[4:6], "big") < VERSION:
            reason = b"Only version 1 is spoken here."
            return send(MAGIC + struct.pack(">HBH", VERSION, 1, len(reason)) + reason)
        names = [text.encode() for text in (store.id, cluster_id)]
        send(MAGIC + struct.pack(">HB", VERSION, 0) + b"".join(bytes([len(n)]) + n for n in names))
        while True:
            fields = Fields(await read_frame(reader, FRAME_MAX))
            request_id = fields.number(8)
            if request_id == 0:
                return
            send(answer(store, request_id, fields))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, Refusal):
        pass  # The client is gone, or speaks something else.
    finally:
        writer.close()


async def serve_http(store, reader, writer):
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ")[1] if request.count(b" ") > 1 else b""
        known = {b"/status": json.dumps(store.status()).encode(), b"/health": b"ok"}
        body = known.get(path, b"not found")
        line = b"200 OK" if path in known else b"404 Not Found"
        writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                     b"Connection: close\r\n\r\n%s" % (line, len(body), body))
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def listen(name, default, serve):
    host, _, port = os.environ.get(name, default).rpartition(":")
    server = await asyncio.start_server(serve, host.strip("[]"), int(port))
    print(name, "%s:%d" % server.sockets[0].getsockname()[:2], flush=True)
    return server


async def main():
    node_id = os.environ.get("RAFT_NODE_ID", "n1")
    members = [m.partition("=")[0] for m in os.environ.get("RAFT_MEMBERS", node_id + "=").split(",")]
    store, cluster_id = Store(node_id, members), os.environ.get("RAFT_CLUSTER_ID", "demo")
    servers = [
        await listen("RAFT_CLIENT_LISTEN", "0.0.0.0:7001", lambda r, w: serve_client(store, cluster_id, r, w)),
        await listen("RAFT_HTTP_LISTEN", "0.0.0.0:7002", lambda r, w: serve_http(store, r, w)),
    ]
    # The first process of a container ignores what it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
