"""Cohere's SDK reads its base address when it is imported, so that is done once the exports are there."""

import hashlib
import importlib
import io

import pytest
from both import all_of, done, failure_of
from fidelity import shows
from harness import HELLO, USED, has, says

shown = shows("cohere", "Cohere")
MODEL = "command-r-08-2024"
# $0.15 for a million tokens of input, $0.60 of output.
COST = str(11 * 150 + 7 * 600)


@pytest.fixture(params=["ClientV2", "AsyncClientV2"], ids=["sync", "async"])
def client(request, caller):
    return getattr(importlib.import_module("cohere"), request.param)()


@shown("plain")
async def test_a_chat_is_answered_metered_and_priced(gateway, caller, client):
    answer = await done(client.chat(model=MODEL, messages=says("Say hello")))
    assert answer.message.content[0].text == HELLO
    assert answer.usage.billed_units.output_tokens == 7
    assert gateway.sent("cohere")["path"] == "/v2/chat"
    (row,) = caller.rows(1)
    assert has(row, provider="cohere", endpoint="/v2/chat", model=MODEL, status=200, ending="complete")
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=COST)


@shown("stream")
async def test_a_stream_is_answered_metered_and_priced(gateway, caller, client):
    events = await all_of(client.chat_stream(model=MODEL, messages=says("Say hello")))
    pieces = [event.delta.message.content.text for event in events if event.type == "content-delta"]
    assert len(pieces) > 1
    assert "".join(pieces) == HELLO
    assert events[-1].delta.usage.billed_units.input_tokens == 11
    gateway.sent("cohere")
    (row,) = caller.rows(1)
    assert has(row, provider="cohere", model=MODEL, status=200, usage=USED, costNanos=COST)


async def test_a_rerank_is_metered_by_its_searches(gateway, caller, client):
    answer = await done(client.rerank(model="rerank-v3.5", query="q", documents=["a", "b", "c", "d"]))
    assert answer.results[0].index == 3
    gateway.sent("cohere")
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v2/rerank", model="rerank-v3.5", status=200, usage={"searches": 1})


@shown("upload")
async def test_an_uploaded_dataset_arrives_byte_for_byte(gateway, caller, client):
    content = b'{"text": "a"}\n' * 5000
    file = io.BytesIO(content)
    file.name = "data.jsonl"
    made = await done(client.datasets.create(name="mine", type="embed-input", data=file))
    assert made.id == f"data.jsonl-{hashlib.sha256(content).hexdigest()}"
    assert gateway.sent("cohere")["path"].startswith("/v1/datasets?")
    (row,) = caller.rows(1)
    assert has(row, provider="cohere", method="POST", endpoint="/v1/datasets", status=200, refusal=None)


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.chat, model=MODEL, messages=says("Fail with 400"))
    assert type(error).__name__ == "BadRequestError"
    assert error.body["error"]["message"] == "The stand-in fails with 400."
    gateway.sent("cohere")
    (row,) = caller.rows(1)
    assert has(row, provider="cohere", model=MODEL, status=400, refusal=None, usage=None, costNanos=None)
