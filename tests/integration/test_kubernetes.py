# SPDX-License-Identifier: MIT
"""The samples for Kubernetes in config/: the settings in them serve, and their numbers fit."""

import json
import shutil
import subprocess

import pytest
import yaml

from harness.paths import HELLO, ROOT

MANIFESTS = ROOT / "config" / "kubernetes"
CHART = ROOT / "config" / "helm" / "unicoro"
TOKEN = "0123456789abcdef0123"


def documents(text: str) -> dict[str, dict]:
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def rendered(*values: str) -> dict[str, dict]:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed")
    given = ["image.repository=site", "image.tag=1", f"adminToken.value={TOKEN}", *values]
    done = subprocess.run([helm, "template", "site", CHART, "--kube-version", "1.30.0", "--set", ",".join(given)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def sample() -> dict[str, dict]:
    return documents((MANIFESTS / "unicoro.yaml").read_text())


def chart() -> dict[str, dict]:
    return rendered()


@pytest.mark.parametrize("source", [sample, chart])
def test_the_settings_are_the_servers_own(command, tmp_path, source):
    found = source()
    settings = json.loads(found["ConfigMap"]["data"]["unicoro.json"])
    config = tmp_path / "unicoro.json"
    # The one that is named there is anybody's.
    config.write_text(json.dumps(settings | {"app": HELLO}))
    done = command("-c", config, "--check-config", env={"PORT": "8000", "UNICORO_ADMIN_TOKEN": TOKEN})
    assert done.returncode == 0, done.stderr
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > settings["shutdown_delay"] + settings["graceful_timeout"] + 2
    (container,) = pod["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert settings["admin_bind"] == f"0.0.0.0:{ports['admin']}"
    assert {each["name"]: each.get("value") for each in container["env"]}["PORT"] == str(ports["http"])
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[name]["httpGet"]["port"] == "admin"
    assert found["Service"]["spec"]["selector"] == found["Deployment"]["spec"]["selector"]["matchLabels"]


def test_a_token_that_is_missing_is_named(command, tmp_path):
    config = tmp_path / "unicoro.json"
    config.write_text(sample()["ConfigMap"]["data"]["unicoro.json"])
    done = command("-c", config, "--check-config")
    assert done.returncode != 0
    assert "admin_token" in done.stderr


@pytest.mark.parametrize("kind, made", [("keda", "ScaledObject"), ("hpa", "HorizontalPodAutoscaler")])
def test_pods_are_added_by_the_time_in_the_queue(kind, made):
    scaling = rendered(f"autoscaling.kind={kind}")
    assert "unicoro_http_request_queue_seconds" in str(scaling[made])
    assert "replicas" not in scaling["Deployment"]["spec"]


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_samples_are_yaml(path):
    assert all(yaml.safe_load_all(path.read_text()))
