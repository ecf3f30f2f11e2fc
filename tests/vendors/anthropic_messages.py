"""Anthropic's messages: https://docs.anthropic.com/en/api/messages, /messages-streaming, /errors, and anthropic-sdk-python."""

import json
import re

import script
from words import (
    CACHED, COUNTER, INPUT, OUTPUT, REASONED, TOKENS, WRITTEN, Bad, Call, Document, Heard, Image, Result, Text, Thought, Tool,
    Turn, media, number, only, parse, picture, require, schema_of, sign, signed, sse, text_of,
)

FIELDS = """max_tokens messages model cache_control container diagnostics inference_geo metadata output_config service_tier speed
stop_sequences stream system temperature thinking tool_choice tools top_k top_p prefill user_profile_id workspace_id""".split()
COUNTED = "messages model cache_control output_config system thinking tool_choice tools speed".split()
# Fields that a beta brings, by the beginning of its name.
BETAS = {"context_management": "context-management-", "mcp_servers": "mcp-client-", "speed": "fast-mode-"}
ID = re.compile(r"[a-zA-Z0-9_-]+")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
REASONS = {"stop": "end_turn", "stop_sequence": "stop_sequence", "length": "max_tokens", "tools": "tool_use", "refusal": "refusal"}
TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 503: "api_error", 529: "overloaded_error",
}


def failure(status, message, param=None):
    error = {"type": TYPES.get(status, "api_error"), "message": message}
    return {"type": "error", "error": error, "request_id": f"req_{next(COUNTER):024}"}


def authorised(headers):
    if not headers.get("x-api-key", "").startswith("sim-"):
        raise Bad("invalid x-api-key", status=401)
    require("anthropic-version" in headers, "anthropic-version: header is required")


def hear(body, headers, counting=False):
    betas = [field for field, beta in BETAS.items() if beta in headers.get("anthropic-beta", "")]
    body = only(parse(body), (COUNTED if counting else FIELDS) + betas, "request")
    require(isinstance(body.get("model"), str) and body["model"], "model: Field required")
    heard = Heard(body["model"], [])
    if not counting:
        require(number(body, "max_tokens", int, 1) is not None, "max_tokens: Field required")
    heard.max_tokens = body.get("max_tokens")
    heard.temperature, heard.top_p = number(body, "temperature"), number(body, "top_p")
    require(heard.temperature is None or heard.temperature <= 1, "temperature: range: 0..1")
    heard.stop = body.get("stop_sequences") or []
    require(all(stop.strip() for stop in heard.stop), "stop_sequences: each stop sequence must contain non-whitespace")
    heard.streaming = body.get("stream") is True
    heard.system = system(body.get("system"))
    form = only(body.get("output_config") or {}, ["format", "effort"], "output_config").get("format")
    if form:
        only(form, ["type", "schema"], "output_config.format")
        require(form.get("type") == "json_schema", "output_config.format.type")
        heard.schema = schema_of(form.get("schema"), "output_config.format.schema")
    thinking(body, heard)
    tools(body, heard)
    messages(body.get("messages"), heard)
    return heard


def system(given):
    if given is None or isinstance(given, str):
        return given or ""
    require(isinstance(given, list), "system: expected a string or a list of blocks")
    texts = []
    for index, block in enumerate(given):
        only(block, ["type", "text", "cache_control", "citations"], f"system.{index}")
        require(block.get("type") == "text", f"system.{index}: only text")
        texts.append(text_of(block.get("text"), f"system.{index}.text"))
    return "\n\n".join(texts)


def thinking(body, heard):
    given = body.get("thinking")
    if given is None:
        return
    only(given, ["type", "budget_tokens", "display"], "thinking")
    require(given.get("type") in ("enabled", "disabled", "adaptive", "between_tools"), "thinking.type: unknown")
    heard.thinking = given["type"] in ("enabled", "adaptive")
    if given["type"] == "enabled":
        budget = number(given, "budget_tokens", int, 1024)
        require(budget is not None, "thinking.enabled.budget_tokens: Field required")
        if heard.max_tokens is not None:
            require(budget < heard.max_tokens, "`max_tokens` must be greater than `thinking.budget_tokens`")
    else:
        require("budget_tokens" not in given, "thinking.budget_tokens: Extra inputs are not permitted")
    if heard.thinking:
        require(heard.temperature in (None, 1), "`temperature` may only be set to 1 when thinking is enabled")


