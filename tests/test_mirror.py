"""The tests mirror the package file by file."""

import ast
from pathlib import Path

import pytest

from tests.tree import PACKAGE, TESTS, modules

# Test files about the project, not about one module.
_ABOUT_THE_WHOLE = {
    "test_background.py",
    "test_broken_replies.py",
    "test_documents.py",
    "test_excess_bytes.py",
    "test_exports.py",
    "test_failures_after_output.py",
    "test_imports.py",
    "test_mirror.py",
    "test_parity.py",
    "test_replayed_reasoning.py",
    "test_site.py",
    "test_stream_ends.py",
}
# Test files about how the modules of a package act together.
_ABOUT_A_PACKAGE = {
    "test_answers.py",
    "test_conformance.py",
    "test_conservation.py",
    "test_counts.py",
    "test_create.py",
    "test_openai_package.py",
    "test_conversations.py",
    "test_lost_answers.py",
    "test_descriptions.py",
    "test_proxy.py",
    "test_simulation.py",
    "test_relays.py",
    "test_examples.py",
    "test_fuzz.py",
    "test_odd_fields.py",
    "test_programs.py",
    "test_floods.py",
}
# Modules that have no test file of their own name, and the tests that exercise them: the twin
# shells run one table of scenarios, and a request through the emulator meets many small modules.
_TESTED_ELSEWHERE = {
    "aiohttp_connections.py": "test_transport.py",
    "httpx_connections.py": "test_fork.py",
    "token_source.py": "test_credentials.py",
    "arguments.py": "clients/test_construction.py",
    "_async/chat.py": "clients/test_chat.py",
    "_async/client.py": "clients/test_construction.py",
    "_async/resources.py": "clients/test_scenarios.py",
    "_async/sender.py": "clients/test_faults.py",
    "_async/stream.py": "clients/test_sockets.py",
    "_async/concurrency.py": "clients/test_faults.py",
    "_async/pages.py": "clients/test_scenarios.py",
    "llm_plugin.py": "real_clients/test_llm.py",
    "raw_response.py": "clients/test_scenarios.py",
    "reply_body.py": "test_broken_replies.py",
    "streamed_reply.py": "test_broken_replies.py",
    "timed_network.py": "test_broken_replies.py",
    "cli/__init__.py": "cli/test_ask.py",
    "cli/connection.py": "cli/test_ask.py",
    "cli/terminal.py": "cli/test_ask.py",
    "emulator/account.py": "emulator/test_serving.py",
    "emulator/call.py": "emulator/test_serving.py",
    "emulator/exchange.py": "emulator/test_transport.py",
    "emulator/holdings.py": "emulator/operations/test_files.py",
    "emulator/references.py": "emulator/operations/test_responses.py",
    "emulator/refusal.py": "emulator/test_refusals.py",
    "emulator/operations/chat.py": "emulator/test_openai_package.py",
    "emulator/operations/failing_stream.py": "emulator/test_limits.py",
    "emulator/operations/multipart.py": "emulator/operations/test_files.py",
    "gateway/database_error.py": "gateway/test_database.py",
    "gateway/document.py": "gateway/test_config_file.py",
    "gateway/expansion.py": "gateway/test_config_file.py",
    "gateway/file_keys.py": "gateway/test_config_file.py",
    "gateway/findings.py": "gateway/test_config_file.py",
    "gateway/schema.py": "gateway/test_config_file.py",
    "gateway/settings.py": "gateway/test_config_file.py",
    "litellm_plugin/identity.py": "litellm_plugin/test_responses.py",
    "litellm_plugin/installation.py": "litellm_plugin/test_package.py",
    "litellm_plugin/pool.py": "litellm_plugin/test_chat.py",
    "litellm_plugin/responses_cost.py": "litellm_plugin/test_responses.py",
    "litellm_plugin/results.py": "litellm_plugin/test_chat.py",
    "router/affinity_secret.py": "router/test_construction.py",
    "router/_async/labelled.py": "router/test_failures.py",
    "router/_async/routed_calls.py": "router/test_failures.py",
    "router/_async/routed_stream.py": "router/test_failures.py",
    "router/_async/operations.py": "router/test_operations.py",
    "router/attempts.py": "router/test_failures.py",
    "router/awaited.py": "test_parity.py",
    "router/parts.py": "router/test_construction.py",
    "router/queries.py": "router/test_conversations.py",
    "router/replay.py": "router/test_failures.py",
    "router/router.py": "router/test_construction.py",
    "router/arguments.py": "router/test_requests.py",
    "router/requests.py": "router/test_requests.py",
    "router/rows.py": "router/test_construction.py",
    "router/stream_tally.py": "router/test_failures.py",
    "router/targets.py": "router/test_construction.py",
    "types/route.py": "router/test_failures.py",
    "relay/__init__.py": "relay/test_relays.py",
    "relay/_async/chat.py": "relay/test_relays.py",
    "relay/_async/relay.py": "relay/test_relays.py",
    "relay/attempt_notes.py": "relay/test_relays.py",
    "relay/call_summary.py": "relay/test_relays.py",
    "relay/chat_answers.py": "relay/test_relays.py",
    "relay/exchange.py": "relay/test_relays.py",
    "relay/model_listing.py": "relay/test_relays.py",
    "relay/raw_answers.py": "relay/test_relays.py",
    "relay/raw_calls.py": "relay/test_relays.py",
    "relay/relayed_call.py": "relay/test_relays.py",
    "relay/replies.py": "relay/test_relays.py",
    "relay/reply_headers.py": "relay/test_relays.py",
    "relay/closing_events.py": "gateway/test_app.py",
    "gateway/call_log.py": "gateway/test_app.py",
    "gateway/estimate.py": "gateway/test_admit_call.py",
    "gateway/exchange.py": "gateway/test_app.py",
    "gateway/gateway.py": "gateway/test_app.py",
    "gateway/health.py": "gateway/test_app.py",
    "gateway/replies.py": "gateway/test_app.py",
    "types/caller_items.py": "types/test_mending.py",
    "types/content.py": "types/test_mending.py",
    "types/items.py": "types/test_conformance.py",
    "types/text_events.py": "types/test_conformance.py",
}
# Folders whose tests are about what callers do, through whichever modules that goes.
_ABOUT_SCENARIOS = {
    TESTS / name for name in ("clients", "deploy", "real_clients", "router", "soak")
}
# Packages whose modules each decide a piece of one answer: tested by what is asked and answered.
_TESTED_AS_A_WHOLE = {"emulator/engine", "emulator/validation"}


