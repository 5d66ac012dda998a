"""A wish to stop is not lost, even where a library swallows the exception."""

import contextlib
import os
import signal

import pytest

from gradatim.train.interrupts import (
    agreed,
    asked,
    check,
    heard,
    jointly,
    listening,
    patiently,
)


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


def test_a_patient_block_is_cut_at_its_boundary_and_at_once_by_a_second_signal():
    reached = []
    with pytest.raises(KeyboardInterrupt), listening(), patiently():
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("the end of the step")
        check()
    assert reached
    with pytest.raises(KeyboardInterrupt), listening(), patiently():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second signal was not raised")


def test_ranks_stop_when_all_know_and_a_second_sigterm_waits_too():
    with pytest.raises(KeyboardInterrupt), listening(), patiently(), jointly():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        check()
        assert heard()
        assert not asked()
        agreed()
        assert asked()
        check()
        pytest.fail("the agreement was not heeded")
