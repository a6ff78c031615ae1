from deepgram import DeepgramClient
from told import CONTENT, DIGEST, FAIL, HELLO, tell

client = DeepgramClient()
media = client.listen.v1.media
audio = client.speak.v1.audio


def transcript(answer):
    return answer.results.channels[0].alternatives[0].transcript


tell(
    plain=lambda: transcript(media.transcribe_url(url="https://example.com/a.wav", model="nova-3")),
    stream=lambda: b"".join(audio.generate(text=HELLO)).decode(),
    upload=lambda: transcript(media.transcribe_file(request=CONTENT, model="nova-3")) == DIGEST,
    error=lambda: b"".join(audio.generate(text=FAIL)),
)
