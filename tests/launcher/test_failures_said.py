"""What is printed of failed jobs, and of labels that the terminal's encoding lacks characters of."""

from tests.launcher.conftest import App

MANY_LINES = r'"boom\n" + "more\n" * 40'


def test_a_failure_is_its_first_line_and_its_log_and_nothing_follows_the_list(app: App) -> None:
    program = app.folder / "app.py"
    program.write_text(program.read_text().replace('ValueError("boom")', f"ValueError({MANY_LINES})"))
    shown = app.run("+do=raise", "+x=1", HYDRA_FULL_ERROR="0")
    lines = shown.stdout.splitlines()
    assert [line for line in lines if "boom" in line and "failed after" in line]
    (listed,) = [place for place, line in enumerate(lines) if "failed #0: ValueError: boom (+ 40 more lines)" in line]
    assert lines[listed + 2].strip() == str(app.sweep / "0" / "output.log")
    assert listed + 3 == len(lines)
    assert "more\n" not in shown.stdout
    assert "Error executing job" not in shown.stdout + shown.stderr
    assert (app.sweep / "0" / "output.log").read_text().count("more") >= 40


def test_many_failures_of_one_cause_are_listed_by_their_first_few(app: App) -> None:
    shown = app.run("+do=raise", "+x=range(6)", "hydra.launcher.jobs_per_device=2")
    assert shown.stdout.count("failed #") == 3
    assert "and 3 more failed of the same cause: ValueError: boom" in shown.stdout


def test_a_label_that_ascii_lacks_harms_neither_sweep_nor_job(app: App) -> None:
    program = app.folder / "app.py"
    program.write_text(program.read_text().replace('    if do == "raise"', '    print("é")\n    if do == "raise"'))
    shown = app.run("+x='é'", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert app.status(0)["state"] == "completed"
    assert "UnicodeEncodeError" not in shown.stdout
