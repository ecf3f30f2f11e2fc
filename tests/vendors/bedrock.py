"""Bedrock's Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, …_ConverseStream.html,
and the framing application/vnd.amazon.eventstream; signatures by AWS's documentation of version 4."""

import hashlib
import hmac
import json
import re
import struct
import zlib
from urllib.parse import quote

import script
from words import (
    CACHED, COUNTER, INPUT, OUTPUT, TOKENS, WRITTEN, Bad, Call, Document, Heard, Image, Result, Text, Thought, Tool, Turn, compact,
    media, number, only, parse, picture, require, schema_of, sign, signed, text_of,
)

SECRET = "sim-secret/with+signs"
FIELDS = """messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables
additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig""".split()
ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
REASONS = {"stop": "end_turn", "stop_sequence": "stop_sequence", "length": "max_tokens", "tools": "tool_use",
           "refusal": "content_filtered"}
ERRORS = {
    400: "ValidationException", 401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
    408: "ModelTimeoutException", 424: "ModelErrorException", 429: "ThrottlingException", 500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def failure(status, message, param=None):
    return {"message": message}


def named(status):
    return {"x-amzn-errortype": ERRORS.get(status, "InternalServerException"), "x-amzn-requestid": f"request-{next(COUNTER)}"}


def authorised(request):
    """Signed as AWS documents it, for the service and the region that the test has set."""
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                         request.headers.get("authorization", ""))
    if not match:
        raise Bad("Missing Authentication Token", status=403)
    credential, names, signature = match.groups()
    key, date, region, service, last = credential.split("/")
    stamp = request.headers.get("x-amz-date", "")
    if (key, service, last) != ("SIMAKID", "bedrock", "aws4_request") or not stamp.startswith(date):
        raise Bad("Credential should be scoped to correct service.", status=403)
    if not {"host", "x-amz-date"} <= set(names.split(";")):
        raise Bad("host and x-amz-date must be signed", status=403)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names.split(";"))
    digest = hashlib.sha256(request.body).hexdigest()
    # All services but S3 encode the path once more.
    path = quote(request.path, safe="/-_.~")
    canonical = "\n".join([request.method, path, "", headers, names, digest])
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    derived = ("AWS4" + SECRET).encode()
    for word in (date, region, service, "aws4_request"):
        derived = hmac.new(derived, word.encode(), hashlib.sha256).digest()
    if hmac.new(derived, text.encode(), hashlib.sha256).hexdigest() != signature:
        raise Bad("The request signature we calculated does not match the signature you provided.", status=403)


def hear(body, model, streaming=False):
    return read(parse(body), model, streaming)


