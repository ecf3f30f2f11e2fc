"""OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat and its types in openai-python."""

import json
import re
import time

import script
from words import (
    CACHED, COUNTER, INPUT, OUTPUT, REASONED, WRITTEN, Bad, Call, Document, Heard, Result, Text, Thought, Tool, Turn,
    data_url, media, number, only, parse, picture, require, schema_of, sse, text_of,
)

FIELDS = """messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options
prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options
temperature tool_choice tools top_logprobs top_p user verbosity web_search_options""".split()
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
FINISH = {"stop": "stop", "stop_sequence": "stop", "length": "length", "tools": "tool_calls", "refusal": "content_filter"}
# https://platform.openai.com/docs/guides/error-codes
TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", None),
}


def failure(status, message, param=None):
    kind, code = TYPES.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def authorised(headers):
    if not headers.get("authorization", "").startswith("Bearer sim-"):
        raise Bad("Incorrect API key provided", status=401)


def hear(body, model=None):
    body = only(parse(body), FIELDS, "request")
    model = body.get("model", model)
    require(isinstance(model, str) and model, "you must provide a model parameter", "model")
    heard = Heard(model, [])
    reasoner = model.startswith(("o3", "o4", "gpt-5"))
    require("max_tokens" not in body or not reasoner, "Unsupported parameter: 'max_tokens'", "max_tokens")
    require("temperature" not in body or not reasoner, "Unsupported parameter: 'temperature'", "temperature")
    require(not ("max_tokens" in body and "max_completion_tokens" in body), "both limits are set", "max_tokens")
    heard.max_tokens = number(body, "max_completion_tokens", int, 1) or number(body, "max_tokens", int, 1)
    heard.temperature, heard.top_p = number(body, "temperature"), number(body, "top_p")
    require(body.get("n") in (None, 1), "n: the script has one answer", "n")
    stop = body.get("stop") or []
    heard.stop = [stop] if isinstance(stop, str) else stop
    require(len(heard.stop) <= 4, "stop: at most 4", "stop")
    heard.streaming = body.get("stream") is True
    if "stream_options" in body:
        require(heard.streaming, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        only(body["stream_options"], ["include_usage", "include_obfuscation"], "stream_options")
    heard.usage = bool((body.get("stream_options") or {}).get("include_usage"))
    efforts = (None, "none", "minimal", "low", "medium", "high", "xhigh", "max")
    require(body.get("reasoning_effort") in efforts, "unknown effort", "reasoning_effort")
    heard.thinking = body.get("reasoning_effort") not in (None, "none")
    tools(body, heard)
    form = body.get("response_format")
    if form and form.get("type") == "json_schema":
        only(form, ["type", "json_schema"], "response_format")
        shape = only(form["json_schema"], ["name", "schema", "strict", "description"], "response_format.json_schema")
        require(NAME.fullmatch(shape.get("name", "")), "a schema needs a name", "response_format.json_schema.name")
        heard.schema = schema_of(shape.get("schema"), "response_format.json_schema.schema")
    messages(body.get("messages"), heard)
    return heard


def tools(body, heard):
    for index, tool in enumerate(body.get("tools") or []):
        where = f"tools[{index}]"
        only(tool, ["type", "function"], where)
        require(tool.get("type") == "function", f"{where}: no function", where)
        function = only(tool.get("function"), ["name", "description", "parameters", "strict"], f"{where}.function")
        require(NAME.fullmatch(function.get("name", "")), f"{where}.function.name: does not match", where)
        heard.tools.append(Tool(function["name"], function.get("parameters") or {}))
    choice = body.get("tool_choice")
    if choice is not None:
        require(heard.tools, "'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
    if isinstance(choice, dict):
        only(choice, ["type", "function"], "tool_choice")
        heard.choice = choice["function"]["name"]
        require(heard.choice in [tool.name for tool in heard.tools], "unknown tool", "tool_choice")
    elif choice is not None:
        require(choice in ("auto", "required", "none"), "tool_choice: unknown", "tool_choice")
        heard.choice = {"required": "any"}.get(choice, choice)
    if "parallel_tool_calls" in body:
        message = "'parallel_tool_calls' is only allowed when 'tools' are specified."
        require(heard.tools, message, "parallel_tool_calls")
        heard.parallel = body["parallel_tool_calls"]


def messages(given, heard):
    require(isinstance(given, list) and given, "messages: expected a non-empty array", "messages")
    # Calls that nobody has answered yet.
    waiting = {}
    for index, message in enumerate(given):
        where = f"messages[{index}]"
        require(isinstance(message, dict), f"{where}: expected an object", where)
        role = message.get("role")
        if role != "tool" and waiting:
            raise Bad(f"An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                      f"'tool_call_id'. Missing: {', '.join(waiting)}", where)
        if role in ("system", "developer"):
            only(message, ["role", "content", "name"], where)
            words = "\n".join(part.text for part in content(message.get("content"), where, ["text"]))
            heard.system = "\n\n".join(filter(None, [heard.system, words]))
        elif role == "user":
            only(message, ["role", "content", "name"], where)
            parts = content(message.get("content"), where, ["text", "image_url", "file"])
            if heard.turns and heard.turns[-1].role == "user":
                heard.turns[-1].parts += parts
            else:
                heard.turns.append(Turn("user", parts))
        elif role == "assistant":
            heard.turns.append(assistant(message, where, waiting))
        elif role == "tool":
            only(message, ["role", "content", "tool_call_id"], where)
            id = message.get("tool_call_id")
            require(id in waiting, f"{where}: 'tool' must be a response to a preceeding message with 'tool_calls'", where)
            parts = content(message.get("content"), where, ["text"], empty=True)
            result = Result(id, waiting.pop(id), parts)
            if heard.turns[-1].role == "user":
                heard.turns[-1].parts.append(result)
            else:
                heard.turns.append(Turn("user", [result]))
        else:
            raise Bad(f"{where}: unknown role {role}", where)
    require(not waiting, "tool calls without answers", "messages")
    require(heard.turns, "messages: there is no user message", "messages")


def assistant(message, where, waiting):
    only(message, ["role", "content", "name", "tool_calls", "refusal", "audio", "function_call"], where)
    parts = []
    if message.get("content") is not None:
        parts = content(message["content"], where, ["text", "refusal"], empty=True)
    calls = message.get("tool_calls")
    require(calls is None or calls, f"{where}.tool_calls: empty array", where)
    for number_, call in enumerate(calls or []):
        place = f"{where}.tool_calls[{number_}]"
        only(call, ["id", "type", "function"], place)
        require(call.get("type") == "function", f"{place}.type", place)
        function = only(call.get("function"), ["name", "arguments"], f"{place}.function")
        id, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
        require(isinstance(id, str) and 0 < len(id) <= 64, f"{place}.id: a string of at most 64 characters", place)
        require(isinstance(arguments, str), f"{place}.function.arguments: expected a string", place)
        require(isinstance(name, str) and NAME.fullmatch(name), f"{place}.function.name: does not match", place)
        waiting[id] = name
        parts.append(Call(id, name, json.loads(arguments)))
    require(parts or message.get("refusal"), f"{where}: neither content nor tool_calls", where)
    return Turn("assistant", parts)


def content(value, where, kinds, empty=False):
    if isinstance(value, str):
        return [Text(value)]
    require(isinstance(value, list) and value, f"{where}.content: expected a string or an array", where)
    parts = []
    for index, part in enumerate(value):
        place = f"{where}.content[{index}]"
        kind = part.get("type")
        require(kind in kinds, f"{place}: {kind} is not allowed here", place)
        only(part, ["type", kind], place)
        if kind == "text":
            parts.append(Text(text_of(part["text"], place, empty=True)))
        elif kind == "refusal":
            parts.append(Text(part["refusal"]))
        elif kind == "image_url":
            only(part["image_url"], ["url", "detail"], place)
            parts.append(image(part["image_url"].get("url"), place))
        else:
            file = only(part["file"], ["file_data", "file_id", "filename"], place)
            kind, size = data_url(file["file_data"], place)
            parts.append(Document(kind, size))
    return parts


def image(url, where):
    kind, size = data_url(url, where)
    if not url.startswith("data:"):
        from words import Image

        return Image(kind, 0)
    return picture(kind, media(url.partition(",")[2], where), where)


def usage():
    return {
        "prompt_tokens": INPUT,
        "completion_tokens": OUTPUT,
        "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED, "audio_tokens": 0, "cache_write_tokens": WRITTEN},
        "completion_tokens_details": {
            "reasoning_tokens": REASONED, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    }


def shell(heard, kind, choices):
    made = {"id": f"chatcmpl-{next(COUNTER)}", "object": kind, "created": int(time.time()), "model": heard.model}
    return made | {"choices": choices, "service_tier": "default", "system_fingerprint": "fp_simulated"}


def spoken(said):
    return "".join(part.text for part in said.parts if isinstance(part, Text))


def called(said):
    return [
        {"id": f"call_{next(COUNTER):024}", "type": "function",
         "function": {"name": part.name, "arguments": json.dumps(part.arguments)}}
        for part in said.parts if isinstance(part, Call)
    ]


def whole(said, heard):
    calls = called(said)
    message = {"role": "assistant", "content": spoken(said) or None, "refusal": None, "annotations": []}
    # Not OpenAI's own, but that of most vendors who speak its dialect (DeepSeek's documentation of reasoning_content).
    for part in said.parts:
        if isinstance(part, Thought):
            message["reasoning_content"] = part.text
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[said.reason]}
    return shell(heard, "chat.completion", [choice]) | {"usage": usage()}


def stream(said, heard):
    chunk = shell(heard, "chat.completion.chunk", [])
    frames = []

    def delta(value, finish=None):
        choice = {"index": 0, "delta": value, "logprobs": None, "finish_reason": finish}
        tail = {"usage": None} if heard.usage else {}
        # Azure's and OpenAI's chunks of equal length: a field that nobody reads.
        frames.append(sse(chunk | {"choices": [choice]} | tail | {"obfuscation": "x"}))

    delta({"role": "assistant", "content": "", "refusal": None})
    for part in said.parts:
        for piece in script.pieces(part.text) if isinstance(part, (Text, Thought)) else []:
            delta({"content" if isinstance(part, Text) else "reasoning_content": piece})
    calls = called(said)
    for index, call in enumerate(calls):
        opened = {"index": index, **call, "function": {"name": call["function"]["name"], "arguments": ""}}
        delta({"tool_calls": [opened]})
    # Parallel calls may come interleaved.
    texts = [call["function"]["arguments"] for call in calls]
    for at in range(0, max(map(len, texts), default=0), 7):
        for index, text in enumerate(texts):
            if at < len(text):
                delta({"tool_calls": [{"index": index, "function": {"arguments": text[at : at + 7]}}]})
    delta({}, FINISH[said.reason])
    if heard.usage:
        frames.append(sse(chunk | {"choices": [], "usage": usage()}))
    frames.append(b"data: [DONE]\n\n")
    return script.paced(frames, said, sse(failure(503, script.BROKEN)))
