import sys

import pytest

from fer_keras.serving.serve import ServeUnavailableError, serve
from fer_keras.serving.server_options import ServerOptions


@pytest.mark.parametrize("module", ["kserve", "tensorflow_serving"])
def test_without_the_extra_it_is_one_line_with_the_command(monkeypatch, module):
    if module == "tensorflow_serving":
        pytest.importorskip("kserve")
    for name in [name for name in sys.modules if name.startswith(("fer_keras.serving.kserve", "tensorflow_serving"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "fer_keras.serving.kserve_server", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ServeUnavailableError, match=rf"no module {module}.*: pip install 'fer-keras\[serve\]'"):
        serve("no/such/model", ServerOptions(), print)
