"""Settings: what is read, what is filled in, what is refused and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from vomind_queue.calls.limits import Rate, Retention
from vomind_queue.config.address_types import is_loopback
from vomind_queue.config.loading import environment_with_file, load, load_or_exit
from vomind_queue.config.settings import VARIABLES, Settings
from vomind_queue.config.types import ApiKey
from vomind_queue.errors import SettingsError

SID = "AC" + "0" * 32
KEY = "SK" + "0" * 32
ACCOUNT = {
    "TWILIO_ACCOUNT_SID": SID,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}
#: Two numbers that calls may come from.
TWO = "+15005550006,+4930123456"


def test_nothing_set_is_the_stack_on_this_machine() -> None:
    """With no settings at all everything is local: embedded server, loopback, no Twilio."""
    settings = Settings.from_env({})
    assert settings.embedded
    assert settings.redis_url == "redis://127.0.0.1:6390/0"
    assert settings.host == "127.0.0.1"
    assert settings.twilio_account_sid is None
    assert settings.api_keys == ()


def test_an_empty_value_counts_as_unset() -> None:
    """A line without a value in .env changes nothing."""
    empty = {variable.name: " " for variable in VARIABLES}
    assert Settings.from_env(empty) == Settings.from_env({})


def test_each_variable_is_read() -> None:
    """A documented variable that nobody reads would be a lie."""

    class Recorder(dict[str, str]):
        seen: set[str]

        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
            self.seen.add(key)
            return super().get(key, default)

    with_host = Recorder(REDIS_HOST="redis")
    with_host.seen = set()
    Settings.from_env(with_host)
    without = Recorder()
    without.seen = set()
    Settings.from_env(without)
    environment_with_file(without | {"VOMIND_ENV_FILE": ""})
    documented = {variable.name for variable in VARIABLES}
    assert with_host.seen | without.seen | {"VOMIND_ENV_FILE"} == documented


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"REDIS_URL": "redis://h:1/2"}, "redis://h:1/2"),
        ({"REDIS_URL": "redis://:a;b@h"}, "redis://:a%3Bb@h"),
        ({"REDIS_URL": "rediss://:p@h:1"}, "rediss://:p@h:1?ssl_cert_reqs=none"),
        (
            {"REDIS_URL": "rediss://h?ssl_cert_reqs=required"},
            "rediss://h?ssl_cert_reqs=required",
        ),
        ({"REDIS_HOST": "h"}, "redis://h:6379/0"),
        ({"REDIS_HOST": "h", "REDIS_PASSWORD": "a/b@c"}, "redis://:a%2Fb%40c@h:6379/0"),
        (
            {"REDIS_HOST": "h", "REDIS_USERNAME": "u", "REDIS_PASSWORD": "p", "REDIS_TLS": "1"},
            "rediss://u:p@h:6379/0?ssl_cert_reqs=none",
        ),
        ({"REDIS_HOST": "::1", "REDIS_PORT": "7", "REDIS_DB": "3"}, "redis://[::1]:7/3"),
    ],
)
def test_a_redis_address_comes_from_either_form(environ: dict[str, str], url: str) -> None:
    """One address, or its parts, with what they contain quoted."""
    settings = Settings.from_env(environ)
    assert settings.redis_url == url
    assert not settings.embedded


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/m", Rate(max_starts=10, window_ms=60_000)),
        ("2/s", Rate(max_starts=2, window_ms=1_000)),
        ("100/h", Rate(max_starts=100, window_ms=3_600_000)),
        ("10/3s", Rate(max_starts=10, window_ms=3_000)),
        ("1/500ms", Rate(max_starts=1, window_ms=500)),
        ("off", None),
    ],
)
def test_a_rate_is_starts_in_a_window(text: str, rate: Rate | None) -> None:
    """Each of the documented forms is understood."""
    assert Settings.from_env({"CALL_RATE_LIMIT": text}).rate == rate


@pytest.mark.parametrize(
    ("text", "ms"), [("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("2h", 7_200_000)]
)
def test_a_duration_carries_its_unit(text: str, ms: int) -> None:
    """Each of the documented units is understood."""
    assert Settings.from_env({"LEASE_TIME": text}).lease_ms == ms


def test_history_is_an_age_and_a_number() -> None:
    """Both bounds of the history are set in one value."""
    kept = Settings.from_env({"KEEP_FAILED": "1h, 5"}).keep_failed
    assert kept == Retention(age_ms=3_600_000, count=5)


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        ("", ()),
        ("none", ()),
        ("None", ()),
        ("busy", ("busy",)),
        ("Busy, failed", ("busy", "failed")),
    ],
)
def test_outcomes_are_listed(text: str, outcomes: tuple[str, ...]) -> None:
    """None by default."""
    assert tuple(Settings.from_env({"RETRY_ON": text}).retry_on) == outcomes


def test_any_lifts_the_bound_on_the_past() -> None:
    """`any` accepts every time in the past."""
    assert Settings.from_env({"PAST_SCHEDULE_GRACE": "any"}).past_schedule_grace_ms is None


def test_api_keys_may_carry_a_name() -> None:
    """A key is `name:secret`, or a secret alone; a secret may contain colons."""
    keys = Settings.from_env({"API_KEYS": "crm:s1:x, s2"}).api_keys
    assert keys == (ApiKey(name="crm", secret="s1:x"), ApiKey(name=None, secret="s2"))


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"PORT": "70000"},
            "Invalid PORT ('70000'): expected an integer between 1 and 65535.",
        ),
        ({"PORT": "3e3"}, "Invalid PORT ('3e3')"),
        ({"CALL_WORKER_CONCURRENCY": "0"}, "Invalid CALL_WORKER_CONCURRENCY ('0')"),
        ({"CALL_RATE_LIMIT": "ten"}, "Invalid CALL_RATE_LIMIT ('ten')"),
        ({"CALL_RATE_LIMIT": "0/m"}, "10/m, 2/s, 100/h or 10/3s, or off"),
        ({"CALL_RETRY_DELAY": "2s"}, "Invalid CALL_RETRY_DELAY ('2s')"),
        ({"LEASE_TIME": "10"}, "500ms, 30s, 15m, 2h or 7d"),
        ({"RECONCILE_INTERVAL": "0s"}, "more than 0"),
        ({"LEASE_TIME": "99999999d"}, "LEASE_TIME"),
        ({"KEEP_FAILED": "7d"}, "Invalid KEEP_FAILED ('7d')"),
        ({"LOG_FORMAT": "xml"}, "expected text or json."),
        ({"ON_UNKNOWN_OUTCOME": "redial"}, "expected reconcile or fail."),
        ({"RETRY_ON": "completed"}, "expected busy, no-answer, failed, machine, separated"),
        ({"RETRY_ON": "busy,none"}, "Invalid RETRY_ON ('busy,none')"),
        ({"MACHINE_DETECTION": "on"}, "expected off, enable or detect-message-end."),
        ({**ACCOUNT, "PUBLIC_URL": "https://x.example/?a=1"}, "without a query"),
        ({**ACCOUNT, "PUBLIC_URL": "https://u:p@x.example"}, "PUBLIC_URL"),
        ({"LEASE_TIME": "1ms"}, "at least 250ms"),
        ({"DIAL_DEADLINE": "249ms"}, "at least 250ms"),
        ({"UNKNOWN_OUTCOME_HORIZON": "15s"}, "expected at least twice DIAL_DEADLINE (10000 ms)."),
        ({"ALLOW_ANONYMOUS": "maybe"}, "expected 1, 0, true or false."),
        ({"REDIS_HOST": "a b"}, "Invalid REDIS_HOST ('a b')"),
        ({"HOST": "x\ny"}, r"Invalid HOST ('x\ny')"),
        ({"TWILIO_PHONE_NUMBER": "5550006"}, "+ and 7 to 15 digits"),
        ({"TWILIO_PHONE_NUMBERS": "+15005550006,+1500555 0006"}, "+ and 7 to 15 digits"),
        ({"TWILIO_PHONE_NUMBERS": "+442079460123,+4402079460123"}, "without duplicates"),
        (
            {"TWILIO_PHONE_NUMBER": "+4930123456", "TWILIO_PHONE_NUMBERS": TWO},
            "expected TWILIO_PHONE_NUMBER (+4930123456) as the first of them, or to be unset.",
        ),
        ({"FROM_BY_COUNTRY": "DE=+4930123456"}, "expected TWILIO_PHONE_NUMBERS to be set as well."),
        (
            {"TWILIO_PHONE_NUMBERS": TWO, "FROM_BY_COUNTRY": "FR=+33123456789"},
            "('FR=+33123456789'): expected one of TWILIO_PHONE_NUMBERS.",
        ),
        ({"TWILIO_PHONE_NUMBERS": TWO, "FROM_BY_COUNTRY": "XX=+4930123456"}, "('XX=+4930123456')"),
        ({"TWILIO_PHONE_NUMBERS": TWO, "FROM_BY_COUNTRY": "+4930123456"}, "such as DE=+4930123456"),
        (
            {"TWILIO_PHONE_NUMBERS": TWO, "FROM_BY_COUNTRY": "DE=+4930123456,de=+15005550006"},
            "Invalid FROM_BY_COUNTRY",
        ),
        ({**ACCOUNT, "TWILIO_ACCOUNT_SID": "AC12"}, "AC and 32 hexadecimal digits"),
        ({**ACCOUNT, "TWILIO_API_BASE": "localhost:3001"}, "an http:// or https:// address"),
        ({**ACCOUNT, "PUBLIC_URL": "ftp://x"}, "Invalid PUBLIC_URL ('ftp://x')"),
        ({"FLOWER_BASIC_AUTH": "nobody"}, "user:password"),
        (
            {"REDIS_URL": "redis://h", "REDIS_HOST": "h"},
            "Invalid REDIS_URL: expected to be unset while REDIS_HOST is set.",
        ),
        ({"REDIS_PORT": "6380"}, "Invalid REDIS_PORT: expected REDIS_HOST to be set as well."),
        ({"PUBLIC_URL": "https://x"}, "expected TWILIO_AUTH_TOKEN to be set as well."),
        (
            {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "t"},
            (
                "expected TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER or "
                "TWILIO_API_KEY and TWILIO_API_SECRET and TWILIO_PHONE_NUMBER to be "
                "set as well."
            ),
        ),
        (
            {"TWILIO_API_BASE": "http://127.0.0.1:1"},
            "expected TWILIO_ACCOUNT_SID to be set as well.",
        ),
        ({"API_KEYS": "ops:a,b", "OVERRIDE_KEYS": "crm"}, "('crm'): expected names of API_KEYS."),
        (
            # Or the key without a name would lift rules as well.
            {"API_KEYS": "API:a,b", "OVERRIDE_KEYS": "API"},
            "Invalid OVERRIDE_KEYS ('API'): expected another name",
        ),
    ],
)
def test_a_bad_value_is_named_in_one_line(environ: dict[str, str], line: str) -> None:
    """The line names the variable, its value and what is allowed."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"REDIS_URL": "http://:hunter2@h"},
        {"REDIS_URL": "redis://h?password=hunter2"},
        {"API_KEYS": "crm:hunter2,crm:hunter2"},
        {"API_KEYS": "crm:hunter2 hunter2"},
        {"FLOWER_BASIC_AUTH": "hunter2"},
        {"TWIML_URL": "ftp://ann:hunter2@x.example/"},
        {"TWIML_URL": "ann:hunter2@x.example"},
        {**ACCOUNT, "PUBLIC_URL": "https://ann:hunter2@x.example"},
        {**ACCOUNT, "TWILIO_API_BASE": "https//ann:hunter2@x.example"},
    ],
)
def test_a_refused_secret_is_not_shown(environ: dict[str, str]) -> None:
    """A log of a failed start holds no password."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    assert "hunter2" not in str(refused.value)
    assert "value hidden" in str(refused.value)


def test_settings_shown_hold_no_secret() -> None:
    """A traceback that shows the settings holds no password."""
    settings = Settings.from_env(
        {
            "REDIS_URL": "redis://:hunter2@h",
            "API_KEYS": "crm:hunter2",
            "FLOWER_BASIC_AUTH": "ann:hunter2",
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": "hunter2",
            "TWILIO_API_KEY": KEY,
            "TWILIO_API_SECRET": "hunter2",
            "TWILIO_PHONE_NUMBER": "+15005550006",
        }
    )
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(settings.api_keys)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """What stands in .env is a default; nothing in it is interpolated."""
    file = tmp_path / "settings"
    file.write_text("PORT=4000\nHOST=127.0.0.2\nREDIS_PASSWORD='a${HOME}b'\n")
    read = environment_with_file({"VOMIND_ENV_FILE": str(file), "PORT": "5000"})
    assert (read["PORT"], read["HOST"]) == ("5000", "127.0.0.2")
    assert read["REDIS_PASSWORD"] == "a${HOME}b"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("IN_DOUBT_HORIZON=9m", "UNKNOWN_OUTCOME_HORIZON=9m"),
        ("SETTLE_INTERVAL=9s", "RECONCILE_INTERVAL=9s"),
        ("BREAKER_PROBE_INTERVAL=9s", "CIRCUIT_PROBE_INTERVAL=9s"),
        ("ON_UNKNOWN_OUTCOME=settle", "ON_UNKNOWN_OUTCOME=reconcile"),
    ],
)
@pytest.mark.parametrize("in_file", [True, False], ids=["file", "environment"])
def test_an_old_name_is_read_with_one_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, in_file: bool
) -> None:
    """An upgrade does not silently reset a setting to its default."""
    file = tmp_path / "settings"
    file.write_text(f"{old}\n" if in_file else "")
    given = {} if in_file else dict([old.split("=")])
    name, value = new.split("=")
    assert environment_with_file({"VOMIND_ENV_FILE": str(file), **given})[name] == value
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.endswith(f"is deprecated; use {new if '=settle' in old else name}")


def test_the_present_name_wins_over_the_old_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Where both are set; and an old name in the environment wins over the file's new one."""
    both = {"VOMIND_ENV_FILE": "", "SETTLE_INTERVAL": "9s", "RECONCILE_INTERVAL": "3s"}
    assert environment_with_file(both)["RECONCILE_INTERVAL"] == "3s"
    assert capsys.readouterr().err == "SETTLE_INTERVAL is deprecated; use RECONCILE_INTERVAL\n"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("CALL_RATE_LIMTI", "CALL_RATE_LIMIT"), ("API_KEY", "API_KEYS"), ("publicurl", "PUBLIC_URL")],
)
def test_a_misspelt_name_in_the_file_is_refused(tmp_path: Path, name: str, meant: str) -> None:
    """A rate limit that nobody reads would be no limit at all."""
    file = tmp_path / "settings"
    file.write_text(f"{name}=1\n")
    with pytest.raises(SettingsError, match=f"Unknown setting {name} in .*; did you mean {meant}"):
        environment_with_file({"VOMIND_ENV_FILE": str(file)})


