import json
import os
import time

import openai
import pytest
from both import all_of, done, each, failure_of
from fidelity import shows
from harness import has, set_environment

shown = shows("openai", "OpenAI")
MODEL = "gpt-standin"
HELLO = "Hello from the stand-in, 你好 👋."
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


@pytest.fixture(params=[openai.OpenAI, openai.AsyncOpenAI], ids=["sync", "async"])
def new_client(request):
    return request.param


def says(content):
    return {"model": MODEL, "messages": [{"role": "user", "content": content}]}


async def test_the_first_users_exports_file_is_all_that_a_client_needs(gateway, monkeypatch, new_client):
    set_environment(monkeypatch, gateway.exports)
    answer = await done(new_client().chat.completions.create(**says("Say hello")))
    assert answer.choices[0].message.content == HELLO


@shown("plain")
async def test_a_chat_completion_comes_as_sent_and_is_logged_with_who_asked_for_what(caller, new_client):
    raw = await done(new_client().chat.completions.with_raw_response.create(**says("Say hello")))
    answer = await done(raw.parse())
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens == 7
    assert answer._request_id.startswith("req_standin_")
    (row,) = caller.rows(1)
    assert has(
        row,
        id=raw.headers["x-llamakey-request-id"],
        keyId=caller.key_id,
        userName=caller.name,
        provider="openai",
        method="POST",
        endpoint="/chat/completions",
        model=MODEL,
        status=200,
        refusal=None,
        ending="complete",
        upstreamRequestId=answer._request_id,
    )


@shown("stream")
async def test_a_stream_arrives_event_by_event_while_the_model_still_speaks(caller, new_client):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    stream = await done(new_client().chat.completions.create(**says("Speak slowly"), **options))
    text, usage, arrivals = "", None, []
    async for chunk in each(stream):
        arrivals.append(time.monotonic())
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        usage = chunk.usage or usage
    assert text == "One two three four five six seven eight nine ten."
    assert usage.total_tokens > 0
    # The stand-in speaks for more than a second; what was held back would come all at once.
    assert arrivals[-1] - arrivals[0] > 0.5
    (row,) = caller.rows(1)
    assert has(row, endpoint="/chat/completions", model=MODEL, status=200, refusal=None, ending="complete")


async def test_a_stream_that_the_client_breaks_off_is_logged_as_its_doing(caller, new_client):
    stream = await done(new_client().chat.completions.create(**says("Speak slowly"), stream=True))
    async for _ in each(stream):
        break
    await done(stream.close())
    (row,) = caller.rows(1)
    assert has(row, status=200, refusal=None, ending="client_closed")


async def test_the_callers_own_organisation_and_project_stay_here(gateway, caller, monkeypatch, new_client):
    # The real key is of another organisation, and the provider would refuse it.
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-caller")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-the-caller")
    await done(new_client().chat.completions.create(**says("Say hello")))
    assert "-of-the-caller" not in str(gateway.tell("calls openai"))


async def test_a_tool_call_goes_to_the_client_and_its_result_back(caller, new_client):
    client = new_client()
    question = says("What is the weather?")
    first = await done(client.chat.completions.create(**question, tools=TOOLS))
    message = first.choices[0].message
    (call,) = message.tool_calls
    assert (call.id, call.function.name) == ("call_weather_1", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    messages = [*question["messages"], message, result]
    second = await done(client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS))
    assert second.choices[0].message.content == "It is sunny in Paris."
    for row in caller.rows(2):
        assert has(row, status=200, ending="complete")


async def test_embeddings_come_as_numbers(caller, new_client):
    answer = await done(new_client().embeddings.create(model="embed-standin", input="Embed this"))
    assert answer.data[0].embedding == [0.125, -0.25, 0.5]
    (row,) = caller.rows(1)
    assert has(row, endpoint="/embeddings", model="embed-standin", status=200, refusal=None)


@shown("plain", "stream")
async def test_responses_work_plain_and_streamed(caller, new_client):
    client = new_client()
    plain = await done(client.responses.create(model=MODEL, input="Say hello"))
    assert plain.output_text == HELLO
    events = await all_of(await done(client.responses.create(model=MODEL, input="Say hello", stream=True)))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == HELLO
    for row in caller.rows(2):
        assert has(row, endpoint="/responses", model=MODEL, status=200, ending="complete")


@shown("upload")
async def test_an_uploaded_file_comes_back_byte_for_byte(caller, new_client):
    client = new_client()
    content = os.urandom(60_000)
    file = await done(client.files.create(file=("données 1.bin", content), purpose="user_data"))
    assert (file.bytes, file.filename) == (len(content), "données 1.bin")
    assert (await done(client.files.content(file.id))).content == content
    assert (await done(client.files.delete(file.id))).deleted
    created, read, deleted = caller.rows(3)
    assert has(created, method="POST", endpoint="/files", status=200, refusal=None)
    assert has(read, method="GET", endpoint=f"/files/{file.id}/content", status=200, bytesOut=len(content))
    assert has(deleted, method="DELETE", endpoint=f"/files/{file.id}", status=200)


async def test_a_list_is_read_page_by_page_to_its_end(caller, new_client):
    client = new_client()
    names = [f"{letter}-{caller.name}.txt" for letter in "abcde"]
    for name in names:
        await done(client.files.create(file=(name, name.encode()), purpose="assistants"))
    files = await all_of(client.files.list(purpose="assistants", limit=2, order="asc"))
    assert [file.filename for file in files] == names
    for file in files:
        await done(client.files.delete(file.id))
    lists = [row for row in caller.rows(13) if row["method"] == "GET"]
    # Never the query: it may hold what its author would not want to see in a log.
    assert [row["endpoint"] for row in lists] == ["/files"] * 3


@pytest.mark.parametrize(
    ("status", "error_class", "code"),
    [
        (400, openai.BadRequestError, "unknown_parameter"),
        (404, openai.NotFoundError, "model_not_found"),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, "internal_error"),
    ],
)
@shown("error")
async def test_what_the_provider_refuses_arrives_as_its_own_error(
    caller, new_client, status, error_class, code
):
    client = new_client().with_options(max_retries=0)
    error = await failure_of(client.chat.completions.create, **says(f"Fail with {status}"))
    assert type(error) is error_class
    assert (error.status_code, error.code) == (status, code)
    assert f"The stand-in fails with {status}." in error.message
    assert error.request_id.startswith("req_standin_")
    assert "x-llamakey-refusal" not in error.response.headers
    (row,) = caller.rows(1)
    assert has(
        row, model=MODEL, status=status, refusal=None, ending="complete", upstreamRequestId=error.request_id
    )


async def test_a_real_key_that_the_provider_rejects_is_the_gateways_trouble(caller, new_client):
    error = await failure_of(new_client().chat.completions.create, **says("Fail with 401"))
    assert type(error) is openai.InternalServerError
    assert (error.status_code, error.code) == (502, "credential_rejected")
    assert "stand-in" not in error.message
    # One row: to send the same rejected key again helps nobody.
    (row,) = caller.rows(1)
    assert has(row, status=502, refusal="credential_rejected", ending="refused")
