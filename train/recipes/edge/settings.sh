# What every stage shares; sourced by them. Override by environment variables.

# Manifests and text: DATA/train.jsonl, DATA/dev.jsonl, DATA/text/books.txt.xz (one sentence a line).
: "${DATA:?set DATA to the folder with train.jsonl, dev.jsonl and text/books.txt.xz}"
# Transcribed speech from elsewhere, a folder with train.jsonl for each source; the sixth run needs it.
: "${CORPORA:=corpora}"
# Scored after every epoch; empty for none.
: "${DEV=$DATA/dev.jsonl}"
# Everything that the stages write.
: "${WORK:=work}"
# Training processes, a core each: on a CPU two of one thread do more than one of two.
: "${PROCESSES:=2}"

mkdir -p "$WORK"

# glibc returns large blocks to the system after every step and fetches them anew, page by page:
# a third of the time of a step of 320 s on two cores. These keep them, and each process at 4 to 7 GB
# of memory. No loader processes beside it: forked, they would keep a copy of what it writes over.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184

recipes="$(dirname "${BASH_SOURCE[0]}")"

# fit OUT RECIPE …: start a run, or go on with the one that is there.
fit() {
  local out=$1 recipe=$2
  shift 2
  if [ -e "$out/finished" ]; then return; fi
  if [ -e "$out/last/config.json" ]; then set -- "$@" --resume; fi
  OMP_NUM_THREADS=1 torchrun --nproc-per-node "$PROCESSES" -m asr_train fit --out "$out" \
    --config "$recipes/$recipe.toml" ${DEV:+--dev-manifest "$DEV"} --audio-cache "$WORK/cache" "$@"
  touch "$out/finished"
}
