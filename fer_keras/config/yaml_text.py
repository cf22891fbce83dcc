"""YAML in and out: the plain part of YAML that maps to JSON values, with the traps of PyYAML taken out.

Unlike ``yaml.safe_load``: a key written twice is an error, ``1e-3`` is a number (PyYAML reads text), a date stays
text, keys are text, and a document that refers to itself is an error.
"""

import json
import re
from typing import Any

import yaml

_PLAIN_TAGS = ("null", "bool", "int", "float", "str", "seq", "map")
_EXPONENT = re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")


class YamlError(ValueError):
    """Text that is not the plain YAML wanted here; the message names the line."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own name for a class table)
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {  # noqa: RUF012
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _PLAIN_TAGS
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} should be text (put it in quotes)", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))
_Dumper.add_representer(
    tuple, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def read_yaml(text: str) -> Any:
    """Reads one YAML document.

    Args:
        text: the document.

    Returns:
        Nested dicts with text keys, lists, str, int, float, bool, None.

    Raises:
        YamlError: the text is not such a document; the message gives line, column and reason.

    Example:
        >>> read_yaml("rate: 1e-3")
        {'rate': 0.001}
    """
    try:
        content = yaml.load(text, Loader=_Loader)
        json.dumps(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlError(f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise YamlError(str(error).splitlines()[0]) from None
    except RecursionError:
        raise YamlError("nested too deeply") from None
    except ValueError as error:
        raise YamlError(f"not a plain document: {error}") from None
    return content


def write_yaml(content: Any) -> str:
    """Writes nested dicts, lists, tuples (on one line) and scalars as YAML that `read_yaml` reads back.

    Example:
        >>> write_yaml({"size": (48, 48), "rate": "1e-3"})
        "size: [48, 48]\\nrate: '1e-3'\\n"
    """
    # Characters beyond ASCII are escaped: PyYAML writes some of them (U+0085) so that they do not read back.
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=float("inf"))
