"""Who is told what, how, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from dashboards.rules.definition import Part, read


class Mail(Part):
    """The way out for e-mail."""

    smarthost: str
    sender: str
    username: str = ""
    password_file: str = ""
    tls: bool = True


class Telegram(Part):
    """The bot that speaks; `api` is another server that speaks its protocol."""

    token_file: Path
    api: str = "https://api.telegram.org"


class Webhook(Part):
    """Takes Alertmanager's JSON, with a bearer token if there is one."""

    url: str
    token_file: str = ""


class Receiver(Part):
    """Somebody, and how to reach them: by all ways that are given."""

    language: Literal["vi", "en"] = "vi"
    email: tuple[str, ...] = ()
    telegram: int | None = None
    webhook: Webhook | None = None


class Hours(Part):
    """Working hours, in a time zone."""

    zone: str = "Asia/Ho_Chi_Minh"
    days: str = "monday:friday"
    begin: str = Field(alias="from")
    end: str = Field(alias="to")


class Timers(Part):
    """How long Alertmanager gathers and repeats."""

    wait: str = "30s"
    interval: str = "5m"
    repeat_critical: str = "4h"
    repeat_warning: str = "12h"
    repeat_plan: str = "120h"  # as long as Alertmanager remembers
    # Slightly below the interval: with the same, every second call would be left out.
    watchdog_interval: str = "1m"
    watchdog_repeat: str = "50s"


class Receivers(Part):
    """Everything that the configuration of Alertmanager is made from."""

    url: str = ""
    mail: Mail | None = None
    telegram: Telegram | None = None
    watchdog: str
    hours: Hours
    receivers: dict[str, Receiver]
    duty: str
    tickets: str
    warnings_at: Literal["any", "hours"] = "any"
    plan: str
    centres: dict[str, str] = Field(default_factory=dict)
    operators: dict[str, str] = Field(default_factory=dict)
    communes: dict[str, str] = Field(default_factory=dict)
    timers: Timers = Timers()

    @model_validator(mode="after")
    def _known(self) -> Receivers:
        named = [self.duty, self.tickets, self.plan]
        named += [*self.centres.values(), *self.operators.values(), *self.communes.values()]
        for name in named:
            if name not in self.receivers:
                raise ValueError(f"no receiver is called {name!r}")
        for name, one in self.receivers.items():
            if one.email and self.mail is None:
                raise ValueError(f"{name} is told by e-mail, but `mail` does not say how")
            if one.telegram is not None and self.telegram is None:
                raise ValueError(f"{name} is told by Telegram, but `telegram` does not say how")
        return self


def receivers(path: Path) -> Receivers:
    """The file. Raises pydantic's ValidationError, OSError."""
    return Receivers.model_validate(read(path))