def read(body, model, streaming=False):
    only(body, FIELDS, "request")
    heard = Heard(model, [], streaming=streaming)
    heard.system = "\n\n".join(
        text_of(union(block, ["text", "cachePoint", "guardContent"], "system")[1], "system")
        for block in body.get("system") or [] if "cachePoint" not in block
    )
    config = only(body.get("inferenceConfig") or {}, ["maxTokens", "temperature", "topP", "stopSequences"], "inferenceConfig")
    heard.max_tokens = number(config, "maxTokens", int, 1)
    heard.temperature, heard.top_p = number(config, "temperature"), number(config, "topP")
    heard.stop = config.get("stopSequences") or []
    more = body.get("additionalModelRequestFields") or {}
    require(isinstance(more, dict), "additionalModelRequestFields: expected an object")
    thinking = (more.get("thinking") or more.get("reasoning_config") or {}).get("type")
    heard.thinking = thinking in ("enabled", "adaptive")
    form = (body.get("outputConfig") or {}).get("textFormat")
    if form is not None:
        only(form, ["type", "structure"], "outputConfig.textFormat")
        require(form.get("type") == "json_schema", "outputConfig.textFormat.type")
        shape = only(union(form["structure"], ["jsonSchema"], "structure")[1], ["schema", "name", "description"], "jsonSchema")
        require(isinstance(shape.get("schema"), str), "jsonSchema.schema: expected a string")
        heard.schema = json.loads(shape["schema"])
    tools(body.get("toolConfig"), heard)
    messages(body.get("messages"), heard)
    used = any(isinstance(part, (Call, Result)) for turn in heard.turns for part in turn.parts)
    require(not used or heard.tools, "The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    return heard


def union(value, names, where):
    require(isinstance(value, dict) and len(value) == 1 and next(iter(value)) in names,
            f"{where}: exactly one of {', '.join(names)} must be set, not {json.dumps(value)[:80]}")
    return next(iter(value.items()))


def tools(config, heard):
    if config is None:
        return
    only(config, ["tools", "toolChoice"], "toolConfig")
    require(config.get("tools"), "toolConfig.tools: Member must have length greater than or equal to 1")
    for index, tool in enumerate(config["tools"]):
        kind, spec = union(tool, ["toolSpec", "cachePoint", "systemTool"], f"tools.{index}")
        if kind != "toolSpec":
            continue
        only(spec, ["name", "description", "inputSchema", "strict"], f"tools.{index}.toolSpec")
        require(ID.fullmatch(spec.get("name") or ""), f"tools.{index}.toolSpec.name: must satisfy [a-zA-Z0-9_-]+")
        require(spec.get("description") != "", f"tools.{index}.toolSpec.description: length at least 1")
        schema = schema_of(union(spec.get("inputSchema"), ["json"], "inputSchema")[1], "inputSchema.json")
        require(schema.get("type") == "object", "toolConfig.tools: inputSchema.json.type must be one of the following: object.")
        heard.tools.append(Tool(spec["name"], schema))
    if "toolChoice" in config:
        kind, value = union(config["toolChoice"], ["auto", "any", "tool"], "toolChoice")
        only(value, ["name"] if kind == "tool" else [], "toolChoice")
        heard.choice = value["name"] if kind == "tool" else kind


def messages(given, heard):
    require(isinstance(given, list) and given, "messages: at least one")
    for index, message in enumerate(given):
        where = f"messages.{index}"
        only(message, ["role", "content"], where)
        role = message.get("role")
        require(role in ("user", "assistant"), f"{where}.role: unknown")
        require(heard.turns or role == "user", "A conversation must start with a user message.")
        require(not heard.turns or heard.turns[-1].role != role, "A conversation must alternate between user and assistant roles.")
        require(message.get("content"), f"The content field in the Message object at {where} is empty.")
        kinds = {"user": ["text", "image", "document", "toolResult", "cachePoint"],
                 "assistant": ["text", "toolUse", "reasoningContent", "cachePoint"]}[role]
        parts = [block(value, kinds, f"{where}.content.{at}") for at, value in enumerate(message["content"])]
        parts = [part for part in parts if part is not None]
        calls = {part.id: part.name for part in (heard.turns[-1].parts if heard.turns else []) if isinstance(part, Call)}
        results = [part for part in parts if isinstance(part, Result)]
        for result in results:
            require(result.id in calls, f"The toolUseId {result.id} at {where} does not match a toolUse of the previous turn.")
            result.name = calls.pop(result.id)
        require(role != "user" or not calls, f"Expected toolResult blocks at {where}.content for the following Ids: {list(calls)}")
        heard.turns.append(Turn(role, parts))
    require(heard.turns[-1].role == "user", "The last turn must be a user message.")


def block(value, kinds, where):
    kind, inner = union(value, kinds, where)
    if kind == "text":
        require(isinstance(inner, str) and inner.strip(), f"The text field in the ContentBlock object at {where} is blank.")
        return Text(inner)
    if kind == "image":
        only(inner, ["format", "source"], where)
        data = media(union(inner.get("source"), ["bytes"], where)[1], where)
        return picture(f"image/{inner.get('format')}", data, where)
    if kind == "document":
        only(inner, ["format", "name", "source", "citations", "context"], where)
        require(re.fullmatch(r"[a-zA-Z0-9()\[\] -]+", inner.get("name") or ""), f"{where}.name: characters that aren't allowed")
        return Document(f"application/{inner['format']}", len(media(union(inner["source"], ["bytes"], where)[1], where)))
    if kind == "toolUse":
        only(inner, ["toolUseId", "name", "input", "type"], where)
        require(ID.fullmatch(inner.get("toolUseId") or ""), f"{where}.toolUseId: must satisfy [a-zA-Z0-9_-]+")
        require(ID.fullmatch(inner.get("name") or ""), f"{where}.name: must satisfy [a-zA-Z0-9_-]+")
        require(isinstance(inner.get("input"), dict), f"The format of the value at {where}.toolUse.input is invalid.")
        return Call(inner["toolUseId"], inner["name"], inner["input"])
    if kind == "reasoningContent":
        kind, inner = union(inner, ["reasoningText", "redactedContent"], where)
        only(inner, ["text", "signature"], where)
        signed(inner.get("text"), inner.get("signature"), where)
        return Thought(inner["text"], inner["signature"])
    if kind == "toolResult":
        only(inner, ["toolUseId", "content", "status", "type"], where)
        require(inner.get("status") in (None, "success", "error"), f"{where}.status: unknown")
        parts = []
        for at, part in enumerate(inner.get("content") or []):
            if "json" in part:
                parts.append(Text(compact(union(part, ["json"], where)[1])))
            else:
                parts.append(block(part, ["text", "image", "document"], f"{where}.content.{at}"))
        return Result(inner.get("toolUseId"), None, parts, inner.get("status") == "error")
    return None


def usage():
    return {
        "inputTokens": INPUT - CACHED - WRITTEN, "outputTokens": OUTPUT, "totalTokens": INPUT + OUTPUT,
        "cacheReadInputTokens": CACHED, "cacheWriteInputTokens": WRITTEN,
    }


def whole(said, heard):
    content = []
    for part in said.parts:
        if isinstance(part, Text):
            content.append({"text": part.text})
        elif isinstance(part, Thought):
            content.append({"reasoningContent": {"reasoningText": {"text": part.text, "signature": sign(part.text)}}})
        else:
            content.append({"toolUse": {"toolUseId": f"tooluse_{next(COUNTER)}", "name": part.name, "input": part.arguments}})
    message = {"message": {"role": "assistant", "content": content}}
    return {"output": message, "stopReason": REASONS[said.reason], "usage": usage(), "metrics": {"latencyMs": 551}}


def frame(value, **headers):
    """One message: lengths, their checksum, headers of strings (type 7), payload, the checksum of all."""
    packed = b""
    for name, text in headers.items():
        name, text = f":{name.replace('_', '-')}".encode(), text.encode()
        packed += bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(text)) + text
    payload = compact(value).encode()
    lengths = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    checked = lengths + struct.pack(">I", zlib.crc32(lengths)) + packed + payload
    return checked + struct.pack(">I", zlib.crc32(checked))


