"""The deployment files say only what those who read them understand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "cluster" / "deploy"
LAUNCHER = ["onpremises.yaml", "cloud-gpu.yaml"]
# KubeRay's API reference, 1.6: docs.ray.io, "KubeRay CRD API reference".
RAY_JOB = {
    *("activeDeadlineSeconds", "backoffLimit", "preRunningDeadlineSeconds", "rayClusterSpec", "entrypoint"),
    *(
        "submitterPodTemplate",
        "metadata",
        "clusterSelector",
        "submitterConfig",
        "managedBy",
        "deletionStrategy",
    ),
    *("runtimeEnvYAML", "jobId", "submissionMode", "entrypointResources", "entrypointNumCpus"),
    *("entrypointNumGpus", "ttlSecondsAfterFinished", "shutdownAfterJobFinishes", "suspend"),
}
RAY_CLUSTER = {
    *("suspend", "managedBy", "autoscalerOptions", "headServiceAnnotations", "enableInTreeAutoscaling"),
    *("gcsFaultToleranceOptions", "headGroupSpec", "rayVersion", "workerGroupSpecs", "authOptions"),
}
HEAD = {"template", "headService", "enableIngress", "resources", "labels", "rayStartParams", "serviceType"}
WORKER = {
    *("suspend", "groupName", "replicas", "minReplicas", "maxReplicas", "idleTimeoutSeconds", "resources"),
    *("labels", "rayStartParams", "template", "scaleStrategy", "numOfHosts"),
}
CONTAINER = {"name", "image", "env", "resources", "volumeMounts"}


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


@pytest.mark.parametrize("name", LAUNCHER)
def test_rays_launcher_takes_the_file(name: str) -> None:
    """Ray's own schema accepts it with Ray's own defaults filled in, and refuses it with a key misspelt."""
    config = prepare_config(read(name))
    validate_config(config)
    with pytest.raises(jsonschema.ValidationError):
        validate_config(config | {"head_start_ray_comands": []})


@pytest.mark.parametrize("name", LAUNCHER)
def test_a_launched_cluster_is_guarded(name: str) -> None:
    """Each `ray start` demands a token, no dashboard is open to the network."""
    config = read(name)
    for line in (config["head_start_ray_commands"][-1], config["worker_start_ray_commands"][-1]):
        assert "RAY_AUTH_MODE=token" in line
        assert subprocess.run(["bash", "-n", "-c", line], check=False, timeout=30).returncode == 0
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][-1]
    assert "rocksdb" in config["head_start_ray_commands"][-1]
    assert "~/.ray/auth_token" in config["file_mounts"]


def test_the_ray_job_has_only_documented_fields() -> None:
    """KubeRay's reference knows each field of it; the image's version of Ray is ours; a token is demanded."""
    job = read("rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    cluster = spec["rayClusterSpec"]
    assert spec.keys() <= RAY_JOB
    assert cluster.keys() <= RAY_CLUSTER
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["headGroupSpec"].keys() <= HEAD
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    assert all(group.keys() <= WORKER for group in cluster["workerGroupSpecs"])
    for group in groups:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert container.keys() <= CONTAINER
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            each["name"] for each in pod["volumes"]
        }
        assert all(isinstance(variable["value"], str) for variable in container["env"])
    assert yaml.safe_load(spec["runtimeEnvYAML"]).keys() == {"env_vars"}
    assert f'"ray[default]=={cluster["rayVersion"]}"' in (ROOT / "pyproject.toml").read_text()
    plan = re.search(r"plans/\S+\.yaml", spec["entrypoint"])
    assert plan
    assert (ROOT / plan[0]).is_file()


def test_the_script_is_a_script() -> None:
    """Every shell reads it, it explains itself, and it fails for a word that it does not know."""
    script = DEPLOY / "workstation.sh"
    for shell in filter(shutil.which, ("sh", "dash", "bash")):
        assert subprocess.run([shell, "-n", str(script)], check=False, timeout=30).returncode == 0
    done = subprocess.run([str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "workstation.sh start" in done.stdout
    assert "#" not in done.stdout


def test_docs_name_every_file() -> None:
    """docs/deploy.md leads to each file of the folder."""
    told = (ROOT / "docs" / "deploy.md").read_text()
    assert all(path.name in told for path in DEPLOY.iterdir())
