"""What a program tells of its calls: one line of JSON. Nothing of an SDK is configured in these programs."""

import hashlib
import json
import os

HELLO = "Say hello"
FAIL = "Fail with 400"
CONTENT = os.urandom(40_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def tell(**calls):
    """Each call's own result, or what it failed with: one call's failure does not hide the others."""
    told = {}
    for name, call in calls.items():
        try:
            told[name] = call()
        except Exception as error:
            told[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(told), flush=True)
