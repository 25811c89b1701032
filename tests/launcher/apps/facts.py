"""What a job sees, kept in its directory for a test to compare."""

import json
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig


def keep(**facts: Any) -> None:
    directory = Path(HydraConfig.get().runtime.output_dir)
    (directory / "facts.json").write_text(json.dumps(facts, sort_keys=True, default=repr))
