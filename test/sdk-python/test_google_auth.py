"""Google's clients have nothing of Google's: the file that the gateway writes is their whole credential."""

import google.auth
import pytest
import requests
from google.auth.exceptions import OAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from fidelity import shows
from harness import HELLO

shown = shows("google-auth", "Vertex AI")
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
MODELS = "/vertex/v1/projects/a-project/locations/us-central1/publishers/google/models"
MODEL = f"{MODELS}/gemini-2.5-flash:generateContent"
HELLO_TO_IT = {"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]}


@pytest.fixture
def credentials(gateway, caller, tmp_path, monkeypatch):
    """What `google.auth.default()` finds, where the variable names the caller's file."""
    file = tmp_path / "llamakey_adc.json"
    file.write_text(gateway.adc_of(caller.secret), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    found, project = google.auth.default(scopes=SCOPES)
    assert project == "p"
    return found


@shown("plain")
def test_a_call_is_made_with_a_token_that_is_not_the_master_key(gateway, caller, credentials):
    session = AuthorizedSession(credentials)
    question = {"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]}
    answer = session.post(gateway.url + MODEL, json=question)
    assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == HELLO
    assert credentials.token.startswith("lmkt.")
    assert caller.secret[15:47] not in credentials.token
    gateway.sent("vertex")


@shown("error")
def test_a_revoked_key_gets_no_token_and_its_last_one_is_refused(gateway, caller, credentials):
    credentials.refresh(Request())
    token = credentials.token
    gateway.revoke(caller.key_id)
    with pytest.raises(OAuthError, match="revoked"):
        credentials.refresh(Request())
    refused = requests.post(gateway.url + MODEL, json={}, headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 401
    assert refused.json()["error"]["status"] == "UNAUTHENTICATED"
    assert gateway.row(refused.headers["x-llamakey-request-id"])["keyId"] == caller.key_id
