"""Levelfield's exceptions: one class per decision a caller takes.

LevelfieldError            never raised itself; carries the process's exit code
+-- UserError              the user can mend it: plan, settings, arguments, paths (exit 2)
|   +-- PlanError          the plan file is wrong
|   +-- SettingsError      a setting is unknown or has a bad value
|   +-- ResultsMismatch    the results folder belongs to another plan or a newer Levelfield
|   +-- ServerUnavailable  the model server that the user named does not answer
|   +-- IndexUnusable      an index of documents is missing, broken off, in use or damaged
|   +-- RatingsError       a file of people's ratings is wrong
|   +-- JudgeUnavailable   the judge's server does not answer: its verdicts stay owed until the next time
|   +-- SandboxUnavailable no isolation can be had here: programs that a model wrote are not run
+-- InternalError          ours or the machine's (exit 1)
    +-- EnvironmentFailed  a framework's environment cannot be built or does not import
    +-- CorruptRecord      a record does not match its checksum
    +-- StoreFailed        a record cannot be written (disk full, no permission)
    +-- NodeFailed         an inference node cannot start, or died
    +-- SandboxFailed      a sandbox that this machine offers did not start

Messages show the offending value and say what to do next; they are printed without a traceback.
"""


class LevelfieldError(Exception):
    exit_code = 1


class UserError(LevelfieldError):
    exit_code = 2


class PlanError(UserError):
    pass


class SettingsError(UserError):
    pass


class ResultsMismatch(UserError):
    pass


class ServerUnavailable(UserError):
    pass


class IndexUnusable(UserError):
    pass


class RatingsError(UserError):
    pass


class JudgeUnavailable(UserError):
    pass


class SandboxUnavailable(UserError):
    pass


class InternalError(LevelfieldError):
    pass


class EnvironmentFailed(InternalError):
    pass


class CorruptRecord(InternalError):
    pass


class StoreFailed(InternalError):
    pass


class NodeFailed(InternalError):
    pass


class SandboxFailed(InternalError):
    pass
