"""Live transcripts for programs on a network: ``pip install websockets``, then start it.

A client sends 16-bit little-endian mono samples at 16 kHz as binary messages of any size, and the
text message "end" after the last. For every change of the text it gets a JSON object.
"""

import json
import sys

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from asr_runtime import Recognizer, StreamResult

SAMPLE_RATE = 16_000
UNSUPPORTED_DATA = 1003  # RFC 6455, section 7.4.1


def main(port: int) -> None:
    """Serve this machine alone, a thread a client, until Ctrl-C."""
    recognizer = Recognizer.load()

    def transcribe(client: ServerConnection) -> None:
        stream = recognizer.stream(SAMPLE_RATE)

        def send(results: list[StreamResult]) -> None:
            for result in results:
                client.send(json.dumps(result.to_dict()))

        try:
            for message in client:
                if message == "end":
                    send(stream.finish())
                    return
                if isinstance(message, str) or len(message) % 2:
                    client.close(UNSUPPORTED_DATA, 'send 16-bit samples, or "end"')
                    return
                send(stream.feed(np.frombuffer(message, "<i2")))
        except ConnectionClosed:
            pass  # nobody is left to tell

    with serve(transcribe, "127.0.0.1", port) as server:
        print(f"listening on ws://127.0.0.1:{server.socket.getsockname()[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765)
    except KeyboardInterrupt:
        sys.exit()
