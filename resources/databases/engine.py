"""The door to a Docker engine on this machine: find it, fetch an image, put a secret into a container.

testcontainers finds the engine as its own users expect (DOCKER_HOST, contexts, its properties file). Its package and
the engine's are imported here alone, when a container is really wanted.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resources.system.errors import Failure

if TYPE_CHECKING:
    from docker.models.containers import Container

HERE = "127.0.0.1"
SECRET_FILE = "/tmp/agent-coord.secret"  # noqa: S105, S108 -- the name of a file inside the container


def give_secret(container: Container, secret: str) -> None:
    """Write the password's file. Readable by all inside: which user reads it is the image's choice."""
    buffer, data = io.BytesIO(), secret.encode()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(SECRET_FILE.lstrip("/"))
        entry.size, entry.mode = len(data), 0o444
        archive.addfile(entry, io.BytesIO(data))
    container.put_archive("/", buffer.getvalue())


def find(engine: Any, container: str) -> Container | None:
    """The container of that id, None when it is gone."""
    import docker.errors

    try:
        return engine.containers.get(container)
    except docker.errors.NotFound:
        return None


def fetch(engine: Any, image: str) -> None:
    """See that the image is here."""
    import docker.errors

    try:
        engine.images.get(image)
    except docker.errors.ImageNotFound:
        engine.images.pull(image)


@contextmanager
def open_engine() -> Generator[Any]:
    """A client of the engine.

    Raises Failure: container-extra-missing, docker-missing, docker-remote; docker-refused for what goes wrong inside.
    """
    try:
        import docker.errors
        from testcontainers.core.docker_client import DockerClient
    except ImportError as error:
        raise Failure(
            "container-extra-missing", "containers need the package testcontainers", why=str(error),
            mend='pip install "agent-coord[container]"',
        ) from error  # fmt: skip
    try:
        door = DockerClient(timeout=60)
        door.client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise Failure(
            "docker-missing", "no Docker engine answers", why=str(error), mend="start Docker, or set DOCKER_HOST"
        ) from error
    try:
        if door.host() not in {"localhost", HERE, "::1"}:
            raise Failure(
                "docker-remote", f"the Docker engine is on {door.host()}, where the container's port is out of reach",
                mend="use an engine on this machine, or give a dsn",
            )  # fmt: skip
        yield door.client
    except docker.errors.DockerException as error:
        raise Failure("docker-refused", "the Docker engine refused", why=str(error), mend="docker info") from error
    finally:
        door.client.close()
