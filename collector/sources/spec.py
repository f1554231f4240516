"""Where a feed's documents are: a URL, a local folder, or a folder reached by SFTP."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import Duration, Host, IpProtocol, Port, Secret, Size
from collector.measures import fault
from collector.model import Spec
from collector.rest.access import AccessSpec, Limits

_KEYS = ("url", "folder", "sftp")
_ONE_OF = "expected exactly one of `url` (HTTP), `folder` (local) and `sftp`"


def _content_type(text: str) -> str:
    if text.count("/") != 1 or ";" in text or " " in text:
        raise PydanticCustomError("content_type", "expected a content type such as text/csv or application/*")
    return text.lower()


def _with_library(host: str) -> str:
    try:
        import_module("collector.sources.sftp")
    except ImportError as error:
        library = (error.name or str(error)).partition(".")[0]
        raise fault(f"SFTP needs {library}, which is not installed: pip install 'hatang[sftp]'") from None
    return host


def _file_pattern(text: str) -> str:
    if "/" in text:
        raise PydanticCustomError("file_pattern", "a pattern of file names holds no /")
    return text


class HttpSource(AccessSpec):
    """Documents that a web server has."""

    content_types: tuple[Annotated[str, AfterValidator(_content_type)], ...] = Field(
        (), description="Content types to take (`*` matches any text); default all but HTML."
    )
    max_documents: int = Field(200, ge=1, le=2000, description="Most documents (pages) in one run; more are a failure.")
    max_total_size: Size = Field(64 * 1024**2, description="Most bytes of all documents of one run, decompressed.")

    @model_validator(mode="after")
    def _has_a_body(self) -> HttpSource:
        if self.method == "HEAD":
            raise fault("the answer to HEAD has no body to read")
        return self

    @property
    def limits(self) -> Limits:
        """Of one run."""
        return Limits(self.max_documents, self.max_total_size, 1)

    @property
    def implied_headers(self) -> dict[str, str]:
        """Compressed answers are welcome, unless a header says otherwise."""
        given = any(name.lower() == "accept-encoding" for name in self.headers)
        return {} if given else {"Accept-Encoding": "gzip"}


class FileSource(Spec):
    """What a folder with files has, wherever it is."""

    pattern: Annotated[str, AfterValidator(_file_pattern)] = Field(
        "*",
        min_length=1,
        description="Files to take (`*`, `?`, `[a-z]`); those that begin with a dot or end in .part or .tmp never.",
    )
    take: Literal["newest", "all"] = Field(
        "newest", description="The file that was changed last, or all of them in the order of their names."
    )
    settle: Duration = Field(2.0, description="A file that was changed within this time may still be being written.")
    within: Duration | None = Field(None, description="Take only files that were changed within this time.")
    max_size: Size = Field(64 * 1024**2, description="Largest file to read, after decompression.")
    max_total_size: Size = Field(64 * 1024**2, description="Most bytes of all files of one run, decompressed.")
    max_documents: int = Field(200, ge=1, le=2000, description="Most files in one run; more are a failure.")


class FolderSource(FileSource):
    """Files of a local folder."""

    folder: Path = Field(description="Folder, from the working directory of the service.")

    @property
    def peer(self) -> str:
        """The folder."""
        return str(self.folder)


class SftpSource(FileSource):
    """Files of a folder of an SFTP server; needs the extra `sftp`."""

    sftp: Annotated[Host, AfterValidator(_with_library)] = Field(description="Host of the server.")
    port: Port = Field(22, description="Port of the server.")
    directory: str = Field(".", min_length=1, description="Folder there; what has no leading / is within the home.")
    username: str = Field(min_length=1, description="Name to log in with.")
    password: Secret | None = Field(None, description="Password to log in with.")
    private_key: Secret | None = Field(None, description="Private key to log in with: OpenSSH or PEM, the text itself.")
    passphrase: Secret | None = Field(None, description="Passphrase of the private key.")
    known_hosts: Path = Field(description="File in the format of OpenSSH's known_hosts that names the server's key.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")

    @model_validator(mode="after")
    def _logs_in(self) -> SftpSource:
        if (self.password is None) == (self.private_key is None):
            raise fault("give one of `password` and `private_key`")
        if self.passphrase is not None and self.private_key is None:
            raise fault("`passphrase` needs `private_key`")
        return self

    @property
    def peer(self) -> str:
        """The server."""
        return f"{self.sftp}:{self.port}"


def _kind(value: Any) -> str | None:
    if isinstance(value, (HttpSource, FolderSource, SftpSource)):
        return type(value).__name__
    keys = [key for key in _KEYS if key in value] if isinstance(value, Mapping) else []
    return {"url": "HttpSource", "folder": "FolderSource", "sftp": "SftpSource"}[keys[0]] if len(keys) == 1 else None


Source: TypeAlias = Annotated[
    # The tags are no keys of the settings: a fault's way through them must not be taken for one.
    Annotated[HttpSource, Tag("HttpSource")]
    | Annotated[FolderSource, Tag("FolderSource")]
    | Annotated[SftpSource, Tag("SftpSource")],
    Discriminator(_kind, custom_error_type="source", custom_error_message=_ONE_OF),
]
"""A feed's `source`, told by which of the keys `url`, `folder` and `sftp` it has."""
