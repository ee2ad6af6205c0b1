#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Measure on this machine. Needs no weights and no data: it renders a few scenes, and random weights
# take as long as trained ones. The plot needs packages of its own, which it installs.
set -euo pipefail
cd "$(dirname "$0")/.."
data=out/bench/tabletop

echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
affordance-tabletop render --out $data --what referring --split train val --n train=144 val=48
python -m affordance_ros_training.bench --config training/configs/tabletop.yaml --images 128 \
    --json out/bench/training.json \
    --set weights=random --set data.root=$data --set data.converted=$data/converted
echo "evaluation, one core:"
python -m affordance_ros_eval.bench
echo "inference:"
bash benchmarks/install.sh
python -m benchmarks.bench_inference --json out/bench/inference.json --markdown out/bench/inference.md
for model in household RN101-quickgelu ViT-B-16-quickgelu; do
    weights=random
    [ $model = household ] && weights=
    python -m benchmarks.bench_inference --model $model --weights "$weights" --sizes 224 320 448 \
        --skip growth peers load start tail --markdown out/bench/inference_$model.md
done
echo "targets:"
python -m benchmarks.bench_targets
echo "cameras:"
python -m benchmarks.bench_cameras --json out/bench/cameras.json
python -m benchmarks.bench_plot out/bench/inference.json out/bench/cameras.json --out out/bench/growth.png
