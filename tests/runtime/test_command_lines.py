"""The commands of ``asr-run``: whose help has what, and that old command lines still work."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from asr_runtime.command import cli, doctor, listening
from asr_runtime.language.language_model_file import DEFAULT_LANGUAGE_MODEL
from asr_runtime.recognizer import DEFAULT_MODEL

#: Command lines of README.md, runtime/README.md and docs/ before `listen` and `doctor` were
#: commands, with what each of them does.
OLD = [
    ("runtime/demo/demo.flac", "file"),
    ("meeting.mp3 call.wav --format json", "file"),
    ("speech.wav", "file"),
    ("-", "file"),
    ("call.wav --hotword Panayotov --hotword New_York", "file"),
    ("call.wav --device cuda", "file"),
    ("call.wav --language-model my.lm", "file"),
    ("call.wav --language-model english-small.lm", "file"),
    ("call.wav --model model-gpu.onnx --device cuda", "file"),
    ("FILE --model M --device auto --threads 2 --format text --decoder greedy", "file"),
    ("FILE --decoder beam --language-model L --hotword TEXT", "file"),
    ("--microphone", "microphone"),
    ("--microphone --input-device USB", "microphone"),
    ("--microphone --input-device 3 --format json", "microphone"),
    ("--stream -", "stream"),
    ("--stream speech", "stream"),
    ("--stream - --sample-rate 16000", "stream"),
    ("--stream FILE --chunk-ms 640 --lookahead-ms 320 --pause-ms 500", "stream"),
    ("--doctor", "doctor"),
    ("--doctor --device cuda", "doctor"),
    ("--doctor --microphone", "doctor"),
    ("--doctor --device auto --microphone --format json", "doctor"),
    ("--model M --stream - --decoder greedy", "stream"),
]

#: The same as commands.
NEW = [
    ("./listen", "file"),
    ("./doctor", "file"),
    ("--decoder greedy listen", "file"),
    ("listen", "microphone"),
    ("listen --input-device USB --pause-ms 500", "microphone"),
    ("listen -", "stream"),
    ("listen speech --sample-rate 16000 --format json", "stream"),
    ("listen FILE --chunk-ms 640 --lookahead-ms 320 --model M --threads 1", "stream"),
    ("doctor", "doctor"),
    ("doctor --microphone --input-device USB --device cuda --format json", "doctor"),
]


@pytest.fixture
def calls(monkeypatch):
    """What a command line does, without a model; each call with its arguments."""
    calls = []

    def listen(recognizer, options, *, as_json):
        calls.append(("microphone" if options.stream is None else "stream", options, as_json))
        return 0

    def transcribe(recognizer, file, reading, writing, *, destination, bar):
        calls.append(("file", file, writing))

    from asr_runtime.command import file_transcription
    from asr_runtime.command import listen as listen_command
    from asr_runtime.command import transcribe as transcribe_command

    for command in (transcribe_command, listen_command):
        monkeypatch.setattr(command, "load_recognizer", lambda *_: None)
    monkeypatch.setattr(listening, "listen", listen)
    monkeypatch.setattr(file_transcription, "transcribe_file", transcribe)
    monkeypatch.setattr(doctor, "examine", lambda *options: calls.append(("doctor", *options)))
    return calls


def run(monkeypatch, line):
    monkeypatch.setattr(sys, "argv", ["asr-run", *line.split()])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code or 0


@pytest.mark.parametrize(("line", "expected"), [*OLD, *NEW])
def test_command_line_works(monkeypatch, calls, line, expected):
    assert run(monkeypatch, line) == 0
    assert {call[0] for call in calls} == {expected}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "--stream - --sample-rate 8000 --pause-ms 300",
            "listen - --sample-rate 8000 --pause-ms 300",
        ),
        ("--stream s --chunk-ms 9 --lookahead-ms 0", "listen s --chunk-ms 9 --lookahead-ms 0"),
        ("--microphone --input-device 2 --format json", "listen --input-device 2 --format json"),
        ("--doctor --device cpu --model M", "doctor --device cpu --model M"),
        ("--doctor --microphone --input-device 2", "doctor --microphone --input-device 2"),
    ],
)
def test_a_command_does_what_its_alias_does(monkeypatch, calls, old, new):
    run(monkeypatch, old)
    run(monkeypatch, new)
    assert calls[0] == calls[1]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("listen FILE --input-device USB", "leave STREAM out"),
        ("listen --sample-rate 16000", "needs a STREAM"),
        ("listen one two", "unexpected extra argument"),
        ("doctor FILE", "unexpected extra argument"),
        ("doctor --input-device USB", "needs --microphone"),
        ("doctor --threads 2", "No such option"),
        ("--chunk-ms 500 FILE", "needs --stream or --microphone"),
    ],
)
def test_wrong_usage(monkeypatch, calls, capsys, line, problem):
    assert run(monkeypatch, line) == 2
    assert problem in capsys.readouterr().err
    assert calls == []


@pytest.mark.parametrize(
    ("line", "own", "others"),
    [
        ("--help", ["FILE...", "--hotword", "asr-run listen"], ["--stream", "--pause-ms"]),
        ("listen --help", ["STREAM", "--pause-ms", "--input-device"], ["--stream", "--doctor"]),
        ("doctor --help", ["--microphone", "--device"], ["--hotword", "--threads"]),
    ],
)
def test_help_shows_the_options_of_one_job(monkeypatch, capsys, line, own, others):
    assert run(monkeypatch, line) == 0
    text = capsys.readouterr().out
    assert [option for option in own if option not in text] == []
    assert [option for option in others if option in text] == []


HEAVY = {"numpy", "onnxruntime", "soundfile", "soxr", "rich"}
SLOW = {"importlib.metadata", "numpy.ma", "rich"}
CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"


@pytest.mark.parametrize(
    ("arguments", "unwanted", "output"),
    [
        *((line.split(), HEAVY, "Usage") for line in ("--help", "listen --help", "doctor --help")),
        (["--version"], HEAVY, "asr-run"),
        pytest.param(
            [str(CLIP)],
            SLOW,
            "the old man sat by the window and watched the river go by he had all the time in the "
            "world\n",
            marks=pytest.mark.skipif(
                not (DEFAULT_MODEL.exists() and DEFAULT_LANGUAGE_MODEL.exists()),
                reason="asr_runtime/models is not complete in this installation",
            ),
        ),
    ],
)
def test_nothing_is_imported_that_takes_long_and_is_not_needed(arguments, unwanted, output):
    program = (
        "import atexit, sys\n"
        "from asr_runtime.command.cli import main\n"
        f"unwanted = {unwanted!r}\n"
        "atexit.register(lambda: print(sorted(unwanted & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['asr-run', *{arguments!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert output in done.stdout


def test_the_program_leaves_nothing_undone_at_its_end():
    program = (
        "import atexit, sys, threading, time\n"
        "from asr_runtime.command.cli import program\n"
        "atexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()\n"
        "sys.argv = ['asr-run', '--no-such-option']\n"
        "program()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "thread\nat exit\n")
    assert "--no-such-option" in done.stderr


def test_listen_to_a_stream(listen, wav):
    assert listen("-", stdin=wav, command=("listen",)) == (0, "hello world\nit's two\n", [])


def test_a_file_that_is_called_like_a_command(
    model_file, clips, tmp_path, monkeypatch, run_command_line
):
    monkeypatch.chdir(tmp_path)
    with open(clips["one.wav"], "rb") as clip:
        (tmp_path / "listen").write_bytes(clip.read())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    status, output, errors = run_command_line(cli.main, "./listen", "--model", model_file)
    assert (status, output, errors) == (0, "hello world\n", "")


def test_where_diagnose_was_it_still_is():
    from asr_runtime.command import diagnosis

    assert doctor.diagnose is diagnosis.diagnose
