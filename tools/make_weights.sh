#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Make the embedded model `household`: import its two frozen towers, render the tabletop, convert the
# photos, train neck and head, calibrate the scores, write the graphs. Stopped at any point, the same
# command goes on from there. docs/howto/weights.md says where the files come from.
#   PHOTOS    holds coco_mini, doordetect and tools_seg, which are trained on
#   PHOTOS_DEV  holds instructpart, which scores are calibrated on
#   NANODET   holds nanodet.json and nanodet.bin; MINILM holds model.safetensors and tokenizer.json
#   LICENCES  of COCO's photos, by number; "4 5 7" are the free ones (the shipped weights saw all)
#   DATA, RUNS  what is made on the way (data/household, runs/household; 20 GB in all)
set -euo pipefail
cd "$(dirname "$0")/.."
: "${PHOTOS:?name the folder of photos}" "${PHOTOS_DEV:?name the folder of photos to calibrate on}"
: "${NANODET:?name the folder of NanoDet-g}" "${MINILM:?name the folder of all-MiniLM-L6-v2}"
data=${DATA:-data/household}
runs=${RUNS:-runs/household}
weights=affordance_ros/weights/household

python -m tools.import_household --nanodet "$NANODET" --minilm "$MINILM" --out "$weights"
affordance-tabletop render --out "$data" --what referring --split train val \
    --n train=2500 val=150 --size 448x336
# shellcheck disable=SC2086  # one word for each licence
affordance-photos --photos "$PHOTOS" --out "$data" ${LICENCES:+--licences $LICENCES}
resume=
[[ ! -f $runs/state.safetensors ]] || resume=--resume
affordance-train --config training/configs/household.yaml --out "$runs" $resume \
    --set data.root="$data" --set data.converted="$data/converted" \
    --set feature_cache.folder="$data/features" --set weights="$weights"
affordance-eval calibrate --root "$PHOTOS_DEV/instructpart" --model household --weights "$weights" \
    --checkpoint "$runs/last.safetensors" --prompt-set parts \
    --save "$runs/calibrated.safetensors" --out "$runs/calibration"
rm -rf "$runs/exported"
affordance-export "$runs/exported" --model household --weights "$weights" \
    --checkpoint "$runs/calibrated.safetensors"
cp "$runs"/exported/* "$weights/"
ls -l "$weights"
