"""The benchmark of the pipeline sees what every shell of a job costs."""

from __future__ import annotations

import os
import subprocess

from benchmarks.pipeline import cores, watching


def test_the_processor_time_of_a_job_is_that_of_all_it_runs(tmp_path):
    environment = os.environ | watching(tmp_path / "times")
    (tmp_path / "logs/busy").mkdir(parents=True)
    busy = "import os, time\nwhile time.process_time() < 0.3: pass\nprint(sum(os.times()[:2]))"
    for job in ("busy/0", "busy/1", "idle"):
        command = f'python -c "{busy if job != "idle" else "pass"}" > logs/{job}.log 2>&1'
        subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=True)
    found = cores(tmp_path / "times", "logs")
    said = [float((tmp_path / f"logs/busy/{job}.log").read_text()) for job in (0, 1)]
    assert sorted(found) == ["busy", "idle"]
    # The shells and interpreters' starts come on top of what the children say of themselves.
    assert found["busy"] >= sum(said) - 0.05
    assert found["busy"] > found["idle"]
