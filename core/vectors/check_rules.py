#!/usr/bin/env python3
"""Evaluates rules/cases.json with an engine that handfast does not use, and says where it sees another outcome.

    pip install regopy==1.5.2 && python check_rules.py
"""

import importlib.util
import json
import sys
from pathlib import Path

CASES = Path(__file__).resolve().parent / "rules" / "cases.json"
QUESTION = {
    "command": {},
    "authority": "operator:ann",
    "source": None,
    "now": "2026-03-01T12:00:00.000Z",
    "records": {},
    "facts": [],
}


def denials(case, question):
    import regopy

    engine = regopy.Interpreter()
    if "needs" in case and not engine.is_builtin(case["needs"]):
        return None
    engine.strict_built_in_errors = True
    engine.add_module("policy.rego", "\n".join(case["policy"]))
    if "data" in case:
        engine.add_data(case["data"])
    engine.set_input({**QUESTION, **{name: question[name] for name in QUESTION if name in question}})
    output = str(engine.query(case.get("entrypoint", "data.handfast.deny")))
    try:
        found = json.loads(output)["expressions"][0]
    except (ValueError, KeyError):
        return output
    return sorted(denial["msg"] if isinstance(denial, dict) else denial for denial in found)


def main():
    if importlib.util.find_spec("regopy") is None:
        print("SKIPPED: rules/cases.json by another engine (pip install regopy==1.5.2)", file=sys.stderr)
        return 0
    wrong, seen, skipped = [], 0, 0
    for case in json.loads(CASES.read_text("utf-8")):
        for question in case["questions"]:
            found = denials(case, question)
            seen, skipped = seen + (found is not None), skipped + (found is None)
            if found not in (question["denials"], None):
                wrong.append(f"{case['name']}, {question['name']}: {found}, not {question['denials']}")
    print("\n".join([*wrong, f"{seen} questions, {len(wrong)} with another outcome"]))
    if skipped:
        print(f"SKIPPED: {skipped} questions, whose functions that engine does not have", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
