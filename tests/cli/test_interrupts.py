"""A wish to stop is not lost, even where a library swallows the exception."""

import contextlib
import os
import signal

import pytest

from gradatim.cli.interrupts import check, listening


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_once(number):
    with pytest.raises(KeyboardInterrupt), listening():
        os.kill(os.getpid(), number)
        pytest.fail("the signal was not raised")


def test_a_swallowed_signal_is_raised_again():
    with pytest.raises(KeyboardInterrupt), listening():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        check()


def test_handlers_are_given_back_and_nothing_is_remembered():
    before = signal.getsignal(signal.SIGINT)
    with contextlib.suppress(KeyboardInterrupt), listening():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with listening():
        check()
