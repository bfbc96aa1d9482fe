"""Words of the command line, completed by a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest

from tests.test_cli import bare
from zerogap.cli import main

# What bash does when the tab is pressed at the end of the words.
PRESS = """
source completion.sh
COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
$(complete -p zerogap | sed 's/.*-F \\([^ ]*\\).*/\\1/') zerogap "${{COMP_WORDS[-1]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("zerogap so", {"solve"}),
        ("zerogap ta", {"table", "tables"}),
        ("zerogap solve --reg", {"--regularizer"}),
        ("zerogap verify pro", {"proof.jsonl"}),
        ("zerogap claims --results fol", {"folder"}),
        ("zerogap completion z", {"zsh"}),
    ],
)
def test_bash_completes_commands_options_and_files(
    words: str, found: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "completion.sh").write_text(script("bash", capsys))
    (tmp_path / "proof.jsonl").touch()
    (tmp_path / "folder").mkdir()
    done = subprocess.run(
        ["bash", "--norc", "-c", PRESS.format(words=words)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert {word.strip() for word in done.stdout.split()} == found, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_accept_their_script(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = script(shell, capsys)
    if which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "completion").write_text(text)
    subprocess.run([shell, "-n", tmp_path / "completion"], timeout=60, check=True)


def test_without_its_extra_one_line_says_which() -> None:
    done = bare("completion", "bash")
    assert done.returncode == 2
    assert done.stderr == (
        "zerogap completion: needs shtab; install it, or all of pip install 'zerogap[completion]'\n"
    )