@pytest.mark.parametrize(
    "line", ["ALLOW_PREMIUM: 0", "PORT", "=4811", 'CALL_RATE_LIMIT="2/m', "export PORT", "A B=1"]
)
def test_a_line_that_is_no_setting_is_refused(tmp_path: Path, line: str) -> None:
    """The service would run without a guard that its operator has written down."""
    file = tmp_path / ".env"
    file.write_text(f"# Ours.\n\nPORT=3001\n{line}\n")
    with pytest.raises(SettingsError, match=r"Invalid line 4 of .*\.env: ") as refused:
        environment_with_file({"VOMIND_ENV_FILE": str(file)})
    assert "2/m" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory or a link that leads nowhere is a mistake; no file at all is none."""
    monkeypatch.chdir(tmp_path)
    assert environment_with_file({}) == {}
    (tmp_path / ".env").symlink_to("nowhere")
    with pytest.raises(
        SettingsError, match=r"Invalid settings file .*\.env: expected a regular file"
    ):
        environment_with_file({})
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    with pytest.raises(
        SettingsError, match=r"Invalid settings file .*\.env: expected a regular file"
    ):
        environment_with_file({})


def test_other_programs_may_share_the_file(tmp_path: Path) -> None:
    """A name that is like none of ours is somebody else's."""
    file = tmp_path / "settings"
    file.write_text("DATABASE_URL=postgres://x\nNODE_ENV=production\nPORT=4000\n")
    assert environment_with_file({"VOMIND_ENV_FILE": str(file)})["PORT"] == "4000"


