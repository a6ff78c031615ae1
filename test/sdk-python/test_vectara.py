"""The arguments are those that docs/guides/sdks.md names: with the master key, or as a client that gets tokens for it."""

import hashlib
import os

import pytest
from both import all_of, done, failure_of
from fidelity import shows
from harness import has
from vectara import AsyncVectara, KeyedSearchCorpus, SearchCorporaParameters, Vectara
from vectara.core.api_error import ApiError
from vectara.environment import VectaraEnvironment
from vectara.errors import ForbiddenError, NotFoundError

shown = shows("vectara", "Vectara")
SUMMARY = "Hello from the corpus, 你好 👋."


def search(corpus="mine"):
    return SearchCorporaParameters(corpora=[KeyedSearchCorpus(corpus_key=corpus)])


def made(sdk, **credential):
    url = os.environ["LMK_URL"]
    return sdk(**credential, environment=VectaraEnvironment(default=f"{url}/vectara", auth=f"{url}/vectara-auth"))


def with_key(sdk, key):
    return made(sdk, api_key=key)


def with_token(sdk, key):
    return made(sdk, client_id="llamakey", client_secret=key)


@pytest.fixture(params=[with_key, with_token], ids=["key", "token"])
def credential(request):
    return request.param


@pytest.fixture(params=[Vectara, AsyncVectara], ids=["sync", "async"])
def client(request, caller, credential):
    return credential(request.param, caller.secret)


def sent(gateway):
    return gateway.sent("vectara", "x-api-key", "{key}")


@shown("plain")
async def test_a_query_is_answered_and_counted(gateway, caller, client):
    answer = await done(client.queries.query(query="who?", search=search()))
    assert (answer.summary, answer.search_results[0].text) == (SUMMARY, "All about: who?")
    assert sent(gateway)["path"] == "/v2/query"
    (row,) = caller.rows(1)
    assert has(row, provider="vectara", endpoint="/v2/query", status=200, refusal=None, ending="complete")
    assert has(row, userName=caller.name, usage={"requests": 1}, evidence="reported", costNanos=None)


@shown("stream")
async def test_a_streamed_query_is_answered_and_counted(gateway, caller, client):
    events = await all_of(client.queries.query_stream(query="who?", search=search()))
    assert [event.type for event in events][-2:] == ["generation_end", "end"]
    chunks = [event.generation_chunk for event in events if event.type == "generation_chunk"]
    assert len(chunks) > 1
    assert "".join(chunks) == SUMMARY
    sent(gateway)
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v2/query", status=200, usage={"requests": 1}, ending="complete")


@shown("upload")
async def test_an_uploaded_file_arrives_byte_for_byte(gateway, caller, client):
    content = os.urandom(50_000)
    document = await done(client.upload.file("mine", file=("d.pdf", content), metadata={"a": "b"}))
    assert document.id == f"d.pdf-{hashlib.sha256(content).hexdigest()}"
    assert document.storage_usage.bytes_used == len(content)
    assert sent(gateway)["path"] == "/v2/corpora/mine/upload_file"
    (row,) = caller.rows(1)
    assert has(row, provider="vectara", endpoint="/v2/corpora/mine/upload_file", status=201, refusal=None)


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.queries.query, query="who?", search=search("theirs"))
    assert type(error) is NotFoundError
    assert (error.status_code, error.body["messages"]) == (404, ["The stand-in has no such corpus."])
    sent(gateway)
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v2/query", status=404, refusal=None, usage=None)


async def test_what_the_gateway_refuses_arrives_as_the_sdks_own_error(gateway, caller, client):
    error = await failure_of(client.api_keys.list)
    assert type(error) is ForbiddenError
    assert "credentials that would bypass the gateway" in error.body.messages[0]
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v2/api_keys", status=403, refusal="endpoint_not_allowed")


async def test_a_revoked_key_is_refused_with_its_token(gateway, caller, client):
    await done(client.queries.query(query="who?", search=search()))
    gateway.revoke(caller.key_id)
    error = await failure_of(client.queries.query, query="who?", search=search())
    assert (isinstance(error, ApiError), error.status_code) == (True, 401)
    assert [row["refusal"] for row in caller.rows(2)] == [None, "invalid_key"]


def test_a_secret_that_is_no_key_gets_no_token(gateway, caller):
    with pytest.raises(ApiError) as raised:
        with_token(Vectara, "no-key-of-this-gateway").queries.query(query="who?", search=search())
    assert raised.value.status_code == 401
    caller.rows(0)
