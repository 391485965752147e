"""One library's products, measured when `products.py` asks for a shape.

A process of its own, because the environment limits a library's instructions only before it loads.
Requests come as lines "M N K", answers go as lines of JSON.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from measuring import keep_freed_pages, measure
from product_calls import Call, NumpyProducts, Prepared, Products, one_line

ROWS_CHECKED = 8
SECONDS_PER_CALL = 0.3


def library(name: str, place: str) -> Products:
    if name == "torch":
        from product_torch import TorchProducts

        return TorchProducts()
    if name == "ggml":
        if not place:
            raise ValueError("no build is named by --ggml")
        from product_ggml import GgmlProducts

        return GgmlProducts(Path(place))
    return NumpyProducts()


def normals(rows: int, columns: int) -> Any:
    return np.random.default_rng([rows, columns]).standard_normal((rows, columns), np.float32)


class Worker:
    def __init__(self, products: Products) -> None:
        self.products = products
        self.weights: dict[tuple[int, int], tuple[Any, dict[str, Prepared]]] = {}
        self.calls: dict[tuple[int, int, int], dict[str, tuple[Call, float]]] = {}

    def answer(self, m: int, n: int, k: int) -> dict[str, object]:
        if (n, k) not in self.weights:
            b = normals(n, k)
            self.weights[n, k] = (b, self.products.prepared(b))
        if (m, n, k) not in self.calls:
            self.calls[m, n, k] = self._made(m, *self.weights[n, k])
        rows = {}
        for name, (call, qsnr_db) in self.calls[m, n, k].items():
            rate = measure(call, 2 * m * n * k, warm_up=1, fewest=3, seconds=SECONDS_PER_CALL)
            rows[name] = {
                "gops": rate.gelements_per_s,
                "spread": rate.spread,
                "repeats": rate.repeats,
                "qsnr_db": qsnr_db,
            }
        return {"rows": rows, "missing": self.products.missing}

    def _made(self, m: int, b: Any, prepared: dict[str, Prepared]) -> dict[str, tuple[Call, float]]:
        """Calls with the QSNR of their first rows, which shows that they multiply what they say."""
        a = normals(m, b.shape[1])
        exact = a[:ROWS_CHECKED].astype(np.float64) @ b.T.astype(np.float64)
        made = {}
        for name, make in prepared.items():
            call = make(a)
            error = self.products.array(call())[:ROWS_CHECKED] - exact
            noise = float(np.square(error).sum()) or math.ulp(0.0)
            made[name] = (call, 10 * math.log10(float(np.square(exact).sum()) / noise))
        return made


def main() -> None:
    name, place = sys.argv[1], sys.argv[2]
    # Whatever a library prints goes to the standard error; answers alone go out.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    keep_freed_pages()
    try:
        worker = Worker(library(name, place))
        products = worker.products
        answer: dict[str, object] = {"facts": products.facts(), "features": products.features}
    except Exception as error:  # noqa: BLE001: the table says it
        print(json.dumps({"failed": one_line(error)}), file=answers, flush=True)
        return
    print(json.dumps(answer), file=answers, flush=True)
    for line in sys.stdin:
        m, n, k = map(int, line.split())
        print(json.dumps(worker.answer(m, n, k)), file=answers, flush=True)


if __name__ == "__main__":
    main()
