"""Python's WebSocket client against a server that repeats what it hears: `websocket.py URL`."""

import asyncio
import json
import sys

import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def main(url):
    async with websockets.connect(f"{url}?token=anything") as socket:
        hello = json.loads(await socket.recv())
        assert hello["query"] is None, hello
        for said in ["naïve 日本 🦀", "x" * 70_000, "", b"\0\xff"]:
            await socket.send(said)
            assert await socket.recv() == said
        # Fragments.
        await socket.send(iter(["one ", "two ", "three"]))
        assert await socket.recv() == "one two three"
        await (await socket.ping())
    assert socket.close_code == 1000, socket.close_code

    async with websockets.connect(url) as socket:
        await socket.recv()
        await socket.send("close")
        try:
            await socket.recv()
            raise AssertionError("it goes on")
        except ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "as you like"), closed

    async with websockets.connect(url, max_size=None) as socket:
        await socket.recv()
        try:
            await socket.send("x" * 1_000_000)
            await socket.recv()
            raise AssertionError("it goes on")
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 1009, closed

    try:
        await websockets.connect(url, origin="https://evil.example")
        raise AssertionError("a page of another site came in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 403, refused
    async with websockets.connect(url, origin="http://localhost:5173"):
        pass
    print("content")


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 30))
