"""The scripted model: the last words of the user select what it says.

    say: WORDS         the words
    tools: [aloud]     calls every tool that it may, with arguments by their schemas; aloud, after a word of its own
    call: NAME {…}     calls one tool with these arguments
    think: [WORDS]     thoughts, then the words; `think tools`: thoughts, then calls
    describe           what arrived, as JSON: equal for all vendors, if nothing was lost
    image              the types and sizes of the images and documents that arrived
    json               what the schema of the request allows
    error STATUS [S]   fails so, perhaps asking to wait for S seconds
    midway, cut        half of an answer, and then the vendor's word for a failure, or a closed connection
    stop, length       an answer that ends at the first stop sequence, or at the limit
    refuse [late]      refuses, perhaps after some words; `refuse prompt`: where the vendor can, before it has begun
    slow head|first|idle   waits before the head, before the first event, between two events

When results of tools have come, it says what they hold.
"""

import json
import re
from dataclasses import dataclass, field

from words import Call, Document, Image, Result, Text, Thought, compact, require

THOUGHT = "First, naïve 日本語 thoughts 🦀 — then more."
CITY = 'Zürich 🦀 "quoted" \\ and\nmore'
REFUSAL = "I can't help with that."
BROKEN = "the machine fell over"
COMMAND = re.compile(r"(?s)\A(say|tools|think|describe|image|json|error|midway|cut|stop|length|refuse|slow)\b.*|(?m:^)call: .*")
# Longer than any time-out that a test sets; whoever waits has hung up by then.
LONG = 30


@dataclass
class Failure:
    status: int
    message: str
    retry_after: int = None


@dataclass
class Said:
    parts: list
    # stop, stop_sequence, length, tools, refusal
    reason: str = "stop"
    stop: str = None
    # What happens in the middle of the stream: None, error, cut.
    breaks: str = None
    # Where the stream waits: None, head, first, idle.
    slow: str = None
    refusal: str = None
    # The prompt itself is refused, where the vendor has a form for that.
    blocked: bool = False
    pieces: list = field(default_factory=list)


def by_schema(schema, where="schema"):
    """A value that the schema allows, and that is hard to carry."""
    require(isinstance(schema, dict), f"{where}: expected a schema")
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return by_schema(schema[name][0], where)
    kind = schema.get("type", "object")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: by_schema(value, f"{where}.{name}") for name, value in properties.items()}
    if kind == "array":
        return [by_schema(schema.get("items") or {"type": "string"}, where)]
    return {"string": CITY, "integer": 42, "number": 1.5, "boolean": True, "null": None}[kind]


def pieces(text):
    """Words with the blanks that follow them: how models write."""
    return re.findall(r"\S+\s*|\s+", text) or [text]


def told(part):
    match part:
        case Text(text):
            return text
        case Image(kind, size) | Document(kind, size):
            return f"<{kind} {size}>"
        case Thought(text):
            return f"({text})"
        case Call(_, name, arguments):
            return f"{name}({compact(arguments)})"
        case Result(_, name, parts, failed):
            return f"{name}{'!' if failed else '='}{' '.join(map(told, parts))}"
    raise ValueError(part)


def described(heard):
    """The request in words that no vendor has: equal in all of them, if nothing was lost."""
    return compact(
        {
            "system": heard.system,
            "turns": [[turn.role, *map(told, turn.parts)] for turn in heard.turns],
            "tools": {tool.name: tool.schema for tool in heard.tools},
            "choice": heard.choice,
            "parallel": heard.parallel,
            "max_tokens": heard.max_tokens,
            "temperature": heard.temperature,
            "top_p": heard.top_p,
            "stop": heard.stop,
        }
    )


def answer(heard):
    """What the model says, or how it fails."""
    last = heard.turns[-1]
    require(last.role == "user", "the last message must be the user's")
    said = [part.text for turn in heard.turns if turn.role == "user" for part in turn.parts if isinstance(part, Text)]
    # Agents put words of their own beside those of their user, and some vendors have one text for all of them.
    asked = [match[0] for words in said if (match := COMMAND.search(words.strip()))]
    words = (asked or said or [""])[-1].strip()
    results = [part for part in last.parts if isinstance(part, Result)]
    if results:
        return Said([Text("results: " + "; ".join(map(told, results)))])
    command, _, rest = words.partition(" ")
    rest = rest.strip()
    match command.rstrip(":"):
        case "say":
            return Said([Text(rest)])
        case "tools":
            return tools(heard, rest)
        case "call":
            name, _, arguments = rest.partition(" ")
            require(name in [tool.name for tool in heard.tools], f"there is no tool {name}")
            thoughts = [Thought(THOUGHT)] if heard.thinking else []
            return Said([*thoughts, Call(None, name, json.loads(arguments))], "tools")
        case "think":
            require(heard.thinking, "thinking was not asked for")
            if rest == "tools":
                return Said([Thought(THOUGHT), *tools(heard, "").parts], "tools")
            return Said([Thought(THOUGHT), Text(rest or "so it is")])
        case "describe":
            return Said([Text(described(heard))])
        case "image":
            seen = [told(part) for turn in heard.turns for part in turn.parts if isinstance(part, (Image, Document))]
            require(seen, "there is no image")
            return Said([Text(" ".join(seen))])
        case "json":
            require(heard.schema is not None, "no schema came with the request")
            return Said([Text(compact(by_schema(heard.schema)))])
        case "error":
            status, *after = rest.split()
            return Failure(int(status), f"scripted failure {status}", int(after[0]) if after else None)
        case "midway":
            return Said([Text("half of the answer that never ends")], breaks="error")
        case "cut":
            return Said([Text("half of the answer that never ends")], breaks="cut")
        case "stop":
            require(heard.stop, "no stop sequence came with the request")
            return Said([Text("one two ")], "stop_sequence", heard.stop[0])
        case "length":
            return Said([Text("one two thr")], "length")
        case "refuse":
            return Said([Text("I will ")] if rest == "late" else [], "refusal", refusal=REFUSAL, blocked=rest == "prompt")
        case "slow":
            return Said([Text("one two three")], slow=rest)
    return Said([Text(f"I was asked: {words}")])


def tools(heard, rest):
    wanted = [tool for tool in heard.tools if heard.choice in ("auto", "any", tool.name)]
    if not wanted:
        return Said([Text("I may call no tool")])
    if not heard.parallel:
        wanted = wanted[:1]
    calls = [Call(None, tool.name, by_schema(tool.schema)) for tool in wanted]
    return Said(([Text("I will look. ")] if rest == "aloud" else []) + calls, "tools")


def paced(frames, said, broken):
    """The frames as they are sent: slowly, or not to their end. `broken` is the vendor's frame for a failure."""
    middle = len(frames) // 2
    if said.slow == "head":
        return frames
    if said.slow == "first":
        return [LONG, *frames]
    if said.slow == "idle":
        return [*frames[:middle], LONG, *frames[middle:]]
    if said.breaks:
        from wire import CUT

        return [*frames[:middle], *([broken] if said.breaks == "error" else [CUT])]
    return frames
