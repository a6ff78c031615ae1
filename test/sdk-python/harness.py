"""The gateway under test as Python sees it: where it is, its admin API, and the levers of the stand-ins."""

import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# Every header that a credential may stand in.
CREDENTIALS = {"authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key", "cookie"}

# What the SDKs' variables begin with.
PREFIXES = (
    "ANTHROPIC_",
    "ANYSCALE_",
    "AZURE_",
    "CO_",
    "COHERE_",
    "DEEPSEEK_",
    "CLOUD_ML_REGION",
    "GEMINI_",
    "GOOGLE_",
    "GROQ_",
    "HF_",
    "HUGGING",
    "LMK_",
    "MISTRAL_",
    "OPENAI_",
    "OPENROUTER_",
    "PERPLEXITY_",
    "TOGETHER_",
    "VECTARA_",
)

# What every stand-in says to "Say hello", and what it used for that.
HELLO = "Hello from the stand-in, 你好 👋."
USED = {"input_tokens": 11, "output_tokens": 7}

ROOT = Path(__file__).resolve().parents[2]

# A developer's proxy is not for loopback.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Gateway:
    """The real product in front of stand-in providers, all of it run by test/support/serve-for-python.ts."""

    def __init__(self):
        command = ["node", "scripts/bun.mjs", "--no-env-file", "test/support/serve-for-python.ts"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        place = self._read()
        self.url = place["url"]
        self.exports = place["exports"]
        self.foreign_key = place["foreignKey"]
        self.real_keys = place["realKeys"]
        self.providers = place["providers"]
        self._admin_token = place["adminToken"]

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The gateway did not start, or ended; what it said is above.")
        return json.loads(line)

    def tell(self, command):
        """A command for the stand-ins: `stop openai`, `start openai`, `calls openai`, `trapped`..."""
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._read()

    def sent(self, provider, header="authorization", value="Bearer {key}"):
        """The last request that this provider was sent: with its real key here, and with no other credential."""
        call = self.tell(f"calls {provider}")[-1]
        headers = call["headers"]
        assert headers.get(header) == value.format(key=self.real_keys[provider]), call
        assert not CREDENTIALS & (headers.keys() - {header}), call
        assert "lmk_" not in str(call), call
        # Its body was looked at, too.
        assert call["body"] or headers.get("content-length", "0") == "0", call
        return call

    def stop(self):
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def api(self, method, path, body=None):
        """Calls the admin API as the operator."""
        return json.loads(self._fetch(method, "/api/v1" + path, self._admin_token, body))

    def exports_of(self, secret):
        """What `eval "$(curl .../lmk/env)"` sets in the shell of whoever holds this key."""
        text = self._fetch("GET", "/lmk/env", secret)
        return dict(re.findall(r"^export ([A-Za-z_]\w*)='(.*)'$", text, re.MULTILINE))

    def adc_of(self, secret):
        """The file that `lmk env --format adc` writes for Google's clients."""
        return self._fetch("GET", "/lmk/env?format=adc", secret)

    def _fetch(self, method, path, token, body=None):
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("authorization", f"Bearer {token}")
        if body is not None:
            request.add_header("content-type", "application/json")
            request.data = json.dumps(body).encode()
        with _open(request, timeout=20) as response:
            return response.read().decode()

    def _note(self, secret):
        """For the record of what may not be seen elsewhere."""
        self.tell(f"key {secret}")

    def add_caller(self, name):
        self.api("POST", "/users", {"name": name})
        made = self.api("POST", "/keys", {"user": name})
        self._note(made["secret"])
        return Caller(self, name, made["key"]["id"], made["secret"])

    def revoke(self, key_id):
        self.api("PATCH", f"/keys/{key_id}", {"revoked": True, "now": True})

    def row(self, request_id):
        """The log row of the request that was answered with this x-llamakey-request-id."""
        assert request_id, "The answer lacks x-llamakey-request-id."

        def find():
            rows = self.api("GET", "/requests?limit=500")["items"]
            return next((row for row in rows if row["id"] == request_id), None)

        return poll(f"log row of request {request_id}", find)

    def refused(self, code):
        """How many requests were refused with this code."""
        return len(self.api("GET", f"/requests?limit=1000&refusal={code}")["items"])


@dataclass
class Caller:
    """A user with a key of its own, so that a test sees its own log rows and no others."""

    gateway: Gateway
    name: str
    key_id: str
    secret: str

    def rows(self, count, or_more=False):
        """Its log rows, oldest first, once there are `count`; unless `or_more`, no more of them may come."""
        path = "/requests?limit=500&user=" + urllib.parse.quote(self.name)

        def read():
            rows = self.gateway.api("GET", path)["items"]
            return rows if len(rows) >= count else None

        poll(f"{count} log rows of {self.name}", read)
        # For those that should not be there, such as a retry's.
        time.sleep(0.15)
        rows = read()
        assert or_more or len(rows) == count, rows
        return rows[::-1]


def poll(what, read, limit_s=2.0):
    """Waits until `read` gives something: what is written off the hot path comes a little later."""
    end = time.monotonic() + limit_s
    while True:
        found = read()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"After {limit_s} s still no {what}.")
        time.sleep(0.02)


def set_environment(monkeypatch, exports):
    """As if this process came from a shell with these exports and nothing else that an SDK reads."""
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    for name, value in exports.items():
        monkeypatch.setenv(name, value)


def says(content):
    return [{"role": "user", "content": content}]


def has(row, **expected):
    """Asserts on some fields of a log row, and shows the whole row where one differs."""
    actual = {name: row[name] for name in expected}
    assert actual == expected, row
    return True
