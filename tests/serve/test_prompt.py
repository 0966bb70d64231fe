"""Which hotwords a prompt has."""

from __future__ import annotations

import string

import pytest

from asr_runtime.serve.prompt import prompt_hotwords

LETTERS = ["'", *string.ascii_lowercase]
KNOWN = "a about and by comes from he is it like me okay talk that the this to was we"


@pytest.mark.parametrize(
    ("prompt", "hotwords"),
    [
        ("", []),
        ("Panayotov", ["Panayotov"]),
        ("Panayotov, New York; zyntriqix\nUSA.", ["Panayotov", "New York", "zyntriqix", "USA"]),
        ("Names: O\u2019Hara, Zo\u00eb, Jean-Luc", ["O'Hara", "Zoe", "Jean Luc"]),
        ("GPT-4, \u6771\u4eac, Goby, Goby", ["Goby"]),
        (
            "This talk is about Vassil Panayotov and kubernetes, by me",
            ["Vassil Panayotov", "kubernetes"],
        ),
        (
            "Kubernetes comes from the Greek. It was like that, okay? I, Claudius",
            ["Kubernetes", "Greek", "Claudius"],
        ),
        ("he was by the and that, okay", []),
        (", ,;", []),
        ("this is that. I'm he. We like it.", []),
    ],
)
def test_hotwords_of_a_prompt(prompt, hotwords):
    found = prompt_hotwords(prompt, LETTERS, lambda word: word in KNOWN.split())
    assert found == hotwords
