import stat

from vaultsite.runtime.process_log import MAX_FILE_BYTES, MAX_LINE_BYTES, OLD_FILES, ProcessLog


def test_lines_are_cut_where_they_end_however_they_arrive(tmp_path):
    log = ProcessLog(tmp_path / "web.log")
    assert log.feed(b"one\ntw") == ["one"]
    assert log.feed(b"o\n\nrest") == ["two", ""]
    assert log.close() == ["rest"]
    assert (tmp_path / "web.log").read_text() == "one\ntwo\n\nrest\n"
    assert stat.S_IMODE((tmp_path / "web.log").stat().st_mode) == 0o600


def test_a_line_cannot_steer_the_terminal_or_forge_another(tmp_path):
    log = ProcessLog(tmp_path / "web.log")
    (line,) = log.feed(b"\x1b[31mred\x1b[0m \r\xe2\x80\xaeflip \xff\n")
    assert line == "\\x1b[31mred\\x1b[0m \\r\\u202eflip \ufffd"
    log.close()


def test_an_endless_line_is_cut_and_not_collected(tmp_path):
    log = ProcessLog(tmp_path / "web.log")
    for _ in range(3):
        (piece,) = log.feed(b"x" * (MAX_LINE_BYTES + 1))
        assert len(piece) == MAX_LINE_BYTES
    log.close()


def test_a_log_keeps_a_bounded_number_of_bytes(tmp_path):
    log = ProcessLog(tmp_path / "web.log")
    block = (b"y" * 1023 + b"\n") * 1024
    for _ in range((OLD_FILES + 2) * MAX_FILE_BYTES // len(block) + 3):
        log.feed(block)
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["web.log", *(f"web.log.{number}" for number in range(1, OLD_FILES + 1))]
    assert all(path.stat().st_size <= MAX_FILE_BYTES + len(block) for path in tmp_path.iterdir())
