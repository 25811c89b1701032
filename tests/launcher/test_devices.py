"""Slots, and the environment that each job gets, on cards of the test's own."""

import ast

import pytest

from hydra_plugins.workstation_launcher import available_cores
from tests.launcher.conftest import App
from tests.launcher.fake_nvml import SPLIT, TWO_GPUS, fake_driver


def jobs_environments(app: App, number: int) -> list[dict[str, str]]:
    return [ast.literal_eval((app.sweep / str(job) / "environment").read_text()) for job in range(number)]


@pytest.mark.parametrize("start_method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_each_job_sees_its_own_gpu(app: App, start_method: str) -> None:
    driver = fake_driver(app.folder / "bin", TWO_GPUS)
    done = app.run(
        "+do=environment", "+x=0,1,2,3", "hydra.launcher.jobs_per_device=2",
        "hydra.launcher.start_interval_seconds=0", f"hydra.launcher.start_method={start_method}", **driver,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 at a time on GPU 0, GPU 1" in done.stdout
    environments = jobs_environments(app, 4)
    assert sorted(environment["CUDA_VISIBLE_DEVICES"] for environment in environments) == [
        "GPU-aaaa", "GPU-aaaa", "GPU-bbbb", "GPU-bbbb",
    ]  # fmt: skip
    assert not any("CUDA_DEVICE_ORDER" in environment for environment in environments)
    assert {environment["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] for environment in environments} == {"100"}
    assert {app.status(job)["device"] for job in range(4)} == {"GPU 0", "GPU 1"}


def test_chosen_devices_and_those_that_are_not_there(app: App) -> None:
    driver = fake_driver(app.folder / "bin", SPLIT)
    done = app.run("+do=environment", "hydra.launcher.devices=[MIG-2222]", **driver)
    assert done.returncode == 0, done.stderr
    assert jobs_environments(app, 1)[0]["CUDA_VISIBLE_DEVICES"] == "MIG-2222"
    done = app.run("hydra.launcher.devices=[0]", **driver)
    assert done.returncode == 1
    assert "hydra.launcher.devices=0: 0 is not visible here; visible: MIG-1111, MIG-2222, 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_users_own_numbers_are_passed_on_in_the_users_own_order(app: App) -> None:
    driver = fake_driver(app.folder / "bin", TWO_GPUS)
    done = app.run("+do=environment", "+x=0,1", CUDA_VISIBLE_DEVICES="1,0,7", **driver)
    assert done.returncode == 0, done.stderr
    assert "2 at a time on GPU 1, GPU 0" in done.stdout
    assert "warning: CUDA_VISIBLE_DEVICES=1,0,7: 7 names none of this machine's 2 GPUs" in done.stdout
    environments = jobs_environments(app, 2)
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in environments] == ["1", "0"]
    assert not any("CUDA_DEVICE_ORDER" in environment for environment in environments)


def test_a_driver_that_fails_is_said_and_where_gpus_were_asked_for_an_error(app: App) -> None:
    driver = fake_driver(app.folder / "bin", fails="Driver Not Loaded")
    done = app.run("+x=1,2", **driver)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("warning: no GPU is used, for NVIDIA's driver does not say") == 1
    assert "on cpu" in done.stdout
    done = app.run("+x=3", CUDA_VISIBLE_DEVICES="0", **driver)
    assert done.returncode == 1
    assert "CUDA_VISIBLE_DEVICES=0: NVIDIA's driver does not say which GPUs there are: Driver Not Loaded" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(app.ran()) == 2


def test_jobs_on_the_cpu_share_its_cores_and_see_no_gpu(app: App) -> None:
    driver = fake_driver(app.folder / "bin", TWO_GPUS)
    app.environment.pop("OMP_NUM_THREADS", None)
    done = app.run("+do=environment", "hydra.launcher.devices=cpu", "hydra.launcher.jobs_per_device=1", **driver)
    assert done.returncode == 0, done.stderr
    environment = jobs_environments(app, 1)[0]
    assert environment["CUDA_VISIBLE_DEVICES"] == ""
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == str(available_cores())
    done = app.run("+do=environment", "+x=1")
    assert f"{available_cores()} at a time on cpu, 1 thread each" in done.stdout


def test_a_number_of_threads_that_the_user_set_stays(app: App) -> None:
    done = app.run("+do=environment", OMP_NUM_THREADS="3")
    assert "OMP_NUM_THREADS=3" in done.stdout
    assert jobs_environments(app, 1)[0]["OMP_NUM_THREADS"] == "3"


def test_an_app_that_starts_cuda_when_imported_is_not_forked(app: App) -> None:
    (app.folder / "torch.py").write_text(
        "class cuda:\n    is_initialized = staticmethod(lambda: True)\n\ndef set_num_threads(n): pass\n"
    )
    (app.folder / "app.py").write_text("import torch\n" + (app.folder / "app.py").read_text() + "\nassert torch\n")
    done = app.run("+x=1", "hydra.launcher.preload=[torch]")
    assert done.returncode == 0, done.stderr
    assert "each job starts a new interpreter, because the application starts CUDA when it is imported" in done.stdout
    assert app.status(0)["return_value"] == 1
