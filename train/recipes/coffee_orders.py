"""A test set unlike read books: coffee orders, spoken by more than 50 people.

python train/recipes/coffee_orders.py CLONE HEARD [HEARD ...] > orders.jsonl    # pip install pyyaml

CLONE is a clone of github.com/Picovoice/speech-to-intent-benchmark (Apache-2.0). It says what was
ordered in each of its 619 recordings, and which sentences an order may be, but not which of these
was spoken: "get me a large latte" or "can I have a large latte". The text in the manifest is the
sentence for the order that is nearest, in letters, to what recognisers heard together. Each HEARD
is what one of them heard, JSON lines with ``audio_filepath`` and ``text``. Use several, so that
none is favoured. Whatever they heard, size, roast, shots, drink, milk and sugar are as ordered.
"""

import itertools
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import soundfile
import yaml
from rapidfuzz.distance import Levenshtein

SLOT = re.compile(r"\$(\w+):\w+")
CHOICE = re.compile(r"\[([^]]*)\]")


def sentences(expressions: list[str], slots: dict[str, str]) -> Iterator[str]:
    """All sentences for an order, in the transcripts' alphabet.

    Args:
        expressions: The grammar's: slots as ``$size:size``, and choices in brackets.
        slots: What was ordered, by slot.
    """
    for expression in expressions:
        if sorted(SLOT.findall(expression)) != sorted(slots):
            continue
        text = SLOT.sub(lambda slot: slots[slot[1]], expression)
        # Every second part is a choice. Some say no article.
        parts = CHOICE.split(text)
        choices = [part.split(", ") if odd % 2 else [part] for odd, part in enumerate(parts)]
        for choice in itertools.product(*choices):
            yield " ".join(re.sub("[^a-z' ]", " ", "".join(choice).lower()).split())


def main() -> None:
    """Print the manifest."""
    clone, *files = map(Path, sys.argv[1:])
    if not files:
        sys.exit("give what recognisers heard, too: JSON lines with audio_filepath and text")
    grammar = yaml.safe_load((clone / "data/rhino/coffee_maker.yaml").read_text(encoding="utf-8"))
    expressions = grammar["context"]["expressions"]["orderDrink"]
    labels = json.loads((clone / "data/label/label.json").read_text(encoding="utf-8"))
    heard = defaultdict(list)
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            text = re.sub("[^a-z' ]", " ", row["text"].lower())
            heard[Path(row["audio_filepath"]).stem].append(" ".join(text.split()))
    for path in sorted((clone / "data/speech/clean").glob("*.wav")):
        slots = {name: said.strip() for name, said in labels[path.name]["slots"].items()}
        nearest = min(
            sentences(expressions, slots),
            key=lambda text: sum(Levenshtein.distance(text, each) for each in heard[path.stem]),
        )
        row = {
            "audio_filepath": str(path.resolve()),
            "duration": round(soundfile.info(path).duration, 3),
            "text": nearest,
        }
        print(json.dumps(row))


if __name__ == "__main__":
    main()
