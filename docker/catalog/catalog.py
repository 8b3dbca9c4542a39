"""The goods on offer: all of them at /goods, one at /goods/<name>."""

from __future__ import annotations

import json
from pathlib import Path

from service import Reply, as_json, run

GOODS = {item["name"]: item for item in json.loads(Path(__file__).with_name("goods.json").read_text())}


def answer(path: str) -> Reply | None:
    """The goods at a path."""
    match path.strip("/").split("/"):
        case ["goods"]:
            return as_json(list(GOODS.values()))
        case ["goods", name] if name in GOODS:
            return as_json(GOODS[name])
    return None


if __name__ == "__main__":
    run("catalog", "1.0.0", answer)
