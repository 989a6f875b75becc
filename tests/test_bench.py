"""The dispatcher of the benches."""

import pytest

from bench import __main__ as dispatcher


def test_every_bench_is_listed_and_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher.main(["--help"]) == 0
    assert "stability" in capsys.readouterr().out
    assert "stability" in dispatcher.names()


@pytest.mark.parametrize("argv", [[], ["no-such-bench"], ["__main__"]])
def test_what_is_no_bench_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher.main(argv) == 2
