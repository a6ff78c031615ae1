"""What tests have shown of an SDK, for docs/fidelity.md; see scripts/fidelity.mjs."""

import json
import os
from collections import defaultdict
from importlib import metadata

import pytest


def shows(sdk, provider):
    """Marks tests: `@of_openai("plain")` where `of_openai = shows("openai", "OpenAI")`."""
    return lambda *cells: pytest.mark.shows(sdk, provider, cells)


class Recorder:
    """Writes down a cell of which every test has passed, in every form of the client."""

    def __init__(self):
        self.outcomes = defaultdict(list)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        if report.when != "call" and report.passed:
            return
        for mark in item.iter_markers("shows"):
            sdk, provider, cells = mark.args
            for cell in cells:
                self.outcomes[sdk, provider, cell].append(report.passed)

    def pytest_sessionfinish(self):
        file = os.environ.get("FIDELITY_RECORD")
        if not file:
            return
        with open(file, "a", encoding="utf-8") as record:
            for (sdk, provider, cell), passed in self.outcomes.items():
                if not all(passed):
                    continue
                shown = {"sdk": sdk, "provider": provider, "language": "Python"}
                record.write(json.dumps({**shown, "version": metadata.version(sdk), "cell": cell}) + "\n")
