# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Intervals, groups and charts of an evaluation."""

import math
import re
import shutil
import subprocess

import numpy as np
import pytest

from affordance_ros_eval.bibliography import BIBLIOGRAPHY
from affordance_ros_eval.bootstrap import mean_interval
from affordance_ros_eval.charts import bars
from affordance_ros_eval.charts import cumulative_curve
from affordance_ros_eval.compare import compare
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.latex import bibliography
from affordance_ros_eval.latex import escape
from affordance_ros_eval.latex import latex_by_affordance
from affordance_ros_eval.latex import latex_table
from affordance_ros_eval.published import PUBLISHED
from affordance_ros_eval.published import comparable
from affordance_ros_eval.report import report_html
from affordance_ros_eval.results import Results
from affordance_ros_eval.results import load_results
from affordance_ros_eval.scoring import ImageScore
from affordance_ros_eval.seeds import seeds_text
from affordance_ros_eval.summary import group_means
from affordance_ros_eval.summary import summarise
from affordance_ros_eval.tables import markdown_report


def score(name='a', affordance='hold', **values):
    plain = {'kld': 1.0, 'sim': 0.5, 'nss': 1.0, 'pointing': True}
    return ImageScore(
        affordance, 'cup', name, peak=1.0, constant=False, zero_truth=False, **{**plain, **values}
    )


def evaluation(scores):
    return Results('x', '?', 'locate', config={}, data={}, scores=scores, problems=[])