def tools(body, heard):
    known = """name input_schema description cache_control type strict allowed_callers defer_loading eager_input_streaming
    input_examples""".split()
    for index, tool in enumerate(body.get("tools") or []):
        where = f"tools.{index}"
        only(tool, known, where)
        require(NAME.fullmatch(tool.get("name") or ""), f"{where}.custom.name: String should match pattern")
        require(tool.get("type") in (None, "custom"), f"{where}.type: unknown")
        schema = schema_of(tool.get("input_schema"), f"{where}.input_schema")
        require(schema.get("type") == "object", f"{where}.input_schema.type: Field required")
        heard.tools.append(Tool(tool["name"], schema))
    require(len({tool.name for tool in heard.tools}) == len(heard.tools), "tools: Tool names must be unique.")
    choice = body.get("tool_choice")
    if choice is None:
        return
    require(heard.tools, "tool_choice may only be specified while providing tools.")
    only(choice, ["type", "name", "disable_parallel_tool_use"], "tool_choice")
    kind = choice.get("type")
    require(kind in ("auto", "any", "tool", "none"), "tool_choice.type: unknown")
    require(("name" in choice) == (kind == "tool"), "tool_choice.name")
    require(not heard.thinking or kind in ("auto", "none"), "Thinking may not be enabled when tool_choice forces tool use.")
    heard.choice = choice.get("name", kind)
    heard.parallel = not choice.get("disable_parallel_tool_use", False)


def messages(given, heard):
    require(isinstance(given, list) and given, "messages: at least one message is required")
    ids = set()
    for index, message in enumerate(given):
        where = f"messages.{index}"
        only(message, ["role", "content"], where)
        role = message.get("role")
        require(role in ("user", "assistant"), f"{where}.role: Input should be 'user' or 'assistant'")
        # The vendor itself merges neighbours of one role; a gateway that relies on it loses the order of results.
        require(not heard.turns or heard.turns[-1].role != role, f"{where}: roles must alternate")
        require(heard.turns or role == "user", "messages: first message must use the \"user\" role")
        last = index == len(given) - 1
        parts = blocks(message.get("content"), where, role, heard, ids)
        calls = [part for part in heard.turns[-1].parts if isinstance(part, Call)] if heard.turns else []
        if role == "user":
            answered(calls, parts, where)
        elif last and isinstance(parts[-1], Text):
            require(parts[-1].text == parts[-1].text.rstrip(), "final assistant content cannot end with trailing whitespace")
        heard.turns.append(Turn(role, parts))
    if heard.thinking:
        begun(heard)


