"""What the tests' own configuration promises."""

import subprocess
import sys
from pathlib import Path

RUNTIME_TESTS = Path(__file__).parent / "runtime"


def test_the_runtimes_tests_are_collected_without_torch() -> None:
    """It may not be installed; and imported before conftest.py, it would ignore its threads."""
    program = (
        "import sys, pytest\n"
        f"status = pytest.main(['--collect-only', {str(RUNTIME_TESTS)!r}])\n"
        "assert status == 0, status\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
