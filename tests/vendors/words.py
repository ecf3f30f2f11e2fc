"""What all vendors' requests and answers have in common, and the checks that all of them make."""

import base64
import itertools
import json
import struct
from dataclasses import dataclass, field

# What every answer is said to have cost. Where a vendor tells less, its module leaves some out.
INPUT, CACHED, WRITTEN, OUTPUT, REASONED = 1234, 1000, 30, 77, 33
TOKENS = 4321
COUNTER = itertools.count(1)
# The signatures that were given out, and what they sign.
SIGNED = {}


class Bad(Exception):
    """A request that the vendor would refuse."""

    def __init__(self, message, param=None, status=400):
        super().__init__(message)
        self.message, self.param, self.status = message, param, status


@dataclass
class Text:
    text: str


@dataclass
class Image:
    kind: str
    size: int


@dataclass
class Document:
    kind: str
    size: int


@dataclass
class Thought:
    text: str
    signature: str = ""


@dataclass
class Call:
    id: str
    name: str
    arguments: dict


@dataclass
class Result:
    id: str
    name: str
    parts: list
    failed: bool = False


@dataclass
class Turn:
    role: str
    parts: list


@dataclass
class Tool:
    name: str
    schema: dict


@dataclass
class Heard:
    """A request, whatever it was written in."""

    model: str
    turns: list
    system: str = ""
    tools: list = field(default_factory=list)
    choice: str = "auto"
    parallel: bool = True
    max_tokens: int = None
    temperature: float = None
    top_p: float = None
    stop: list = field(default_factory=list)
    schema: dict = None
    thinking: bool = False
    streaming: bool = False


def require(holds, message, param=None):
    if not holds:
        raise Bad(message, param)


def parse(body):
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Bad(f"the body is no JSON: {error}") from None
    require(isinstance(value, dict), "the body is no object")
    return value


def only(value, known, where):
    """An object with no other fields than those that are documented."""
    require(isinstance(value, dict), f"{where}: expected an object, not {json.dumps(value)}", where)
    for name in value:
        require(name in known, f"{where}: {name}: Extra inputs are not permitted", f"{where}.{name}")
    return value


def text_of(value, where, empty=False):
    require(isinstance(value, str), f"{where}: expected a string, not {json.dumps(value)}", where)
    require(empty or value.strip(), f"{where}: text content blocks must be non-empty", where)
    return value


def number(body, name, kind=(int, float), least=0):
    value = body.get(name)
    if value is not None:
        require(isinstance(value, kind) and not isinstance(value, bool), f"{name}: expected a number", name)
        require(value >= least, f"{name}: must be at least {least}", name)
    return value


def media(encoded, where):
    try:
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise Bad(f"{where}: invalid base64", where) from None
    require(data, f"{where}: empty", where)
    return data


def data_url(url, where):
    """The type and the size of what `data:TYPE;base64,…` holds; of another address, itself."""
    require(isinstance(url, str) and url, f"{where}: expected a URL", where)
    if not url.startswith("data:"):
        require(url.startswith(("https://", "http://")), f"{where}: invalid URL", where)
        return url, 0
    kind, _, encoded = url.removeprefix("data:").partition(";base64,")
    return kind, len(media(encoded, where))


def picture(kind, data, where):
    """Vendors look at what the bytes are, not only at what they are said to be."""
    magic = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8", "image/gif": b"GIF8", "image/webp": b"RIFF"}
    require(kind in magic, f"{where}: unsupported image type {kind}", where)
    require(data.startswith(magic[kind]), f"{where}: the image is no {kind}", where)
    return Image(kind, len(data))


def schema_of(value, where):
    require(isinstance(value, dict), f"{where}: expected a JSON schema", where)
    return value


def sign(text):
    signature = base64.b64encode(f"signature-{next(COUNTER)}".encode()).decode()
    SIGNED[signature] = text
    return signature


def signed(text, signature, where):
    require(signature in SIGNED, f"{where}: Invalid `signature` in `thinking` block", where)
    require(SIGNED[signature] == text, f"{where}: thinking blocks cannot be modified", where)


def vectors(count, size=4):
    return [[0.5 + index, -0.25, 0.125, 1.0][:size] for index in range(count)]


def packed(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse(value, event=None):
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {compact(value)}\n\n".encode()