def test_an_interval_covers_the_mean_as_normal_theory_says(rng):
    values = rng.normal(3, 1, 400)
    low, high = mean_interval(list(values), [str(i) for i in range(400)])
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_actions_of_one_image_are_drawn_together(rng):
    """Ten equal values of each image tell no more than one."""
    values = rng.normal(0, 1, 50)
    single = mean_interval(list(values), [str(i) for i in range(50)])
    tenfold = mean_interval(list(np.repeat(values, 10)), [str(i // 10) for i in range(500)])
    assert tenfold == pytest.approx(single, abs=0.05)


def test_an_interval_is_the_same_in_every_run():
    assert mean_interval([1, 2, 5], ['a', 'b', 'c']) == mean_interval([1, 2, 5], ['a', 'b', 'c'])
    assert all(math.isnan(end) for end in mean_interval([], []))


def test_one_undefined_value_makes_the_published_mean_nan_and_is_counted():
    found = summarise([score('a', nss=2.0), score('b', nss=float('nan'))])['nss']
    assert math.isnan(found.published)
    assert (found.mean, found.count, found.undefined) == (2.0, 1, 1)


def test_zero_truths_count_in_the_metrics_and_not_in_pointing():
    found = summarise([score('a'), score('b', kld=0.0, sim=0.0, nss=0.0, pointing=None)])
    assert found['kld'].published == 0.5
    assert found['pointing'].published == 1.0


def test_groups_have_their_own_means():
    groups = group_means(
        [score('a', kld=1.0), score('b', kld=3.0), score('c', 'cut', nss=float('nan'))],
        lambda s: s.affordance,
    )
    assert list(groups) == ['cut', 'hold']
    assert groups['hold']['images'] == 2
    assert groups['hold']['kld'] == 2.0
    assert math.isnan(groups['cut']['nss'])


def test_results_come_back_as_they_were(tmp_path):
    before = evaluation([score('a', nss=float('nan')), score('b', pointing=None)])
    before.save(tmp_path / 'results.json')
    after = load_results(tmp_path / 'results.json')
    assert math.isnan(after.scores[0].nss)
    assert after.scores[1] == before.scores[1]
    assert (after.versions, after.created) == (before.versions, before.created)


def test_better_is_lower_in_kld_and_higher_elsewhere():
    a = evaluation([score(str(i), kld=2.0, nss=1.0) for i in range(30)])
    b = evaluation([score(str(i), kld=1.0, nss=0.5) for i in range(30)])
    verdicts = {d.measure: d.verdict for d in compare(a, b)}
    assert verdicts == {
        'kld': 'B', 'sim': 'no clear difference', 'nss': 'A', 'pointing': 'no clear difference',
    }  # fmt: skip
    assert compare(a, b)[0].b_better == 1.0


def test_only_rows_of_one_arithmetic_compare():
    names = {r.method for r in PUBLISHED if comparable(r, 'plsp')}
    assert names == {'WSAG-PLSP'}
    assert 'WSAG-PLSP' not in {r.method for r in PUBLISHED if comparable(r, 'locate')}
    assert not any(comparable(row, 'cross-view-ag-plus') for row in PUBLISHED)


def test_charts_take_what_there_is():
    assert 'mean 2.000' in cumulative_curve([1.0, 2.0, 3.0], title='KLD', mean=2.0)
    assert 'no image has a value' in cumulative_curve([], title='NSS', mean=float('nan'))
    assert 'NaN' not in cumulative_curve([2.0], title='KLD', mean=2.0)
    drawn = bars({'<b>': -1.0, 'x': float('nan')}, counts={'<b>': 1, 'x': 2}, title='t')
    assert 'bar below' in drawn and 'no value' in drawn and '&lt;b&gt; (1)' in drawn


def on_agd20k(*, protocol='locate', complete=True, expected=2, **data):
    data = {'real': True, 'split': 'Seen', 'published_images': expected, **data}
    scores = [score('a', kld=1.0), score('b', kld=2.0)]
    return Results(
        'Ours_1', 'zero-shot', protocol, {}, data, scores=scores, problems=[], complete=complete
    )


def test_a_complete_run_stands_beside_its_own_protocols_rows_and_others_are_marked():
    results = on_agd20k()
    markdown, latex = markdown_report(results), latex_table(results)
    assert '| LOCATE | weak | common | - | 1.226 | 0.401 | 1.177 |' in markdown
    assert '| WSAG-PLSP † |' in markdown and '| LISA-7B † | zero-shot LLM | not stated' in markdown
    assert '| - | 1.627 | 0.296 | - |' in markdown, 'an NSS that no paper gives is a dash'
    assert '| **Ours_1** | zero-shot | locate | 2 | 1.500 [1.000, 2.000] |' in markdown
    assert "AffordanceCLIP's own numbers are not in the table" in markdown
    assert r'LOCATE~\cite{li2023locate} & weak & common & -- & 1.226' in latex
    assert r'WSAG-PLSP~\cite{xu2025plsp}$^\dagger$ & ' in latex
    assert r'\textbf{Ours\_1} & zero-shot & locate & 2 & 1.500' in latex
    assert '[1.000, 2.000]' in latex and "AffordanceCLIP's own numbers" in latex
    order = [latex.index(name) for name in ('LOCATE', 'WSAG-PLSP', r'Ours\_1')]
    assert order == sorted(order) and latex.count(r'\midrule') == 4
    cited = set(re.findall(r'\\cite\{(\w+)\}', latex))
    found = re.findall(r'@(\w+)\{(\w+),', bibliography(results))
    assert cited == {key for _, key in found} and len(cited) == len(found)
    assert [key for kind, key in found if kind == 'misc'] == ['lee2025affogato'], 'a preprint'
    assert 'eprint = {2506.12009},\n  archivePrefix = {arXiv}' in bibliography(results)


def test_the_mark_follows_the_protocol():
    markdown = markdown_report(on_agd20k(protocol='plsp'))
    assert '| WSAG-PLSP | ' in markdown and '| LOCATE † |' in markdown


@pytest.mark.parametrize(
    ('results', 'reason'),
    [
        (on_agd20k(complete=False), 'the run was stopped early'),
        (on_agd20k(expected=1675), '2 images were scored, and published numbers are over 1,675'),
        (on_agd20k(real=False), 'the data are not AGD20K'),
        (on_agd20k(expected=0, split='Val'), 'nobody has published numbers on Val'),
    ],
)
def test_an_incomplete_run_stands_alone_in_every_format(results, reason):
    def no_maps(score):
        raise ImageProblemError('no map', 'there is none')

    formats = [markdown_report(results), latex_table(results), report_html(results, no_maps)]
    for text in formats:
        assert 'LOCATE' not in text and 'OOAL' not in text
        assert f'No published row is shown: {reason}.' in text
    assert bibliography(results) == ''


@pytest.mark.skipif(not shutil.which('pdflatex'), reason='pdflatex is not installed')
def test_the_tables_compile(tmp_path):
    results = on_agd20k()
    body = latex_table(results) + '\n' + latex_by_affordance(results)
    (tmp_path / 'paper.tex').write_text(
        '\\documentclass{article}\\usepackage{booktabs}\\begin{document}'
        f'{body}\\end{{document}}'
    )
    command = ['pdflatex', '-interaction=nonstopmode', '-halt-on-error', 'paper.tex']
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)


def test_special_characters_do_not_break_latex():
    assert escape('50% & a_b #1 $x$ {y} ~ ^ \\') == (
        r'50\% \& a\_b \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}'
    )


def test_every_published_row_that_is_cited_has_an_entry():
    assert {row.cite for row in PUBLISHED if row.cite} == set(BIBLIOGRAPHY)


def test_seeds_give_mean_and_deviation_over_runs():
    runs = [evaluation([score('a', kld=k), score('b', kld=k)]) for k in (1.0, 2.0, 3.0)]
    assert '| kld | 2.000 | 1.000 | 1.000, 2.000, 3.000 |' in seeds_text(runs)
    with pytest.raises(EvaluationError, match='at least two'):
        seeds_text(runs[:1])
    with pytest.raises(EvaluationError, match='same images'):
        seeds_text([runs[0], evaluation([score('a')])])
