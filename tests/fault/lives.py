"""tests/fault/run as a module, for what plays its cases, kills its victims and holds its invariants elsewhere."""
import importlib.machinery
import importlib.util
import pathlib

LOADER = importlib.machinery.SourceFileLoader("life", str(pathlib.Path(__file__).resolve().parent / "run"))
life = importlib.util.module_from_spec(importlib.util.spec_from_loader("life", LOADER))
LOADER.exec_module(life)
