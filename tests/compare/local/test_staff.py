"""Workers forked from a warm process: order, errors, deaths, shared rows, what is left."""

import os
import signal
import time
from operator import add, itemgetter, truediv
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.compare import pool
from gradatim.compare.local import staff
from gradatim.compare.local.line import LARGE
from gradatim.compare.pool import delayed, side_by_side
from gradatim.core.errors import ResourceError

pytestmark = pytest.mark.skipif(not staff.available(), reason="forked workers are for Linux")


@pytest.fixture(autouse=True)
def own():
    """Workers for this test alone, which must be gone after it."""
    others, staff._idle[:] = list(staff._idle), []
    yield
    mine, staff._idle[:] = list(staff._idle), others
    for each in mine:
        each.close()
        wait_for(lambda each=each: not any(map(alive, each.lines.values())))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_for(wanted, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_results_come_in_order_or_as_they_are_ready():
    calls = [delayed(add, number, 1) for number in range(50)]
    assert list(side_by_side(calls)) == list(range(1, 51))
    assert sorted(side_by_side(calls, ordered=False)) == list(range(1, 51))
    assert sorted(side_by_side([], ordered=False)) == []


def test_a_call_is_drawn_when_a_worker_is_free():
    """So a climb may decide late: at most one call a worker is out when the first result comes."""
    drawn = []

    def calls():
        for number in range(10 * pool.HERE.count):
            drawn.append(number)
            yield delayed(add, number, 0)

    results = side_by_side(calls(), ordered=False)
    next(results)
    assert len(drawn) <= 2 * pool.HERE.count
    assert len(list(results)) == 10 * pool.HERE.count - 1


def test_the_same_workers_take_the_next_calls():
    first = set(side_by_side([delayed(os.getpid)] * 10))
    second = set(side_by_side([delayed(os.getpid)] * 10))
    assert first | second <= set(staff._idle[0].lines.values())
    assert os.getpid() not in first


def test_large_arrays_are_shared_and_cannot_be_changed():
    rows = {"inputs": np.arange(LARGE // 4, dtype=np.float64), "targets": np.arange(3)}
    assert rows["inputs"].nbytes > LARGE
    (said,) = side_by_side([delayed(itemgetter("inputs"), rows)])
    np.testing.assert_array_equal(said, rows["inputs"])
    (said,) = side_by_side([delayed(itemgetter("targets"), rows)])
    np.testing.assert_array_equal(said, rows["targets"])

    def overwrite(rows):
        rows["inputs"][0] = 1.0

    with pytest.raises(ValueError, match="read-only"):
        list(side_by_side([delayed(overwrite, rows)]))
    list(side_by_side([delayed(len, rows)]))  # the error has ended the workers: here are others
    open_files = files()
    for _ in range(3):
        list(side_by_side([delayed(len, rows)] * 5))
    assert files() == open_files


def test_an_error_is_raised_where_the_call_came_from_and_ends_the_workers():
    with pytest.raises(ZeroDivisionError):
        list(side_by_side([delayed(truediv, 1, 0)]))
    assert staff._idle == []
    assert list(side_by_side([delayed(add, 1, 1)])) == [2]


def test_an_error_that_cannot_travel_is_told_in_words():
    def stay():
        class Stubborn(Exception):
            def __reduce__(self):
                raise TypeError("no")

        raise Stubborn("stays here")

    with pytest.raises(RuntimeError, match="Stubborn: stays here"):
        list(side_by_side([delayed(stay)]))


def test_a_call_that_cannot_be_unpacked_says_why():
    with pytest.raises(ImportError, match="tests"):
        list(side_by_side([delayed(alive, 1)]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_dies_is_told(number):
    def die():
        os.kill(os.getpid(), number)
        time.sleep(10)

    with pytest.raises(ResourceError, match="was killed"):
        list(side_by_side([delayed(die)]))
    assert staff._idle == []


def test_workers_go_with_what_they_were_forked_from_and_that_is_told():
    def orphan():
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)

    begun = time.monotonic()
    with pytest.raises(ResourceError, match="was killed"):
        list(side_by_side([delayed(orphan)]))
    assert time.monotonic() - begun < 50


def test_workers_go_when_nobody_listens_any_more():
    results = side_by_side([delayed(os.getpid), *[delayed(time.sleep, 60)] * 5], ordered=False)
    worker = next(results)
    begun = time.monotonic()
    results.close()
    assert time.monotonic() - begun < staff.GRACE
    wait_for(lambda: not alive(worker))
    assert staff._idle == []


def test_workers_have_one_thread_for_products_and_are_deaf_to_ctrl_c():
    (threads, handler) = side_by_side(
        [delayed(torch.get_num_threads), delayed(signal.getsignal, signal.SIGINT)]
    )
    assert (threads, handler) == (1, signal.SIG_IGN)


def test_a_nursery_that_is_gone_is_not_asked():
    staff.prepare()
    staff.prepare()
    (first,) = staff._idle
    first.nursery.kill()
    first.nursery.wait()
    assert list(side_by_side([delayed(add, 1, 1)])) == [2]
    assert first not in staff._idle
    first.close()


def test_two_climbs_of_one_process_have_workers_of_their_own():
    one = side_by_side([delayed(os.getpid)] * 3)
    other = side_by_side([delayed(os.getpid)] * 3)
    mixed = [(next(one), next(other)) for _ in range(3)]
    assert not {a for a, _ in mixed} & {b for _, b in mixed}
    assert not list(one) + list(other)
    assert len(staff._idle) == 2


def test_elsewhere_joblib_begins_the_workers(monkeypatch):
    monkeypatch.setattr(pool, "available", lambda: False)
    assert list(side_by_side([delayed(add, number, 1) for number in range(4)])) == [1, 2, 3, 4]
    assert staff._idle == []
