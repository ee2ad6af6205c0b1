# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import random
import threading

from affordance_ros.runtime.mailbox import Counters
from affordance_ros.runtime.mailbox import Job
from affordance_ros.runtime.mailbox import Mailbox
from affordance_ros.runtime.mailbox import RequestJob


def take(mailbox):
    """Wait for work and take it, as the worker does; None once the mailbox is closed."""
    return mailbox.take() if mailbox.wait() else None


def test_only_the_newest_frame_is_taken_and_none_twice():
    mailbox = Mailbox()
    mailbox.set_command('cut')
    for frame in range(5):
        mailbox.offer(frame)
    job = take(mailbox)
    assert job.frame == 4
    mailbox.finish()
    mailbox.offer(5)
    assert take(mailbox).frame == 5
    mailbox.finish('data')
    mailbox.refuse('step')
    mailbox.refuse('data')
    causes = {'data': 2, 'step': 1}
    assert mailbox.counters == Counters(8, processed=1, dropped=4, unusable_by_cause=causes)
    assert mailbox.counters.unusable == 3


def test_a_frame_carries_its_time_from_the_stamp_until_it_was_taken():
    now = 0.0
    mailbox = Mailbox(clock=lambda: now)
    mailbox.set_command('cut')
    mailbox.offer(1, transport_s=0.5)
    now = 5.0
    mailbox.offer(2, transport_s=0.25)
    now = 7.0
    seconds = take(mailbox).timer.seconds
    assert (seconds['transport'], seconds['wait'], seconds['total']) == (0.25, 2.0, 2.25)


def test_a_request_carries_the_time_of_the_frame_that_it_gets_and_its_own_wait():
    now = 0.0
    mailbox = Mailbox(clock=lambda: now)
    mailbox.ask('first')
    mailbox.ask('second')
    mailbox.ask('third', 'image')
    now = 3.0
    mailbox.offer('frame', transport_s=0.5)
    now = 4.0
    third, first = take(mailbox), take(mailbox)
    now = 6.0
    second = take(mailbox)
    stages = [
        (asked.request, asked.timer.seconds['transport'], asked.timer.seconds['wait'])
        for asked in (first, second, third)
    ]
    assert stages == [('first', 0.5, 1.0), ('second', 0.5, 3.0), ('third', 0.0, 4.0)]


def test_a_frame_waits_for_the_first_command():
    mailbox = Mailbox()
    mailbox.offer('frame')
    jobs = []
    taker = threading.Thread(target=lambda: jobs.append(take(mailbox)))
    taker.start()
    mailbox.set_command('cut')
    taker.join(timeout=5)
    assert jobs[0].frame == 'frame'
    assert (jobs[0].command.text, jobs[0].command.id) == ('cut', 1)


def test_the_command_in_force_when_a_frame_is_taken_goes_with_it():
    mailbox = Mailbox()
    mailbox.set_command('cut')
    mailbox.offer(1)
    job = take(mailbox)
    mailbox.set_command('hold')
    assert job.command.text == 'cut'
    mailbox.offer(2)
    assert (take(mailbox).command.text, mailbox.command.id) == ('hold', 2)


def test_the_rate_limit_spaces_frames_and_still_takes_the_newest():
    now = 0.0
    mailbox = Mailbox(clock=lambda: now)
    mailbox.set_command('cut')
    mailbox.set_rate_limit(10.0)
    mailbox.offer(1)
    assert take(mailbox).frame == 1
    mailbox.offer(2)
    jobs = []
    taker = threading.Thread(target=lambda: jobs.append(take(mailbox)))
    taker.start()
    mailbox.offer(3)
    assert not jobs
    now = 0.1
    mailbox.offer(4)
    taker.join(timeout=5)
    assert jobs[0].frame == 4


def test_closing_frees_a_waiting_worker():
    mailbox = Mailbox()
    results = []
    taker = threading.Thread(target=lambda: results.append(take(mailbox)))
    taker.start()
    mailbox.close()
    taker.join(timeout=5)
    assert results == [None]


