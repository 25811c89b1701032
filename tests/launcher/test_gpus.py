"""What ``CUDA_VISIBLE_DEVICES`` leaves of the machine's cards, and what ``hydra.launcher.devices`` chooses of it."""

import logging
from typing import Any

import pytest
from omegaconf import OmegaConf

from hydra_plugins.workstation_launcher import _devices
from hydra_plugins.workstation_launcher._cards import Card, Listing
from hydra_plugins.workstation_launcher._devices import make_plan
from hydra_plugins.workstation_launcher._gpus import visible_gpus
from hydra_plugins.workstation_launcher._options import (
    OptionError,
    Options,
    WorkstationLauncherConf,
    checked_options,
)

TWO = (Card("GPU-aaaa", "H200"), Card("GPU-abbb", "H200"))
MIXED = (Card("GPU-aaaa", "T400"), Card("GPU-abbb", "H200"))
SPLIT = (Card("GPU-aaaa", "A100", ("MIG-1111", "MIG-1222")), Card("GPU-abbb", "A100"))
EMPTY_SPLIT = (Card("GPU-aaaa", "A100", ()), Card("GPU-abbb", "A100"))
LOST = (Card("", "", problem="GPU is lost"), Card("GPU-abbb", "A100"))


def environment_of(restriction: str | None, **more: str) -> dict[str, str]:
    return more | ({} if restriction is None else {"CUDA_VISIBLE_DEVICES": restriction})


@pytest.mark.parametrize(
    ("cards", "restriction", "expected"),
    [
        (TWO, None, {"GPU 0": "GPU-aaaa", "GPU 1": "GPU-abbb"}),
        (SPLIT, None, {"GPU 0 MIG 0": "MIG-1111", "GPU 0 MIG 1": "MIG-1222", "GPU 1": "GPU-abbb"}),
        (EMPTY_SPLIT, None, {"GPU 1": "GPU-abbb"}),
        (LOST, None, {"GPU 1": "GPU-abbb"}),
        ((), None, {}),
        (TWO, "1", {"GPU 1": "1"}),
        (TWO, "1,0", {"GPU 1": "1", "GPU 0": "0"}),
        (TWO, " 1 , 0", {"GPU 1": "1", "GPU 0": "0"}),
        (MIXED, "1,0", {"GPU 1": "1", "GPU 0": "0"}),
        (TWO, "0,7", {"GPU 0": "0"}),
        (TWO, "7,0", {}),
        (TWO, "0,-1,1", {"GPU 0": "0"}),
        (TWO, "0,,1", {"GPU 0": "0"}),
        (TWO, "0,0", {}),
        (TWO, "0,GPU-abbb", {"GPU 0": "0"}),
        (TWO, "GPU-abbb", {"GPU 1": "GPU-abbb"}),
        (TWO, "GPU-ab", {"GPU 1": "GPU-abbb"}),
        (TWO, "GPU-ab,GPU-abb", {}),
        (TWO, "GPU-a", {}),
        (TWO, "GPU-abbb,0", {"GPU 1": "GPU-abbb"}),
        (TWO, "GPU-cccc,GPU-abbb", {}),
        (SPLIT, "MIG-12", {"GPU 0 MIG 1": "MIG-1222"}),
        (SPLIT, "MIG-GPU-aaaa/1/0", {"MIG-GPU-aaaa/1/0": "MIG-GPU-aaaa/1/0"}),
        (SPLIT, "MIG-GPU-cccc/1/0", {}),
        (SPLIT, "0", {"GPU 0": "0"}),
        (TWO, "", {}),
        (TWO, "-1", {}),
        (TWO, "NoDevFiles", {}),
        ((), "0", {}),
    ],
)
def test_what_is_visible(cards: tuple[Card, ...], restriction: str | None, expected: dict[str, str]) -> None:
    """As CUDA reads it; a name and the ``CUDA_VISIBLE_DEVICES`` of a job there."""
    visible = visible_gpus(cards, environment_of(restriction))
    assert {gpu.name: gpu.entry for gpu in visible.gpus} == expected


def options_of(devices: Any) -> Options:
    defaults = OmegaConf.to_container(OmegaConf.structured(WorkstationLauncherConf))
    assert isinstance(defaults, dict)
    return checked_options(
        {str(key): value for key, value in defaults.items() if key != "_target_"} | {"devices": devices}
    )


def slots(cards: tuple[Card, ...], restriction: str | None, devices: Any, **more: str) -> list[str]:
    plan = make_plan(options_of(devices), environment_of(restriction, **more), lambda: Listing(cards))
    return [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in plan.slots if slot.name != "cpu"]


