"""The processes: who is started, who serves what, how they come and go.

    start        checks everything a start depends on, then becomes the supervisor
    sockets      listening sockets, owned by the supervisor
    supervisor   one thread, one loop: starts, restarts, reloads, drains
    children     a child process and its control channel
    worker       serves one socket through libmilter
    keeper       HTTP, local copy of operator state, outbox; stops no mail
    holding      held mail and its digests; notices: who is to be told of limits
    compose      builds one process's objects, once
    systemd      sd_notify

    supervisor ─┬─ store      (embedded only)
                ├─ keeper
                └─ worker, several for each socket

Orders reach a child by its control channel, never by a signal. Settings never change
inside a process: a reload is a new generation of workers on the same sockets.
"""
