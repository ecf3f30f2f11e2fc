"""Gemini's API: https://ai.google.dev/api/generate-content, /gemini-api/docs/function-calling and /thought-signatures."""

import base64
import re

import script
from words import (
    CACHED, COUNTER, INPUT, OUTPUT, REASONED, TOKENS, Bad, Call, Document, Heard, Image, Result, Text, Thought, Tool, Turn,
    compact, media, number, only, parse, picture, require, schema_of, sign, signed, text_of,
)

FIELDS = "contents tools toolConfig safetySettings systemInstruction generationConfig cachedContent model serviceTier".split()
CONFIG = """stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount maxOutputTokens
temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers speechConfig
thinkingConfig imageConfig mediaResolution""".split()
PART = "thought thoughtSignature partMetadata mediaResolution videoMetadata".split()
DATA = "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult".split()
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
REASONS = {"stop": "STOP", "stop_sequence": "STOP", "length": "MAX_TOKENS", "tools": "STOP", "refusal": "SAFETY"}
STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}
# Documented for calls that came from another model.
UNSIGNED = {"context_engineering_is_the_way_to_go", "skip_thought_signature_validator"}


def failure(status, message, param=None):
    return {"error": {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}}


def retry(seconds):
    return {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}]}


def authorised(headers):
    if not headers.get("x-goog-api-key", "").startswith("sim-"):
        raise Bad("API key not valid. Please pass a valid API key.", status=400)


def hear(body, model):
    return read(parse(body), model)


def read(body, model):
    body = only(body, FIELDS, "request")
    heard = Heard(model, [])
    system = body.get("systemInstruction")
    if system is not None:
        only(system, ["role", "parts"], "systemInstruction")
        heard.system = "\n\n".join(text_of(only(part, ["text"], "part")["text"], "systemInstruction") for part in system["parts"])
    config = only(body.get("generationConfig") or {}, CONFIG, "generationConfig")
    heard.max_tokens = number(config, "maxOutputTokens", int, 1)
    heard.temperature, heard.top_p = number(config, "temperature"), number(config, "topP")
    heard.stop = config.get("stopSequences") or []
    require(len(heard.stop) <= 5, "stopSequences: at most 5")
    schema = config.get("responseJsonSchema", config.get("responseSchema"))
    if schema is not None:
        require(config.get("responseMimeType") == "application/json", "a schema needs responseMimeType application/json")
        heard.schema = schema_of(schema, "generationConfig.responseJsonSchema")
    thinking = only(config.get("thinkingConfig") or {}, ["includeThoughts", "thinkingBudget", "thinkingLevel"], "thinkingConfig")
    require(not {"thinkingBudget", "thinkingLevel"} <= set(thinking), "You can only set one of thinking budget and level")
    require("thinkingLevel" not in thinking or model.startswith("gemini-3"), "Thinking level is not supported for this model.")
    heard.thinking = thinking.get("includeThoughts") is True
    tools(body, heard)
    contents(body.get("contents"), heard)
    return heard


