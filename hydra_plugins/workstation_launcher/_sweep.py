"""The jobs of a sweep: their configurations, directories and identities, and which of them are done already."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._anew import was_run_anew
from hydra_plugins.workstation_launcher._composition import SweepConfigLoader
from hydra_plugins.workstation_launcher._configurations import Configurations, rare_collections, set_hydra
from hydra_plugins.workstation_launcher._hydra_internals import interpolation
from hydra_plugins.workstation_launcher._identity import application_identities, with_environment
from hydra_plugins.workstation_launcher._options import Options
from hydra_plugins.workstation_launcher._patience import Patience
from hydra_plugins.workstation_launcher._plain_files import leads_astray
from hydra_plugins.workstation_launcher._records import State, Status, SweepRecord, read_status, same_overrides


@dataclass
class Job:
    """One job of a sweep."""

    number: int
    """Its place in the sweep, from 0; Hydra's ``hydra.job.num`` unless that directory was another job's."""
    overrides: list[str]
    make_config: Callable[[], DictConfig]
    """Composes its configuration, with its ``hydra`` node: each takes some hundred kilobytes, and is not kept."""
    fingerprint: str
    former: tuple[str, ...]
    """Fingerprints that it had earlier: a directory of one of them is its own."""
    place: str
    """Its directory, as seen from the sweep's."""
    directory: Path
    status: Status | None = None
    """How it ended, now or earlier; None while it has not."""
    earlier: Status | None = None
    """The record that an earlier command left."""
    twin: "Job | None" = None
    """An earlier job of this sweep with the same identity, which runs for both."""
    skipped: bool = field(default=False)
    """Whether it counts as done because of an earlier command."""
    is_held: bool = False
    """Whether an earlier command has put it into the queue of the place where it is to run, and it is still there."""
    is_damaged: bool = False
    """Whether it was completed, and the application finds its results gone or damaged."""
    source: Path | None = None
    """The directory of the same job, completed beside this sweep, that it takes over instead of running."""
    taken_from: Path | None = None
    """The folder beside this sweep's in which that lies."""
    value: bytes | None = None
    """What it has returned to this command, as a pickle, if JSON need not keep that."""
    failure: bytes | None = None
    """Hydra's ``JobReturn`` of its failure under this command, as a pickle."""
    application_identities: tuple[str, ...] = ()
    """What the application knows it by, now and earlier."""
    same_because: str = ""
    """What makes it the same as its twin."""

    @property
    def config(self) -> DictConfig:
        """Its configuration, made anew; whoever asks twice in a row for the same job's is given the same."""
        return self.make_config()

    @property
    def identities(self) -> tuple[str, ...]:
        """Its fingerprint, and those that it had earlier."""
        return (self.fingerprint, *self.former)

    @property
    def is_to_run(self) -> bool:
        """Whether it is to be run: it is not done, is not taken from elsewhere and is no other job again."""
        return self.twin is None and not self.skipped and self.taken_from is None

    @property
    def outcome(self) -> Status | None:
        """Its own status, or its twin's."""
        return self.status if self.twin is None else self.twin.status

    label: str = "(defaults)"
    """The overrides in which it differs from others of its sweep; all, if it is the only one."""


def plan_jobs(
    *,
    batch: Sequence[Sequence[str]],
    first_number: int,
    loader: SweepConfigLoader,
    master: DictConfig,
    options: Options,
    record: SweepRecord,
    is_whole: Callable[[Path, tuple[str, ...]], bool] = lambda *_: True,
    code_version: str | None = None,
) -> list[Job]:
    """Compose all jobs of a batch, give each its directory, and recognise those that need not run.

    Nothing is written. Whatever is wrong with a configuration is raised here, before any job starts. ``is_whole`` says
    whether the results of a completed job are in its directory.
    """
    jobs: list[Job] = []
    places = _Places(record)
    by_fingerprint: dict[str, Job] = {}
    configurations = Configurations(loader, master)
    patience = Patience()

    def was_anew(earlier: Status) -> bool:
        return was_run_anew(record.content.get("anew"), earlier.fingerprint, earlier.attempt_id, code_version)

    with rare_collections():
        for number, given in enumerate(batch, first_number):
            overrides = list(given)
            config = configurations.compose(overrides, number, for_a_moment=True)
            application = application_identities(config, options.identity, options.not_identity)
            identities = with_environment(application, config)
            identity, *former = identities
            twin = by_fingerprint.get(identity)
            place = twin.place if twin is not None else places.settle(config, identities)
            make_config = configurations.maker(overrides, place, config)
            job = Job(
                number, overrides, make_config, identity, tuple(former), place, record.directory / place, twin=twin,
                application_identities=application,
            )  # fmt: skip
            if twin is None:
                by_fingerprint[identity] = job
                _recognise(job, options, is_whole, was_anew)
            jobs.append(job)
            patience.told("planned %d of %d jobs", len(jobs), len(batch))
    common = common_overrides(jobs)
    for job in jobs:
        differing = [override for override in job.overrides if override not in common or len(jobs) == 1]
        job.label = " ".join(differing) or "(defaults)"
    return jobs


