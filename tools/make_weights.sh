#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Make the embedded model `tabletop` from nothing: render, pretrain the compact CLIP, freeze it, train
# the neck and head. Stopped at any point, the same command goes on from there.
#   DATA, RUNS: folders for what is rendered and trained (data/tabletop, runs/tabletop); 16 GB in all
set -euo pipefail
cd "$(dirname "$0")/.."
data=${DATA:-data/tabletop}
runs=${RUNS:-runs/tabletop}
weights=affordance_ros/weights/tabletop

resume() { [[ ! -f $1/state.safetensors ]] || echo --resume; }

affordance-tabletop render --out "$data" --what referring captions agd20k \
    --n train=8000 pretrain=4000 val=400 test=500 unseen=400
cat "$data"/captions_train.jsonl "$data"/captions_pretrain.jsonl > "$data"/captions_all.jsonl

# Three runs, each from the weights of the one before.
initial=
for run in pretrain pretrain_more pretrain_titled; do
    affordance-pretrain --config "training/configs/tabletop_$run.yaml" --out "$runs/$run" $(resume "$runs/$run") \
        --set captions="$data/captions_all.jsonl" --set validation="$data/captions_val.jsonl" \
        --set store="$runs/pretrain" --set initial="\"$initial\""
    initial=$runs/$run/trunk.safetensors
done
affordance-train --config training/configs/tabletop.yaml --out "$runs/fpn" $(resume "$runs/fpn") \
    --set weights="$runs/pretrain_titled/trunk.safetensors" \
    --set data.root="$data" --set data.converted="$data/converted" \
    --set feature_cache.folder="$data/features"

mkdir -p "$weights"
cp "$runs/pretrain_titled/trunk.safetensors" "$weights/trunk.safetensors"
cp "$runs/fpn/best.safetensors" "$weights/fpn.safetensors"
ls -l "$weights"
