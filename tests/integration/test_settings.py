# SPDX-License-Identifier: MIT
"""Settings through the command: where they come from, and how mistakes are told."""

import json
import re

import jsonschema
import pytest

from harness.paths import HELLO, ROOT, probe


def test_three_mistakes_are_reported_together(command, tmp_path):
    (tmp_path / "three.json").write_text('{"wokers": 4, "timeout": "soon", "backlog": -1}')
    result = command("-c", "three.json", probe())
    assert result.returncode == 2
    assert result.stdout == ""
    errors = [line for line in result.stderr.splitlines() if "error: " in line]
    assert len(errors) == 3, result.stderr
    wokers, timeout, backlog = (
        next(line for line in errors if f"/{name}" in line) for name in ("wokers", "timeout", "backlog")
    )
    for line in errors:
        assert "three.json" in line
    assert "workers" in wokers
    assert "soon" in timeout
    assert "-1" in backlog
    assert "3 errors" in result.stderr


def test_unknown_flag_names_the_nearest(command):
    result = command("--wokers", "2", probe())
    assert result.returncode == 2
    assert "--wokers" in result.stderr and "--workers" in result.stderr


@pytest.mark.parametrize("option", ["--protocol=uwsgi", "--paste=x.ini"])
def test_not_available_yet(command, option):
    result = command(option, probe())
    assert result.returncode == 2
    assert "not available yet" in result.stderr
    assert option.split("=")[0] in result.stderr


@pytest.mark.parametrize("args", [["-k", "tornado"], ["-k", "no-such-class"]])
def test_worker_classes_that_are_refused(command, args):
    result = command(*args, probe())
    assert result.returncode == 2
    assert args[-1] in result.stderr


@pytest.mark.parametrize("args", [["-w", "many"], ["-w", "-1"], ["-b", "127.0.0.1:99999"],
                                  ["-t", "-5"], ["--log-level", "loud"], ["--chdir", "missing"]])
def test_bad_values_on_the_command_line(command, args):
    result = command(*args, probe())
    assert result.returncode == 2
    assert args[1] in result.stderr


def test_missing_file(command):
    result = command("-c", "missing.json", probe())
    assert result.returncode == 2
    assert "missing.json" in result.stderr


@pytest.mark.parametrize("option", ["--error-logfile", "--access-logfile", "-p"])
def test_folder_of_a_file_does_not_exist(command, option):
    result = command(option, "missing/x", probe())
    assert result.returncode == 2
    assert "missing" in result.stderr and "does not exist" in result.stderr


def test_check_config(command, tmp_path):
    good = command("--check-config", HELLO)
    assert (good.returncode, good.stderr) == (0, "")
    bad = command("--check-config", "./libmissing.so:app")
    assert bad.returncode == 4  # what a start would end with
    assert "libmissing.so" in bad.stderr
    (tmp_path / "bad.json").write_text('{"workers": {}}')
    assert command("--check-config", "-c", "bad.json", HELLO).returncode == 2


def printed(result) -> dict[str, str]:
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if not line.startswith("unicoro: ")]
    return dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines)


def test_print_config_shows_who_wins(command, tmp_path):
    (tmp_path / "unicoro.json").write_text('{"workers": 2, "backlog": 2, "keepalive": 2}')
    values = printed(command(
        "--print-config", "--keep-alive", "4", HELLO,
        env={"WEB_CONCURRENCY": "1", "UNICORO_CMD_ARGS": "--backlog 3 --keep-alive 3"},
    ))
    assert (values["workers"], values["backlog"], values["keepalive"]) == ("2", "3", "4")
    values = printed(command("--print-config", "-c", "unicoro.json", HELLO, env={"WEB_CONCURRENCY": "7"}))
    assert values["workers"] == "2"
    assert list(values) == sorted(values)


def test_defaults_from_the_environment(command):
    values = printed(command("--print-config", HELLO, env={"WEB_CONCURRENCY": "7", "PORT": "1234"}))
    assert values["workers"] == "7"
    assert values["bind"] == "['0.0.0.0:1234']"


def test_print_schema(command):
    result = command("--print-schema")
    assert result.returncode == 0
    schema = json.loads(result.stdout)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    for name in ("app", "bind", "workers", "worker_class", "timeout", "accesslog"):
        assert "description" in schema["properties"][name], name


def test_schema_takes_what_the_server_takes(command, tmp_path):
    """Each value for each setting at once: what the server has nothing against, no editor underlines."""
    schema = json.loads(command("--print-schema").stdout)
    names = [
        name for name, about in schema["properties"].items()
        if name != "$schema" and not about.get("deprecated")
    ]
    file = tmp_path / "unicoro.json"
    wrong = []
    for value in (4, 4.0, "4", " 4 ", "+4", 0.5, "0.5", "1e2", True, "true", "False", "", "auto", "10M",
                  "0o22", "022", "127.0.0.1", "DEBUG", "Async", None, [], ["a"], {}, {"A": "b"}):
        file.write_text(json.dumps(dict.fromkeys(names, value)))
        refused = set(re.findall(r"unicoro\.json: /(\w+)", command("--check-config", "-c", file).stderr))
        wrong += [
            (name, value)
            for name in set(names) - refused
            if not jsonschema.Draft202012Validator(schema["properties"][name]).is_valid(value)
        ]
    assert wrong == []


def test_sample_is_json_that_fits_the_schema():
    folder = ROOT / "config"
    schema = json.loads((folder / "unicoro.schema.json").read_text())
    jsonschema.validate(json.loads((folder / "unicoro.json").read_text()), schema)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(command, option):
    result = command(option)
    assert (result.returncode, result.stderr) == (0, "")
    for text in ("--workers", "--bind", "--worker-connections", "--limit-request-field-size"):
        assert text in result.stdout


@pytest.mark.parametrize("option", ["--version", "-v"])
def test_version(command, option):
    result = command(option)
    declared = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    assert result.stdout == f"unicoro (version {declared})\n"


def test_options_of_gunicorn_start_the_server(start, tmp_path):
    server = start(
        "-k", "gevent", "-w", "2", "--worker-connections", "50", "--backlog", "100",
        "--limit-request-line", "4000", "--limit-request-fields", "50",
        "--limit-request-field_size", "8000", "-t", "20", "--graceful-timeout", "5",
        "--keep-alive", "5", "--max-requests", "1000", "--max-requests-jitter", "10",
        "--access-logfile", "-", "--log-level", "debug", "-n", "name", "--pythonpath", str(tmp_path),
        "--forwarded-allow-ips", "127.0.0.1,10.0.0.0/8", "--no-sendfile", HELLO,
    )
    assert server.get("/").status == 200
    assert len(server.workers()) == 2


def test_auto_workers(start):
    server = start("-w", "auto", HELLO)
    assert len(server.workers()) >= 1
