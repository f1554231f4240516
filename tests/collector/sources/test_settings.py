"""The settings of sources and feeds: told apart by their keys, with clear errors."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collector.model import Spec
from collector.records import Dataset, Sense
from collector.settings.validation import field_names, may_hold_secrets
from collector.sources.feed import FeedSpec
from collector.sources.kept import Memory
from collector.sources.spec import FolderSource, HttpSource, SftpSource
from tests.sourcing import source

ONE_OF = "expected exactly one of `url` (HTTP), `folder` (local) and `sftp`"
SFTP = {"sftp": "files.example", "username": "u", "password": "p", "known_hosts": "known_hosts"}
KEY = {"sftp": "files.example", "username": "u", "private_key": "k", "known_hosts": "known_hosts"}
FEED = {"source": {"folder": "in"}, "dataset": "cells", "period": "15m"}


@pytest.mark.parametrize(
    ("settings", "kind", "peer"),
    [
        ({"url": "https://api.example/cells"}, HttpSource, "api.example:443"),
        ({"folder": "var/in"}, FolderSource, "var/in"),
        (SFTP, SftpSource, "files.example:22"),
        (KEY | {"passphrase": "x", "port": 2222, "directory": "/out"}, SftpSource, "files.example:2222"),
    ],
)
def test_sources_are_told_apart_by_their_keys(settings: dict[str, Any], kind: type[Spec], peer: str) -> None:
    found = source(**settings)
    assert type(found) is kind
    assert found.peer == peer
    assert FeedSpec.model_validate(FEED | {"source": settings}).peer == peer


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, ONE_OF),
        ({"url": "http://a.example/", "folder": "in"}, ONE_OF),
        ({"path": "in"}, ONE_OF),
        ({"folder": "in", "patern": "*"}, "Extra inputs are not permitted"),
        ({"folder": "in", "pattern": "../*"}, "a pattern of file names holds no /"),
        ({"folder": "in", "settle": "-1s"}, "expected a duration such as 30s, 1m30s or 500ms"),
        ({"url": "ftp://a.example/"}, "expected a URL such as https://portal.example/path"),
        ({"url": "http://a.example/", "method": "HEAD"}, "the answer to HEAD has no body to read"),
        (
            {"url": "http://a.example/", "content_types": ["csv"]},
            "expected a content type such as text/csv or application/*",
        ),
        ({key: SFTP[key] for key in SFTP if key != "password"}, "give one of `password` and `private_key`"),
        (SFTP | KEY, "give one of `password` and `private_key`"),
        (SFTP | {"passphrase": "x"}, "`passphrase` needs `private_key`"),
        ({key: SFTP[key] for key in SFTP if key != "known_hosts"}, "Field required"),
    ],
)
def test_faults_of_the_settings_are_said_once(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source(**settings)
    assert [error["msg"] for error in caught.value.errors()] == [message]


def test_a_client_says_who_it_is_in_one_way() -> None:
    oauth2 = {"token_url": "https://a.example/", "client_id": "c", "client_secret": "s"}
    with pytest.raises(ValidationError, match="give one of basic_auth"):
        source(url="http://a.example/", bearer_token="t", oauth2=oauth2)


def test_settings_find_their_way_through_the_union() -> None:
    assert may_hold_secrets(FeedSpec)
    assert {"folder", "pattern", "take"} <= field_names(FeedSpec, ("source", "FolderSource"))


def test_a_feed_is_believed_for_three_periods() -> None:
    feed = FeedSpec.model_validate(FEED)
    assert (feed.dataset, feed.sense, feed.operator) == (Dataset.CELLS, Sense.POSITIVE, None)
    assert (feed.period, feed.oldest, feed.min_ratio) == (900, 2700, 0.5)
    other = FeedSpec.model_validate(
        FEED | {"max_age": "1d", "sense": "negative", "operator": "viettel", "min_ratio": 1}
    )
    assert (other.oldest, other.sense, other.operator, other.min_ratio) == (86400, Sense.NEGATIVE, "viettel", 1)
    with pytest.raises(ValidationError, match="every batch would be too old"):
        FeedSpec.model_validate(FEED | {"max_age": "1m"})


def test_what_is_kept_of_a_source_goes_with_it() -> None:
    memory, folder = Memory(), FolderSource(folder=Path("in"))
    assert memory.of(folder) is memory.of(folder)
    assert memory.of(folder) is not memory.of(FolderSource(folder=Path("in")))
    del folder
    gc.collect()
    assert not memory._kept
