"""Log-probabilities of one utterance to its transcript."""

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.greedy import greedy_decode
from asr_runtime.model_file.model_card import ModelCard
from asr_runtime.transcript import Token, Transcript


def decode_utterance(
    log_probs: npt.NDArray[np.float32],
    duration: float,
    card: ModelCard,
    beam_decoder: AnyDecoder | None,
) -> Transcript:
    """Decode log-probabilities of `duration` seconds.

    log_probs: [frames, classes], or what the decoder's `heads` say.
    beam_decoder: None decodes greedily.
    """
    found = (
        greedy_decode(log_probs, card.vocabulary, card.blank_id, card.seconds_per_frame)
        if beam_decoder is None
        else beam_decoder.decode(log_probs, card.seconds_per_frame)
    )
    # The last frame reaches past the end of the audio.
    tokens = tuple(
        Token(token.text, min(token.start, duration), min(token.end, duration), token.confidence)
        for token in found.tokens
    )
    return Transcript(found.text, found.confidence, tokens, duration)
