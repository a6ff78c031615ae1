from elevenlabs.client import ElevenLabs
from told import CONTENT, DIGEST, FAIL, HELLO, tell

client = ElevenLabs()
speech = client.text_to_speech

tell(
    plain=lambda: b"".join(speech.convert("voice", text=HELLO, model_id="eleven_v3")).decode(),
    stream=lambda: b"".join(speech.stream("voice", text=HELLO, model_id="eleven_v3")).decode(),
    upload=lambda: client.speech_to_text.convert(model_id="scribe_v1", file=("a.mp3", CONTENT)).text == DIGEST,
    error=lambda: b"".join(speech.convert("voice", text=FAIL, model_id="eleven_v3")),
)
