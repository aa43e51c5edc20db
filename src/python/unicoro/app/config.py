# SPDX-License-Identifier: MIT
"""The settings as a program sets them that embeds the server."""

import json
from types import MappingProxyType

from _unicoro import default_settings, key_problem
from _unicoro.server_settings import HOOK_NAMES, OTHER_NAMES


class UnknownSetting(AttributeError):
    """There is no setting of this name."""


def _no_hook(*_):
    """What a hook is that the program does not set."""


class Setting:
    """An entry of cfg.settings: its value as the program set it, or the default."""

    def __init__(self, name, default):
        self.name, self.default, self.value = name, default, default
        self.is_given = False

    def get(self):
        return self.value

    def set(self, value):
        self.value, self.is_given = value, True

    def __repr__(self):
        return f"<Setting {self.name} with value {self.value!r}>"


class Config:
    """Every setting by its name, such as cfg.workers. Values are checked when the server starts."""

    def __init__(self):
        defaults = json.loads(default_settings())
        defaults.update({name: defaults[here] for name, here in OTHER_NAMES.items()})
        defaults.update(dict.fromkeys(HOOK_NAMES, _no_hook))
        settings = {name: Setting(name, value) for name, value in defaults.items()}
        vars(self)["settings"] = MappingProxyType(settings)

    def __getattr__(self, name):
        settings = vars(self).get("settings", {})
        if name not in settings:
            raise UnknownSetting(f"{name}: {key_problem(name)}")
        return settings[name].get()

    def __setattr__(self, name, value):
        raise AttributeError(f"{name}: settings are set with cfg.set({name!r}, value)")

    def set(self, name, value):
        """Sets one, by its name; a hook is a setting, too. None stands for the default."""
        if name == "hooks" and isinstance(value, dict):
            for hook, function in value.items():
                self.set(hook, function)
            return
        if name not in self.settings:
            raise UnknownSetting(f"{name}: {key_problem(name)}")
        self.settings[name].set(value)

    def given(self):
        """The name and the value of each that was set."""
        return [(each.name, each.value) for each in self.settings.values() if each.is_given]
