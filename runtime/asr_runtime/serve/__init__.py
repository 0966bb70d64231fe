"""``asr-serve``: the recogniser behind HTTP, WebSocket and Wyoming, for programs on other machines."""
