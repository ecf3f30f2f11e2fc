"""Vendors of models on one port, simulated by their documentation: `python3 tests/vendors [PORT]` says where it listens."""

import asyncio
import json
import re
import sys
from urllib.parse import unquote

import anthropic_messages as anthropic
import bedrock
import gemini
import ollama
import openai_chat as chat
import openai_responses as responses
import script
import wire
from words import INPUT, Bad, number, only, packed, parse, require, vectors
from wire import CUT, Reply, Stream

OPENAI_MODELS = ["gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small"]
ANTHROPIC_MODELS = ["claude-haiku-4-5", "claude-sonnet-4-5"]
GEMINI_MODELS = ["gemini-2.5-flash", "gemini-3-pro-preview", "gemini-embedding-001"]


async def spoken(dialect, heard, kind="text/event-stream"):
    """What the script says, in the dialect's words."""
    said = script.answer(heard)
    if isinstance(said, script.Failure):
        return refused(dialect, said.status, said.message, retry_after=said.retry_after)
    if said.slow == "head":
        await asyncio.sleep(script.LONG)
    if heard.streaming:
        return Stream(dialect.stream(said, heard), kind)
    if said.breaks == "error":
        return refused(dialect, 500, script.BROKEN)
    if said.breaks == "cut":
        return Stream([json.dumps(dialect.whole(said, heard)).encode()[:40], CUT], "application/json")
    if said.slow:
        await asyncio.sleep(script.LONG)
    return Reply(200, dialect.whole(said, heard))


def refused(dialect, status, message, param=None, retry_after=None):
    body, headers = dialect.failure(status, message, param), {}
    if dialect is bedrock:
        headers = bedrock.named(status)
    if dialect is anthropic:
        headers = {"request-id": body["request_id"]}
    if retry_after is not None:
        # Google says it in the body.
        if dialect is gemini:
            body["error"] |= gemini.retry(retry_after)
        else:
            headers["retry-after"] = str(retry_after)
    return Reply(status, body, headers)


async def openai(request, path):
    chat.authorised(request.headers)
    return await openai_paths(request, path)


async def azure(request, path):
    """https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle: version 1, and the dated ones."""
    require(request.headers.get("api-key", "").startswith("sim-"), "Access denied due to invalid subscription key")
    if match := re.fullmatch(r"/openai/deployments/([^/]+)(/.*)", path):
        require(re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", request.query.get("api-version", [""])[0]), "api-version is missing")
        return await openai_paths(request, match[2], unquote(match[1]))
    require(path.startswith("/openai/v1/"), f"unknown path {path}")
    return await openai_paths(request, path.removeprefix("/openai/v1"))



async def openai_paths(request, path, model=None):
    match request.method, path:
        case "POST", "/chat/completions":
            return await spoken(chat, chat.hear(request.body, model))
        case "POST", "/responses":
            return await spoken(responses, responses.hear(request.body))
        case "POST", "/embeddings":
            return Reply(200, embeddings(parse(request.body), model))
        case "GET", "/models":
            data = [{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "sim"} for name in OPENAI_MODELS]
            return Reply(200, {"object": "list", "data": data})
    raise Bad(f"unknown path {path}", status=404)


def embeddings(body, model):
    only(body, ["input", "model", "encoding_format", "dimensions", "user"], "request")
    require(body.get("model", model), "you must provide a model parameter", "model")
    texts = [body["input"]] if isinstance(body.get("input"), str) else body.get("input")
    require(isinstance(texts, list) and all(texts), "input: invalid", "input")
    form = body.get("encoding_format", "float")
    values = vectors(len(texts), number(body, "dimensions", int, 1) or 4)
    data = [{"object": "embedding", "index": index, "embedding": packed(value) if form == "base64" else value}
            for index, value in enumerate(values)]
    usage = {"prompt_tokens": INPUT, "total_tokens": INPUT}
    return {"object": "list", "model": body.get("model", model), "data": data, "usage": usage}


async def anthropic_paths(request, path):
    anthropic.authorised(request.headers)
    match request.method, path:
        case "POST", "/v1/messages":
            return await spoken(anthropic, anthropic.hear(request.body, request.headers))
        case "POST", "/v1/messages/count_tokens":
            return Reply(200, anthropic.count(anthropic.hear(request.body, request.headers, counting=True)))
        case "GET", "/v1/models":
            return Reply(200, anthropic.models(ANTHROPIC_MODELS))
    raise Bad(f"unknown path {path}", status=404)


async def gemini_paths(request, path):
    gemini.authorised(request.headers)
    if (request.method, path) == ("GET", "/v1beta/models"):
        return Reply(200, gemini.models(GEMINI_MODELS))
    match = re.fullmatch(r"/v1beta/models/([^/:]+):(\w+)", path)
    require(match and request.method == "POST", f"unknown path {path}")
    model, method = unquote(match[1]), match[2]
    match method:
        case "generateContent":
            return await spoken(gemini, gemini.hear(request.body, model))
        case "streamGenerateContent":
            require(request.query.get("alt") == ["sse"], "the script streams with alt=sse only")
            heard = gemini.hear(request.body, model)
            heard.streaming = True
            return await spoken(gemini, heard)
        case "countTokens":
            return Reply(200, gemini.count(request.body, model))
        case "batchEmbedContents":
            texts = gemini.embed(only(parse(request.body), ["requests"], "request")["requests"])
            return Reply(200, {"embeddings": [{"values": value} for value in vectors(len(texts))]})
        case "embedContent":
            gemini.embed([parse(request.body)])
            return Reply(200, {"embedding": {"values": vectors(1)[0]}})
    raise Bad(f"unknown method {method}", status=404)


async def ollama_paths(request, path):
    match request.method, path:
        case "POST", "/api/chat":
            return await spoken(ollama, ollama.hear(request.body), "application/x-ndjson")
        case "GET", "/api/tags":
            return Reply(200, ollama.tags())
        case "POST", "/api/embed":
            body = only(parse(request.body), ["model", "input", "truncate", "options", "keep_alive", "dimensions"], "request")
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            return Reply(200, {"model": body["model"], "embeddings": vectors(len(texts)), "prompt_eval_count": INPUT})
    raise Bad(f"unknown path {path}", status=404)


async def bedrock_paths(request, path):
    bedrock.authorised(request)
    match = re.fullmatch(r"/model/([^/]+)/(converse|converse-stream|count-tokens)", path)
    require(match and request.method == "POST", f"unknown path {path}")
    model = unquote(match[1])
    if match[2] == "count-tokens":
        return Reply(200, bedrock.count(request.body, model))
    heard = bedrock.hear(request.body, model, match[2] == "converse-stream")
    return await spoken(bedrock, heard, "application/vnd.amazon.eventstream")


VENDORS = {
    "/openai/v1": (openai, chat),
    "/azure": (azure, chat),
    "/anthropic": (anthropic_paths, anthropic),
    "/gemini": (gemini_paths, gemini),
    "/ollama": (ollama_paths, ollama),
    "/bedrock": (bedrock_paths, bedrock),
}


async def handle(request):
    for prefix, (vendor, dialect) in VENDORS.items():
        if request.path.startswith(prefix + "/"):
            try:
                return await vendor(request, request.path.removeprefix(prefix))
            except Bad as bad:
                return refused(dialect, bad.status, f"simulator: {bad.message}", bad.param)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                return refused(dialect, 400, f"simulator: malformed request: {error!r}")
    return Reply(404, {"error": f"no vendor at {request.path}"})


async def main():
    server = await wire.serve(handle, int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
