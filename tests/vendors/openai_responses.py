"""OpenAI's responses: https://platform.openai.com/docs/api-reference/responses and /responses-streaming, and openai-python."""

import json
import time

import script
from openai_chat import NAME, failure, image
from words import (
    CACHED, COUNTER, INPUT, OUTPUT, REASONED, WRITTEN, Bad, Call, Document, Heard, Result, Text, Thought, Tool, Turn, data_url,
    number, only, parse, require, schema_of, sign, signed, sse, text_of,
)

FIELDS = """access_programs background context_management conversation image include input instructions max_output_tokens
max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options
prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools
top_logprobs top_p truncation user""".split()
# Documented nowhere, but Codex sends it to the vendor itself.
FIELDS += ["client_metadata"]
# Tools that the vendor runs itself, or whose input is no JSON. The script calls functions only.
OTHER_TOOLS = "custom web_search web_search_preview local_shell shell apply_patch image_generation tool_search namespace mcp".split()


def hear(body):
    body = only(parse(body), FIELDS, "request")
    require(isinstance(body.get("model"), str) and body["model"], "you must provide a model parameter", "model")
    heard = Heard(body["model"], [])
    heard.system = body.get("instructions") or ""
    heard.max_tokens = number(body, "max_output_tokens", int, 16)
    heard.temperature, heard.top_p = number(body, "temperature"), number(body, "top_p")
    heard.streaming = body.get("stream") is True
    reasoning = only(body.get("reasoning") or {}, "context effort generate_summary mode summary".split(), "reasoning")
    heard.thinking = reasoning.get("effort") not in (None, "none") or "summary" in reasoning
    heard.stored = body.get("store") is not False
    heard.encrypted = "reasoning.encrypted_content" in (body.get("include") or [])
    form = only(body.get("text") or {}, ["format", "verbosity"], "text").get("format") or {}
    if form.get("type") == "json_schema":
        only(form, ["type", "name", "schema", "strict", "description"], "text.format")
        require(NAME.fullmatch(form.get("name", "")), "a schema needs a name", "text.format.name")
        heard.schema = schema_of(form.get("schema"), "text.format.schema")
    tools(body, heard)
    given = body.get("input")
    items([{"role": "user", "content": given}] if isinstance(given, str) else given, heard)
    return heard


def tools(body, heard):
    for index, tool in enumerate(body.get("tools") or []):
        where = f"tools[{index}]"
        if tool.get("type") in OTHER_TOOLS:
            continue
        require(tool.get("type") == "function", f"{where}.type: unknown", where)
        only(tool, ["type", "name", "description", "parameters", "strict", "defer_loading"], where)
        require(NAME.fullmatch(tool.get("name") or ""), f"{where}.name: does not match", where)
        require("parameters" in tool, f"{where}.parameters: missing", where)
        heard.tools.append(Tool(tool["name"], tool["parameters"] or {}))
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        only(choice, ["type", "name"], "tool_choice")
        require(choice.get("type") == "function", "tool_choice.type", "tool_choice")
        heard.choice = choice["name"]
    elif choice is not None:
        require(choice in ("auto", "required", "none"), "tool_choice: unknown", "tool_choice")
        heard.choice = {"required": "any"}.get(choice, choice)
    heard.parallel = body.get("parallel_tool_calls") is not False


def items(given, heard):
    require(isinstance(given, list) and given, "input: expected a string or a non-empty array", "input")
    waiting = {}

    def add(role, *parts):
        if heard.turns and heard.turns[-1].role == role:
            heard.turns[-1].parts += parts
        else:
            heard.turns.append(Turn(role, list(parts)))

    for index, item in enumerate(given):
        where = f"input[{index}]"
        require(isinstance(item, dict), f"{where}: expected an object", where)
        kind = item.get("type", "message")
        if kind == "message":
            only(item, ["type", "role", "content", "id", "status", "phase"], where)
            role = item.get("role")
            require(role in ("user", "assistant", "system", "developer"), f"{where}.role: unknown", where)
            kinds = {"assistant": ["output_text", "refusal"], "user": ["input_text", "input_image", "input_file"]}
            parts = content(item.get("content"), where, kinds.get(role, ["input_text"]))
            if role in ("system", "developer"):
                heard.system = "\n\n".join(filter(None, [heard.system, *(part.text for part in parts)]))
            else:
                add(role, *parts)
        elif kind == "function_call":
            only(item, ["type", "id", "call_id", "name", "arguments", "status", "namespace", "caller", "async"], where)
            id, arguments = item.get("call_id"), item.get("arguments")
            require(isinstance(id, str) and 0 < len(id) <= 64, f"{where}.call_id: a string of at most 64 characters", where)
            require(item.get("id") is None or item["id"].startswith("fc_"), f"{where}.id: Expected an ID that begins with 'fc'.")
            require(isinstance(arguments, str), f"{where}.arguments: expected a string", where)
            require(NAME.fullmatch(item.get("name") or ""), f"{where}.name: does not match", where)
            waiting[id] = item["name"]
            add("assistant", Call(id, item["name"], json.loads(arguments)))
        elif kind == "function_call_output":
            only(item, ["type", "id", "call_id", "output", "status"], where)
            id = item.get("call_id")
            require(id in waiting, f"No tool call found for function call output with call_id {id}.", where)
            add("user", Result(id, waiting.pop(id), content(item.get("output"), where, ["input_text", "input_image", "input_file"])))
        elif kind == "reasoning":
            only(item, ["type", "id", "summary", "content", "encrypted_content", "status"], where)
            require(isinstance(item.get("summary"), list), f"{where}.summary: missing", where)
            if not item.get("encrypted_content"):
                require(heard.stored, f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is set to "
                        "false. Try again with `store` set to true, or remove this item from your input.", where)
                continue
            text = "".join(part["text"] for part in item["summary"])
            signed(text, item["encrypted_content"], where)
            add("assistant", Thought(text, item["encrypted_content"]))
        else:
            raise Bad(f"{where}.type: {kind} is unknown to the script", where)
    require(not waiting, f"No tool output found for function call {', '.join(waiting)}.", "input")


