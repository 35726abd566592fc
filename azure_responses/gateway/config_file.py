"""A configuration file → the settings of a gateway, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.key_table import StoredKey
from azure_responses.gateway.schema import (
    GENERAL,
    LITELLM,
    SECTION_NAMES,
    SECTIONS,
    GatewaySettings,
    Setting,
)
from azure_responses.gateway.virtual_keys import read_file_keys
from azure_responses.gateway.yaml_reader import (
    ConfigProblem,
    Document,
    Path,
    Severity,
    YamlError,
    expand,
    read_document,
    show_path,
)
from azure_responses.pricing import PriceBook
from azure_responses.protocol.environment import ENVIRONMENT, Provider, choose, has_endpoint
from azure_responses.routing.deployment import ANY_MODEL
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.entry_defaults import (
    DEFAULTS,
    read_credentials,
    read_defaults,
    with_defaults,
)
from azure_responses.routing.litellm_keys import look_at, section_of, suggest
from azure_responses.routing.model_aliases import ALIAS_KEYS
from azure_responses.routing.model_list import read_model_list, with_endpoint
from azure_responses.routing.model_rights import ModelRights
from azure_responses.routing.settings import read_settings
from azure_responses.store.factory import REDIS_KEYS, state_of

__all__ = [
    "Loaded",
    "find_database_url",
    "load_config",
    "read_config",
    "read_environment",
    "validate",
]

_PARAMS = "litellm_params"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, None if the file has errors, and every problem."""

    settings: GatewaySettings | None
    problems: tuple[ConfigProblem, ...]


def validate(text: str, environ: Mapping[str, str]) -> tuple[ConfigProblem, ...]:
    """Everything that is wrong or unclear in the text of a configuration file, by line."""
    return read_config(text, environ).problems


def load_config(
    path: FilePath | None, environ: Mapping[str, str]
) -> tuple[GatewaySettings, tuple[ConfigProblem, ...]]:
    """The settings of a file, or of the environment without one, and the warnings.

    Raises:
        ConfigurationError: the file cannot be read, or has errors; the message has them all.
    """
    if path is None:
        return read_environment(environ), ()
    loaded = read_config(_read_text(path), environ)
    if loaded.settings is None:
        errors = [problem for problem in loaded.problems if problem.severity == "error"]
        lines = "\n".join(f"  {str(error).removeprefix('error: ')}" for error in errors)
        raise ConfigurationError(f"{path} cannot be used:\n{lines}")
    return loaded.settings, loaded.problems


def find_database_url(path: FilePath, environ: Mapping[str, str]) -> str | None:
    """The `database_url` of a file, whatever else in it this machine has no variables for.

    Raises:
        ConfigurationError: the file or this one value cannot be read.
    """
    try:
        document = read_document(_read_text(path))
    except YamlError as error:
        raise ConfigurationError(f"{path} cannot be used: {error}") from error
    root = document.value if isinstance(document.value, dict) else {}
    general = root.get("general_settings")
    document.value = general.get("database_url") if isinstance(general, dict) else None
    expand(document, environ)
    if document.problems:
        raise ConfigurationError(document.problems[0].message, hint=document.problems[0].hint)
    return document.value if isinstance(document.value, str) else None


def _read_text(path: FilePath) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8.", hint="Save it as UTF-8 and start again."
        ) from error


def read_environment(environ: Mapping[str, str]) -> GatewaySettings:
    """A gateway of one resource, from the variables that a client reads.

    AZURE_OPENAI_DEPLOYMENT names the one model served; without it the model a caller asks for
    is taken as the deployment. AZURE_RESPONSES_MASTER_KEY is the master key.

    Raises:
        ConfigurationError: no endpoint is set.
    """
    if not has_endpoint(environ):
        raise ConfigurationError(
            "There is neither a configuration file nor an endpoint in the environment.",
            hint="Pass --config config.yaml, or set AZURE_OPENAI_ENDPOINT.",
        )
    provider: Provider = "azure" if has_endpoint(environ, "azure") else "azure_ai"
    beside = choose("endpoint", environ, provider).source
    found = {name: choose(name, environ, provider, beside=beside).value for name in ENVIRONMENT}
    model = found["deployment"] or ANY_MODEL
    params = {
        "model": f"{provider}/{model}",
        "api_base": found["endpoint"],
        "api_key": found["api_key"],
        "api_version": found["api_version"],
        "azure_ad_token": None if found["api_key"] else found["azure_ad_token"],
    }
    entry = {"model_name": model, _PARAMS: {k: v for k, v in params.items() if v is not None}}
    document = Document({"general_settings": _environment_keys(environ)})
    keys, weakest = read_file_keys(document)
    return GatewaySettings(model_list=(entry,), keys=keys, weakest_key=weakest)


def _environment_keys(environ: Mapping[str, str]) -> dict[str, str]:
    key = environ.get("AZURE_RESPONSES_MASTER_KEY", "").strip()
    return {"master_key": key} if key else {}