def answered(calls, parts, where):
    results = [part for part in parts if isinstance(part, Result)]
    require(all(isinstance(part, Result) for part in parts[: len(results)]),
            f"{where}: tool_result blocks must come first in the content of a message")
    names = {call.id: call.name for call in calls}
    for result in results:
        require(result.id in names, f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {result.id}")
        result.name = names[result.id]
    missing = set(names) - {result.id for result in results}
    require(not missing, f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}")
    require(len({result.id for result in results}) == len(results), f"{where}: each tool_use must have a single result")


def begun(heard):
    """With thinking, the turn that calls tools now begins with the thoughts that led there."""
    last = heard.turns[-1]
    if any(isinstance(part, Result) for part in last.parts):
        first = heard.turns[-2].parts[0]
        require(isinstance(first, Thought), f"messages.{len(heard.turns) - 2}.content.0.type: Expected `thinking` or "
                "`redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start "
                "with a thinking block.")


def blocks(content, where, role, heard, ids):
    if isinstance(content, str):
        return [Text(text_of(content, f"{where}.content"))]
    require(isinstance(content, list) and content, f"{where}: all messages must have non-empty content")
    allowed = {"user": ("text", "image", "document", "tool_result"), "assistant": ("text", "thinking", "tool_use")}[role]
    return [block(value, f"{where}.content.{index}", allowed, ids) for index, value in enumerate(content)]


def block(value, where, allowed, ids):
    require(isinstance(value, dict), f"{where}: expected an object")
    kind = value.get("type")
    require(kind in allowed, f"{where}: {kind} blocks are not allowed here")
    if kind == "text":
        only(value, ["type", "text", "cache_control", "citations"], where)
        return Text(text_of(value.get("text"), f"{where}.text"))
    if kind in ("image", "document"):
        only(value, ["type", "source", "cache_control"] + ["title", "context", "citations"] * (kind == "document"), where)
        return source(value.get("source"), f"{where}.source", kind)
    if kind == "thinking":
        only(value, ["type", "thinking", "signature"], where)
        signed(value.get("thinking"), value.get("signature"), where)
        return Thought(value["thinking"], value["signature"])
    if kind == "tool_use":
        only(value, ["type", "id", "name", "input", "cache_control", "caller"], where)
        id, name = value.get("id"), value.get("name")
        require(isinstance(id, str) and ID.fullmatch(id), f"{where}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        require(id not in ids, f"{where}: `tool_use` ids must be unique")
        ids.add(id)
        require(isinstance(value.get("input"), dict), f"{where}.input: Input should be a valid dictionary")
        require(isinstance(name, str) and NAME.fullmatch(name), f"{where}.name: String should match pattern")
        return Call(id, name, value["input"])
    only(value, ["type", "tool_use_id", "content", "is_error", "cache_control"], where)
    content = value.get("content", [])
    parts = [Text(content)] if isinstance(content, str) else [
        block(part, f"{where}.content.{index}", ("text", "image", "document"), ids) for index, part in enumerate(content)
    ]
    return Result(value.get("tool_use_id"), None, parts, value.get("is_error") is True)


def source(given, where, kind):
    require(isinstance(given, dict), f"{where}: Field required")
    if given.get("type") == "url":
        only(given, ["type", "url"], where)
        return (Image if kind == "image" else Document)(given["url"], 0)
    only(given, ["type", "media_type", "data"], where)
    if given.get("type") == "text" and kind == "document":
        return Document("text/plain", len(given["data"].encode()))
    require(given.get("type") == "base64", f"{where}.type: unknown")
    data = media(given.get("data"), f"{where}.data")
    if kind == "image":
        return picture(given.get("media_type"), data, where)
    require(given.get("media_type") == "application/pdf", f"{where}.media_type: Input should be 'application/pdf'")
    return Document("application/pdf", len(data))


def usage(output):
    return {
        "input_tokens": INPUT - CACHED - WRITTEN,
        "cache_creation_input_tokens": WRITTEN,
        "cache_read_input_tokens": CACHED,
        "cache_creation": {"ephemeral_5m_input_tokens": WRITTEN, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def written(part):
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Thought):
        return {"type": "thinking", "thinking": part.text, "signature": sign(part.text)}
    return {"type": "tool_use", "id": f"toolu_{next(COUNTER):024}", "name": part.name, "input": part.arguments}


def message(heard):
    made = {"id": f"msg_{next(COUNTER):024}", "type": "message", "role": "assistant", "model": heard.model, "content": []}
    return made | {"stop_reason": None, "stop_sequence": None, "usage": usage(1)}


def ending(said):
    details = {"stop_details": {"type": "refusal", "category": "cyber", "explanation": script.REFUSAL}}
    told = {"stop_reason": REASONS[said.reason], "stop_sequence": said.stop}
    return told | (details if said.reason == "refusal" else {})


def whole(said, heard):
    spent = usage(OUTPUT) | {"output_tokens_details": {"thinking_tokens": REASONED}}
    return message(heard) | {"content": [written(part) for part in said.parts], "usage": spent} | ending(said)


def stream(said, heard):
    frames = []

    def event(kind, **fields):
        frames.append(sse({"type": kind, **fields}, kind))

    def delta(index, kind, **fields):
        event("content_block_delta", index=index, delta={"type": kind, **fields})

    event("message_start", message=message(heard))
    event("ping")
    for index, part in enumerate(said.parts):
        block = written(part)
        empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
        event("content_block_start", index=index, content_block=block | empty[block["type"]])
        if block["type"] == "tool_use":
            text = json.dumps(part.arguments)
            delta(index, "input_json_delta", partial_json="")
            for at in range(0, len(text) if part.arguments else 0, 9):
                delta(index, "input_json_delta", partial_json=text[at : at + 9])
        else:
            for piece in script.pieces(part.text):
                delta(index, f"{block['type']}_delta", **{block["type"]: piece})
        if block["type"] == "thinking":
            delta(index, "signature_delta", signature=block["signature"])
        event("content_block_stop", index=index)
    spent = {"output_tokens": OUTPUT, "output_tokens_details": {"thinking_tokens": REASONED}}
    event("message_delta", delta=ending(said), usage=spent)
    event("message_stop")
    error = failure(529, script.BROKEN)
    return script.paced(frames, said, sse({"type": "error", "error": error["error"]}, "error"))


def count(heard):
    return {"input_tokens": TOKENS}


def models(names):
    data = [{"type": "model", "id": name, "display_name": name.title(), "created_at": "2025-10-01T00:00:00Z"} for name in names]
    return {"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]}
