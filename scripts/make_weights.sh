#!/usr/bin/env bash
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
    --n train=8000 pretrain=3500 val=400 test=500 unseen=400
cat "$data"/captions_train.jsonl "$data"/captions_pretrain.jsonl > "$data"/captions_all.jsonl

affordance-pretrain --config training/configs/tabletop_pretrain.yaml --out "$runs/pretrain" $(resume "$runs/pretrain") \
    --set captions="$data/captions_all.jsonl" --set validation="$data/captions_val.jsonl"
affordance-pretrain --config training/configs/tabletop_pretrain_more.yaml \
    --out "$runs/pretrain_more" $(resume "$runs/pretrain_more") \
    --set captions="$data/captions_all.jsonl" --set validation="$data/captions_val.jsonl" \
    --set initial="$runs/pretrain/trunk.safetensors" --set store="$runs/pretrain"
affordance-train --config training/configs/tabletop.yaml --out "$runs/fpn" $(resume "$runs/fpn") \
    --set weights="$runs/pretrain_more/trunk.safetensors" \
    --set data.root="$data" --set data.converted="$data/converted" \
    --set feature_cache.folder="$data/features"

mkdir -p "$weights"
cp "$runs/pretrain_more/trunk.safetensors" "$weights/trunk.safetensors"
cp "$runs/fpn/best.safetensors" "$weights/fpn.safetensors"
ls -l "$weights"
