"""Ollama's API: https://github.com/ollama/ollama/blob/main/docs/api.md and https://docs.ollama.com/api."""

import script
from words import (
    INPUT, OUTPUT, Bad, Call, Heard, Image, Result, Text, Thought, Tool, Turn, compact, media, number, only, parse, require,
    schema_of,
)

FIELDS = "model messages tools format options stream keep_alive think logprobs top_logprobs truncate shift".split()
OPTIONS = """num_keep seed num_predict top_k top_p min_p typical_p repeat_last_n temperature repeat_penalty presence_penalty
frequency_penalty penalize_newline stop numa num_ctx num_batch num_gpu main_gpu use_mmap num_thread""".split()
MODELS = ["llama3.2:latest", "qwen3:8b"]


def failure(status, message, param=None):
    return {"error": message}


def hear(body):
    body = only(parse(body), FIELDS, "request")
    require(isinstance(body.get("model"), str) and body["model"], "model is required")
    heard = Heard(body["model"], [])
    # Documented: it streams unless it is told not to.
    heard.streaming = body.get("stream") is not False
    options = only(body.get("options") or {}, OPTIONS, "options")
    heard.max_tokens = number(options, "num_predict", int, -2)
    heard.temperature, heard.top_p = number(options, "temperature"), number(options, "top_p")
    heard.stop = options.get("stop") or []
    require(isinstance(heard.stop, list), "options.stop: expected an array")
    think = body.get("think")
    require(think in (None, True, False, "low", "medium", "high"), f"invalid think value: {think!r}")
    heard.thinking = think not in (None, False)
    form = body.get("format")
    if isinstance(form, dict):
        heard.schema = schema_of(form, "format")
    else:
        require(form in (None, "json"), f"invalid format: {form!r}; expected \"json\" or a valid JSON Schema object")
    for index, tool in enumerate(body.get("tools") or []):
        only(tool, ["type", "function"], f"tools[{index}]")
        function = only(tool["function"], ["name", "description", "parameters"], f"tools[{index}].function")
        heard.tools.append(Tool(function["name"], schema_of(function.get("parameters"), f"tools[{index}]")))
    messages(body.get("messages"), heard)
    return heard


def messages(given, heard):
    require(isinstance(given, list) and given, "messages: expected an array")
    calls = []
    for index, message in enumerate(given):
        where = f"messages[{index}]"
        only(message, ["role", "content", "images", "tool_calls", "tool_name", "tool_call_id", "thinking"], where)
        role, text = message.get("role"), message.get("content", "")
        require(role in ("system", "user", "assistant", "tool"), f"{where}: unknown role {role}")
        require(isinstance(text, str), f"{where}.content: json: cannot unmarshal into Go struct field of type string")
        require("tool_calls" not in message or role == "assistant", f"{where}: tool calls of {role}")
        parts = [Text(text)] if text else []
        if role == "system":
            heard.system = "\n\n".join(filter(None, [heard.system, text]))
            continue
        if message.get("thinking"):
            parts.insert(0, Thought(message["thinking"]))
        for image in message.get("images") or []:
            parts.append(Image(kind(media(image, where), where), len(media(image, where))))
        for call in message.get("tool_calls") or []:
            only(call, ["function", "id", "type"], where)
            function = only(call["function"], ["name", "arguments", "index"], where)
            require(isinstance(function.get("arguments"), dict), f"{where}: arguments: expected an object")
            calls.append(Call(call.get("id"), function["name"], function["arguments"]))
            parts.append(calls[-1])
        if role == "tool":
            name = message.get("tool_name")
            # Documented: results stand in the order of their calls, or are told apart by their names.
            found = next((call for call in calls if call.name == name), None)
            require(found, f"{where}: tool_name {name!r} names no call that waits")
            calls.remove(found)
            parts = [Result(None, name, parts)]
        said_by = "assistant" if role == "assistant" else "user"
        if heard.turns and heard.turns[-1].role == said_by:
            heard.turns[-1].parts += parts
        else:
            heard.turns.append(Turn(said_by, parts))
    require(heard.turns, "there are no messages")


def kind(data, where):
    for magic, name in ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"), (b"GIF8", "image/gif")):
        if data.startswith(magic):
            return name
    raise Bad(f"{where}: image: unknown format")


def shell(heard):
    return {"model": heard.model, "created_at": "2025-10-17T23:14:07.414671Z"}


def ending(said):
    # It tells no cached tokens, and counts thoughts as words.
    spent = {"prompt_eval_count": INPUT, "eval_count": OUTPUT, "prompt_eval_duration": 89_000_000, "eval_duration": 47_000_000}
    done = {"done": True, "done_reason": "length" if said.reason == "length" else "stop"}
    return done | {"total_duration": 174_000_000, "load_duration": 101_000_000} | spent


def called(said):
    return [{"function": {"name": part.name, "arguments": part.arguments}} for part in said.parts if isinstance(part, Call)]


def joined(said, kind_):
    return "".join(part.text for part in said.parts if isinstance(part, kind_))


def whole(said, heard):
    message = {"role": "assistant", "content": joined(said, Text)}
    if joined(said, Thought):
        message["thinking"] = joined(said, Thought)
    if called(said):
        message["tool_calls"] = called(said)
    return shell(heard) | {"message": message} | ending(said)


def stream(said, heard):
    frames = []

    def line(**message):
        frames.append(shell(heard) | {"message": {"role": "assistant", "content": "", **message}, "done": False})

    for part in said.parts:
        if isinstance(part, Call):
            line(tool_calls=[{"function": {"name": part.name, "arguments": part.arguments}}])
            continue
        for piece in script.pieces(part.text):
            line(**{"content" if isinstance(part, Text) else "thinking": piece})
    line()
    frames[-1] |= ending(said)
    return script.paced([compact(frame).encode() + b"\n" for frame in frames], said, compact(failure(500, script.BROKEN)).encode())


def tags():
    details = {"format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "3.2B", "quantization_level": "Q4_K_M"}
    return {"models": [
        {"name": name, "model": name, "modified_at": "2025-10-03T23:34:03.409490317-07:00", "size": 2019393189,
         "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72", "details": details} for name in MODELS
    ]}
