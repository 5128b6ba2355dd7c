"""One stand-in and one shop for the tests of a file; the books are emptied before each."""
import pytest

from shop import Program, Shop


@pytest.fixture(scope="module", name="program")
def running_program():
    program = Program("--retry-seconds", "0.2", "--callback-timeout", "2")
    yield program
    code, out, err = program.stop()
    assert (code, out, err) == (0, "", "")


@pytest.fixture(scope="module", name="one_shop")
def running_shop():
    shop = Shop()
    yield shop
    shop.stop()


@pytest.fixture(name="shop")
def empty_shop(program, one_shop):
    assert program.control("reset")[0] == 200
    one_shop.forget()
    return one_shop