def content(value, where, kinds):
    if isinstance(value, str):
        return [Text(value)]
    require(isinstance(value, list), f"{where}.content: expected a string or an array", where)
    parts = []
    for index, part in enumerate(value):
        place = f"{where}.content[{index}]"
        kind = part.get("type")
        require(kind in kinds, f"{place}: Invalid value: '{kind}'. Supported values are: {kinds}", place)
        if kind in ("input_text", "output_text"):
            only(part, ["type", "text", "annotations", "logprobs"], place)
            parts.append(Text(text_of(part.get("text"), place, empty=True)))
        elif kind == "refusal":
            parts.append(Text(part["refusal"]))
        elif kind == "input_image":
            only(part, ["type", "image_url", "detail", "file_id"], place)
            parts.append(image(part.get("image_url"), place))
        else:
            only(part, ["type", "file_data", "file_url", "filename", "file_id", "detail"], place)
            kind, size = data_url(part.get("file_data") or part.get("file_url"), place)
            parts.append(Document(kind, size))
    return parts


def usage():
    return {
        "input_tokens": INPUT,
        "input_tokens_details": {"cached_tokens": CACHED, "cache_write_tokens": WRITTEN},
        "output_tokens": OUTPUT,
        "output_tokens_details": {"reasoning_tokens": REASONED},
        "total_tokens": INPUT + OUTPUT,
    }


def shell(heard):
    return {
        "id": f"resp_{next(COUNTER):024}", "object": "response", "created_at": int(time.time()), "status": "in_progress",
        "error": None, "incomplete_details": None, "instructions": heard.system or None, "max_output_tokens": heard.max_tokens,
        "model": heard.model, "output": [], "parallel_tool_calls": heard.parallel, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None}, "store": heard.stored, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled",
        "usage": None, "user": None, "metadata": {},
    }


def output(said, heard):
    status = "incomplete" if said.reason in ("length", "refusal") else "completed"
    for part in said.parts:
        number_ = f"{next(COUNTER):024}"
        if isinstance(part, Thought):
            item = {"id": f"rs_{number_}", "type": "reasoning", "summary": [{"type": "summary_text", "text": part.text}]}
            yield item | ({"encrypted_content": sign(part.text)} if heard.encrypted else {})
        elif isinstance(part, Call):
            yield {"id": f"fc_{number_}", "type": "function_call", "status": "completed", "call_id": f"call_{number_}",
                   "name": part.name, "arguments": json.dumps(part.arguments)}
        else:
            words = [{"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}]
            yield {"id": f"msg_{number_}", "type": "message", "status": status, "role": "assistant", "content": words}


def ending(said):
    reason = {"length": "max_output_tokens", "refusal": "content_filter"}.get(said.reason)
    if reason is None:
        return {"status": "completed", "usage": usage()}
    return {"status": "incomplete", "incomplete_details": {"reason": reason}, "usage": usage()}


def whole(said, heard):
    return shell(heard) | {"output": list(output(said, heard))} | ending(said)


def stream(said, heard):
    frames = []

    def event(kind, **fields):
        frames.append(sse({"type": kind, "sequence_number": len(frames), **fields}, kind))

    shown = shell(heard)
    event("response.created", response=shown)
    event("response.in_progress", response=shown)
    items_ = list(output(said, heard))
    for index, item in enumerate(items_):
        place = {"item_id": item["id"], "output_index": index}
        if item["type"] == "reasoning":
            event("response.output_item.added", output_index=index, item=item | {"summary": []})
            text, at = item["summary"][0]["text"], place | {"summary_index": 0}
            event("response.reasoning_summary_part.added", **at, part={"type": "summary_text", "text": ""})
            for piece in script.pieces(text):
                event("response.reasoning_summary_text.delta", **at, delta=piece, obfuscation="x")
            event("response.reasoning_summary_text.done", **at, text=text)
            event("response.reasoning_summary_part.done", **at, part=item["summary"][0])
        elif item["type"] == "function_call":
            event("response.output_item.added", output_index=index, item=item | {"arguments": "", "status": "in_progress"})
            for at in range(0, len(item["arguments"]), 9):
                event("response.function_call_arguments.delta", **place, delta=item["arguments"][at : at + 9], obfuscation="x")
            event("response.function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"])
        else:
            event("response.output_item.added", output_index=index, item=item | {"content": [], "status": "in_progress"})
            part, at = item["content"][0], place | {"content_index": 0}
            event("response.content_part.added", **at, part=part | {"text": ""})
            for piece in script.pieces(part["text"]):
                event("response.output_text.delta", **at, delta=piece, logprobs=[], obfuscation="x")
            event("response.output_text.done", **at, text=part["text"], logprobs=[])
            event("response.content_part.done", **at, part=part)
        event("response.output_item.done", output_index=index, item=item)
    end = ending(said)
    event(f"response.{end['status']}", response=shown | {"output": items_} | end)
    error = {"code": "server_error", "message": script.BROKEN}
    broken = {"type": "response.failed", "sequence_number": 999, "response": shown | {"status": "failed", "error": error}}
    return script.paced(frames, said, sse(broken, "response.failed"))


__all__ = ["failure", "hear", "stream", "whole"]
