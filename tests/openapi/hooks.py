"""What schemathesis can't know: a provider may refuse what the API allows, as vendors do, and no schema says everything."""

import re

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Refusals for reasons that no schema can give: what there is, what time it is, and how fields go together.
REASONS = [
    r'"(echo|openai|anthropic|gemini): ',  # In the words of a provider, which begin with its name.
    r"can't be told together",
    r"there is no such model; take first_id",
    r"a tool answers in text and media",
    r"take it from `links\.next`",
    r"there is no class",
    r"there is no tool",
    r"a time to come is wanted",
    r"what is ephemeral is in no session",
    r"the session has \d+ messages",
    r"the arguments of `\w+` can't be used",
    r"it answers no call before it",
    r"no response with the id '.*' is kept",
]


@schemathesis.check
def valid_requests_are_accepted(ctx, response, case):
    """`positive_data_acceptance`, but for those reasons."""
    if response.status_code in (400, 422) and any(re.search(reason, response.text) for reason in REASONS):
        return None
    return positive_data_acceptance(ctx, response, case)