def test_the_file_is_read_as_windows_writes_it(tmp_path: Path) -> None:
    """A byte order mark is no part of the first name; UTF-16 is refused by name."""
    file = tmp_path / "settings"
    file.write_bytes("PORT=4000\r\n".encode("utf-8-sig"))
    assert environment_with_file({"VOMIND_ENV_FILE": str(file)})["PORT"] == "4000"
    file.write_bytes("PORT=4000\r\n".encode("utf-16"))
    with pytest.raises(SettingsError, match="text in UTF-8"):
        environment_with_file({"VOMIND_ENV_FILE": str(file)})


def test_addresses_of_kubernetes_services_are_not_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A service named redis or flower must not keep every process from starting."""
    links = {"REDIS_PORT": "tcp://10.96.0.12:6379", "FLOWER_PORT": "tcp://10.96.0.13:5555"}
    read = environment_with_file({"VOMIND_ENV_FILE": "", "REDIS_URL": "redis://h:1", **links})
    settings = Settings.from_env(read)
    assert (settings.redis_url, settings.flower_port) == ("redis://h:1", 5555)
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in said] == ["FLOWER_PORT", "REDIS_PORT"]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("REDIS://h:1", "redis://h:1"),
        ("redis://h:1?db=3", "redis://h:1/3"),
        ("redis://h:1/3?db=3", "redis://h:1/3"),
        ("rediss://h?ssl_cert_reqs=CERT_NONE", "rediss://h?ssl_cert_reqs=none"),
        (
            "rediss://h?ssl_ca_certs=/etc/ca.pem",
            "rediss://h?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required",
        ),
    ],
)
def test_each_spelling_of_an_address_means_one_thing(given: str, url: str) -> None:
    """All processes read the address alike; a named authority is there to be checked against."""
    assert Settings.from_env({"REDIS_URL": given}).redis_url == url


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ('"redis://h:1"', "leave the quotation marks out"),
        ("redis://:hunter2#x@h:1", "write # as %23"),
        ("redis://h:1?ssl=true", "write rediss://"),
        ("redis://h:1?ssl_ca_certs=/etc/ca.pem", "ssl_ca_certs needs rediss://"),
        ("rediss://h:1?ssl_cert_reqs=maybe", "none, optional or required"),
        ("redis://h:1?timeout=3", "timeout is not supported"),
        ("redis://h:1/2?db=3", "a single integer"),
        ("unix:///run/redis.sock", "Unix socket"),
        ("redis+sentinel://h:26379", "Sentinel is not supported"),
        ("redis://hunter2@a:1,b:2", "several hosts"),
        ("redis://:hunter2@h:port", ""),
    ],
)
def test_an_address_that_cannot_be_read_says_why(given: str, reason: str) -> None:
    """One line, without the password, in place of a traceback in one process and not another."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"REDIS_URL": given})
    assert reason in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_dotenv_is_read_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file .env is found without being named, unless none is wanted."""
    (tmp_path / ".env").write_text("PORT=4000\n")
    monkeypatch.chdir(tmp_path)
    assert load().port == 3000
    monkeypatch.delenv("VOMIND_ENV_FILE")
    assert load().port == 4000


def test_a_bad_value_ends_the_process_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point ends with status 1 and the line, not with a traceback."""
    monkeypatch.setenv("PORT", "none")
    with pytest.raises(SystemExit, match=r"Invalid PORT \('none'\)"):
        load_or_exit()


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, answer: bool) -> None:
    """A name that is not known to be local counts as reachable from outside."""
    assert is_loopback(host) is answer


def test_the_numbers_that_calls_come_from() -> None:
    """The one, or the first of several, is the default; each has one spelling."""
    assert Settings.from_env(ACCOUNT).senders.numbers == ("+15005550006",)
    several = {"TWILIO_PHONE_NUMBERS": "+15005550006, +4402079460123"}
    senders = Settings.from_env(
        {**ACCOUNT, **several, "FROM_BY_COUNTRY": "gb=+4402079460123"}
    ).senders
    assert senders.numbers == ("+15005550006", "+442079460123")
    assert (senders.default, senders.by_country) == ("+15005550006", {"GB": "+442079460123"})
    alone = {**ACCOUNT, **several, "TWILIO_PHONE_NUMBER": ""}
    assert Settings.from_env(alone).senders.default == "+15005550006"
    assert Settings.from_env({}).senders.default == ""
