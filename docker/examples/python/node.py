#!/usr/bin/env python3
#
# A complete node for `./raft test --image`, without Raft: Python 3.8 or later, standard library only.
#
# The first member in RAFT_MEMBERS keeps everything in memory and does all the work; the others refuse and point at it.
# So it is linearizable under partitions and pauses, but it is not fault tolerant, and it forgets everything when it is
# killed: a run with --faults kill must report that as a violation. Replace `Store` by your own Raft and keep the rest.
# The protocol is described in raft-node/PROTOCOL.md.
import http.server
import io
import json
import os
import signal
import socketserver
import struct
import sys
import threading

KEY_MAX, VALUE_MAX, FRAME_MAX, HELLO_MAX = 1024, 1 << 20, (2 << 20) + 4096, 1024
GET, PUT, CAS, DELETE = 1, 2, 3, 4
OK, REFUSED = 0, 1
DONE, FOUND, ABSENT, COMPARE_FAILED = 0, 1, 2, 3
NOT_LEADER, INVALID, TOO_LARGE, UNSUPPORTED = 1, 3, 4, 5


# The request was certainly not carried out.
class Refusal(Exception):
    def __init__(self, reason, message, leader=""):
        self.reply = bytes([REFUSED, reason]) + text(">B", leader.encode()) + text(">H", message.encode())


def take(frame, size):
    found = frame.read(size)
    if len(found) < size:
        raise Refusal(INVALID, "The frame is too short.")
    return found


def number(frame, size):
    return int.from_bytes(take(frame, size), "big")


def sized(frame, length_size, size_max):
    size = number(frame, length_size)
    if size > size_max:
        raise Refusal(TOO_LARGE, f"{size} bytes are more than {size_max}.")
    return take(frame, size)


def text(length, value):
    return struct.pack(length, len(value)) + value


# The system under test. An operation that returns took effect exactly once.
class Store:
    def __init__(self, node_id, members):
        self.id, self.leader, self.data, self.index, self.lock = node_id, members[0], {}, 0, threading.Lock()

    def apply(self, operation, key, value, expected):
        if self.id != self.leader:
            raise Refusal(NOT_LEADER, f"The leader is {self.leader}.", self.leader)
        with self.lock:
            self.index += 1
            present = self.data.get(key)
            if operation == GET:
                return self.index, ABSENT if present is None else FOUND, present
            if operation == CAS and present != expected:
                return self.index, COMPARE_FAILED, None
            self.data[key] = value  # None where it is deleted
            return self.index, ABSENT if operation == DELETE and present is None else DONE, None


def answer(frame):
    operation, flags = take(frame, 2)
    if operation not in (GET, PUT, CAS, DELETE) or flags != 0:
        raise Refusal(UNSUPPORTED, f"Operation {operation} with flags {flags} is not known here.")
    key = sized(frame, 2, KEY_MAX)
    expected = sized(frame, 4, VALUE_MAX) if operation == CAS and number(frame, 1) else None
    value = sized(frame, 4, VALUE_MAX) if operation in (PUT, CAS) else None
    if not key or frame.read(1):
        raise Refusal(INVALID, "A key is empty or bytes are left over.")
    index, result, found = STORE.apply(operation, key, value, expected)
    return struct.pack(">BQQB", OK, 1, index, result) + (b"" if found is None else text(">I", found))


class Client(socketserver.StreamRequestHandler):
    def send(self, body):
        self.wfile.write(text(">I", body))

    def handle(self):
        hello = io.BytesIO(sized(self.rfile, 4, HELLO_MAX))
        if take(hello, 4) != b"RAFT" or number(hello, 2) < 1:
            return self.send(b"RAFT" + struct.pack(">HB", 1, 1) + text(">H", b"Only version 1 is spoken here."))
        self.send(b"RAFT" + struct.pack(">HB", 1, 0) + text(">B", STORE.id.encode()) + text(">B", CLUSTER.encode()))
        request_id = None
        while request_id != 0:
            request_id = 0  # Stands for the connection, which ends where nobody knows what the next bytes are.
            try:
                frame = io.BytesIO(sized(self.rfile, 4, FRAME_MAX))
                request_id = number(frame, 8)
                if request_id == 0:
                    raise Refusal(INVALID, "A request needs an id.")
                reply = answer(frame)
            except Refusal as no:
                reply = no.reply
            self.send(struct.pack(">Q", request_id) + reply)


class Http(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = {"id": STORE.id, "role": "leader" if STORE.id == STORE.leader else "follower", "term": 1,
                  "leader": STORE.leader, **dict.fromkeys(("commitIndex", "appliedIndex", "lastIndex"), STORE.index)}
        body = {"/status": json.dumps(status), "/health": "ok"}.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write((body or "not found").encode())

    log_message = lambda *_: None


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128

    def handle_error(self, request, client_address):
        print("the connection of", client_address, "ended:", sys.exc_info()[1], flush=True)


if __name__ == "__main__":
    NODE, CLUSTER = os.environ.get("RAFT_NODE_ID", "n1"), os.environ.get("RAFT_CLUSTER_ID", "demo")
    STORE = Store(NODE, [m.partition("=")[0] for m in os.environ.get("RAFT_MEMBERS", NODE + "=").split(",")])
    # A container's first process ignores what it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for variable, port, handler in ("RAFT_CLIENT_LISTEN", 7001, Client), ("RAFT_HTTP_LISTEN", 7002, Http):
        host, _, port = os.environ.get(variable, f"0.0.0.0:{port}").rpartition(":")
        server = Server((host, int(port)), handler)
        print(variable, "%s:%d" % server.server_address, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()
