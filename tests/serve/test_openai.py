"""OpenAI's own client gets from the server what `Recognizer` gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr_runtime import Recognizer

openai = pytest.importorskip("openai")

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(api_key="none", base_url=f"{server.url}/v1", max_retries=0)


def transcribe(client, **fields):
    return client.audio.transcriptions.create(model="whisper-1", file=CLIP, **fields)


def test_json_and_text(client, spoken):
    assert transcribe(client).text == spoken
    assert transcribe(client, response_format="text").strip() == spoken
    assert transcribe(client, language="en", temperature=0).text == spoken


def test_verbose_json_has_segments_and_words_when_asked(client, spoken):
    answer = transcribe(
        client,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert (answer.text, answer.language) == (spoken, "english")
    assert answer.duration == pytest.approx(6.526, abs=0.01)
    assert [word.word for word in answer.words] == spoken.split()
    assert answer.words[0].start < answer.words[0].end <= answer.words[1].start
    assert " ".join(segment.text for segment in answer.segments) == spoken
    only = transcribe(client, response_format="verbose_json")
    assert only.words is None
    assert only.segments


def test_verbose_json_has_the_alternatives_of_each_segment_when_asked(client, spoken):
    answer = transcribe(client, response_format="verbose_json", extra_body={"alternatives": 3})
    expected = Recognizer.load(device="cpu", alternatives=3).transcribe(CLIP).alternatives
    (segment,) = answer.segments
    assert segment.alternatives == [each.to_dict() for each in expected]
    assert segment.alternatives[0]["text"] == segment.text == spoken
    assert len(segment.alternatives) == 3
    (plain,) = transcribe(client, response_format="verbose_json").segments
    assert not hasattr(plain, "alternatives")


def test_subtitles(client, spoken):
    srt = transcribe(client, response_format="srt")
    assert srt.startswith("1\n00:00:00,")
    said = [line for line in srt.splitlines() if line[:1].isalpha()]
    assert " ".join(said) == spoken
    assert transcribe(client, response_format="vtt").startswith("WEBVTT\n\n")


def test_stream_of_events(client, spoken):
    events = list(transcribe(client, stream=True))
    assert "".join(e.delta for e in events if e.type == "transcript.text.delta") == spoken
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == spoken


def test_models(client):
    assert [model.id for model in client.models.list()] == ["edge"]
    assert transcribe(client).text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"response_format": "xml"}, 400, "choose json, text, srt, verbose_json, vtt"),
        ({"language": "de"}, 400, "English only"),
        ({"extra_body": {"hotwords": "naïve"}}, 400, "'ï', which cannot be"),
        ({"extra_body": {"hotwords": "Goby:much"}}, 400, "for its weight"),
        ({"extra_body": {"hotwords": "a, " * 1001}}, 400, "1001 hotwords are too many"),
        ({"timestamp_granularities": ["word"]}, 400, "verbose_json"),
        ({"extra_body": {"alternatives": 3}}, 400, "response_format=verbose_json"),
        ({"extra_body": {"alternatives": 0}}, 400, "1 to 100, not 0"),
        ({"extra_body": {"alternatives": "many"}}, 400, "alternatives"),
        ({"response_format": "srt", "stream": True}, 400, "json or text"),
    ],
)
def test_what_would_be_ignored_is_refused(client, fields, status, words):
    with pytest.raises(openai.APIStatusError) as caught:
        transcribe(client, **fields)
    assert caught.value.status_code == status
    assert words in caught.value.body["message"]


def test_the_names_of_a_prompt_are_hotwords(client, spoken):
    """A fish that sounds as "go by" does."""
    assert "goby" not in spoken.split()
    assert "goby" in transcribe(client, prompt="Seahorse, Goby.").text.split()
    assert "goby" in transcribe(client, prompt="A talk about the Goby, a fish.").text.split()
    assert transcribe(client, prompt="they went by the river").text == spoken
    assert transcribe(client, prompt="\u6771\u4eac, 42").text == spoken


def test_hotwords_of_a_request(client, spoken):
    for fields in ({"hotwords": "seahorse, Goby:2"}, {"hotword": ["Goby=G OW B AY"]}):
        assert "goby" in transcribe(client, extra_body=fields).text.split()
    assert transcribe(client, extra_body={"hotwords": "Goby:0"}).text == spoken


def test_an_unknown_model_is_refused(client):
    with pytest.raises(openai.NotFoundError, match="this server has 'edge'"):
        client.audio.transcriptions.create(model="large", file=CLIP)


def test_a_damaged_file_is_refused_in_a_line(client):
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.audio.transcriptions.create(
            model="whisper-1", file=("cut.flac", CLIP.read_bytes()[:50_000])
        )
    assert "\n" not in caught.value.body["message"]
    assert "/" not in caught.value.body["message"], "no path of the server is told"