def _first(environ: Mapping[str, str], variables: tuple[str, ...]) -> str | None:
    values = (environ.get(variable, "").strip() for variable in variables)
    return next((value for value in values if value), None)


def read_config(text: str, environ: Mapping[str, str]) -> Loaded:
    """Read the text of a configuration file.

    Args:
        environ: for `os.environ/NAME`; the file's own `environment_variables` come first.
    """
    try:
        document = read_document(text)
    except YamlError as error:
        return Loaded(None, (error.problem,))
    settings = _ConfigReader(document, environ).read()
    problems = tuple(sorted(document.problems, key=lambda problem: problem.line or 0))
    has_error = any(problem.severity == "error" for problem in problems)
    return Loaded(None if has_error else settings, problems)


class _ConfigReader:
    """Reads a document once; the problems go into the document."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ
        self._own: Mapping[str, str] = {}
        self._fields: dict[str, Any] = {}
        self._router: dict[str, Any] = {}
        self._router_paths: dict[str, Path] = {}
        # Of all entries and settings, if none of them has errors.
        self._registry: DeploymentRegistry | None = None

    def read(self) -> GatewaySettings | None:
        document = self._document
        if not isinstance(document.value, dict):
            self._document.report((), "The file holds no settings.", hint="Begin with model_list.")
            return None
        own = self._section("environment_variables")
        texts = {name: str(value) for name, value in own.items() if value is not None}
        # What the file itself sets comes before the environment.
        self._environ, self._own = {**self._environ, **texts}, texts
        expand(document, self._environ)
        for name, value in document.value.items():
            if name not in SECTION_NAMES:
                self._unknown((name,), "", value, SECTION_NAMES)
        self._read_settings("general_settings", GENERAL)
        for name, section in SECTION_NAMES.items():
            if section == "litellm_settings":
                self._read_settings(name, LITELLM)
        self._read_router()
        self._read_models()
        self._read_pricing()
        keys, weakest = read_file_keys(document)
        self._warn_of_lost_budgets(any(key.caller.budget for key in keys))
        self._warn_of_unknown_models(keys)
        return GatewaySettings(**self._fields, router=self._router, keys=keys, weakest_key=weakest)

    def _section(self, name: str) -> dict[str, Any]:
        value = self._document.value.get(name)
        if value is None or isinstance(value, dict):
            return value or {}
        self._document.report((name,), "This section is not a mapping of keys to values.")
        return {}

    def _read_settings(self, section: str, known: Mapping[str, Setting]) -> None:
        for name, value in self._section(section).items():
            path = (section, name)
            setting = known.get(name)
            if setting is None:
                self._unknown(path, SECTION_NAMES[section], value, known)
            elif value is not None:
                self._read_setting(setting, path, value)

    def _read_setting(self, setting: Setting, path: Path, value: Any) -> None:
        try:
            read = setting.read(value)
        except ValueError as error:
            self._document.report(path, f"The value {error}.")
            return
        if setting.field is None:
            return
        if setting.field.startswith("router."):
            self._set_router(setting.field.removeprefix("router."), path, read)
        elif setting.field == "callbacks":
            self._add_callbacks(path, read)
        elif setting.field != "master_key":  # Which `read_file_keys` takes.
            self._fields[setting.field] = FilePath(read) if setting.field == "spend_log" else read

    def _add_callbacks(self, path: Path, names: tuple[str, ...]) -> None:
        known = self._fields.get("callbacks", ())
        for name in names:
            if name in ("prometheus", "otel"):
                continue  # Metrics are always served, and OpenTelemetry used where it is set up.
            if "." not in name:
                message = f"There is no built-in callback {name!r}; it is left out."
                hint = "Name a callable as module.attribute, or read the spend log."
                self._document.report(path, message, hint, "warning")
            elif name not in known:
                known = (*known, name)
        self._fields["callbacks"] = known

    def _set_router(self, name: str, path: Path, value: Any) -> None:
        try:
            read_settings(
                {name: value}, lambda text: self._document.report(path, text, severity="warning")
            )
        except ConfigurationError as error:
            self._document.report(path, error.message, hint=error.hint)
        else:
            self._router[name] = value
            self._router_paths[name] = path

    def _read_router(self) -> None:
        section = self._section("router_settings")
        for name, value in section.items():
            path = ("router_settings", name)
            if name not in SECTIONS["router_settings"]:
                self._unknown(path, "router_settings", value, SECTIONS["router_settings"])
            elif value is not None and name == "affinity_secret":
                self._read_setting(GENERAL["affinity_secret"], path, value)
            elif value is not None and name == "state":
                self._read_setting(GENERAL["redis_url"], path, value)
            elif value is not None and name not in REDIS_KEYS:
                self._set_router(name, path, value)
        self._read_state(section)

    def _read_state(self, section: Mapping[str, Any]) -> None:
        try:
            state = state_of(section)
        except ConfigurationError as error:
            self._document.report(("router_settings",), error.message, hint=error.hint)
        else:
            if state is not None and section.get("state") is None:
                self._fields["state"] = state

    def _read_models(self) -> None:
        entries = self._document.value.get("model_list")
        if not isinstance(entries, list) or not entries:
            what = "This is not a list of deployments." if entries else "No deployment is listed."
            self._document.report(
                ("model_list",), what, hint="Give model_list an entry for each deployment."
            )
            return
        entries = self._with_defaults(entries)
        entries = [with_endpoint(entry, self._environ, self._own) for entry in entries]
        usable = [entry for index, entry in enumerate(entries) if self._is_usable(entry, index)]
        if len(usable) == len(entries):
            # Otherwise settings that name a group of a broken entry would be reported as well.
            self._check_together(usable)
        self._fields["model_list"] = tuple(usable)

    def _with_defaults(self, entries: list[Any]) -> list[Any]:
        """The entries with what their credentials and the defaults of the file add."""
        try:
            credentials = read_credentials(self._document.value.get("credential_list"))
        except ConfigurationError as error:
            self._document.report(("credential_list",), error.message, hint=error.hint)
            credentials = {}
        defaults: Mapping[str, Any] = {}
        path = self._router_paths.pop(DEFAULTS, ())
        try:
            defaults = read_defaults(self._router.pop(DEFAULTS, None))
        except ConfigurationError as error:
            self._document.report(path, error.message, hint=error.hint)
        return [
            self._completed(entry, index, defaults, credentials)
            for index, entry in enumerate(entries)
        ]

    def _completed(
        self,
        entry: Any,
        index: int,
        defaults: Mapping[str, Any],
        credentials: Mapping[str, Mapping[str, Any]],
    ) -> Any:
        try:
            return with_defaults(entry, defaults, credentials)
        except ConfigurationError as error:
            self._document.report(("model_list", index), error.message, hint=error.hint)
            return entry

    def _is_usable(self, entry: Any, index: int) -> bool:
        path: Path = ("model_list", index)
        if self._has_errors_within(path):
            return False  # Its variables are missing, which was reported.
        if not isinstance(entry, dict):
            self._document.report(path, "This entry is not a mapping of keys to values.")
            return False
        # Read alone each is the first; where it stands the path says.
        place = f"model_list entry 1 ({entry.get('model_name')!r}): "

        def warn(text: str) -> None:
            self._document.report(path, text.removeprefix(place), severity="warning")

        try:
            read_model_list([entry], {}, warn)
        except ConfigurationError as error:
            self._document.report(path, error.message.removeprefix(place), hint=error.hint)
            return False
        return True

    def _has_errors_within(self, path: Path) -> bool:
        beginning = show_path(path) + "."
        return any(
            problem.severity == "error" and problem.path.startswith(beginning)
            for problem in self._document.problems
        )

    def _check_together(self, entries: list[Any]) -> None:
        try:
            deployments = read_model_list(entries, {})
        except ConfigurationError as error:
            self._document.report(("model_list",), error.message, hint=error.hint)
            return
        aliases = {name: self._router[name] for name in ALIAS_KEYS if name in self._router}
        errors = []
        for name, path in self._router_paths.items():
            try:
                DeploymentRegistry(
                    deployments, read_settings({**aliases, name: self._router[name]})
                )
            except ConfigurationError as error:
                errors.append(error)
                self._document.report(path, error.message, hint=error.hint)
        if not errors:
            self._registry = DeploymentRegistry(deployments, read_settings(aliases))

    def _read_pricing(self) -> None:
        section = self._section("pricing")
        try:
            PriceBook().configure(section)
        except ConfigurationError as error:
            self._document.report(("pricing",), error.message, hint=error.hint)
        else:
            self._fields["pricing"] = section

    def _warn_of_lost_budgets(self, has_budget: bool) -> None:
        if has_budget and "database_url" not in self._fields:
            self._document.report(
                ("virtual_keys",),
                "Without a database every restart begins all budgets anew.",
                "Set general_settings.database_url, such as sqlite:///gateway.db.",
                "warning",
            )

    def _warn_of_unknown_models(self, keys: Iterable[StoredKey]) -> None:
        """A misspelt model would keep its key from what it is for."""
        if self._registry is None:
            return
        rights = ModelRights(self._registry)
        for key in keys:
            for name in rights.unknown(key.caller.models):
                self._document.report(
                    ("virtual_keys",),
                    f"The key {key.caller.name!r} is for {name!r}, which is no model, alias or "
                    "access group here.",
                    "Correct the name, or add it to model_list.",
                    "warning",
                )

    def _unknown(self, path: Path, section: str, value: Any, known: Iterable[str]) -> None:
        key = path[-1]
        finding = look_at(section, key, value)
        if finding is not None:
            severity: Severity = "error" if finding.is_error else "warning"
            self._document.report(path, finding.message, finding.hint, severity)
            return
        elsewhere = section_of(key)
        near = suggest(section, key, also=known)
        hint = f"Did you mean {near}?" if near else "Remove it."
        if elsewhere is not None:
            hint = f"Move it to {elsewhere}."
        message = "This key is not known and has no effect."
        self._document.report(path, message, hint, "warning")
