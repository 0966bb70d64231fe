"""Small networks for language model files, and what they should say, computed word by word."""

import numpy as np

from asr_runtime.decoding.word_histories import WordHistories, WordMixture

EDGES = (0, 5, 9, 12)
DIMS = (6, 4, 2)
HIDDEN = 8


def shapes(edges=EDGES, dims=DIMS, hidden=HIDDEN):
    """Shape of every array of a network."""
    clusters = range(len(dims))
    found = {
        "input": (3 * hidden, dims[0]),
        "recurrent": (3 * hidden, hidden),
        "input_bias": (3 * hidden,),
        "recurrent_bias": (3 * hidden,),
        "cluster": (len(dims) - 1, dims[0]),
        "cluster_bias": (len(dims) - 1,),
    }
    for cluster in clusters:
        rows = edges[cluster + 1] - edges[cluster]
        found[f"table{cluster}"] = (rows, dims[cluster])
        found[f"bias{cluster}"] = (rows,)
        found[f"out{cluster}"] = (dims[cluster], hidden)
        if cluster:
            found[f"lift{cluster}"] = (dims[0], dims[cluster])
    return found


def network(words, seed=1, edges=EDGES, likes=None):
    """Header entry and arrays of a random network that knows some word ids.

    `likes` is a row of the first cluster that the network expects whatever came before.
    """
    random = np.random.default_rng(seed)
    arrays = {"network_words": np.array(words, np.int32)}
    for name, shape in shapes(edges).items():
        if len(shape) == 1:
            arrays[f"network_{name}"] = random.normal(size=shape).astype(np.float32)
        else:
            codes = random.integers(-127, 128, shape, np.int8)
            arrays[f"network_{name}"] = codes.reshape(-1)
            scale = random.uniform(0.002, 0.01, shape[0]).astype(np.float32)
            arrays[f"network_{name}_scale"] = scale
    if likes is not None:
        for name, array in arrays.items():
            if name.endswith("_scale"):
                array *= np.float32(0.1)
        arrays["network_bias0"][likes] += 8
    sizes = {"version": 1, "hidden": HIDDEN, "edges": list(edges), "dims": list(DIMS)}
    return {"network": sizes}, arrays


def expected(arrays, sentence, edges=EDGES):
    """Log-probability of each row of a sentence after those before it, in float64."""
    m = {
        name: (
            arrays[f"network_{name}"].reshape(shape) * arrays[f"network_{name}_scale"][:, None]
            if len(shape) == 2
            else arrays[f"network_{name}"]
        ).astype(np.float64)
        for name, shape in shapes(edges).items()
    }
    state, found = np.zeros(HIDDEN), []
    for before, row in zip([0, *sentence], sentence, strict=False):
        cluster = np.searchsorted(edges, before, side="right") - 1
        x = m[f"table{cluster}"][before - edges[cluster]] * np.sqrt(DIMS[cluster])
        x = m[f"lift{cluster}"] @ x if cluster else x
        i = np.split(m["input"] @ x + m["input_bias"], 3)
        h = np.split(m["recurrent"] @ state + m["recurrent_bias"], 3)
        reset, update = (1 / (1 + np.exp(-i[gate] - h[gate])) for gate in (0, 1))
        state = (1 - update) * np.tanh(i[2] + reset * h[2]) + update * state
        q = m["out0"] @ state
        head = np.append(m["table0"] @ q + m["bias0"], m["cluster"] @ q + m["cluster_bias"])
        head -= np.log(np.exp(head).sum())
        cluster = np.searchsorted(edges, row, side="right") - 1
        if cluster == 0:
            found.append(head[row])
            continue
        tail = m[f"table{cluster}"] @ (m[f"out{cluster}"] @ state) + m[f"bias{cluster}"]
        tail -= np.log(np.exp(tail).sum())
        found.append(head[edges[1] + cluster - 1] + tail[row - edges[cluster]])
    return np.array(found)


def gains(model, config, texts):
    """How many nats more probable each text is with the network, by the ids of its words."""
    mixture = WordMixture(model, model.network, config)
    histories = WordHistories(mixture, mixture.start)
    found = []
    for text in texts:
        history = 0
        for word in text:
            (history,) = histories.extend([(history, word)])
            histories.advance([history])
        found.append(histories.gains[history])
    return found