def _has_code(path: Path) -> bool:
    """True for a module with a function or a method: data needs no test of its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def _needs_test(path: Path) -> bool:
    place = path.relative_to(PACKAGE)
    # One table of scenarios runs on both sides.
    name = place.as_posix().replace("_sync/", "_async/")
    if name in {"__init__.py", *_TESTED_ELSEWHERE}:
        return False
    return place.parent.as_posix() not in _TESTED_AS_A_WHOLE and _has_code(path)


def _expected_test(path: Path) -> Path:
    folder = TESTS / path.relative_to(PACKAGE).parent
    if path.name == "__init__.py":
        return folder / "test_package.py"
    return folder / f"test_{path.stem.strip('_')}.py"


def test_every_module_with_code_has_its_test_file() -> None:
    expected = [_expected_test(path) for path in modules() if _needs_test(path)]
    assert [str(path.relative_to(TESTS.parent)) for path in expected if not path.exists()] == []


def test_what_is_tested_elsewhere_exists_and_so_do_its_tests() -> None:
    for module, tests in _TESTED_ELSEWHERE.items():
        assert (PACKAGE / module).exists(), module
        assert (TESTS / tests).exists(), tests


def _is_about_a_module(path: Path) -> bool:
    if path.name == "test_package.py":
        return (PACKAGE / path.relative_to(TESTS).parent / "__init__.py").exists()
    subject = PACKAGE / path.relative_to(TESTS).parent / path.name.removeprefix("test_")
    main = subject.with_name(f"__{subject.stem}__.py")
    return subject.exists() or main.exists()


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(TESTS.rglob("test_*.py")) if path.parent not in _ABOUT_SCENARIOS],
    ids=lambda path: str(path.relative_to(TESTS)),
)
def test_a_test_file_has_its_module(path: Path) -> None:
    allowed = _ABOUT_THE_WHOLE if path.parent == TESTS else _ABOUT_A_PACKAGE
    assert path.name in allowed or _is_about_a_module(path)


def test_every_folder_of_code_is_a_package() -> None:
    # A folder without __init__.py imports all the same, but the import rules do not see it.
    folders = {path.parent for root in (PACKAGE, TESTS) for path in root.rglob("*.py")}
    assert [str(path) for path in sorted(folders) if not (path / "__init__.py").exists()] == []
