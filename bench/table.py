#!/usr/bin/env python3
"""Measures lanert beside the usual way (baseline.py), in turns, and prints a table in Markdown.

    table.py PLAIN.onnx SOURCE --row MODEL,ENGINE,PRECISION... [--lanert build/lanert] [--threads N] [--turns N]
             [--frames N] [--preset culane] [--python PYTHON] [--contend both:2] [--json FILE]

PLAIN.onnx is a plain export of the checkpoint that the models were converted from. Each turn measures the usual way and then
every row, each in a process of its own; a ratio is the median of the turns' ratios, so that what other programs
and the processor's clock do to one turn falls on both of its sides. --python has the packages that baseline.py needs.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

BASELINE = pathlib.Path(__file__).with_name('baseline.py')


def parse_row(text):
    parts = text.split(',')
    if len(parts) != 3:
        raise argparse.ArgumentTypeError(f"'{text}'; expected MODEL,ENGINE,PRECISION")
    return parts


def parse_arguments():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('plain')
    ap.add_argument('source')
    ap.add_argument('--row', action='append', type=parse_row, required=True, metavar='MODEL,ENGINE,PRECISION')
    ap.add_argument('--lanert', default='build/lanert')
    ap.add_argument('--python', default=sys.executable)
    ap.add_argument('--preset', default='culane')
    ap.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument('--turns', type=int, default=5)
    ap.add_argument('--frames', type=int, default=30, help='of each phase, in each turn')
    ap.add_argument('--contend', help="also beside a competing load, as 'lanert bench --contend' has it")
    ap.add_argument('--json', help='where all reports go, as they came')
    return ap.parse_args()


def run(command):
    """The one row of the report that a program prints."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f'{command[0]}: ended with {done.returncode}')
    row = json.loads(done.stdout)['rows'][0]
    if 'error' in row:
        raise SystemExit(f"{row['model']}: {row['error']}")
    return row


def precision(row):
    """What was asked for, and what auto chose."""
    used = row.get('precision_used')
    return f"auto ({used})" if row['precision'] == 'auto' and used else row['precision']


def measure(a):
    """Reports [turn][row]; row 0 is the usual way."""
    common = ['--threads', a.threads, '--rounds', 1, '--frames', a.frames, '--warmup', 5]
    load = ['--contend', a.contend] if a.contend else []
    turns = []
    for turn in range(a.turns):
        print(f'turn {turn + 1} of {a.turns}', file=sys.stderr)
        rows = [run([a.python, BASELINE, a.plain, a.source, '--preset', a.preset, *common])]
        for model, engine, precision in a.row:
            rows.append(run([a.lanert, 'bench', '-m', model, '--engine', engine, '--precision', precision, '--source',
                             a.source, '--json', *common, *load]))
        turns.append(rows)
    return turns


def median(turns, row, value):
    return statistics.median(value(turn[row]) for turn in turns)


def ratio(turns, row, value):
    """Of the row's value to the usual way's: its median over the turns, and between what it lay."""
    ratios = sorted(value(turn[row]) / value(turn[0]) for turn in turns)
    return f'**{statistics.median(ratios):.2f}** ({ratios[0]:.2f} – {ratios[-1]:.2f})'


def cells(turns, row):
    first = turns[0][row]
    name = 'the usual way (Python)' if row == 0 else f"{first['model']}, {first['engine']}"
    return [name, precision(first),
            f"{median(turns, row, lambda r: r['pipeline']['fps']):.1f}",
            ratio(turns, row, lambda r: r['pipeline']['fps']),
            f"{median(turns, row, lambda r: r['steady']['latency_ms']['p50']):.1f}",
            f"{median(turns, row, lambda r: r['steady']['latency_ms']['p99']):.1f}",
            f"{median(turns, row, lambda r: r['steady']['preprocess_ms']['p50'] + r['steady']['decode_ms']['p50']):.2f}",
            f"{median(turns, row, lambda r: r['memory_mb']):.0f}",
            f"{first['model_mb']:.1f}"]


def contended_cells(turns, row):
    idle = median(turns, row, lambda r: r['steady']['latency_ms']['p50'])
    first = turns[0][row]
    worst = median(turns, row, lambda r: r['contended']['latency_ms']['p99'])
    return [f"{first['model']}, {first['engine']}", precision(first), f'{idle:.1f}',
            f"{median(turns, row, lambda r: r['contended']['latency_ms']['p50']):.1f}", f'{worst:.1f}',
            f'{worst / idle:.2f}',
            f"{sum(t[row]['contended']['late'] + t[row]['contended']['dropped'] for t in turns)} of "
            f"{sum(t[row]['contended']['frames'] + t[row]['contended']['dropped'] for t in turns)}"]


def print_table(head, rows):
    print('| ' + ' | '.join(head) + ' |')
    print('|---' * 2 + '|---:' * (len(head) - 2) + '|')
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')
    print()


def main():
    a = parse_arguments()
    turns = measure(a)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(turns, indent=1), encoding='utf-8')
    machine, versions = turns[0][1]['machine'], turns[0][0]['versions']
    print(f"{machine['cpu']}, {machine['processors']} processors ({', '.join(machine['features'])}), {machine['system']}; "
          f"{a.threads} threads. lanert {turns[0][1]['lanert']}, "
          + ', '.join(sorted({f"{r['engine']} {r['engine_version']}" for r in turns[0]}))
          + f", PyTorch {versions['torch']}, OpenCV {versions['opencv']}. {pathlib.Path(a.source).name}, "
          f"{turns[0][1]['frame_width']}×{turns[0][1]['frame_height']}; {a.turns} turns of {a.frames} frames a phase; "
          f"{turns[0][0]['date'][:10]}.\n")
    print_table(['', 'precision', 'fps, end to end', 'to the usual way', 'latency p50, ms', 'p99, ms',
                 'before and after the network, ms', 'memory, MB', 'model, MB'],
                [cells(turns, row) for row in range(len(turns[0]))])
    if a.contend:
        print_table([f'beside {a.contend}', 'precision', 'idle p50, ms', 'p50, ms', 'p99, ms', 'p99 / idle p50',
                     'late or dropped'], [contended_cells(turns, row) for row in range(1, len(turns[0]))])


if __name__ == '__main__':
    main()
