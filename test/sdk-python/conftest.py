"""Nothing of an SDK is configured in code: a caller's exports are put into the environment, as a shell does
that evaluates them, and the clients are then constructed without arguments."""

import asyncio
import inspect
import itertools
import os
import tempfile
from pathlib import Path

import pytest
from fidelity import Recorder
from harness import Gateway, set_environment

# Read by huggingface_hub when it is imported. It asks the Hub, without a key, by which variables to know a coding
# agent, unless it has asked within a day; and it would read the developer's own token.
_hugging_face = tempfile.TemporaryDirectory()
os.environ["HF_HOME"] = _hugging_face.name
Path(_hugging_face.name, ".agent_harnesses.json").write_text('{"standardEnvVars": [], "harnesses": {}}', encoding="utf-8")

_numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "shows(sdk, provider, cells): what passes goes into docs/fidelity.md")
    config.pluginmanager.register(Recorder())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Runs `async def` tests, without a plugin for it."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**wanted))
    return True


@pytest.fixture(scope="session")
def gateway():
    running = Gateway()
    yield running
    for provider in [*running.providers, "storage"]:
        assert "lmk_" not in str(running.tell(f"calls {provider}")), f"a master key reached {provider}"
    running.stop()


@pytest.fixture
def new_caller(gateway, monkeypatch):
    """Makes callers; the environment is the last one's."""

    def make():
        caller = gateway.add_caller(f"python-user-{next(_numbers)}")
        set_environment(monkeypatch, gateway.exports_of(caller.secret))
        return caller

    return make


@pytest.fixture
def caller(new_caller):
    return new_caller()