def common_overrides(jobs: Sequence[Job]) -> list[str]:
    """The overrides that all jobs share."""
    return (
        [override for override in jobs[0].overrides if all(override in job.overrides for job in jobs)] if jobs else []
    )


def _recognise(
    job: Job,
    options: Options,
    is_whole: Callable[[Path, tuple[str, ...]], bool],
    is_run_anew: Callable[[Status], bool],
) -> None:
    earlier = read_status(job.directory)
    if earlier is None or earlier.fingerprint not in job.identities:
        return
    job.earlier = earlier
    finished = earlier.state == State.completed or (earlier.state == State.failed and not options.retry_failed)
    if not finished or not (options.resume or is_run_anew(earlier)):
        return
    if earlier.state == State.completed and not is_whole(job.directory, job.application_identities):
        job.is_damaged = True
    else:
        job.status, job.skipped = earlier, True


class _Places:
    """The directories of a sweep: none is ever given to two jobs."""

    def __init__(self, record: SweepRecord) -> None:
        self._sweep = record.directory
        self._known = {fingerprint: entry["directory"] for fingerprint, entry in record.jobs.items()}
        self._taken = {place: fingerprint for fingerprint, place in self._known.items()}
        self._highest = -1

    def settle(self, config: DictConfig, fingerprints: tuple[str, ...]) -> str:
        """The place of a job: where it lies already, else where the app wants it, else a free one like that."""
        place = next((self._known[each] for each in fingerprints if each in self._known), None)
        if place is None:
            place = self._free_place(config, fingerprints)
            self._known[fingerprints[0]] = place
            self._taken[place] = fingerprints[0]
        return place

    def _free_place(self, config: DictConfig, fingerprints: tuple[str, ...]) -> str:
        wanted = _wanted(config)
        if self._is_free(wanted, fingerprints, config):
            return wanted
        # Hydra's numbers: go on after the highest that is in use.
        number = max(config.hydra.job.num, self._highest)
        while True:
            number += 1
            set_hydra(config, "job.num", number)
            set_hydra(config, "job.id", str(number))
            numbered = _wanted(config)
            if numbered == wanted:
                return f"{wanted}__{fingerprints[0][:40]}"  # the name does not depend on the number
            if self._is_free(numbered, fingerprints, config):
                self._highest = number
                return numbered

    def _is_free(self, place: str, fingerprints: tuple[str, ...], config: DictConfig) -> bool:
        if place in self._taken or leads_astray(self._sweep, place):
            return False
        directory = self._sweep / place
        status = read_status(directory)
        if status is not None:
            return status.fingerprint in fingerprints
        # A job that another launcher made is known by its overrides.
        overrides = directory / str(config.hydra.output_subdir) / "overrides.yaml"
        return same_overrides(overrides, list(config.hydra.overrides.task)) is not False


def _wanted(config: DictConfig) -> str:
    """The directory that the app wants for a job. Hydra's own choice is known without its parser, which takes long."""
    if interpolation(config.hydra.sweep, "subdir") == "${hydra.job.num}":
        return str(config.hydra.job.num)
    return str(OmegaConf.select(config, "hydra.sweep.subdir"))


def factors(jobs: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    """The keys whose overrides differ between jobs, given by their overrides, with their values as they come."""
    values: dict[str, dict[str, None]] = {}
    for overrides in jobs:
        for override in overrides:
            key, _, value = override.partition("=")
            values.setdefault(key, {})[value] = None
    return {key: list(found) for key, found in values.items() if len(found) > 1}