def stream(said, heard):
    frames = []

    def event(kind, **value):
        # `p` pads messages to hide their lengths.
        frames.append(frame(value | {"p": "abcdefgh"}, event_type=kind, content_type="application/json", message_type="event"))

    event("messageStart", role="assistant")
    for index, part in enumerate(said.parts):
        if isinstance(part, Call):
            start = {"toolUse": {"toolUseId": f"tooluse_{next(COUNTER)}", "name": part.name}}
            event("contentBlockStart", contentBlockIndex=index, start=start)
            text = json.dumps(part.arguments)
            for at in range(0, len(text), 9):
                event("contentBlockDelta", contentBlockIndex=index, delta={"toolUse": {"input": text[at : at + 9]}})
        else:
            for piece in script.pieces(part.text):
                delta = {"text": piece} if isinstance(part, Text) else {"reasoningContent": {"text": piece}}
                event("contentBlockDelta", contentBlockIndex=index, delta=delta)
            if isinstance(part, Thought):
                signature = {"reasoningContent": {"signature": sign(part.text)}}
                event("contentBlockDelta", contentBlockIndex=index, delta=signature)
        event("contentBlockStop", contentBlockIndex=index)
    event("messageStop", stopReason=REASONS[said.reason])
    event("metadata", usage=usage(), metrics={"latencyMs": 551})
    kind = {"exception_type": "modelStreamErrorException", "content_type": "application/json", "message_type": "exception"}
    return script.paced(frames, said, frame({"message": script.BROKEN}, **kind))


def count(body, model):
    inner = only(parse(body), ["input"], "request").get("input")
    kind, value = union(inner, ["converse", "invokeModel"], "input")
    require(kind == "converse", "the script counts conversations only")
    only(value, ["messages", "system", "toolConfig", "additionalModelRequestFields"], "input.converse")
    read(value, model)
    return {"inputTokens": TOKENS}


__all__ = ["authorised", "count", "failure", "hear", "named", "stream", "whole", "Image"]
