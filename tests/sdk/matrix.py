"""Every pair of a caller's dialect and a provider's plugin, plain and streamed; what a vendor can't do is written down here."""

import json

import pytest
from callers import CALLERS

# Provider: the model that is asked, which is also one that thinks.
PROVIDERS = {
    "openai": "gpt-5-mini",
    "responses": "gpt-5-mini",
    "azure": "gpt-5-mini",
    "dated": "gpt-5-mini",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-3-pro-preview",
    "ollama": "qwen3:8b",
    "bedrock": "anthropic.claude-haiku-4-5",
}
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
            "what": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["city"],
    },
}
TIME = {
    "name": "get_time",
    "description": "The time in a zone.",
    "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
}
# What the simulated model puts into strings.
CITY = 'Zürich 🦀 "quoted" \\ and\nmore'
ASKED = {
    "get_weather": {"city": CITY, "days": 42, "unit": "celsius", "what": [CITY]},
    "get_time": {"zone": CITY},
}
THOUGHT = "First, naïve 日本語 thoughts 🦀 — then more."
BROKEN = "the machine fell over"


def model(provider):
    return f"{provider}/{PROVIDERS[provider]}"


def settings(answer):
    return json.loads(answer.text)


pairs = [
    pytest.mark.parametrize("dialect", CALLERS),
    pytest.mark.parametrize("provider", PROVIDERS),
]
modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def every(test):
    """Dialect × provider × plain or streamed."""
    for mark in (*pairs, modes):
        test = mark(test)
    return test


def each(test):
    """Dialect × provider."""
    for mark in pairs:
        test = mark(test)
    return test
