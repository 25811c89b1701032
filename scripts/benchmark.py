"""Measure the harness against the tutorial's loop and its launcher against Hydra's, side by side in one run.

python scripts/benchmark.py step       seconds per epoch, ratio, and the floor of the arithmetic alone
python scripts/benchmark.py accuracy   test accuracies over seeds, and Welch's test
python scripts/benchmark.py sweep      runs an hour under each launcher, and by the tutorial's loop
python scripts/benchmark.py overhead   what a job that does nothing costs under each launcher
python scripts/benchmark.py scale      what thousands of jobs that do nothing take, and the same command again
python scripts/benchmark.py search     how much of the time the slots of a search stand idle
python scripts/benchmark.py runs       what thousands of finished runs take: to write, to find again, to tabulate
python scripts/benchmark.py gpu        a GPU: is it right, how fast, how many runs share it well; in Markdown
python scripts/benchmark.py against COMMIT [start] [step] [sweep] [busy] [overhead]
                                       whole commands of this code and of another commit's, in turn
"""

import argparse
from pathlib import Path

from benchmarks import accuracy, against, gpu, overhead, scale, scale_runs, search, step, sweep


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    step_parser = commands.add_parser("step", help="seconds per epoch of ours, the tutorial's, and the floor")
    step_parser.add_argument("--steps", type=int, default=60, help="training steps of 128 images a round (default 60)")
    step_parser.add_argument("--rounds", type=int, default=5, help="rounds, taken in turn (default 5)")
    step_parser.add_argument("--threads", type=int, default=None, help="CPU threads (default: PyTorch's own choice)")
    accuracy_parser = commands.add_parser("accuracy", help="test accuracies of experiment=article and the tutorial")
    accuracy_parser.add_argument("--seeds", type=int, default=8, help="runs of each (default 8)")
    accuracy_parser.add_argument("--first-seed", type=int, default=0, help="the seeds start here (default 0)")
    accuracy_parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    accuracy_parser.add_argument("--threads", type=int, default=1, help="CPU threads a run (default 1)")
    sweep_parser = commands.add_parser("sweep", help="runs an hour: basic, joblib and workstation launcher, tutorial")
    sweep_parser.add_argument("--jobs", type=int, default=8, help="runs (default 8)")
    sweep_parser.add_argument("--images", type=int, default=60_000, help="training images of a run (default 60000)")
    sweep_parser.add_argument("--network", action="append", choices=sweep.NETWORKS, help="only this one (repeatable)")
    sweep_parser.add_argument("--alternatives", action="store_true", help="other numbers of jobs at a time as well")
    overhead_parser = commands.add_parser("overhead", help="milliseconds of a job that does nothing, by launcher")
    overhead_parser.add_argument("--jobs", type=int, default=40, help="jobs of the longer sweep (default 40)")
    overhead_parser.add_argument("--rounds", type=int, default=3, help="rounds, taken in turn (default 3)")
    scale_parser = commands.add_parser("scale", help="seconds and memory of a sweep of thousands of jobs")
    scale_parser.add_argument("--jobs", type=int, default=10_000, help="jobs (default 10000)")
    search_parser = commands.add_parser("search", help="the idle share of the slots of a search, and of batches")
    search_parser.add_argument("--trials", type=int, default=20, help="trials of a search (default 20)")
    search_parser.add_argument("--seconds", type=float, default=1.0, help="mean length of a trial (default 1)")
    search_parser.add_argument("--rounds", type=int, default=3, help="searches of each kind (default 3)")
    runs_parser = commands.add_parser("runs", help="seconds and memory of a sweep of thousands of finished runs")
    runs_parser.add_argument("--runs", type=int, default=10_000, help="runs (default 10000), and a tenth of them")
    runs_parser.add_argument(
        "--workers", type=int, default=1_000, help="runs that are at work at a time (default 1000)"
    )
    against_parser = commands.add_parser("against", help="whole commands of this code and of another commit's, in turn")
    against_parser.add_argument("commit", help="the other code, as git names it")
    against_parser.add_argument("subject", nargs="*", help=f"{', '.join(against.SUBJECTS)} (default: all)")
    against_parser.add_argument("--rounds", type=int, default=7, help="rounds, taken in turn (default 7)")
    gpu_parser = commands.add_parser("gpu", help="all that has to be known of a GPU, in under 8 minutes")
    gpu_parser.add_argument("part", nargs="*", help=f"{', '.join(gpu.PARTS)} (default: all)")
    gpu_parser.add_argument("--rounds", type=int, default=7, help="rounds, taken in turn (default 7)")
    gpu_parser.add_argument("--output", type=Path, help="a file for the report as well")
    arguments = parser.parse_args()
    if arguments.command == "step":
        step.compare(arguments.steps, arguments.rounds, arguments.threads)
    elif arguments.command == "sweep":
        sweep.compare(
            arguments.jobs,
            arguments.images,
            networks=arguments.network or list(sweep.NETWORKS),
            alternatives=arguments.alternatives,
        )
    elif arguments.command == "overhead":
        overhead.compare(arguments.jobs, arguments.rounds)
    elif arguments.command == "gpu":
        unknown = set(arguments.part) - set(gpu.PARTS)
        if unknown:
            gpu_parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(gpu.PARTS)}")
        gpu.measure(arguments.output, arguments.part, arguments.rounds)
    elif arguments.command == "against":
        unknown = set(arguments.subject) - set(against.SUBJECTS)
        if unknown:
            against_parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(against.SUBJECTS)}")
        against.compare(arguments.commit, arguments.subject or list(against.SUBJECTS), arguments.rounds)
    else:
        _measure(arguments)


def _measure(arguments: argparse.Namespace) -> None:
    if arguments.command == "scale":
        scale.measure(arguments.jobs)
    elif arguments.command == "runs":
        scale_runs.measure(arguments.runs, arguments.workers)
    elif arguments.command == "search":
        search.compare(arguments.trials, arguments.seconds, arguments.rounds)
    else:
        accuracy.compare(
            range(arguments.first_seed, arguments.first_seed + arguments.seeds), arguments.jobs, arguments.threads
        )


if __name__ == "__main__":
    main()
