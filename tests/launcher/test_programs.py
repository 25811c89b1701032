"""What Hydra programs may do: each of ``apps`` sees the same under this launcher as under Hydra's own."""

import gzip
import zipapp
from pathlib import Path

import pytest

from tests.launcher.programs import APPS, LAUNCHERS, Programs

pytestmark = pytest.mark.slow  # each runs programs of seconds under three launchers


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


@pytest.mark.parametrize("app", ["module_state", "main_module", "streams", "goes_away"])
def test_a_job_sees_what_it_would_under_hydras_own_launcher(programs: Programs, app: str) -> None:
    values = (
        "1" if app == "goes_away" else "1,2"
    )  # where one job goes, Hydra's own launcher makes the next one's folder
    for launcher in LAUNCHERS:
        done = programs.run(app, launcher, f"++x={values}")
        assert done.returncode == 0, done.stdout + done.stderr
    assert programs.facts("basic")
    assert programs.facts("fork") == programs.facts("basic")
    assert programs.facts("spawn") == programs.facts("basic")


def test_a_seeded_program_draws_in_each_job_what_it_draws_in_a_single_run(programs: Programs) -> None:
    programs.run("seeded", "basic", "+x=1")
    for launcher in ("fork", "spawn"):
        programs.run("seeded", launcher, "+x=1,2")
        assert programs.facts(launcher) == programs.facts("basic") * 2


def test_the_jobs_of_an_unseeded_program_draw_different_numbers(programs: Programs) -> None:
    programs.run("unseeded", "fork", "+x=1,2,3")
    drawn = programs.facts("fork")
    for generator in drawn[0]:
        assert len({job[generator] for job in drawn}) == 3, generator


