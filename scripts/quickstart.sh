#!/usr/bin/env bash
# From a fresh clone to a model that writes: installs, builds, trains a small GPT-2, prints samples.
#
#   scripts/quickstart.sh              on stories that weft makes up
#   scripts/quickstart.sh my.txt       on your own text (UTF-8, best 100 KB or more)
#
# STEPS=8000 scripts/quickstart.sh my.txt trains longer. Each run gets a directory of its own.
set -euo pipefail

text=
if (($# > 1)) || [[ ${1-} == -* ]]; then
  echo "usage: scripts/quickstart.sh [TEXT_FILE]" >&2
  exit 2
elif (($# == 1)); then
  if [[ ! -f $1 || ! -r $1 ]]; then
    echo "quickstart: cannot read the file $1" >&2
    exit 2
  fi
  text=$(realpath "$1")
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh
prompt=$'\n'  # a text of unknown kind: begin a line
steps=${STEPS:-2400}

heading() {
  if [[ -t 1 ]]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

# runs/quickstart, or with the first number that is free: an earlier run is never touched.
fresh_run_directory() {
  local directory=runs/quickstart number=2
  while [[ -e $directory ]]; do
    directory=runs/quickstart-$((number++))
  done
  echo "$directory"
}

build() {
  heading "Building weft"
  install_packages build
  cmake --preset release >/dev/null
  cmake --build --preset release --target weft
}

write_corpus() {
  heading "Writing 2 MB of stories to runs/stories.txt"
  mkdir -p runs
  build/weft stories --bytes 2000000 --seed 1 --out runs/stories.txt
  text=runs/stories.txt
  prompt="Once upon a time, there was"
  echo "They begin:"
  head -n 3 "$text" | cut -c 1-300 | fold -s -w 90 | sed 's/^/  /'
}

train() {
  heading "Training a GPT-2 of 0.8 million parameters on $text, $steps steps"
  build/weft train --data "$text" --tokenizer bytes --model L=4,NH=4,C=128,T=128 \
    --batch-size 8 --seq-len 128 --steps "$steps" --lr 3e-3 --warmup 100 \
    --val-every 400 --exec tasks --out "$run"
}

write_samples() {
  local seed
  for seed in 1 2 3; do
    heading "Sample $seed"
    build/weft generate --model "$run" --prompt "$prompt" --tokens 300 --temperature 0.5 \
      --seed "$seed"
    echo
  done
}

say_what_is_next() {
  heading "Your model is in $run. What to try next"
  cat <<NEXT
Let it go on from your words:
  build/weft generate --model $run --prompt "The " --tokens 500
Train on a text of your own, and for longer:
  STEPS=8000 scripts/quickstart.sh my.txt
See what else training can do (bigger models, other schedules, stopping and resuming):
  build/weft train --help
NEXT
}

build
run=$(fresh_run_directory)
[[ -n $text ]] || write_corpus
train
write_samples
say_what_is_next
