"""HTTP/1.1 for the simulated vendors: one connection after another request, and streams in pieces of odd sizes."""

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

PIECES = (1, 2, 3, 5, 8, 13, 21, 200)


@dataclass
class Request:
    method: str
    # As it came, with its percent signs: signatures depend on it.
    path: str
    query: dict
    headers: dict
    body: bytes


@dataclass
class Reply:
    status: int
    body: dict
    headers: dict = field(default_factory=dict)


@dataclass
class Stream:
    # Bytes, seconds to wait, an event to wait for, or CUT.
    pieces: list
    kind: str = "text/event-stream"
    headers: dict = field(default_factory=dict)


CUT = object()


async def read(reader):
    """The next request, or None where the caller has gone."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {}
    for line in filter(None, lines):
        name, value = line.split(":", 1)
        headers[name.strip().lower()] = value.strip()
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    url = urlsplit(target)
    return Request(method, url.path, parse_qs(url.query, keep_blank_values=True), headers, body)


def head(status, headers):
    lines = [f"HTTP/1.1 {status} Told"] + [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def cut_up(text):
    """In pieces that end anywhere: inside a character, inside a line break."""
    at, turn = 0, 0
    while at < len(text):
        size = PIECES[turn % len(PIECES)]
        yield text[at : at + size]
        at, turn = at + size, turn + 1


async def write(writer, answer):
    """Whether the connection can serve another request."""
    if isinstance(answer, Reply):
        body = json.dumps(answer.body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", "content-length": len(body), **answer.headers}
        writer.write(head(answer.status, headers) + body)
        await writer.drain()
        return True
    writer.write(head(200, {"content-type": answer.kind, "transfer-encoding": "chunked", **answer.headers}))
    for piece in answer.pieces:
        if piece is CUT:
            await writer.drain()
            return False
        if isinstance(piece, (int, float)):
            await writer.drain()
            await asyncio.sleep(piece)
            continue
        if isinstance(piece, asyncio.Event):
            await writer.drain()
            await piece.wait()
            continue
        for part in cut_up(piece):
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            # To the socket at once: the next piece is another packet.
            await writer.drain()
            await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def serve(handle, port=0):
    async def connection(reader, writer):
        try:
            while (request := await read(reader)) is not None:
                if not await write(writer, await handle(request)):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(connection, "127.0.0.1", port, limit=1 << 24)
