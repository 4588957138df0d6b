"""Whatever is sent to an address that the server describes, it never fails with a 500."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.explorer.conftest import Site

schemathesis = pytest.importorskip("schemathesis")

EXAMPLES = 25
"""Requests to each address."""


def test_no_request_makes_the_server_fail(site: Site) -> None:
    schema = schemathesis.openapi.from_url(f"{site.url}openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 12

    def case_of(operation: Any) -> Any:
        modes = schemathesis.GenerationMode
        return st.one_of(
            operation.as_strategy(generation_mode=modes.POSITIVE),
            operation.as_strategy(generation_mode=modes.NEGATIVE),
        )

    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=case_of(operation))
        def ask(case: Any) -> None:
            status = case.call(timeout=10).status_code
            assert status < 500, case.as_curl_command()

        ask()
