#!/usr/bin/env python3
"""Checks the tables that bench/simulate/ prints, on made-up predictions.

    tests/simulate_tables_test.py [ROOT]
"""

import sys
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1) if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench" / "simulate"))
import study  # noqa: E402
import validate  # noqa: E402


def prediction(nodes, dist, executor, step_ms, comm_ms=0., hidden_ms=0.):
    return {"nodes": nodes, "ranks": nodes, "dist": dist, "executor": executor, "step_ms": step_ms,
            "tokens_per_s": 1000. * nodes / step_ms, "comm_ms": comm_ms, "hidden_comm_ms": hidden_ms,
            "efficiency": 0.5, "critical_path_ms": 1., "memory_bytes": {"all": 4e9}}


# One node takes 100 ms; the server's transfers take 50 ms more for each node.
PREDICTIONS = [prediction(n, dist if n > 1 else None, executor, 100. + (50. * n if dist == "server" and n > 1 else 0.),
                          60. * n if n > 1 else 0., 10. * n if n > 1 else 0.)
               for dist in study.STRATEGIES for n in (1, 2, 4) for executor in ("sequential", "fork-join", "tasks")]


class Tables(unittest.TestCase):
    def test_a_series_begins_with_the_node_that_is_alone(self):
        series = study.series(PREDICTIONS)
        self.assertEqual([p["nodes"] for p in series["server", "tasks"]], [1, 2, 4])
        self.assertEqual(len(series), 9)

    def test_weak_scaling_says_where_and_why_it_ends(self):
        lines = list(study.weak_table(PREDICTIONS, [1, 2, 4]))
        self.assertEqual(len(lines), 2 + 9)
        server = next(line for line in lines if "`server` | `tasks`" in line)
        self.assertIn("| 100 ms, 100 % | 200 ms, 50 % | 300 ms, 33 % | 4 nodes |", server)
        self.assertIn("200 ms of 240 ms of transfers are not hidden", server)
        ring = next(line for line in lines if "`all-reduce` | `tasks`" in line)
        self.assertIn("| 100 ms, 100 % | - | nothing |", ring)

    def test_one_node_is_listed_once_for_each_executor(self):
        lines = list(study.node_table(PREDICTIONS))
        self.assertEqual(len(lines), 2 + 3)
        self.assertIn("| `tasks` | 100 | 10 | 50 % | 1 | 4.0 |", lines)

    def test_errors_are_those_of_medians(self):
        series = validate.Series()
        for measured, predicted in [(100., 90.), (300., 250.), (120., 126.)]:
            series.add((2, "tasks"), measured, predicted)
        (key, measured, least, most, predicted, error), = series.rows()
        self.assertEqual((key, measured, least, most, predicted), ((2, "tasks"), 120., 100., 300., 126.))
        self.assertAlmostEqual(error, 0.05)


if __name__ == "__main__":
    unittest.main()