def test_under_load_every_frame_is_accounted_for_and_ids_never_go_back():
    """Three threads at once: a fast camera, a person changing their mind, a slow worker."""
    mailbox = Mailbox()
    mailbox.set_command('0')
    count = 20_000
    offered = threading.Event()
    jobs = []

    def camera():
        for frame in range(count):
            mailbox.offer(frame)
        offered.set()

    def person():
        number = 1
        while not offered.is_set():
            mailbox.set_command(str(number))
            number += 1

    def worker():
        chance = random.Random(0)
        while (job := take(mailbox)) is not None:
            jobs.append(job)
            for _ in range(chance.randrange(2000)):
                pass
            mailbox.finish()

    threads = [threading.Thread(target=target) for target in (camera, person, worker)]
    for thread in threads:
        thread.start()
    threads[0].join(timeout=60)
    threads[1].join(timeout=60)
    # The last frame is taken too, since nothing replaces it.
    while mailbox.counters.processed + mailbox.counters.dropped < count:
        threads[2].join(timeout=0.001)
    mailbox.close()
    threads[2].join(timeout=60)
    frames = [job.frame for job in jobs]
    assert frames == sorted(set(frames))
    assert frames[-1] == count - 1
    ids = [job.command.id for job in jobs]
    assert ids == sorted(ids)
    assert all(job.command.text == str(job.command.id - 1) for job in jobs)
    counters = mailbox.counters
    assert counters.received == count
    assert counters.processed == len(jobs)
    assert counters.dropped == count - len(jobs)


def test_a_request_is_answered_on_the_next_frame_and_takes_it_from_no_command():
    mailbox = Mailbox()
    mailbox.set_command('cut')
    mailbox.offer('before')
    mailbox.ask('question')
    assert take(mailbox).frame == 'before', 'a request waits for a frame that comes after it'
    mailbox.finish()
    mailbox.offer('next')
    mailbox.offer('newer')
    asked, job = take(mailbox), take(mailbox)
    assert isinstance(asked, RequestJob) and isinstance(job, Job)
    assert (asked.frame, asked.request) == ('next', 'question')
    assert (job.frame, job.command) == ('newer', mailbox.command)
    mailbox.finish()
    assert mailbox.counters == Counters(received=3, processed=2, dropped=1)


def test_a_request_with_its_own_frame_needs_neither_camera_nor_command_nor_rate():
    mailbox = Mailbox(clock=lambda: 0.0)
    mailbox.set_rate_limit(1e-3)
    mailbox.ask('question', 'image')
    asked = take(mailbox)
    assert (asked.frame, asked.request) == ('image', 'question')
    mailbox.set_command('cut')
    mailbox.offer(1)
    take(mailbox)
    mailbox.offer(2)  # may not be taken for a thousand seconds
    mailbox.ask('another', 'image')
    asked = take(mailbox)
    assert (asked.frame, asked.request) == ('image', 'another')
    assert mailbox.counters == Counters(received=2)


def test_requests_and_frames_take_turns():
    mailbox = Mailbox()
    mailbox.set_command('cut')
    for number in range(4):
        mailbox.ask(number, 'image')
    kinds = []
    for frame in range(3):
        mailbox.offer(frame)
        kinds += [type(take(mailbox)), type(take(mailbox))]
    assert kinds == [RequestJob, Job] * 3


def test_a_withdrawn_request_is_not_handed_out():
    mailbox = Mailbox()
    first, second, third = [object() for _ in range(3)]
    mailbox.ask(first)
    mailbox.ask(second, 'image')
    mailbox.ask(third, 'image')
    mailbox.withdraw(first)
    mailbox.withdraw(second)
    assert take(mailbox).request is third
    mailbox.offer('frame')
    mailbox.ask(third, 'image')
    assert take(mailbox).request is third


def test_a_mailbox_opens_again_and_numbers_and_counts_go_on():
    mailbox = Mailbox()
    mailbox.set_command('cut')
    mailbox.offer(1)
    mailbox.ask('question')
    mailbox.close()
    assert take(mailbox) is None
    mailbox.offer(2)
    mailbox.forget_command()
    assert mailbox.command is None
    mailbox.open()
    mailbox.offer(3)
    assert mailbox.set_command('hold').id == 2
    job = take(mailbox)
    assert isinstance(job, Job), 'a request outlived the closing'
    assert (job.frame, job.command) == (3, mailbox.command)
    assert mailbox.counters == Counters(received=3, dropped=2)
