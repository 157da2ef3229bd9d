"""Rules of log lines: one event, one line, and no text of an exception."""

import io
import logging

import pytest
from celery import Celery
from celery.app.trace import build_tracer
from celery.exceptions import Reject
from hypothesis import given
from hypothesis import strategies as st

from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.logs import EscapingFormatter

HOSTILE = [
    "name\r\n2026-01-01 00:00:00,000 INFO vault.audit forged",
    "\x1b[31mred\x1b[0m",
    "\x9b31mC1",
    "\x00nul",
    "\x08\x08\x08backspace",
    "\x0b\x0cfeeds",
    "\x7fdelete",
    "\u2028line\u2029paragraph",
    "\u202eesrever",
    "\u2066isolated\u2069",
    "\x85next line",
]


def written(log):
    """What a handler with our formatter writes while ``log`` is given its logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EscapingFormatter())
    logger = logging.getLogger("tests.lines")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    log(logger)
    logger.removeHandler(handler)
    return stream.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_cannot_forge_a_line_or_move_the_cursor(text):
    line = written(lambda logger: logger.warning("name %s", text))
    assert len(line.splitlines()) == 1
    assert line.removesuffix("\n").isprintable()


@given(st.text())
def test_whatever_is_logged_is_one_line(text):
    assert len(written(lambda logger: logger.info("%s", text)).splitlines()) == 1


def test_what_was_escaped_can_be_read():
    assert written(lambda logger: logger.info("a\nb\x1b\u202ec")).endswith("a\\x0ab\\x1b\\u202ec\n")


def test_ordinary_text_and_tabs_stay():
    assert written(lambda logger: logger.info("a\tß漢 %d", 7)).endswith("INFO tests.lines a\tß漢 7\n")


def fail_with(error):
    def log(logger):
        try:
            raise error
        except type(error):
            logger.exception("failed")

    return log


@pytest.mark.parametrize("error", [ValueError("canary-value"), KeyError("canary-value"), InvalidInput("canary-value")])
def test_a_traceback_names_places_and_not_values(error):
    line = written(fail_with(error))
    assert "canary-value" not in line
    assert "tests/kernel/test_logs.py" in line
    assert (getattr(error, "code", "") or type(error).__name__) in line
    assert len(line.splitlines()) == 1


def refuse_because_of_a_value():
    try:
        int("canary-value")
    except ValueError as cause:
        raise InvalidInput from cause


def test_the_text_of_a_cause_is_left_out_too():
    def log(logger):
        try:
            refuse_because_of_a_value()
        except InvalidInput:
            logger.exception("failed")

    assert "canary-value" not in written(log)


def test_a_traceback_another_formatter_left_behind_is_not_repeated():
    def log(logger):
        try:
            int("canary-value")
        except ValueError as error:
            record = logger.makeRecord(
                "test", logging.ERROR, __file__, 1, "failed", (), (type(error), error, error.__traceback__)
            )
        logging.Formatter().format(record)
        assert "canary-value" in record.exc_text
        logger.handle(record)

    assert "canary-value" not in written(log)


def fail_unexpectedly(_task):
    raise ValueError("canary-value")


def fail_with_a_code(_task):
    raise InvalidInput("canary-value")


def fail_as_expected(_task):
    raise KeyError("canary-value")


def try_again(task):
    raise task.retry(exc=ValueError("canary-value"))


def give_up(_task):
    raise Reject("canary-value")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (fail_unexpectedly, "raised unexpected: ValueError"),
        (fail_with_a_code, f"raised unexpected: {InvalidInput.code}"),
        (fail_as_expected, "raised expected: KeyError"),
        (try_again, "retry: Retry"),
        (give_up, "] Reject"),
    ],
)
def test_a_failed_task_is_named_and_not_quoted(logged, caplog, body, said):
    caplog.set_level(logging.INFO, logger="celery.app.trace")
    app = Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)
    task = app.task(body, bind=True, name=f"tests.{body.__name__}", throws=(KeyError,))
    request = {"id": "an-id", "called_directly": False, "delivery_info": {}}
    build_tracer(task.name, task, app=app)("an-id", (), {}, request=request)
    text = logged.getvalue()
    assert f"Task tests.{body.__name__}[an-id] " in text
    assert said in text
    assert "canary-value" not in text
    (record,) = (record for record in caplog.records if record.name == "celery.app.trace")
    assert "canary-value" not in repr(record.data)


def test_the_name_of_an_exception_is_never_its_text():
    line = written(fail_with(SystemExit("canary-value")))  # whose ``code`` is whatever it was given
    assert "SystemExit at " in line
    assert "canary-value" not in line


def test_the_root_logger_writes_this_way(settings):
    formatter = settings.LOGGING["formatters"][settings.LOGGING["handlers"]["console"]["formatter"]]
    assert formatter == {"()": "vaultsite.kernel.logs.EscapingFormatter"}


@pytest.mark.urls("tests.kernel.views")
@pytest.mark.parametrize("header", ["X-Request-ID", "User-Agent", "X-Vault-Purpose", "Referer"])
@pytest.mark.parametrize("path", ["/fail/RuntimeError", "/fail/a%0d%0avault.audit%20forged%1b[31m"])
def test_a_request_cannot_forge_a_line(client, logged, header, path):
    hostile = "ok\r\n2026-01-01 00:00:00,000 INFO vault.audit forged \x1b[31m"
    assert client.get(path, headers={header: hostile}).status_code == 500
    text = logged.getvalue()
    assert text.count("vault.problem") == 1
    assert not [line for line in text.splitlines() if line.startswith(("vault.audit", "2026-01-01"))]
    assert "\x1b" not in text
    assert "\r" not in text
