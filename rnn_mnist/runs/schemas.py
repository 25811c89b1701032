"""What the entries of a run's JSON files may be. Some may be missing, and others there besides."""

from collections.abc import Mapping

from hydra_plugins.workstation_launcher import schemas
from rnn_mnist.catalogues.metrics import run_metrics

_TEXT_OR_NONE = schemas.optional(schemas.TEXT)
_TEXTS = schemas.list_of(schemas.TEXT)

_ATTEMPT: dict[str, schemas.Kind] = {
    "code": schemas.optional(
        schemas.record(
            {
                "dirty": schemas.optional(schemas.FLAG),
                **dict.fromkeys(("commit", "source_sha256", "difference"), _TEXT_OR_NONE),
            }
        )
    ),
    "versions": schemas.optional(schemas.mapping_of(_TEXT_OR_NONE)),
    "command": schemas.optional(_TEXTS),
    "threads": schemas.optional(schemas.WHOLE),
    **dict.fromkeys(("python", "platform", "host", "device", "data_sha256", "start", "end"), _TEXT_OR_NONE),
}
_CHANGE = schemas.record({"key": schemas.TEXT, "because": schemas.MAPPING, "reason": schemas.TEXT})

_MANIFEST: dict[str, schemas.Kind] = {
    **_ATTEMPT,
    "run_id": schemas.TEXT,
    "setting_id": schemas.TEXT,
    "config": schemas.MAPPING,
    "requested": schemas.optional(schemas.MAPPING),
    "changes": schemas.optional(schemas.list_of(_CHANGE)),
    "overrides": schemas.optional(_TEXTS),
    "diverged": schemas.optional(schemas.FLAG),
    "tracker_failures": schemas.optional(schemas.mapping_of(schemas.TEXT)),
    "weights_removed": schemas.optional(schemas.FLAG),
    "earlier_attempts": schemas.optional(schemas.list_of(schemas.record(_ATTEMPT))),
}
_RESULT: dict[str, schemas.Kind] = {
    "run_id": schemas.TEXT,
    "device": _TEXT_OR_NONE,
    **dict.fromkeys(run_metrics(), schemas.optional(schemas.NUMBER)),
}
_SWEEP: dict[str, schemas.Kind] = {
    "command": _TEXTS,
    "jobs": schemas.mapping_of(schemas.record({"directory": schemas.TEXT, "overrides": _TEXTS}, needed=("directory",))),
}

KINDS: Mapping[str, Mapping[str, schemas.Kind]] = {
    "manifest.json": _MANIFEST,
    "result.json": _RESULT,
    "sweep.json": _SWEEP,
}
"""Name of a file to its entries' kinds."""
