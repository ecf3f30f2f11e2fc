"""Images and documents through every pair, and what a vendor that can't take them makes of it."""

import base64
import struct
import zlib

import pytest
from callers import url
from matrix import PROVIDERS, TIME, each, every, model


def png(width=2):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, 1, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + b"\x80\x40\x20" * width)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PNG = ("image/png", png())
JPEG = ("image/jpeg", b"\xff\xd8\xff\xe0" + b"not looked at" * 9 + b"\xff\xd9")
PDF = ("application/pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")


@every
def test_images_arrive_byte_for_byte(caller, provider, stream):
    answer = caller.ask(model(provider), caller.user("image", PNG, JPEG), stream)
    assert answer.text == f"<image/png {len(PNG[1])}> <image/jpeg {len(JPEG[1])}>"


@each
def test_an_image_by_its_address_is_sent_so_or_refused(caller, provider):
    where = "https://images.example.com/cat.png"
    turns = {
        "chat": [{"type": "image_url", "image_url": {"url": where}}, {"type": "text", "text": "image"}],
        "responses": [{"type": "input_image", "image_url": where, "detail": "auto"}, {"type": "input_text", "text": "image"}],
        "messages": [{"type": "image", "source": {"type": "url", "url": where}}, {"type": "text", "text": "image"}],
    }
    try:
        answer = caller.ask(model(provider), [{"role": "user", "content": turns[caller.name]}])
    except Exception as error:
        # They take bytes only.
        assert provider in ("ollama", "bedrock", "gemini"), error
        assert error.status_code == 400 and "image" in str(error)
    else:
        assert answer.text == f"<{where} 0>"


@each
def test_a_document_arrives_or_is_refused(caller, provider):
    turns = {
        "chat": [{"type": "file", "file": {"filename": "a.pdf", "file_data": url(PDF)}}, {"type": "text", "text": "image"}],
        "responses": [
            {"type": "input_file", "filename": "a.pdf", "file_data": url(PDF)},
            {"type": "input_text", "text": "image"},
        ],
        "messages": [
            {"type": "document", "source": {"type": "base64", "media_type": PDF[0], "data": base64.b64encode(PDF[1]).decode()}},
            {"type": "text", "text": "image"},
        ],
    }
    try:
        answer = caller.ask(model(provider), [{"role": "user", "content": turns[caller.name]}])
    except Exception as error:
        assert provider == "ollama", error
        assert error.status_code == 400 and "files" in str(error)
    else:
        assert answer.text == f"<application/pdf {len(PDF[1])}>"


# Results of chat completions are text.
@pytest.mark.parametrize("dialect", ["responses", "messages"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_image_in_a_tools_result_arrives_or_is_refused(caller, provider):
    turns = caller.user("tools: look")
    asked = caller.ask(model(provider), turns, tools=[TIME])
    [call] = asked.calls
    kind, data = PNG
    result = {
        "messages": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": [
            {"type": "image", "source": {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}},
        ]}]},
        "responses": {"type": "function_call_output", "call_id": call.id, "output": [
            {"type": "input_image", "image_url": url(PNG), "detail": "auto"},
        ]},
    }[caller.name]
    try:
        answer = caller.ask(model(provider), turns + asked.turn + [result], tools=[TIME])
    except Exception as error:
        assert provider in ("openai", "azure", "dated", "ollama"), error
        assert error.status_code == 400 and "image" in str(error)
    else:
        assert answer.text == f"results: get_time=<image/png {len(data)}>"