def tools(body, heard):
    for index, tool in enumerate(body.get("tools") or []):
        only(tool, ["functionDeclarations"], f"tools[{index}]")
        for function in tool["functionDeclarations"]:
            where = f"tools[{index}].functionDeclarations"
            known = ["name", "description", "behavior", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"]
            only(function, known, where)
            require(NAME.fullmatch(function.get("name") or ""), f"{where}.name: Invalid function name")
            require(not {"parameters", "parametersJsonSchema"} <= set(function), f"{where}: parameters twice")
            if "parameters" in function:
                openapi(function["parameters"], where)
            schema = function.get("parametersJsonSchema", function.get("parameters"))
            heard.tools.append(Tool(function["name"], schema or {}))
    config = body.get("toolConfig")
    if config is not None:
        calling = only(config, ["functionCallingConfig"], "toolConfig").get("functionCallingConfig")
        only(calling, ["mode", "allowedFunctionNames"], "functionCallingConfig")
        mode, names = calling.get("mode"), calling.get("allowedFunctionNames")
        require(mode in ("AUTO", "ANY", "NONE", "VALIDATED"), "mode: unknown")
        require(not names or mode in ("ANY", "VALIDATED"), "allowedFunctionNames needs the mode ANY")
        heard.choice = names[0] if names else {"NONE": "none"}.get(mode, mode.lower())


def openapi(schema, where):
    """`parameters` is a subset of OpenAPI's schemas, not JSON schema."""
    known = """type format title description nullable enum maxItems minItems properties required minProperties maxProperties
    minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum""".split()
    only(schema, known, f"{where}.parameters")
    for value in (schema.get("properties") or {}).values():
        openapi(value, where)


def contents(given, heard):
    require(isinstance(given, list) and given, "contents is not specified")
    for index, content in enumerate(given):
        where = f"contents[{index}]"
        only(content, ["role", "parts"], where)
        role = {"user": "user", "model": "assistant"}.get(content.get("role"))
        require(role, f"{where}.role: Please use a valid role: user, model.")
        require(content.get("parts"), f"{where}.parts: must not be empty")
        parts = [part(value, f"{where}.parts[{number_}]") for number_, value in enumerate(content["parts"])]
        require(not heard.turns or heard.turns[-1].role != role, f"{where}: Please ensure that multiturn requests alternate "
                "between user and model.")
        results = [part for part in parts if isinstance(part, Result)]
        calls = [part for part in heard.turns[-1].parts if isinstance(part, Call)] if heard.turns else []
        if role == "user":
            require(len(results) == len(calls), f"{where}: Please ensure that the number of function response parts is equal to "
                    "the number of function call parts of the function call turn.")
            # In any order: names tell them apart.
            names = [sorted(part.name for part in side) for side in (calls, results)]
            require(names[0] == names[1], f"{where}: the responses of {names[1]} answer {names[0]}")
        heard.turns.append(Turn(role, parts))
        if role == "assistant" and heard.model.startswith("gemini-3"):
            calls = [(value, part) for value, part in zip(content["parts"], parts) if isinstance(part, Call)]
            if calls and calls[0][0].get("thoughtSignature") is None:
                raise Bad(f"Function call `{calls[0][1].name}` in the {index}. content block is missing a `thought_signature`.")
    require(heard.turns[-1].role == "user", "contents: the last turn must be the user's")
    require(heard.turns[0].role == "user", "Please ensure that function call turn comes immediately after a user turn.")


def part(value, where):
    only(value, PART + DATA, where)
    kinds = [name for name in DATA if name in value]
    require(len(kinds) == 1, f"{where}.data: required oneof field 'data' must have one initialized field")
    [kind] = kinds
    signature = value.get("thoughtSignature")
    if kind == "text":
        text = text_of(value["text"], where, empty=signature is not None)
        if signature is not None and signature not in UNSIGNED:
            signed(text, signature, where)
        return Thought(text, signature or "") if value.get("thought") else Text(text)
    if kind == "inlineData":
        blob = only(value[kind], ["mimeType", "data", "displayName"], where)
        data = media(blob.get("data"), where)
        mime = blob.get("mimeType", "")
        return picture(mime, data, where) if mime.startswith("image/") else Document(mime, len(data))
    if kind == "fileData":
        file = only(value[kind], ["mimeType", "fileUri", "displayName"], where)
        return Image(file["fileUri"], 0)
    if kind == "functionCall":
        call = only(value[kind], ["id", "name", "args"], where)
        require(NAME.fullmatch(call.get("name") or ""), f"{where}.name: Invalid function name")
        args = call.get("args") or {}
        require(isinstance(args, dict), f"{where}.args: expected an object")
        if signature is not None and signature not in UNSIGNED:
            signed(f"{call['name']} {compact(args)}", signature, where)
        return Call(call.get("id"), call["name"], args)
    require(kind == "functionResponse", f"{where}: {kind} is unknown to the script")
    response = only(value[kind], ["id", "name", "response", "willContinue", "scheduling", "parts"], where)
    require(isinstance(response.get("response"), dict), f"{where}.response: expected an object")
    return Result(response.get("id"), response.get("name"), said(response["response"]) + [
        part(inner, f"{where}.parts") for inner in response.get("parts") or []
    ], "error" in response["response"])


def said(response):
    """Documented: `output` for what it gave, `error` for how it failed; else the whole object."""
    words = response.get("error", response.get("output", response.get("result", response)))
    return [Text(words if isinstance(words, str) else compact(words))] if words not in ({}, "") else []


def usage():
    return {
        "promptTokenCount": INPUT,
        "cachedContentTokenCount": CACHED,
        "candidatesTokenCount": OUTPUT - REASONED,
        "thoughtsTokenCount": REASONED,
        "totalTokenCount": INPUT + OUTPUT,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT}],
    }


