import hashlib
import os

import perplexity
import pytest
from both import all_of, done, failure_of
from fidelity import shows
from harness import has, says

shown = shows("perplexityai", "Perplexity")
MODEL = "sonar-pro"


@pytest.fixture(params=[perplexity.Perplexity, perplexity.AsyncPerplexity], ids=["sync", "async"])
def client(request, caller):
    return request.param()


@shown("plain")
async def test_a_chat_costs_what_its_answer_says(gateway, caller, client):
    answer = await done(client.chat.completions.create(model=MODEL, messages=says("Say hello")))
    assert answer.choices[0].message.content.startswith("Hello!")
    assert answer.usage.cost.total_cost == 0.018558
    assert gateway.sent("perplexity")["path"] == "/chat/completions"
    (row,) = caller.rows(1)
    assert has(row, provider="perplexity", endpoint="/chat/completions", model=MODEL, status=200)
    assert has(row, userName=caller.name, usage={"input_tokens": 26, "output_tokens": 832})
    assert has(row, evidence="reported", costNanos="18558000")


@shown("stream")
async def test_a_stream_costs_what_its_end_says(gateway, caller, client):
    create = client.chat.completions.create
    chunks = await all_of(await done(create(model=MODEL, messages=says("Say hello"), stream=True)))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "Hello"
    assert chunks[-1].usage.cost.total_cost == 0.006138
    gateway.sent("perplexity")
    (row,) = caller.rows(1)
    assert has(row, provider="perplexity", model=MODEL, status=200, costNanos="6138000")
    # The last piece's and not the sum: each has what was used so far.
    assert has(row, usage={"input_tokens": 26, "output_tokens": 4})


async def test_a_search_is_metered_as_a_request(gateway, caller, client):
    answer = await done(client.search.create(query="What is new?"))
    assert answer.results[0].snippet == "What it says."
    gateway.sent("perplexity")
    (row,) = caller.rows(1)
    assert has(row, provider="perplexity", endpoint="/search", status=200, usage={"requests": 1})


@shown("upload")
async def test_an_uploaded_file_arrives_byte_for_byte(gateway, caller, client):
    content = os.urandom(60_000)
    made = await done(client.files.create(file=("données.jsonl", content), purpose="batch"))
    assert (made.bytes, made.id) == (len(content), f"file-{hashlib.sha256(content).hexdigest()}")
    assert gateway.sent("perplexity")["path"] == "/v1/files"
    (row,) = caller.rows(1)
    assert has(row, provider="perplexity", method="POST", endpoint="/v1/files", status=200, refusal=None)


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.chat.completions.create, model=MODEL, messages=says("Fail with 400"))
    assert type(error) is perplexity.BadRequestError
    assert "The stand-in fails with 400." in error.message
    gateway.sent("perplexity")
    (row,) = caller.rows(1)
    assert has(row, provider="perplexity", model=MODEL, status=400, refusal=None, usage=None, costNanos=None)