@pytest.mark.parametrize(
    ("cards", "restriction", "devices", "expected"),
    [
        (TWO, None, [1], ["GPU-abbb"]),
        (TWO, None, "1,0", ["GPU-abbb", "GPU-aaaa"]),
        (TWO, None, ["cuda:1"], ["GPU-abbb"]),
        (MIXED, None, [0], ["GPU-aaaa"]),
        (TWO, "0,1", ["GPU-abbb"], ["1"]),
        (TWO, "1,0", ["GPU-ab"], ["1"]),
        (MIXED, "GPU-abbb", [1], ["GPU-abbb"]),
        (SPLIT, None, ["MIG-12", 1], ["MIG-1222", "GPU-abbb"]),
        (TWO, "0", "cpu", []),
    ],
)
def test_what_is_chosen(cards: tuple[Card, ...], restriction: str | None, devices: Any, expected: list[str]) -> None:
    assert slots(cards, restriction, devices) == expected


def test_of_different_cards_only_cuda_knows_which_has_which_number() -> None:
    with pytest.raises(OptionError, match="CUDA_DEVICE_ORDER=PCI_BUS_ID"):
        slots(MIXED, "0,1", ["GPU-abbb"])
    assert slots(MIXED, "0,1", ["GPU-abbb"], CUDA_DEVICE_ORDER="PCI_BUS_ID") == ["1"]


@pytest.mark.parametrize(
    ("cards", "restriction", "devices", "message"),
    [
        (TWO, None, [2], "hydra.launcher.devices=2: 2 is not visible here; visible: 0, 1"),
        (TWO, "1", [0], "hydra.launcher.devices=0: 0 is not visible here; visible: 1"),
        (TWO, "", [0], "hydra.launcher.devices=0: 0 is not visible here; visible: no GPU"),
        (TWO, None, ["GPU-a"], "GPU-a is the beginning of 2 UUIDs; visible: 0, 1"),
        (TWO, None, [0, "GPU-aaaa"], "GPU-aaaa is there twice"),
        (SPLIT, None, [0], "0 is not visible here; visible: MIG-1111, MIG-1222, 1"),
        (LOST, None, [0], r"0 is not visible here; visible: 1 \(GPU 0 is left out: GPU is lost\)"),
        ((), None, [0], "0 is not visible here; visible: no GPU"),
        (TWO, "7", "auto", "CUDA_VISIBLE_DEVICES=7: 7 names none of this machine's 2 GPUs.*devices=cpu"),
        (TWO, "0,0", "auto", "CUDA_VISIBLE_DEVICES=0,0: 0 is there twice, and CUDA then sees no GPU"),
        ((), "0", "auto", "CUDA_VISIBLE_DEVICES=0: there is no NVIDIA GPU here; hydra.launcher.devices=cpu"),
    ],
)
def test_a_gpu_that_was_asked_for_and_is_not_there_is_an_error(
    cards: tuple[Card, ...], restriction: str | None, devices: Any, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        slots(cards, restriction, devices)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    _devices._warn.cache_clear()  # noqa: SLF001
    caplog.set_level(logging.WARNING, logger=_devices.log.name)
    return caplog


def test_some_gpus_that_are_not_there_are_a_warning(warnings: pytest.LogCaptureFixture) -> None:
    assert slots(TWO, "0,7", "auto") == ["0"]
    assert slots(TWO, "0,7", "auto") == ["0"]
    assert [record.getMessage() for record in warnings.records] == [
        "warning: CUDA_VISIBLE_DEVICES=0,7: 7 names none of this machine's 2 GPUs, and CUDA reads no further"
    ]


@pytest.mark.parametrize(("restriction", "devices"), [(None, [0]), ("0", "auto"), ("GPU-aaaa", "auto")])
def test_a_driver_that_fails_is_an_error_where_gpus_were_asked_for(restriction: str | None, devices: Any) -> None:
    with pytest.raises(OptionError, match=r"=(0|GPU-aaaa): NVIDIA's driver .*: Driver Not Loaded; .*devices=cpu"):
        make_plan(options_of(devices), environment_of(restriction), lambda: Listing((), "Driver Not Loaded"))


@pytest.mark.parametrize(
    ("restriction", "devices", "warned"), [(None, "auto", True), ("", "auto", False), ("0", "cpu", False)]
)
def test_where_none_were_asked_for_it_is_a_warning_and_where_they_were_declined_nothing(
    warnings: pytest.LogCaptureFixture, restriction: str | None, devices: Any, warned: bool
) -> None:
    plan = make_plan(options_of(devices), environment_of(restriction), lambda: Listing((), "Driver Not Loaded"))
    assert {slot.name for slot in plan.slots} == {"cpu"}
    assert bool(warnings.records) is warned
    assert not warned or "no GPU is used" in warnings.records[0].getMessage()