def written(said_):
    first = True
    for item in said_.parts:
        if isinstance(item, Thought):
            yield {"text": item.text, "thought": True}
        elif isinstance(item, Text):
            yield {"text": item.text}
        else:
            call = {"functionCall": {"name": item.name, "args": item.arguments}}
            # Only the first of parallel calls is signed.
            yield call | ({"thoughtSignature": sign(f"{item.name} {compact(item.arguments)}")} if first else {})
            first = False


def answer(heard, candidate):
    made = {"modelVersion": heard.model, "responseId": base64.b64encode(f"response-{next(COUNTER)}".encode()).decode()}
    return {"candidates": [{"index": 0, **candidate}], "usageMetadata": usage()} | made


def blocked():
    told = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": script.REFUSAL}}
    return told | {"usageMetadata": {"promptTokenCount": INPUT, "totalTokenCount": INPUT}}


def ending(said_):
    ended = {"finishReason": REASONS[said_.reason]}
    return ended | ({"finishMessage": script.REFUSAL} if said_.reason == "refusal" else {})


def whole(said_, heard):
    if said_.blocked:
        return blocked()
    content = {"parts": list(written(said_)), "role": "model"}
    return answer(heard, ({"content": content} if said_.parts else {}) | ending(said_))


def stream(said_, heard):
    if said_.blocked:
        return [event(blocked())]
    shown, frames = answer(heard, {}), []

    def chunk(*parts, **more):
        content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
        frames.append(event(shown | {"candidates": [{"index": 0, **content, **more}]}))

    for value in written(said_):
        if "text" in value:
            for piece in script.pieces(value["text"]):
                chunk(value | {"text": piece})
        else:
            chunk(value)
    # Documented: the last chunk may hold an empty text, with a signature or without.
    chunk(*([{"text": ""}] if said_.reason != "refusal" else []), **ending(said_))
    return script.paced(frames, said_, event(failure(503, script.BROKEN)))


def event(value):
    return f"data: {compact(value)}\r\n\r\n".encode()


def count(body, model):
    body = only(parse(body), ["contents", "generateContentRequest"], "request")
    inner = body.get("generateContentRequest")
    if inner is not None:
        require(inner.get("model") == f"models/{model}", "generateContentRequest.model is required")
    read(inner or body, model)
    return {"totalTokens": TOKENS, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": TOKENS}]}


def models(names):
    methods = ["generateContent", "countTokens", "batchEmbedContents", "embedContent"]
    return {"models": [
        {"name": f"models/{name}", "version": "001", "displayName": name, "inputTokenLimit": 1048576, "outputTokenLimit": 65536,
         "supportedGenerationMethods": methods} for name in names
    ]}


def embed(requests):
    texts = []
    for request in requests:
        only(request, ["model", "content", "taskType", "title", "outputDimensionality"], "requests")
        texts.append(text_of(request["content"]["parts"][0]["text"], "content"))
    return texts
