"""What schemathesis can't know: a provider may refuse what the API allows, as vendors do."""

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance


@schemathesis.check
def valid_requests_are_accepted(ctx, response, case):
    """`positive_data_acceptance`, but for a refusal in the words of the provider, which begin with its name."""
    if response.status_code == 400 and '"echo: ' in response.text:
        return None
    return positive_data_acceptance(ctx, response, case)
