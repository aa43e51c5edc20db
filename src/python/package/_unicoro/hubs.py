# SPDX-License-Identifier: MIT
"""gevent and eventlet: the standard library made cooperative, and hubs that wait where the server does."""

from . import compat, forked_greenlets
from .child import Child


def patch_gevent():
    """Makes the standard library cooperative, before anything of the application is imported."""
    from gevent import monkey
    from gevent._hub_local import get_hub_if_exists

    compat.let_older_threads_end()
    compat.let_handlers_go_last(monkey)
    monkey.patch_all()
    hub = get_hub_if_exists()
    if hub is not None:  # of a settings file that waited for something; it is not on the server's loop
        hub.destroy(destroy_loop=True)
    compat.patch_asyncio_for_gevent()


def gevent_hub():
    from gevent import get_hub

    hub = get_hub()
    forked_greenlets.alone_with_gevent()
    return hub


def patch_eventlet():
    """Makes the standard library cooperative, before there is a hub."""
    import eventlet

    eventlet.monkey_patch()


def eventlet_hub(server_wait):
    """Makes the standard library cooperative and eventlet wait where the server does."""
    import eventlet
    from eventlet import hubs
    from eventlet.hubs import epolls

    class Hub(epolls.Hub):
        def wait(self, seconds=None):
            if Child.forked_off():
                if not (self.timers or self.next_timers or any(self.listeners.values())):
                    Child.leave(None)
                super().wait(seconds)
            elif server_wait(self.default_sleep() if seconds is None else seconds):
                super().wait(0)

    hubs.use_hub(Hub)
    eventlet.monkey_patch()
    compat.patch_asyncio_for_greenlets()
    forked_greenlets.alone_with_eventlet()
    return hubs.get_hub()
