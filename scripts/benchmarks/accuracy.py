"""Does the harness reproduce the tutorial? Both train the same network; their test accuracies are compared."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import mean, stdev

import torch
from scipy import stats

from benchmarks.tutorial import TutorialLoop
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.files import data_root
from rnn_mnist.data.images import load_data_set
from rnn_mnist.training.execution import execution, resolve_device
from rnn_mnist.training.trainer import Trainer


def ours(seed: int, threads: int) -> float:
    """Test accuracy of one run of ``experiment=article``, a fraction."""
    overrides = ["experiment=article", f"seed={seed}", f"training.threads={threads}"]
    config = compose_checked(overrides).config
    device = resolve_device(config.training.device)
    with execution(config, device):
        trainer = Trainer(config, load_data_set(config.data.name, data_root(config.data.root)), device)
        while not trainer.finished:
            trainer.train_epoch()
        return trainer.test().evaluation.accuracy


def tutorials(seed: int, threads: int) -> float:
    """Test accuracy of the tutorial's own loop, a fraction."""
    torch.set_num_threads(threads)
    loop = TutorialLoop(data_root(None), seed=seed)
    for _ in range(2):
        loop.train_epoch()
    return loop.test_accuracy()


def compare(seeds: range, jobs: int, threads: int) -> None:
    """Train both with each seed, ``jobs`` at a time, and print the values and Welch's test."""
    load_data_set("mnist", data_root(None))  # unpacks the files that the tutorial reads
    results: dict[str, list[float]] = {}
    loops: dict[str, Callable[[int, int], float]] = {
        "rnn_mnist experiment=article": ours,
        "the tutorial's loop": tutorials,
    }
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {name: [pool.submit(loop, seed, threads) for seed in seeds] for name, loop in loops.items()}
        for name, runs in futures.items():
            results[name] = [100 * run.result() for run in runs]
            values = " ".join(f"{value:.2f}" for value in results[name])
            print(f"{name}: {values}; mean {mean(results[name]):.2f} %, standard deviation {stdev(results[name]):.2f}")
    first, second = results.values()
    welch = stats.ttest_ind(first, second, equal_var=False)
    interval = welch.confidence_interval(0.95)
    print(
        f"difference {mean(first) - mean(second):+.2f} points, "
        f"95 % interval {interval.low:+.2f} to {interval.high:+.2f}; Welch's t {welch.statistic:.2f}, p = "
        f"{welch.pvalue:.2f}"
    )
