# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-eval from end to end, on tiny folders and an untrained model."""

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros_eval import inference
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.cli import main
from affordance_ros_eval.metrics import evaluate_pair
from tests.conftest import ROOT
from tests.support.agd20k_fixture import write_split
from tests.support.agd20k_runs import results
from tests.support.agd20k_runs import run

BROWSER = shutil.which('chromium') or shutil.which('google-chrome')


def test_the_evaluation_scores_what_the_predictor_answers(root, tmp_path, model):
    """Offline predict() and the evaluation agree, but for what two loaded copies round apart."""
    from affordance_ros.predictor import Predictor
    from affordance_ros.predictor import PredictorConfig

    assert run(root, tmp_path / 'out', '--no-html') == 0
    predictor = Predictor(model, PredictorConfig(input_size=96))
    found = {(i['affordance'], i['name']): i for i in results(tmp_path / 'out')['images']}
    assert len(found) == 4
    for item in list_split(root, 'Seen').items:
        predictor.set_command(item.affordance.replace('_', ' '))
        heatmap = predictor.predict(cv2.imread(str(item.image)), channels='bgr').heatmap
        kept = np.load(tmp_path / 'out' / 'predictions' / f'{item.key}.npy')
        assert np.abs(kept - heatmap).max() <= 1e-6
        gt = cv2.imread(str(item.truth), cv2.IMREAD_GRAYSCALE)
        expected = evaluate_pair(kept, gt)
        image = found[item.affordance, item.name]
        assert {name: image[name] for name in expected} == expected


