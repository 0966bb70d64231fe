"""``asr-serve``: the recogniser behind HTTP, WebSocket and Wyoming."""