def test_a_preloaded_torch_is_seeded_anew(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text((APPS / "goes_away.py").read_text().replace(
        "    keep(", "    import torch\n    keep(drawn=torch.rand(1).item(), "
    ))  # fmt: skip
    done = programs.run("late", "fork", "+x=1,2,3", "hydra.launcher.preload=[torch]", way=["late.py"])
    assert done.returncode == 0, done.stderr
    assert len({job["drawn"] for job in programs.facts("fork")}) == 3


def test_what_is_printed_through_replaced_streams_is_in_the_log(programs: Programs, tmp_path: Path) -> None:
    done = programs.run("streams", "fork", "+x=1")
    log = (tmp_path / "fork" / "0" / "output.log").read_text()
    assert [f"{how} by the job" in log for how in ("printed", "complained", "logged")] == [True] * 3
    assert "by the job" not in done.stdout + done.stderr


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_a_return_value_never_costs_a_job(programs: Programs, start_method: str) -> None:
    values = ["generator", "lock", "surrogate", "integer", "set", "path", "no_number", "kind", "keys", "nested"]
    done = programs.run("returns", start_method, f"+x={','.join(values)}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [programs.status(start_method, number)["state"] for number in range(len(values))] == ["completed"] * len(
        values
    )
    assert "warning: what the task returned (generator) cannot be given to the sweeper" in done.stdout


def test_a_callback_lives_on_in_forked_jobs(programs: Programs) -> None:
    for launcher in ("basic", "fork"):
        done = programs.run("callback", launcher, "x=1,2")
        assert done.returncode == 0, done.stdout + done.stderr
    assert programs.facts("fork") == programs.facts("basic") == [{"seen": ["100 1 app"]}, {"seen": ["100 2 app"]}]


def test_what_cannot_be_sent_to_a_new_interpreter_is_named(programs: Programs) -> None:
    done = programs.run("callback", "spawn", "x=1,2")
    assert done.returncode == 1
    assert "Hydra's callbacks.callbacks[0].lock (a _thread.RLock) cannot be sent to another process" in done.stderr
    assert "hydra.launcher.start_method=fork" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hook_in_the_main_module(programs: Programs) -> None:
    done = programs.run("callback", "fork", "x=1", "hydra.launcher.on_job_end=__main__.hook")
    assert done.returncode == 0, done.stderr
    assert "hook called" in done.stdout


@pytest.mark.parametrize("start_method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.parametrize("way", ["-c", "-", "zipapp", "-m package", "no file"])
def test_every_way_to_start_a_program(programs: Programs, tmp_path: Path, way: str, start_method: str) -> None:
    source = (APPS / "module_state.py").read_text()
    stdin, command = "", ["-"]
    if way == "-c":
        command = ["-c", source]
    elif way == "-":
        stdin = source
    elif way == "zipapp":
        (tmp_path / "source").mkdir()
        (tmp_path / "source" / "__main__.py").write_text(source)
        zipapp.create_archive(tmp_path / "source", tmp_path / "app.pyz")
        command = ["app.pyz"]
    elif way == "no file":
        (tmp_path / "no_file.py").write_text(source.replace("\nif __name__", "\ndel __file__\nif __name__"))
        command = ["no_file.py"]
    else:
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "__main__.py").write_text(source)
        command = ["-m", "package"]
    for launcher in ("basic", start_method):
        done = programs.run("module_state", launcher, "+x=1,2", way=command, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
    expected = programs.facts("basic")
    if start_method == "spawn":
        # Such a main module is not executed again, as under multiprocessing.
        changed = ("dtype", "raised", "recursion", "decimal", "locale", "name", "main")
        expected = [{key: value for key, value in job.items() if key not in changed} for job in expected]
    assert len(expected) == 2
    assert [{key: job[key] for key in expected[0]} for job in programs.facts(start_method)] == expected


def test_each_process_ends_what_it_began(programs: Programs, tmp_path: Path) -> None:
    done = programs.run("owner", "fork", "+x=1,2,3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert programs.facts("fork") == [{"is_there": True}] * 3
    exits = (tmp_path / "exits.txt").read_text().splitlines()
    assert sorted(exits) == sorted(
        [f"{what} {x}" for what in ("child", "finalized", "job") for x in (1, 2, 3)] + ["module"]
    )
    lines = (tmp_path / "unflushed.txt").read_text().splitlines()
    assert len([line for line in lines if line.startswith("module")]) == 1
    assert sorted(line for line in lines if line.startswith("job")) == ["job 1", "job 2", "job 3"]
    for number in range(3):
        assert (tmp_path / "fork" / str(number) / "written.txt").read_text() == "all of it"
        with gzip.open(tmp_path / "fork" / str(number) / "zipped.gz") as file:
            assert file.read() == b"all of it"
    assert not list(tmp_path.glob("tmp*")), "the temporary folder went with the process that made it"


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_a_child_of_the_task_that_comes_back_is_no_job(programs: Programs, tmp_path: Path, start_method: str) -> None:
    done = programs.run("forking", start_method, "+how=exit,raise,return", "+then=segfault,end")
    assert done.returncode == 1
    for number, (how, then) in enumerate(
        (how, then) for how in ("exit", "raise", "return") for then in ("segfault", "end")
    ):
        record = programs.status(start_method, number)
        log = (tmp_path / start_method / str(number) / "output.log").read_text()
        assert f"child ended with {1 if how == 'raise' else 0}" in log or then == "segfault"
        assert record["state"] == ("failed" if then == "segfault" else "completed"), how
        assert (record["error"] or "").startswith("killed by SIGSEGV" if then == "segfault" else "")


@pytest.mark.parametrize("threads", ["python", "openmp"])
def test_a_program_with_threads_gets_new_interpreters_and_is_told(programs: Programs, threads: str) -> None:
    done = programs.run("threads", "fork", "+x=1,2", THREADS=threads)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "each job starts a new interpreter, because the application starts threads when it is imported" in done.stdout
    )
    assert programs.facts("fork") == [{"sum": 2e6}] * 2


def test_a_program_that_calls_its_task_when_it_is_imported(programs: Programs) -> None:
    done = programs.run("unguarded", "fork", "+x=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert programs.facts("fork") == [{"x": 1}, {"x": 2}]
    done = programs.run("unguarded", "spawn", "+x=1", "hydra.sweep.dir='spawn/${now:%f}'")
    assert done.returncode == 1
    assert 'keep the call of the task function under if __name__ == "__main__":' in done.stdout
    assert len(list(programs.folder.glob("spawn/*"))) == 1, "its job has started no sweep"