def test_a_new_protocol_costs_no_new_inference(root, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    assert run(root, out, '--no-html') == 0
    monkeypatch.setattr(inference.Predictor, 'predict', None)
    assert run(root, out, '--no-html', '--protocol', 'plsp') == 0
    assert results(out)['summary']['kld']['mean'] != results(out, 'plsp')['summary']['kld']['mean']
    (out / 'predictions/hold/cup/cup_000001.npy').unlink()
    assert run(root, out, '--no-html') == 1  # that one is wanted again


def test_predictions_of_another_model_are_refused(root, tmp_path, caplog):
    out = tmp_path / 'out'
    assert run(root, out, '--no-html') == 0
    assert run(root, out, '--no-html', '--input-size', '64') == 2
    assert 'input_size: 96, and now 64' in caplog.text
    assert 'name another folder by --out' in caplog.text
    assert run(root, out, '--no-html', '--command-template', '{affordance} the {object}') == 2


def test_another_checkpoint_under_the_same_name_is_noticed(root, tmp_path, trunk, caplog):
    path, out = tmp_path / 'best.safetensors', tmp_path / 'out'
    for seed, status in ((1, 0), (2, 2)):
        torch.manual_seed(seed)
        save_checkpoint(
            path, untrained_decoder(trunk), trunk=trunk, prompt_set='verb@1', input_size=96,
            training={},
        )  # fmt: skip
        assert run(root, out, '--no-html', '--checkpoint', str(path)) == status
    assert 'checkpoint_sha256: ' in caplog.text
    assert results(out)['name'] == 'affordance_ros compact, best'
    assert results(out)['supervision'] == 'zero-shot'


def test_a_stop_keeps_partial_results_and_the_next_run_goes_on(root, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    plain, calls = inference.Predictor.predict, []

    def dies(self, *arguments, **keywords):
        calls.append(1)
        if len(calls) == 3:
            raise MemoryError('out of memory')
        return plain(self, *arguments, **keywords)

    monkeypatch.setattr(inference.Predictor, 'predict', dies)
    assert run(root, out, '--no-html') == 1
    first = results(out)
    assert not first['complete']
    assert first['config']['stopped_by'] == 'MemoryError: out of memory'
    assert first['counts']['scored'] == 2
    assert first['counts']['skipped: not predicted'] == 2
    assert 'Stopped early' in (out / 'locate/table.md').read_text()
    assert run(root, out, '--no-html') == 0
    assert len(calls) == 5  # two, the one that died, and the two that were left
    assert results(out)['complete']
    assert results(out)['counts']['scored'] == 4


def test_corrupt_images_and_other_sizes_are_said_and_the_rest_is_scored(root, tmp_path, caplog):
    folder = root / 'Seen/testset'
    (folder / 'egocentric/hold/cup/cup_000000.jpg').write_bytes(b'\xff\xd8 no image')
    cv2.imwrite(str(folder / 'GT/hold/cup/cup_000001.png'), np.full((7, 9), 90, np.uint8))
    assert run(root, tmp_path / 'out', '--no-html') == 1
    content = results(tmp_path / 'out')
    assert content['counts']['scored'] == 2
    assert {p['kind'] for p in content['problems']} == {'unreadable image', 'size'}
    assert 'not a whole JPEG, PNG, WebP or BMP image: fetch it again' in caplog.text
    assert 'is 9x7 and its image 80x60' in caplog.text


def test_an_image_without_truth_is_counted_and_fails_nothing(root, tmp_path):
    (root / 'Seen/testset/GT/hold/cup/cup_000000.png').unlink()
    assert run(root, tmp_path / 'out', '--no-html') == 0
    assert results(tmp_path / 'out')['counts']['skipped: no ground truth'] == 1


@pytest.mark.parametrize(
    ('more', 'text'),
    [
        (['--split', 'Unseen'], 'Unseen is not there'),
        (['--protocol', 'mine'], "protocol 'mine' is unknown; known are locate"),
        (['--baseline', 'left'], "baseline 'left' is unknown"),
        (['--weights', 'nowhere.pt'], "'nowhere.pt' does not exist"),
        (['--protocol', 'cross-view-ag-plus'], 'testsetv2'),
        (['--command-template', '{verb}'], "'{verb}' is wrong"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(root, tmp_path, caplog, more, text):
    assert run(root, tmp_path / 'out', *more) == 2
    assert text in caplog.text


def test_no_published_row_stands_beside_a_part_of_the_images(root, tmp_path, capsys):
    assert run(root, tmp_path / 'out', '--no-html', '--name', 'Ours & co', '--smooth', '2') == 0
    markdown = (tmp_path / 'out/locate/table.md').read_text()
    assert 'LOCATE' not in markdown
    assert 'row is shown: 4 images were scored, and published numbers are over 1,675' in markdown
    assert '1,675 were published' in markdown
    assert '| smooth | 2.0 |' in markdown
    assert '## By affordance' in markdown and '## By object' in markdown
    latex = (tmp_path / 'out/locate/table.tex').read_text()
    assert r'\textbf{Ours \& co} & zero-shot, training-free & locate & 4' in latex
    assert latex.count(' \\\\') == 4  # the head, ours, its intervals, the note
    assert 'published numbers are over 1,675' in latex
    affordances = (tmp_path / 'out/locate/affordances.tex').read_text()
    assert affordances.count(' \\\\') > 1 and 'hold & ' in affordances
    assert (tmp_path / 'out/locate/table.bib').read_text() == ''
    shown = capsys.readouterr().out
    assert 'protocol locate, smooth 2.0' in shown
    assert 'published 1,675, scored 4, zero ground truth 0, constant prediction 0' in shown


def test_no_published_row_stands_beside_other_data(tmp_path):
    write_split(tmp_path / 'data', 'Val', [('hold', 'pan')])
    assert run(tmp_path / 'data', tmp_path / 'out', '--no-html', '--split', 'Val') == 0
    markdown = (tmp_path / 'out/locate/table.md').read_text()
    assert 'are not AGD20K' in markdown
    assert 'LOCATE' not in markdown


def test_baselines_need_no_model_and_a_uniform_map_has_no_nss(root, tmp_path, capsys):
    for baseline in ('centre', 'uniform'):
        out = tmp_path / baseline
        assert run(root, out, '--no-html', '--baseline', baseline, model=False) == 0
    assert results(tmp_path / 'centre')['summary']['nss']['undefined'] == 0
    uniform = results(tmp_path / 'uniform')
    assert uniform['counts']['constant prediction'] == 4
    assert uniform['summary']['nss']['published'] is None  # null, as JSON has no NaN
    assert 'no value for 4 images' in capsys.readouterr().out


def test_saved_maps_score_as_the_evaluation_does(root, tmp_path):
    assert run(root, tmp_path / 'out', '--no-html') == 0
    status = main(
        ['score', '--predictions', str(tmp_path / 'out/predictions'), '--no-html',
         '--gt', str(root / 'Seen/testset/GT'), '--out', str(tmp_path / 'score')]
    )  # fmt: skip
    assert status == 0
    assert results(tmp_path / 'score')['images'] == results(tmp_path / 'out')['images']


def test_anybodys_maps_are_scored_and_bad_ones_named(root, tmp_path, caplog):
    truths = root / 'Seen/testset/GT'
    maps = tmp_path / 'maps'
    (maps / 'hold/cup').mkdir(parents=True)
    heat = np.eye(30, 40, dtype=np.float32)
    np.savez(maps / 'hold/cup/cup_000000.npz', heat=heat)
    cv2.imwrite(str(maps / 'hold_cup_cup_000001.png'), (heat * 65535).astype(np.uint16))
    bad = heat.copy()
    bad[3, 3] = np.nan
    np.save(maps / 'knife_000000.npy', bad)
    out = tmp_path / 'out'
    call = ['score', '--predictions', str(maps), '--gt', str(truths), '--out', str(out)]
    assert main([*call, '--no-html']) == 1
    content = results(out)
    assert content['counts']['scored'] == 2
    assert {p['key']: p['kind'] for p in content['problems']} == {
        'cut_with/knife/knife_000000': 'bad prediction',
        'cut_with/knife/knife_000001': 'missing prediction',
    }
    assert 'knife_000000.npy: the map (30, 40) holds 1 NaN and 0 infinite values' in caplog.text
    assert 'cut_with/knife/knife_000001 has no prediction: expected' in caplog.text


def test_scoring_needs_no_torch(root, tmp_path):
    np.save(tmp_path / 'cup_000000.npy', np.eye(30, dtype=np.float32))
    code = 'import sys; sys.modules["torch"] = None\n'
    code += 'from affordance_ros_eval.cli import main; sys.exit(main())'
    result = subprocess.run(
        [sys.executable, '-c', code, 'score', '--predictions', str(tmp_path),
         '--gt', str(root / 'Seen/testset/GT'), '--out', str(tmp_path / 'out')],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr  # three maps are missing
    assert (tmp_path / 'out/locate/report.html').is_file()


def test_a_difference_comes_with_an_interval(root, tmp_path, capsys):
    assert run(root, tmp_path / 'a', '--no-html', '--baseline', 'centre', model=False) == 0
    assert run(root, tmp_path / 'b', '--no-html') == 0
    files = [str(tmp_path / name / 'locate/results.json') for name in 'ab']
    capsys.readouterr()
    assert main(['compare', *files]) == 0
    text = capsys.readouterr().out
    means = [results(tmp_path / name)['summary']['kld']['mean'] for name in 'ab']
    assert f'| kld | {means[0]:.3f} | {means[1]:.3f} | {means[1] - means[0]:+.4f} |' in text
    assert main(['compare', files[0], files[0]]) == 0
    assert '| +0.0000 | +0.0000 to +0.0000 | 0.0 % | 4 | no clear difference |' in (
        capsys.readouterr().out
    )


def test_what_does_not_compare_is_refused(root, tmp_path, caplog):
    assert run(root, tmp_path / 'a', '--no-html', '--baseline', 'centre', model=False) == 0
    more = ['--no-html', '--baseline', 'centre', '--protocol', 'plsp']
    assert run(root, tmp_path / 'a', *more, model=False) == 0
    files = [str(tmp_path / 'a' / p / 'results.json') for p in ('locate', 'plsp')]
    assert main(['compare', *files]) == 2
    assert 'by protocol locate and B by plsp' in caplog.text
    (tmp_path / 'x.json').write_text('{}')
    assert main(['compare', files[0], str(tmp_path / 'x.json')]) == 2
    assert 'is not a results file' in caplog.text


def test_options_that_choose_nothing_on_the_test_data_are_off_by_default(root, tmp_path):
    assert run(root, tmp_path / 'out', '--no-html') == 0
    config = results(tmp_path / 'out')['config']
    assert config['smooth'] == 0.0
    assert config['command_template'] == '{affordance}'
    assert config['prompt_set'] == 'verb@1'
    assert len(config['weights_sha256']) == 64
