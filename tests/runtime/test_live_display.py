"""What live results look like: in a terminal, in a pipe, as JSON."""

import io
import json
from dataclasses import replace

import pytest

from asr_runtime.command.live_display import (
    JsonDisplay,
    SentenceDisplay,
    TerminalDisplay,
    open_display,
)
from asr_runtime.live.live_stream import StreamResult
from asr_runtime.timed_text import Token
from asr_runtime.transcript import Transcript

ERASE = "\r\x1b[K"


class Output(io.StringIO):
    """Keeps what was flushed."""

    def __init__(self, *, terminal=False):
        super().__init__()
        self.flushed = ""
        self._terminal = terminal

    def flush(self):
        self.flushed = self.getvalue()

    def isatty(self):
        return self._terminal


def result(text, stable="", *, is_final=False, start=0.0):
    stable = text if is_final else stable
    transcript = Transcript(text, 1.0, (), 1.0, start) if is_final else None
    return StreamResult(text, stable, is_final, start, 1.0, transcript)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "21")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    output = Output(terminal=True)

    def show(*results):
        display = open_display(output, as_json=False)
        assert isinstance(display, TerminalDisplay)
        for item in results:
            display.show(item)
        return output.flushed

    return show


class TestTerminal:
    def test_what_may_change_is_dimmed(self, terminal):
        assert terminal(result("hello wor", "hello ")) == f"{ERASE}hello \x1b[2mwor\x1b[22m"

    def test_nothing_is_dimmed_where_nothing_may_change(self, terminal):
        assert terminal(result("hello", "hello")) == f"{ERASE}hello"

    def test_no_color(self, terminal, monkeypatch):
        monkeypatch.setenv("NO_COLOR", "1")
        assert terminal(result("hello wor", "hello ")) == f"{ERASE}hello wor"

    def test_sentences_stay(self, terminal):
        shown = terminal(
            result("hello", "hello"),
            result("hello world", is_final=True),
            result("next", "next"),
            result("", is_final=True),
        )
        assert shown == f"{ERASE}hello{ERASE}hello world\n{ERASE}next{ERASE}"

    def test_sentence_that_was_a_mistake(self, terminal):
        assert terminal(result("h"), result("")) == f"{ERASE}\x1b[2mh\x1b[22m{ERASE}"

    @pytest.mark.parametrize(
        ("stable", "shown"),
        [
            ("", "\x1b[2mthe end of it is seen\x1b[22m"),
            ("what is l", "\x1b[2mthe end of it is seen\x1b[22m"),
            ("what is long is cut, the end", "the end\x1b[2m of it is seen\x1b[22m"),
        ],
    )
    def test_the_newest_words_are_seen(self, terminal, stable, shown, monkeypatch):
        monkeypatch.setenv("COLUMNS", "22")  # the last column stays free
        text = "what is long is cut, the end of it is seen"
        assert terminal(result(text, stable)) == ERASE + shown

    def test_width_that_changes(self, terminal, monkeypatch):
        monkeypatch.setenv("NO_COLOR", "1")
        assert terminal(result("0123456789")) == f"{ERASE}0123456789"
        monkeypatch.setenv("COLUMNS", "5")
        assert terminal(result("0123456789")).endswith(f"{ERASE}6789")

    def test_clear_leaves_an_empty_line(self):
        output = Output()
        display = TerminalDisplay(output)
        display.show(result("hello", "hello"))
        display.clear()
        assert output.flushed == f"{ERASE}hello{ERASE}"

    def test_dumb_terminal_gets_sentences(self, monkeypatch):
        monkeypatch.setenv("TERM", "dumb")
        assert isinstance(open_display(Output(terminal=True), as_json=False), SentenceDisplay)


def test_sentences_only():
    output = Output()
    display = open_display(output, as_json=False)
    display.show(result("hell", "hel"))
    assert output.getvalue() == ""
    display.show(result("hello", is_final=True))
    assert output.flushed == "hello\n"
    display.show(result("", is_final=True))
    display.clear()
    assert output.getvalue() == "hello\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_json(terminal):
    output = Output(terminal=terminal)
    display = open_display(output, as_json=True)
    assert isinstance(display, JsonDisplay)
    display.show(result("it's i", "it's ", start=1.5))
    assert json.loads(output.flushed) == {
        "is_final": False,
        "stable": "it's ",
        "text": "it's i",
        "start": 1.5,
        "duration": 1.0,
    }
    final = result("it", is_final=True, start=1.5)
    tokens = (Token("i", 1.6, 1.7, 0.9), Token("t", 1.7, 1.8, 0.9))
    final = replace(final, transcript=replace(final.transcript, tokens=tokens))
    display.show(final)
    display.clear()
    second = json.loads(output.flushed.splitlines()[1])
    assert second == {"is_final": True, "stable": "it", **final.transcript.to_dict()}
    assert second["start"] == 1.5
    assert [word["text"] for word in second["words"]] == ["it"]
    assert len(second["tokens"]) == 2
