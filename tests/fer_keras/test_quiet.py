import os
import subprocess
import sys

import pytest

from fer_keras.quiet import is_dropped

PREAMBLE = b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
INFO = b"I0000 00:00:1795315620.757167   15646 port.cc:153] oneDNN custom operations are on.\n"
WARNING = b"W0000 00:00:1795315620.757167   15646 gpu_device.cc:2341] Cannot dlopen some GPU libraries.\n"
ERROR = b"E0000 00:00:1795315620.757167   15646 cuda_dnn.cc:8579] Unable to register cuDNN factory\n"
FATAL = b"F0000 00:00:1795315620.757167   15646 port.cc:1] Unsupported processor\n"
OLD_INFO = b"2025-09-17 14:44:05.157831: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:32] Could not find cuda\n"
OLD_ERROR = b"2025-09-17 14:44:05.157831: E external/local_xla/xla/tsl/cuda/cuda_fft.cc:467] Unable to register\n"


@pytest.mark.parametrize(
    ("line", "first_level"),
    [(PREAMBLE, 1), (INFO, 1), (OLD_INFO, 1), (WARNING, 2), (ERROR, 3), (OLD_ERROR, 3), (FATAL, 4)],
)
def test_severities_below_the_level_are_dropped(line, first_level):
    assert [is_dropped(line, level) for level in range(4)] == [level >= first_level for level in range(4)]


@pytest.mark.parametrize(
    "line", [b"\n", b"Illegal instruction\n", b"I am text\n", b"/a/b.py:1: UserWarning: x\n", b'  File "a.cc:1] "\n']
)
def test_other_lines_are_let_through(line):
    assert not is_dropped(line, 3)


@pytest.fixture
def stand_in(tmp_path):
    """A package ``tensorflow`` that writes to file descriptor 2 while it is imported, and what stderr then holds."""
    package = tmp_path / "tensorflow"
    package.mkdir()
    lines = PREAMBLE + INFO + ERROR + b"a python warning\n" + FATAL
    (package / "__init__.py").write_text(
        f"import os, sys\nos.write(2, {lines!r})\nprint('from python', file=sys.stderr)\n"
        "if os.environ.get('BROKEN'): raise ImportError('broken')\n"
    )
    (package / "data.py").write_text("")

    def stderr(code: str, **environment: str) -> bytes:
        inherited = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        environment = {**inherited, "PYTHONPATH": str(tmp_path), **environment}
        return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).stderr

    return stderr


QUIET = "from fer_keras.quiet import quiet_tensorflow; quiet_tensorflow(); quiet_tensorflow(); "
KEPT = b"a python warning\n" + FATAL + b"from python\n"


def test_only_start_up_messages_are_dropped(stand_in):
    assert INFO in stand_in("import tensorflow")
    assert stand_in(QUIET + "import tensorflow") == KEPT
    assert stand_in(QUIET + "import tensorflow.data") == KEPT


def test_the_users_level_wins(stand_in):
    assert stand_in(QUIET + "import tensorflow", TF_CPP_MIN_LOG_LEVEL="2") == ERROR + KEPT
    assert INFO in stand_in(QUIET + "import tensorflow", TF_CPP_MIN_LOG_LEVEL="0")


def test_stderr_works_afterwards_and_nothing_is_left_behind(stand_in):
    code = (
        "import sys; before = len(sys.meta_path); " + QUIET + "import tensorflow, os; os.write(2, b'after 1\\n'); "
        "print('after 2', file=sys.stderr); assert len(sys.meta_path) == before; "
        "import importlib.resources; assert importlib.resources.files(tensorflow).is_dir()"
    )
    assert stand_in(code) == KEPT + b"after 1\nafter 2\n"


def test_a_failing_import_keeps_its_traceback(stand_in):
    stderr = stand_in(QUIET + "import tensorflow", BROKEN="1")
    assert stderr.startswith(KEPT)
    assert b"ImportError: broken" in stderr


def test_the_real_tensorflow_says_nothing():
    code = QUIET + "import tensorflow as tf; assert int(tf.constant(1) + 1) == 2"
    inherited = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=inherited, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
