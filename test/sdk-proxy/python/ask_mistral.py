from mistralai.client import Mistral
from told import CONTENT, DIGEST, FAIL, HELLO, tell

client = Mistral()
model = "mistral-small-latest"


def says(content):
    return [{"role": "user", "content": content}]


tell(
    plain=lambda: client.chat.complete(model=model, messages=says(HELLO)).choices[0].message.content,
    stream=lambda: "".join(
        event.data.choices[0].delta.content for event in client.chat.stream(model=model, messages=says(HELLO))
    ),
    upload=lambda: client.files.upload(file={"file_name": "a.pdf", "content": CONTENT}, purpose="ocr").signature == DIGEST,
    error=lambda: client.chat.complete(model=model, messages=says(FAIL)),
)
